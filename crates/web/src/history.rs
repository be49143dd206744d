//! The history of one transaction: what its book's entries say of it, and how each of them is taken back.

use tidebook_book::{BookChange, Change, Entry, Seq, UnixMillis, UserId};
use tidebook_ledger::{
    Field, FieldSet, FieldValue, Ledger, LedgerChange, LedgerOp, RecordRef, Transaction, TransactionId, inverse_of,
    left_out,
};
use tidebook_replica::Pending;
use uuid::Uuid;

/// An entry as a history tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The same before and after it came into the book.
    pub key: Uuid,
    /// Where it stands in the book; nowhere yet while only this device knows of it.
    pub seq: Option<Seq>,
    pub at: UnixMillis,
    pub by: UserId,
    /// It took something back.
    pub is_undo: bool,
    pub what: What,
    /// New values, or those it was made with.
    pub set: FieldSet,
    /// The values they replaced; a long text is left out.
    pub was: FieldSet,
    /// What came too late, and was set aside.
    pub aside: FieldSet,
    /// What takes it back; nothing where that cannot be.
    pub undo: Vec<LedgerOp>,
}

/// What an entry did to the record. Of several things, the greatest is what it is told as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Changed,
    Restored,
    Deleted,
    /// Something came too late and was set aside.
    Split,
    /// Somebody chose between two versions, and whether they took the one set aside.
    Decided(bool),
    Created,
}

impl Line {
    /// What an entry says of a transaction, if anything.
    #[must_use]
    pub fn of_entry(id: TransactionId, entry: &Entry<BookChange<Ledger>>) -> Option<Self> {
        let line = Self::of_changes(id, &entry.changes)?;
        let (key, is_undo) = (entry.id.0, entry.undoes.is_some());
        Some(Self { key, seq: Some(entry.seq), at: entry.at, by: entry.by, is_undo, ..line })
    }

    /// What somebody wrote of it that is not in the book yet.
    #[must_use]
    pub fn of_pending(id: TransactionId, by: UserId, pending: &Pending<Ledger>) -> Option<Self> {
        let line = Self::of_changes(id, pending.predicted())?;
        let mutation = &pending.mutation;
        Some(Self { key: mutation.id.0, at: mutation.made_at, by, is_undo: mutation.undoes.is_some(), ..line })
    }

    fn of_changes(id: TransactionId, changes: &[BookChange<Ledger>]) -> Option<Self> {
        let changes = changes.iter().filter_map(|change| match change {
            Change::Domain(change) => Some(change),
            Change::Member(_) => None,
        });
        let changes: Vec<_> = changes.filter(|change| change.record() == RecordRef::Transaction(id)).collect();
        let mut line = Self {
            key: Uuid::nil(),
            seq: None,
            at: UnixMillis(0),
            by: UserId(Uuid::nil()),
            is_undo: false,
            what: changes.iter().map(|change| what(change)).max()?,
            set: FieldSet::default(),
            was: FieldSet::default(),
            aside: FieldSet::default(),
            undo: Vec::new(),
        };
        changes.iter().for_each(|change| line.take(change));
        let is_known = |change: &&LedgerChange| match change {
            LedgerChange::TransactionUpdated { set, was, .. } => left_out(set, was).is_empty(),
            _ => true,
        };
        if changes.iter().all(is_known) {
            let changes: Vec<LedgerChange> = changes.into_iter().cloned().collect();
            line.undo = inverse_of(&changes);
        }
        Some(line)
    }

    fn take(&mut self, change: &LedgerChange) {
        match change {
            LedgerChange::TransactionCreated { direction, amount, currency, date, note, .. } => {
                let amount = i64::try_from(*amount).unwrap_or(i64::MAX);
                self.set.insert(Field::Amount, FieldValue::Number(amount));
                let note = note.as_ref().map(|note| (Field::Note, note.clone()));
                let texts = [
                    (Field::Direction, direction.to_string()),
                    (Field::Currency, currency.to_string()),
                    (Field::Date, date.to_string()),
                ];
                texts.into_iter().chain(note).for_each(|(field, text)| self.set.insert(field, FieldValue::Text(text)));
            }
            LedgerChange::TransactionUpdated { set, was, .. } => {
                copy(set, &mut self.set);
                copy(was, &mut self.was);
            }
            LedgerChange::ConflictRaised(conflict) => copy(&conflict.offered.set, &mut self.aside),
            _ => {}
        }
    }

