//! Undo as a mutation: the inverse of an entry, to be made with that entry's seq as base.

use crate::{Field, FieldSet, LedgerChange, LedgerOp, RecordRef};

/// The ops that take an entry's changes back, last change first. Empty where there is nothing to take back: conflicts
/// that were raised or dismissed changed no record.
#[must_use]
pub fn inverse_of(changes: &[LedgerChange]) -> Vec<LedgerOp> {
    changes.iter().rev().filter_map(inverse).collect()
}

fn inverse(change: &LedgerChange) -> Option<LedgerOp> {
    match (change.record(), change) {
        (
            _,
            LedgerChange::BookCreated { .. } | LedgerChange::ConflictRaised(_) | LedgerChange::ConflictResolved { .. },
        ) => None,
        (RecordRef::Book, LedgerChange::BookUpdated { was, .. }) => Some(LedgerOp::UpdateBook { set: was.clone() }),
        (RecordRef::Contact(id), LedgerChange::ContactUpdated { was, .. }) => {
            Some(LedgerOp::UpdateContact { id, set: was.clone() })
        }
        (RecordRef::Transaction(id), LedgerChange::TransactionUpdated { was, .. }) => {
            Some(LedgerOp::UpdateTransaction { id, set: was.clone() })
        }
        (RecordRef::Contact(id), LedgerChange::ContactDeleted { .. }) => Some(LedgerOp::RestoreContact { id }),
        (RecordRef::Transaction(id), LedgerChange::TransactionDeleted { .. }) => {
            Some(LedgerOp::RestoreTransaction { id })
        }
        (RecordRef::Contact(id), _) => Some(LedgerOp::DeleteContact { id }),
        (RecordRef::Transaction(id), _) => Some(LedgerOp::DeleteTransaction { id }),
        (RecordRef::Book, _) => None,
    }
}

/// The fields an update replaced with texts too long for its entry to carry along: what they were has to be had from
/// earlier entries before the inverse is whole.
#[must_use]
pub fn left_out(set: &FieldSet, was: &FieldSet) -> Vec<Field> {
    set.iter().map(|(field, _)| field).filter(|field| was.get(*field).is_none()).collect()
}
