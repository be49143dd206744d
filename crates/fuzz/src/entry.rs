//! Entries of a log, a line each.

use tidebook_book::{BookChange, Entry};
use tidebook_ledger::{Ledger, LedgerBook};

use crate::Reading;

type LedgerEntry = Entry<BookChange<Ledger>>;

/// What reads reads the same after it was written; and whatever it does to a book can be taken back.
pub(crate) fn attack(bytes: &[u8]) -> Reading {
    let lines = bytes.split(|byte| *byte == b'\n');
    let entries: Vec<LedgerEntry> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let mut book = LedgerBook::default();
    for entry in &entries {
        let written = serde_json::to_vec(entry).expect("an entry serialises into memory");
        let again: LedgerEntry = serde_json::from_slice(&written).expect("what was written reads");
        assert_eq!(&again, entry);

        let before = book.hash();
        let mut draft = entry.draft();
        let undos = entry.changes.iter().enumerate().map(|(index, change)| {
            draft.index = index;
            book.apply(change, &draft)
        });
        let undos = undos.collect();
        let after = book.hash();
        book.revert_all(undos);
        assert_eq!(book.hash(), before);
        book.apply_entry(entry);
        assert_eq!(book.hash(), after);
    }
    Reading::taken_if(!entries.is_empty())
}
