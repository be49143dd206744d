//! Who is in a book, and what they may do there.

use serde::{Deserialize, Serialize};

use crate::UserId;

/// What a member may do. Ordered: each may do all that the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and writes records.
    Editor,
    /// Also decides who is in the book.
    Owner,
}

impl Role {
    #[must_use]
    pub fn may_write(self) -> bool {
        self >= Self::Editor
    }
}

/// A person as the members of a book see them. Former members have no role; history still names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: UserId,
    pub name: String,
    pub role: Option<Role>,
}
