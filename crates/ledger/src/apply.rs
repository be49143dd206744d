//! What a change in the log does to the state, and how it is taken back.

use tidebook_book::Draft;

use crate::field::Groups;
use crate::record::Record;
use crate::{
    BookRecord, Conflict, ConflictId, Contact, ContactId, Created, Field, FieldSet, FieldValue, LedgerChange,
    LedgerState, OpenConflict, RecordRef, Stamp, Transaction, TransactionId,
};

/// What a change replaced.
#[derive(Debug)]
pub enum Undo {
    /// The change named a record that isn't there, and did nothing.
    Nothing,
    Book(Option<Box<BookRecord>>),
    Contact(ContactId, Option<Box<Contact>>),
    Transaction(TransactionId, Option<Box<Transaction>>),
    Conflict(ConflictId, Option<Box<OpenConflict>>),
}

pub(crate) fn apply(state: &mut LedgerState, change: &LedgerChange, draft: &Draft) -> Undo {
    let record = change.record();
    match change {
        LedgerChange::BookUpdated { set, .. }
        | LedgerChange::ContactUpdated { set, .. }
        | LedgerChange::TransactionUpdated { set, .. } => update(state, record, set, draft),
        LedgerChange::ContactDeleted { .. } | LedgerChange::TransactionDeleted { .. } => {
            update(state, record, &deleted(true), draft)
        }
        LedgerChange::ContactRestored { .. } | LedgerChange::TransactionRestored { .. } => {
            update(state, record, &deleted(false), draft)
        }
        LedgerChange::ConflictRaised(conflict) => raise(state, conflict.clone(), draft),
        LedgerChange::ConflictResolved { id, .. } => put_conflict(state, *id, None),
        LedgerChange::BookCreated { .. }
        | LedgerChange::ContactCreated { .. }
        | LedgerChange::TransactionCreated { .. } => create(state, change.clone(), draft),
    }
}

fn create(state: &mut LedgerState, change: LedgerChange, draft: &Draft) -> Undo {
    let (seq, created, changed, deleted) = (draft.seq, Created::by_draft(draft), Default::default(), false);
    match change {
        LedgerChange::BookCreated { name, currency } => {
            put_book(state, BookRecord { name, currency, seq, created, changed })
        }
        LedgerChange::ContactCreated { id, name, username, phone, email, note } => {
            put_contact(state, Contact { id, name, username, phone, email, note, deleted, seq, created, changed })
        }
        LedgerChange::TransactionCreated { id, contact, direction, amount, currency, date, note, due } => {
            let past_amounts = Vec::new();
            #[rustfmt::skip]
            let transaction = Transaction {
                id, contact, direction, amount, currency, date, note, due, deleted, seq, created, changed, past_amounts,
            };
            put_transaction(state, Box::new(transaction))
        }
        _ => unreachable!("only changes that create are applied here"),
    }
}

pub(crate) fn revert(state: &mut LedgerState, undo: Undo) {
    match undo {
        Undo::Nothing => {}
        Undo::Book(book) => drop(state.put_book(book.map(|book| *book))),
        Undo::Contact(id, contact) => drop(state.put_contact(id, contact.map(|contact| *contact))),
        Undo::Transaction(id, transaction) => {
            drop(state.put_transaction(id, transaction));
        }
        Undo::Conflict(id, conflict) => drop(state.put_conflict(id, conflict.map(|conflict| *conflict))),
    }
}

fn deleted(deleted: bool) -> FieldSet {
    FieldSet::default().with(Field::Deleted, FieldValue::Flag(deleted))
}

fn update(state: &mut LedgerState, record: RecordRef, set: &FieldSet, draft: &Draft) -> Undo {
    let change = |found: &mut dyn Record| {
        let groups = Groups::of(record.kind(), set.fields());
        groups.iter().for_each(|group| found.note_change(group, Stamp::by_draft(draft)));
        set.iter().for_each(|(field, value)| found.set(field, value));
    };
    match record {
        RecordRef::Book => state.book().cloned().map(|mut book| {
            change(&mut book);
            put_book(state, book)
        }),
        RecordRef::Contact(id) => state.contact(id).cloned().map(|mut contact| {
            change(&mut contact);
            put_contact(state, contact)
        }),
        RecordRef::Transaction(id) => {
            state.transaction(id).map(|found| Box::new(found.clone())).map(|mut transaction| {
                change(&mut *transaction);
                put_transaction(state, transaction)
            })
        }
    }
    .unwrap_or(Undo::Nothing)
}

/// A conflict that is open already keeps what was offered, and by which replica.
fn raise(state: &mut LedgerState, conflict: Conflict, draft: &Draft) -> Undo {
    let id = conflict.id;
    let (replica, seq, index) = match state.conflict(id) {
        Some(open) => (open.replica, open.seq, open.index),
        None => (draft.author.replica, draft.seq, draft.index),
    };
    put_conflict(state, id, Some(OpenConflict { conflict, replica, seq, index }))
}

fn put_book(state: &mut LedgerState, book: BookRecord) -> Undo {
    Undo::Book(state.put_book(Some(book)).map(Box::new))
}

fn put_contact(state: &mut LedgerState, contact: Contact) -> Undo {
    Undo::Contact(contact.id, state.put_contact(contact.id, Some(contact)).map(Box::new))
}

fn put_transaction(state: &mut LedgerState, transaction: Box<Transaction>) -> Undo {
    Undo::Transaction(transaction.id, state.put_transaction(transaction.id, Some(transaction)))
}

fn put_conflict(state: &mut LedgerState, id: ConflictId, conflict: Option<OpenConflict>) -> Undo {
    Undo::Conflict(id, state.put_conflict(id, conflict).map(Box::new))
}
