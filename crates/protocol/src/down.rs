//! What a server says.

mod read;

use serde::Serialize;
use serde_json::value::RawValue;
use tidebook_book::{BookId, ChainHash, Epoch, MutationNumber, Person, Role, Seq, UnixMillis, UserId, read_by_name};

use crate::{Refused, limits};

/// A message from a server to a replica.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Down {
    Welcome(Welcome),
    Subscribed(Subscribed),
    People(People),
    /// Own entries the replica asked about, or whose mutations it sent again.
    Fates(Entries),
    SnapshotRequired(SnapshotRequired),
    /// Contiguous, in order.
    Entries(Entries),
    Refused(RefusedIn),
    Presence(Presence),
    /// No longer a member; nothing of the book comes after it.
    Role(RoleNow),
    /// The server is going away; come back after a random wait of at most this.
    Drain {
        retry_after_ms: u64,
    },
    /// Then the socket closes.
    Error {
        code: String,
        detail: String,
    },
    /// A message of a newer server, which this version passes over.
    #[serde(skip)]
    Unknown,
}

/// The answer to a hello.
#[derive(Debug, Clone, Serialize)]
pub struct Welcome {
    pub protocol: u32,
    pub server_at: UnixMillis,
    pub user: WelcomeUser,
    pub limits: Limits,
}

/// The answer to a subscribe: where the book stands.
#[derive(Debug, Clone, Serialize)]
pub struct Subscribed {
    pub book: BookId,
    pub epoch: Epoch,
    pub role: Role,
    pub head: Seq,
    pub head_hash: ChainHash,
    /// This replica's last number in the log. It empties no outbox.
    pub accepted: MutationNumber,
}

/// Who is and was in the book.
#[derive(Debug, Clone, Serialize)]
pub struct People {
    pub book: BookId,
    pub people: Vec<Person>,
}

/// Entries of a book, as raw bytes.
#[derive(Debug, Clone, Serialize)]
pub struct Entries {
    pub book: BookId,
    pub entries: Vec<Box<RawValue>>,
}

/// Another history, or too far behind: fetch a snapshot, then subscribe again.
#[derive(Debug, Clone, Serialize)]
pub struct SnapshotRequired {
    pub book: BookId,
    pub epoch: Epoch,
    pub from_seq: Option<Seq>,
    pub seq: Seq,
}

/// A refusal, and the book it is about.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedIn {
    pub book: BookId,
    #[serde(flatten)]
    pub refused: Refused,
}

/// Who is in the book now; the whole list.
#[derive(Debug, Clone, Serialize)]
pub struct Presence {
    pub book: BookId,
    pub peers: Vec<PeerPresence>,
    pub count: usize,
}

/// The person's role in the book, as of now.
#[derive(Debug, Clone, Serialize)]
pub struct RoleNow {
    pub book: BookId,
    pub role: Option<Role>,
}

/// Who the socket speaks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WelcomeUser {
    pub id: UserId,
    pub name: String,
}

read_by_name!(WelcomeUser { id, name });

/// The bounds this server keeps to, in bytes and counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limits {
    pub frame_up_bytes: usize,
    pub frame_down_bytes: usize,
    pub mutation_bytes: usize,
    pub mutation_ops: usize,
}

read_by_name!(Limits { frame_up_bytes, frame_down_bytes, mutation_bytes, mutation_ops });

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_up_bytes: limits::FRAME_UP_BYTES_MAX,
            frame_down_bytes: limits::FRAME_DOWN_BYTES_MAX,
            mutation_bytes: limits::MUTATION_BYTES_MAX,
            mutation_ops: limits::MUTATION_OPS_MAX,
        }
    }
}

/// One replica's presence in a book.
#[derive(Debug, Clone, Serialize)]
pub struct PeerPresence {
    pub replica: tidebook_book::ReplicaId,
    pub user: UserId,
    pub viewing: Option<Box<RawValue>>,
    pub editing: Option<Box<RawValue>>,
    pub since_at: UnixMillis,
}

read_by_name!(PeerPresence { replica, user, since_at; viewing, editing });

/// Why a frame from a server could not be read.
#[derive(Debug, thiserror::Error)]
#[error("unreadable message from the server: {0}")]
pub struct DownError(#[from] serde_json::Error);

impl Down {
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("a message serialises into memory")
    }
}

/// What an `entries` or a `fates` frame may have around its entries: its type and the book's id.
pub const ENTRIES_ENVELOPE_BYTES: usize = 128;

/// An `entries` frame: the stored bytes, copied side by side.
#[must_use]
pub fn entries_frame<'a>(book: BookId, entries: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    frame("entries", book, entries)
}

/// A `fates` frame, likewise.
#[must_use]
pub fn fates_frame<'a>(book: BookId, entries: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    frame("fates", book, entries)
}

fn frame<'a>(kind: &str, book: BookId, entries: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = format!(r#"{{"type":"{kind}","book":"{book}","entries":["#).into_bytes();
    for (index, entry) in entries.into_iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        bytes.extend_from_slice(entry);
    }
    bytes.extend_from_slice(b"]}");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> BookId {
        "0199d4c2-5b1e-7c3a-8f00-0123456789ab".parse().expect("an id")
    }

    #[test]
    fn an_entries_frame_carries_the_exact_bytes() {
        let entries: [&[u8]; 2] = [br#"{"seq":1, "odd":  "spacing"}"#, br#"{"seq":2}"#];
        let frame = String::from_utf8(entries_frame(book(), entries)).expect("UTF-8");
        let Ok(Down::Entries(read)) = Down::parse(&frame) else { panic!("{frame}") };
        assert_eq!(read.entries.iter().map(|raw| raw.get().as_bytes()).collect::<Vec<_>>(), entries);
    }

    #[test]
    fn a_newer_servers_messages_are_passed_over() {
        assert!(matches!(Down::parse(r#"{"type":"tomorrow","x":1}"#), Ok(Down::Unknown)));
        assert!(matches!(Down::parse(r#"{"type":"tomorrow","book":1,"role":[]}"#), Ok(Down::Unknown)));
        assert!(Down::parse(r#"{"type":"role"}"#).is_err());
        assert!(Down::parse(r#"{"role":null}"#).is_err());
        assert!(Down::parse("nonsense").is_err());
    }

    #[test]
    fn a_refusal_reads_back_and_unknown_codes_are_other() {
        let text = format!(
            r#"{{"type":"refused","book":"{0}","id":"{0}","n":4,"code":"gap","detail":"d","expected":2}}"#,
            book()
        );
        let Ok(message @ Down::Refused(_)) = Down::parse(&text) else { panic!("{text}") };
        assert_eq!(message.encode(), text);
        let unknown = Down::parse(&text.replace("gap", "tired"));
        let Ok(Down::Refused(RefusedIn { refused, .. })) = unknown else { panic!("{unknown:?}") };
        assert_eq!(refused.code, crate::Refusal::Other);
    }
}
