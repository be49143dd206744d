//! Contacts and transactions over REST.
//!
//! A write takes the same path as a mutation: one op, decided by the book's authority and answered after its commit.

mod answer;
mod list;
mod write;

pub(super) use list::*;
pub(super) use write::*;

use serde::Deserialize;
use tidebook_book::BookId;
use uuid::Uuid;

/// `{b}` and `{id}` of a path.
#[derive(Debug, Deserialize)]
pub(super) struct RecordPath {
    book: BookId,
    id: Uuid,
}