    /// Whether taking it back would change anything of what is there now.
    #[must_use]
    pub fn can_be_undone(&self, now: &Transaction) -> bool {
        let would_change = match self.what {
            What::Deleted => now.deleted,
            What::Created | What::Restored => !now.deleted,
            What::Changed | What::Split | What::Decided(_) => {
                !now.deleted && self.was.iter().any(|(field, was)| now.value(field) != *was)
            }
        };
        would_change && self.seq.is_some() && !self.undo.is_empty()
    }
}

/// Puts a line in its place, the newest first, unless it is there.
pub fn put(lines: &mut Vec<Line>, line: Line) {
    let place = lines.partition_point(|known| known.seq > line.seq);
    if lines.get(place).is_none_or(|known| known.seq != line.seq) {
        lines.insert(place, line);
    }
}

fn what(change: &LedgerChange) -> What {
    match change {
        LedgerChange::TransactionCreated { .. } => What::Created,
        LedgerChange::TransactionDeleted { .. } => What::Deleted,
        LedgerChange::TransactionRestored { .. } => What::Restored,
        LedgerChange::ConflictRaised(_) => What::Split,
        LedgerChange::ConflictResolved { applied, .. } => What::Decided(*applied),
        _ => What::Changed,
    }
}

fn copy(from: &FieldSet, to: &mut FieldSet) {
    from.iter().for_each(|(field, value)| to.insert(field, value.clone()));
}

#[cfg(test)]
mod tests {
    use tidebook_book::{Author, Domain, Draft, Knows, MutationId, MutationNumber, ReplicaId};
    use tidebook_ledger::LedgerState;

    use super::*;
    use crate::entry::tests::{id, transaction};

    const T: TransactionId = TransactionId(Uuid::from_u128(11));

    /// A book as its log goes on.
    #[derive(Default)]
    struct Book {
        state: LedgerState,
        log: Vec<Entry<BookChange<Ledger>>>,
    }

    impl Book {
        fn with_a_taxi() -> Self {
            let mut book = Self::default();
            book.write(1, 0, LedgerOp::create_contact(id(1), "Ana"));
            book.write(1, 1, transaction(11, 1, "gave", 2050, "EUR", "2026-11-22"));
            book
        }

        fn write(&mut self, user: u128, base: u64, op: LedgerOp) {
            self.write_all(user, base, Knows::Own, &[op]);
        }

        fn write_all(&mut self, user: u128, base: u64, knows: Knows, ops: &[LedgerOp]) {
            let seq = Seq(self.log.len() as u64 + 1);
            let author = Author { user: UserId(Uuid::from_u128(user)), replica: ReplicaId(Uuid::from_u128(user)) };
            let mutation = MutationId(Uuid::from_u128(1000 + u128::from(seq.0)));
            let (at, made_at, base) = (UnixMillis(seq.0 as i64), UnixMillis(0), Seq(base));
            let mut changes = Vec::new();
            for (index, op) in ops.iter().enumerate() {
                let draft = Draft { seq, at, author, mutation, made_at, base, knows, index };
                for change in Ledger::decide(&self.state, op, &draft).expect("taken") {
                    Ledger::apply(&mut self.state, &change, &draft);
                    changes.push(Change::Domain(change));
                }
            }
            let (by, replica, n) = (author.user, author.replica, MutationNumber(seq.0));
            let undoes = (knows == Knows::Nothing).then_some(base);
            let entry = Entry { seq, at, by, replica, n, id: mutation, made_at, undoes, rejected: None, changes };
            self.log.push(entry);
        }

        /// Takes an entry back, as its line in the history offers.
        fn undo(&mut self, user: u128, seq: u64) {
            let line = self.line(seq).expect("told");
            assert!(line.can_be_undone(self.taxi()), "{line:?}");
            self.write_all(user, seq, Knows::Nothing, &line.undo);
        }

        fn line(&self, seq: u64) -> Option<Line> {
            Line::of_entry(T, &self.log[usize::try_from(seq).expect("small") - 1])
        }

        fn history(&self) -> Vec<Line> {
            let mut lines = Vec::new();
            // As they come: the device's first, older ones later, some of them twice.
            for entry in self.log.iter().chain(&self.log[..2]) {
                Line::of_entry(T, entry).into_iter().for_each(|line| put(&mut lines, line));
            }
            lines
        }

        fn taxi(&self) -> &Transaction {
            self.state.transaction(T).expect("there")
        }
    }

