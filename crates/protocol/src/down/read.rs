//! Reading a server's message: its members in whatever order they come, then what its type makes of them.
//!
//! Derived, the readers of all these messages would be large, and browsers download them.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tidebook_book::{
    BookId, ChainHash, Epoch, MutationId, MutationNumber, Person, Role, Seq, UnixMillis, read_by_name,
};

use super::{
    Down, DownError, Entries, Limits, PeerPresence, People, Presence, RefusedIn, RoleNow, SnapshotRequired, Subscribed,
    Welcome, WelcomeUser,
};
use crate::{Refusal, Refused, up::Tag};

impl Down {
    /// Reads one text frame.
    pub fn parse(text: &str) -> Result<Self, DownError> {
        match serde_json::from_str::<Members>(text) {
            Ok(members) => members.into_message().map_err(|missing| DownError(serde_json::Error::custom(missing))),
            // A message of a newer server may hold anything under the names that are known here.
            Err(error) => match serde_json::from_str::<Tag>(text) {
                Ok(tag) if !KINDS.contains(&tag.kind.as_str()) => Ok(Self::Unknown),
                _ => Err(DownError(error)),
            },
        }
    }
}

const KINDS: [&str; 11] = [
    "welcome",
    "subscribed",
    "people",
    "fates",
    "snapshot_required",
    "entries",
    "refused",
    "presence",
    "role",
    "drain",
    "error",
];

/// All that a message of any type can hold.
struct Members {
    kind: String,
    protocol: Option<u32>,
    server_at: Option<UnixMillis>,
    user: Option<WelcomeUser>,
    limits: Option<Limits>,
    book: Option<BookId>,
    epoch: Option<Epoch>,
    role: RoleSaid,
    head: Option<Seq>,
    head_hash: Option<ChainHash>,
    accepted: Option<MutationNumber>,
    people: Option<Vec<Person>>,
    entries: Option<Vec<Box<RawValue>>>,
    from_seq: Option<Seq>,
    seq: Option<Seq>,
    id: Option<MutationId>,
    n: Option<MutationNumber>,
    code: Option<String>,
    detail: Option<String>,
    expected: Option<MutationNumber>,
    retry_after_ms: Option<u64>,
    peers: Option<Vec<PeerPresence>>,
    count: Option<usize>,
}

read_by_name!(Members {
    ; kind as "type", protocol, server_at, user, limits, book, epoch, role, head, head_hash, accepted, people, entries,
    from_seq, seq, id, n, code, detail, expected, retry_after_ms, peers, count
});

/// A role, or that there is none: both are something else than no word of it.
#[derive(Default)]
struct RoleSaid(Option<Option<Role>>);

impl<'de> Deserialize<'de> for RoleSaid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|role| Self(Some(role)))
    }
}

/// The name of what a message of this type always has.
type Missing = &'static str;

impl Members {
    fn into_message(self) -> Result<Down, Missing> {
        Ok(match self.kind.as_str() {
            "welcome" => Down::Welcome(Welcome {
                protocol: self.protocol.ok_or("protocol")?,
                server_at: self.server_at.ok_or("server_at")?,
                user: self.user.ok_or("user")?,
                limits: self.limits.ok_or("limits")?,
            }),
            "subscribed" => Down::Subscribed(Subscribed {
                book: self.book()?,
                epoch: self.epoch.ok_or("epoch")?,
                role: self.role.0.flatten().ok_or("role")?,
                head: self.head.ok_or("head")?,
                head_hash: self.head_hash.ok_or("head_hash")?,
                accepted: self.accepted.ok_or("accepted")?,
            }),
            "people" => Down::People(People { book: self.book()?, people: self.people.ok_or("people")? }),
            "fates" => Down::Fates(self.into_entries()?),
            "entries" => Down::Entries(self.into_entries()?),
            "snapshot_required" => Down::SnapshotRequired(SnapshotRequired {
                book: self.book()?,
                epoch: self.epoch.ok_or("epoch")?,
                from_seq: self.from_seq,
                seq: self.seq.ok_or("seq")?,
            }),
            "refused" => self.into_refused()?,
            "presence" => Down::Presence(Presence {
                book: self.book()?,
                peers: self.peers.ok_or("peers")?,
                count: self.count.ok_or("count")?,
            }),
            "role" => Down::Role(RoleNow { book: self.book()?, role: self.role.0.ok_or("role")? }),
            "drain" => Down::Drain { retry_after_ms: self.retry_after_ms.ok_or("retry_after_ms")? },
            "error" => Down::Error { code: self.code.ok_or("code")?, detail: self.detail.ok_or("detail")? },
            "" => return Err("type"),
            _ => Down::Unknown,
        })
    }

    fn book(&self) -> Result<BookId, Missing> {
        self.book.ok_or("book")
    }

    fn into_entries(self) -> Result<Entries, Missing> {
        Ok(Entries { book: self.book()?, entries: self.entries.ok_or("entries")? })
    }

    fn into_refused(self) -> Result<Down, Missing> {
        let refused = Refused {
            id: self.id.ok_or("id")?,
            n: self.n.ok_or("n")?,
            code: Refusal::by_name(self.code.as_deref().ok_or("code")?),
            detail: self.detail.clone().ok_or("detail")?,
            expected: self.expected,
            retry_after_ms: self.retry_after_ms,
        };
        Ok(Down::Refused(RefusedIn { book: self.book()?, refused }))
    }
}
