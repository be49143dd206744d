//! The ledger as the engine sees it.

use tidebook_book::{Domain, Draft, Rejected};

use crate::record::text_of;
use crate::{
    ConflictId, ContactId, Field, FieldSet, LedgerChange, LedgerOp, LedgerState, RecordRef, TransactionId, Undo, apply,
    decide, op,
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
    Conflict(ConflictId),
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
        apply::apply(state, change, draft)
    }

    fn revert(state: &mut LedgerState, undo: Undo) {
        apply::revert(state, undo);
    }

    fn touches(change: &LedgerChange, state: &LedgerState) -> Vec<Touched> {
        let mut touched = vec![match change.record() {
            RecordRef::Book => Touched::Book,
            RecordRef::Contact(id) => Touched::Contact(id),
            RecordRef::Transaction(id) => Touched::Transaction(id),
        }];
        match change {
            LedgerChange::ConflictRaised(conflict) => touched.push(Touched::Conflict(conflict.id)),
            LedgerChange::ConflictResolved { id, .. } => touched.push(Touched::Conflict(*id)),
            LedgerChange::TransactionCreated { contact, .. } => touched.push(Touched::Contact(*contact)),
            LedgerChange::TransactionUpdated { id, was, set } => {
                touched.extend(state.transaction(*id).map(|transaction| Touched::Contact(transaction.contact)));
                touched.extend([was, set].into_iter().filter_map(contact_in).map(Touched::Contact));
            }
            LedgerChange::TransactionDeleted { id } | LedgerChange::TransactionRestored { id } => {
                touched.extend(state.transaction(*id).map(|transaction| Touched::Contact(transaction.contact)));
            }
            _ => {}
        }
        touched
    }
}

pub(crate) fn contact_in(set: &FieldSet) -> Option<ContactId> {
    text_of(set.get(Field::Contact)?).parse().ok()
}