    fn set(field: Field, text: &str) -> LedgerOp {
        let value = text.parse().map_or_else(|_| FieldValue::Text(text.into()), FieldValue::Number);
        LedgerOp::UpdateTransaction { id: T, set: FieldSet::default().with(field, value) }
    }

    #[test]
    fn a_history_tells_who_did_what_newest_first() {
        let mut book = Book::with_a_taxi();
        book.write(2, 2, set(Field::Amount, "2150"));
        book.write(1, 3, LedgerOp::create_contact(id(2), "Jun"));
        book.write(1, 3, LedgerOp::DeleteTransaction { id: T });
        book.write(2, 5, LedgerOp::RestoreTransaction { id: T });
        let told: Vec<_> = book.history().into_iter().map(|line| (line.seq, line.by.0.as_u128(), line.what)).collect();
        let expected = [(6, 2, What::Restored), (5, 1, What::Deleted), (3, 2, What::Changed), (2, 1, What::Created)];
        assert_eq!(told, expected.map(|(seq, by, what)| (Some(Seq(seq)), by, what)));
        let changed = book.line(3).expect("told");
        assert_eq!(changed.was.get(Field::Amount), Some(&FieldValue::Number(2050)));
        assert_eq!(changed.set.get(Field::Amount), Some(&FieldValue::Number(2150)));
        assert_eq!(book.line(2).expect("told").set.get(Field::Currency), Some(&FieldValue::Text("EUR".into())));
    }

    #[test]
    fn what_was_done_is_taken_back_and_that_again() {
        let mut book = Book::with_a_taxi();
        book.write(2, 2, set(Field::Amount, "2150"));
        book.undo(1, 3);
        assert_eq!(book.taxi().amount, 2050);
        assert!(book.line(4).expect("told").is_undo);
        assert!(!book.line(3).expect("told").can_be_undone(book.taxi()), "it is taken back already");
        book.undo(2, 4);
        assert_eq!(book.taxi().amount, 2150);

        book.write(1, 5, LedgerOp::DeleteTransaction { id: T });
        assert!(
            [2, 3, 5].iter().all(|seq| !book.line(*seq).expect("told").can_be_undone(book.taxi())),
            "it is deleted"
        );
        book.undo(2, 6);
        assert!(!book.taxi().deleted, "a deletion is restored");
        book.undo(1, 7);
        assert!(book.taxi().deleted, "and that is taken back");

        let mut book = Book::with_a_taxi();
        book.undo(2, 2);
        assert!(book.taxi().deleted, "what was made is deleted");
    }

    #[test]
    fn to_take_back_what_was_changed_since_is_a_conflict() {
        let mut book = Book::with_a_taxi();
        book.write(2, 2, set(Field::Amount, "2150"));
        book.write(2, 3, set(Field::Amount, "2250"));
        book.undo(2, 3);
        assert_eq!((book.taxi().amount, book.state.conflicts().count()), (2250, 1));
        let line = book.line(5).expect("told");
        assert_eq!((line.what, line.aside.get(Field::Amount)), (What::Split, Some(&FieldValue::Number(2050))));
        assert!(!line.can_be_undone(book.taxi()), "nothing was changed");

        let conflict = book.state.conflicts().next().expect("one").conflict.id;
        book.write(1, 5, LedgerOp::ResolveConflict { id: conflict, apply: true });
        let line = book.line(6).expect("told");
        assert_eq!((line.what, line.set.get(Field::Amount)), (What::Decided(true), Some(&FieldValue::Number(2050))));
        book.undo(1, 6);
        assert_eq!(book.taxi().amount, 2250);
    }

    #[test]
    fn a_text_too_long_to_be_told_cannot_come_back() {
        let mut book = Book::with_a_taxi();
        for (note, can_be_undone) in [("x".repeat(200), true), ("y".repeat(201), true), ("Taxi".to_owned(), false)] {
            let base = book.log.len() as u64;
            book.write(1, base, set(Field::Note, &note));
            assert_eq!(book.line(base + 1).expect("told").can_be_undone(book.taxi()), can_be_undone, "{}", note.len());
        }
    }

    #[test]
    fn an_entry_about_others_is_no_part_of_it() {
        let mut book = Book::with_a_taxi();
        assert_eq!(book.line(1), None);
        book.write_all(
            1,
            2,
            Knows::Own,
            &[transaction(12, 1, "gave", 1, "EUR", "2026-11-22"), LedgerOp::DeleteTransaction { id: T }],
        );
        assert_eq!(book.line(3).expect("told").undo, [LedgerOp::RestoreTransaction { id: T }]);
    }
}
