//! A book as one JSON text that imports again without loss: [`crate::import::json`] reads it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use tidebook_book::{BookId, ChainHash, Domain, Epoch, Person, Seq, UserId};

use crate::{Ledger, LedgerBook, LedgerState};

/// What the text calls itself.
pub const FORMAT: &str = "tidebook-book";
/// The version that is written. Within a version members may be added, and readers pass over those they don't know.
pub const VERSION: u32 = 1;

/// Where a state came from.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    pub book: BookId,
    /// None where no server has the book yet.
    pub epoch: Option<Epoch>,
    /// Of the last entry in the state, and the log's hash there.
    pub seq: Seq,
    pub hash: ChainHash,
    /// Mutations in the state that are in no entry yet: those of an outbox, where a view is exported.
    pub pending: usize,
}

/// A book's state as text, and with `entries` its history too: entry 1 to the last, byte for byte as the log has them, so
/// that the chain of hashes can be checked.
///
/// What is confirmed and what a person sees on their device are exported alike. `state_hash` is of the state that is in the
/// text; where nothing is pending it is the one that everybody else has at `seq`. `people` gives names; who may do
/// what is taken from the book, whose hash covers it.
#[must_use]
pub fn json(origin: Origin, people: &[Person], book: &LedgerBook, entries: Option<&[&RawValue]>) -> String {
    let Origin { book: id, epoch, seq, hash, pending } = origin;
    let file = File {
        format: FORMAT,
        version: VERSION,
        book: id,
        epoch,
        seq,
        hash,
        pending,
        state_version: Ledger::STATE_VERSION,
        state_hash: book.hash(),
        people: people_of(people, book),
        state: &book.domain,
        entries,
    };
    serde_json::to_string(&file).expect("a book serialises into memory")
}

#[derive(Serialize)]
struct File<'a> {
    format: &'a str,
    version: u32,
    book: BookId,
    epoch: Option<Epoch>,
    seq: Seq,
    hash: ChainHash,
    #[serde(skip_serializing_if = "is_none_pending")]
    pending: usize,
    state_version: u32,
    state_hash: ChainHash,
    people: Vec<Person>,
    state: &'a LedgerState,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<&'a [&'a RawValue]>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_none_pending(pending: &usize) -> bool {
    *pending == 0
}

/// Everyone who is known by name, with the role they have in the book, and members whose name is not known.
fn people_of(named: &[Person], book: &LedgerBook) -> Vec<Person> {
    let mut people: BTreeMap<UserId, Person> = BTreeMap::new();
    for (id, role) in &book.members {
        people.insert(*id, Person { id: *id, name: String::new(), role: Some(*role) });
    }
    for person in named {
        people.insert(person.id, Person { role: book.role_of(person.id), ..person.clone() });
    }
    people.into_values().collect()
}
