//! The ledger as the engine sees it.

use tidebook_book::{Domain, Draft, Rejected};

use crate::{
    BookFacts, Contact, ContactId, Created, LedgerChange, LedgerOp, LedgerState, Transaction, TransactionId, decide, op,
};

/// The domain of debts between people.
#[derive(Debug, Clone, Copy)]
pub enum Ledger {}

/// What a change of a ledger touches on a screen. A transaction touches its contact too, for the balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Touched {
    Book,
    Contact(ContactId),
    Transaction(TransactionId),
}

/// The record a change replaced.
#[derive(Debug)]
pub enum Undo {
    Book(Option<BookFacts>),
    Contact(ContactId, Option<Contact>),
    Transaction(TransactionId, Option<Transaction>),
}

impl Domain for Ledger {
    type State = LedgerState;
    type Op = LedgerOp;
    type Change = LedgerChange;
    type Undo = Undo;
    type Touched = Touched;

    const STATE_VERSION: u32 = 1;
    const OP_NAMES: &'static [&'static str] = op::OP_NAMES;

    fn decide(state: &LedgerState, op: &LedgerOp, draft: &Draft) -> Result<Vec<LedgerChange>, Rejected> {
        decide::decide(state, op, draft)
    }

    fn apply(state: &mut LedgerState, change: &LedgerChange, draft: &Draft) -> Undo {
        match change.clone() {
            LedgerChange::BookCreated { name, currency } => {
                Undo::Book(state.put_book(Some(BookFacts { name, currency })))
            }
            LedgerChange::ContactCreated { id, name, username, phone, email, note } => {
                let created = Created::by_draft(draft);
                let seq = draft.seq;
                let contact = Contact { id, name, username, phone, email, note, deleted: false, seq, created };
                Undo::Contact(id, state.put_contact(id, Some(contact)))
            }
            LedgerChange::TransactionCreated { id, contact, direction, amount, currency, date, note, due } => {
                let created = Created::by_draft(draft);
                let (deleted, seq) = (false, draft.seq);
                let transaction =
                    Transaction { id, contact, direction, amount, currency, date, note, due, deleted, seq, created };
                Undo::Transaction(id, state.put_transaction(id, Some(transaction)))
            }
        }
    }

    fn revert(state: &mut LedgerState, undo: Undo) {
        match undo {
            Undo::Book(book) => drop(state.put_book(book)),
            Undo::Contact(id, contact) => drop(state.put_contact(id, contact)),
            Undo::Transaction(id, transaction) => drop(state.put_transaction(id, transaction)),
        }
    }

    fn touches(change: &LedgerChange, _state: &LedgerState) -> Vec<Touched> {
        match change {
            LedgerChange::BookCreated { .. } => vec![Touched::Book],
            LedgerChange::ContactCreated { id, .. } => vec![Touched::Contact(*id)],
            LedgerChange::TransactionCreated { id, contact, .. } => {
                vec![Touched::Transaction(*id), Touched::Contact(*contact)]
            }
        }
    }
}
