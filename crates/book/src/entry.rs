//! One line of a book's log.

use std::sync::Arc;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::value::RawValue;

use crate::{ChainHash, MutationId, MutationNumber, ReplicaId, Role, Seq, UnixMillis, UserId, read_by_name};

/// The outcome of exactly one mutation: either its changes, or its rejection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry<C> {
    pub seq: Seq,
    /// When the server staged it, by the server's clock.
    pub at: UnixMillis,
    pub by: UserId,
    pub replica: ReplicaId,
    pub n: MutationNumber,
    pub id: MutationId,
    pub made_at: UnixMillis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Seq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected: Option<Rejected>,
    /// Empty where the mutation was rejected, or had nothing to change.
    pub changes: Vec<C>,
}

read_by_name!(Entry<C: DeserializeOwned> { seq, at, by, replica, n, id, made_at; undoes, rejected, changes });

/// Why a mutation changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// Stable: programs decide by it.
    pub code: String,
    /// For people.
    pub detail: String,
    /// The index of the op at fault.
    pub op: usize,
    /// The field at fault, where `code` is `invalid_field`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

read_by_name!(Rejected { code, detail, op; field });

/// A change of who is in the book. The engine's own: every domain has members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", try_from = "Members")]
pub enum MemberChange {
    #[serde(rename = "member_added")]
    Added { user: UserId, role: Role },
    #[serde(rename = "member_role_changed")]
    RoleChanged { user: UserId, role: Role },
    #[serde(rename = "member_removed")]
    Removed { user: UserId },
}

/// A change of members as it is read.
struct Members {
    name: String,
    user: UserId,
    role: Option<Role>,
}

read_by_name!(Members { name as "type", user; role });

impl TryFrom<Members> for MemberChange {
    type Error = &'static str;

    fn try_from(Members { name, user, role }: Members) -> Result<Self, &'static str> {
        match (name.as_str(), role) {
            ("member_added", Some(role)) => Ok(Self::Added { user, role }),
            ("member_role_changed", Some(role)) => Ok(Self::RoleChanged { user, role }),
            ("member_removed", _) => Ok(Self::Removed { user }),
            _ => Err("not a change of members"),
        }
    }
}

const MEMBER_CHANGES: [&str; 3] = ["member_added", "member_role_changed", "member_removed"];

/// A change as it stands in the log: the engine's, or the domain's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<C> {
    Member(MemberChange),
    Domain(C),
}

/// A change of a book of domain `D`.
pub type BookChange<D> = Change<<D as crate::Domain>::Change>;

impl<C: Serialize> Serialize for Change<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Member(change) => change.serialize(serializer),
            Self::Domain(change) => change.serialize(serializer),
        }
    }
}

impl<'de, C: Deserialize<'de>> Deserialize<'de> for Change<C> {
    /// In two passes: first the type, then what it says. (`RawValue` does not work inside tagged enums.)
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tag {
            kind: String,
        }
        read_by_name!(Tag { kind as "type" });
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        // Most are not, and are read once.
        if raw.contains("member_") {
            let tag: Tag = serde_json::from_str(raw).map_err(D::Error::custom)?;
            if MEMBER_CHANGES.contains(&tag.kind.as_str()) {
                return serde_json::from_str(raw).map(Self::Member).map_err(D::Error::custom);
            }
        }
        serde_json::from_str(raw).map(Self::Domain).map_err(D::Error::custom)
    }
}

/// An entry as it is stored, sent and hashed: encoded once, shared by all.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedEntry {
    pub seq: Seq,
    /// JSON, without a newline.
    pub bytes: Arc<[u8]>,
    /// The chain's hash after this entry.
    pub hash: ChainHash,
}

impl std::fmt::Debug for EncodedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EncodedEntry({}, {})", self.seq, String::from_utf8_lossy(&self.bytes))
    }
}
