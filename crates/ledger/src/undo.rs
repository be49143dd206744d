//! Undo as a mutation: the inverse of an entry, to be made with that entry's seq as base.

use crate::{ContactId, Field, FieldSet, LedgerChange, LedgerOp, RecordRef};

/// The ops that take an entry's changes back. Empty where there is nothing to take back: conflicts that were raised or
/// dismissed changed no record.
///
/// Last change first, but for contacts that come and go: what is of a contact can be taken back while that is there, so those
/// that the entry left deleted are restored before all else, and those that were not there before it are deleted at the end.
#[must_use]
pub fn inverse_of(changes: &[LedgerChange]) -> Vec<LedgerOp> {
    let restored = first_of_each_contact(changes.iter().rev()).into_iter().filter(|(_, is_there)| !is_there);
    let deleted = first_of_each_contact(changes.iter()).into_iter().filter(|(_, is_there)| *is_there);
    let restored = restored.map(|(id, _)| LedgerOp::RestoreContact { id });
    let deleted = deleted.rev().map(|(id, _)| LedgerOp::DeleteContact { id });
    restored.chain(changes.iter().rev().filter_map(inverse)).chain(deleted).collect()
}

/// The first of these changes that makes each contact be there or not be there, and which of the two.
fn first_of_each_contact<'a>(changes: impl Iterator<Item = &'a LedgerChange>) -> Vec<(ContactId, bool)> {
    let mut first: Vec<(ContactId, bool)> = Vec::new();
    for change in changes {
        let (id, is_there) = match change {
            LedgerChange::ContactCreated { id, .. } | LedgerChange::ContactRestored { id } => (*id, true),
            LedgerChange::ContactDeleted { id } => (*id, false),
            _ => continue,
        };
        if first.iter().all(|(known, _)| *known != id) {
            first.push((id, is_there));
        }
    }
    first
}

/// Of a change after which everybody is there who was before.
fn inverse(change: &LedgerChange) -> Option<LedgerOp> {
    Some(match (change.record(), change) {
        (RecordRef::Book, LedgerChange::BookUpdated { was, .. }) => LedgerOp::UpdateBook { set: was.clone() },
        (RecordRef::Contact(id), LedgerChange::ContactUpdated { was, .. }) => {
            LedgerOp::UpdateContact { id, set: was.clone() }
        }
        (RecordRef::Transaction(id), LedgerChange::TransactionUpdated { was, .. }) => {
            LedgerOp::UpdateTransaction { id, set: was.clone() }
        }
        (RecordRef::Transaction(id), LedgerChange::TransactionDeleted { .. }) => LedgerOp::RestoreTransaction { id },
        (
            RecordRef::Transaction(id),
            LedgerChange::TransactionCreated { .. } | LedgerChange::TransactionRestored { .. },
        ) => LedgerOp::DeleteTransaction { id },
        _ => return None,
    })
}

/// The fields an update replaced with texts too long for its entry to carry along: what they were has to be had from
/// earlier entries before the inverse is whole.
#[must_use]
pub fn left_out(set: &FieldSet, was: &FieldSet) -> Vec<Field> {
    set.iter().map(|(field, _)| field).filter(|field| was.get(*field).is_none()).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::TransactionId;

    fn contact(n: u128) -> ContactId {
        ContactId(Uuid::from_u128(n))
    }

    fn transaction(n: u128) -> TransactionId {
        TransactionId(Uuid::from_u128(n))
    }

    #[test]
    fn contacts_are_there_while_what_is_of_them_is_taken_back() {
        let (ana, ben, taxi) = (contact(1), contact(2), transaction(1));
        let deleted = |id| LedgerChange::ContactDeleted { id };
        let restored = |id| LedgerChange::ContactRestored { id };
        let changes = [
            LedgerChange::TransactionDeleted { id: taxi },
            restored(ben),
            deleted(ben),
            restored(ben),
            deleted(ana),
            restored(ana),
            deleted(ana),
        ];
        let expected = [
            LedgerOp::RestoreContact { id: ana },
            LedgerOp::RestoreTransaction { id: taxi },
            LedgerOp::DeleteContact { id: ben },
        ];
        assert_eq!(inverse_of(&changes), expected);
        assert_eq!(inverse_of(&[deleted(ana), restored(ana)]), []);
    }
}
