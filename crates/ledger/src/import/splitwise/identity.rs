//! Ids that are the same whenever the same file is read into the same book.
//!
//! What goes into them is a promise: a change here makes every second import a duplicate of the first.

use std::collections::HashMap;

use tidebook_book::{BookId, HashedId};

use super::sheet::Row;
use crate::{ContactId, TransactionId};

const CONTACT_DOMAIN: &str = "tidebook splitwise contact v1";
const TRANSACTION_DOMAIN: &str = "tidebook splitwise transaction v1";

pub(super) fn contact_id(book: BookId, name: &str) -> ContactId {
    ContactId(HashedId::new(CONTACT_DOMAIN).field(book.0.as_bytes()).field(name.as_bytes()).id())
}

pub(super) fn transaction_id(book: BookId, occurrence: &Occurrence, contact: &str) -> TransactionId {
    let hashed = HashedId::new(TRANSACTION_DOMAIN)
        .field(book.0.as_bytes())
        .field(&occurrence.row)
        .field(&occurrence.earlier.to_le_bytes())
        .field(contact.as_bytes());
    TransactionId(hashed.id())
}

/// A row, and how often the same row stands before it in the file.
#[derive(Debug)]
pub(super) struct Occurrence {
    row: Vec<u8>,
    earlier: u64,
}

/// Counts equal rows, from the top of the file down.
#[derive(Debug, Default)]
pub(super) struct Occurrences(HashMap<Vec<u8>, u64>);

impl Occurrences {
    pub(super) fn next(&mut self, people: &[String], row: &Row) -> Occurrence {
        let row = encode(people, row);
        let count = self.0.entry(row.clone()).or_insert(0);
        let earlier = *count;
        *count += 1;
        Occurrence { row, earlier }
    }
}

/// A row's content. Zero cells are left out and the others are named and sorted, because all rows of a file get one
/// more cell when somebody joins the group, and they are the same rows nonetheless.
fn encode(people: &[String], row: &Row) -> Vec<u8> {
    let mut cells: Vec<_> = people.iter().zip(&row.cells).filter(|(_, cell)| cell.signum() != 0).collect();
    cells.sort_by_key(|(name, _)| *name);
    let mut encoding = HashedId::default()
        .field(row.date.to_string().as_bytes())
        .field(row.description.as_bytes())
        .field(row.category.as_bytes())
        .field(&row.cost.to_bytes())
        .field(row.currency.as_bytes());
    for (name, cell) in cells {
        encoding = encoding.field(name.as_bytes()).field(&cell.to_bytes());
    }
    encoding.into_bytes()
}
