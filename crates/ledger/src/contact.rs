//! A contact as it stands.

use serde::{Deserialize, Serialize};
use tidebook_book::{Draft, ReplicaId, Seq, UnixMillis, UserId};

use crate::ContactId;

/// Where a record came from. Every field not changed since was last changed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    pub seq: Seq,
    /// Which change of that entry: with `seq`, the order of creation.
    pub index: usize,
    pub by: UserId,
    pub replica: ReplicaId,
    /// The server's clock; on a client's prediction, the client's.
    pub at: UnixMillis,
}

impl Created {
    pub(crate) fn by_draft(draft: &Draft) -> Self {
        let author = draft.author;
        Self { seq: draft.seq, index: draft.index, by: author.user, replica: author.replica, at: draft.at }
    }
}

/// Someone who owes, or is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub id: ContactId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub deleted: bool,
    /// Of its last change.
    pub seq: Seq,
    pub created: Created,
}
