//! Who is in a book, and what they may do there.

use serde::Serialize;

use crate::{UserId, read_by_name, read_variant_by_name};

/// What a member may do. Ordered: each may do all that the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and writes records.
    Editor,
    /// Also decides who is in the book.
    Owner,
}

read_variant_by_name!(Role { "viewer" => Viewer, "editor" => Editor, "owner" => Owner });

impl Role {
    #[must_use]
    pub fn may_write(self) -> bool {
        self >= Self::Editor
    }
}

/// A person as the members of a book see them. Former members have no role; history still names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    pub id: UserId,
    pub name: String,
    pub role: Option<Role>,
}

read_by_name!(Person { id, name; role });
