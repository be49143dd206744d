//! Deletions, and taking them back.

use tidebook_book::Draft;

use super::deletion::{contact_of, own_deletion};
use super::outcome::{deleted, find, standing_by};
use super::{Decision, Deletion, Outcome, unknown};
use crate::field::Groups;
use crate::record::Record;
use crate::{ConflictKind, ContactId, Field, FieldSet, LedgerState, RecordRef, Stamp, Standing};

/// A delete that does not know of an edit does not take effect: edits outlive deletes.
pub(super) fn delete(state: &LedgerState, record: RecordRef, draft: &Draft) -> Decision {
    let standing = find(state, record)?;
    check_contact_of(state, record, draft)?;
    let mut outcome = Outcome::new(state, record, draft);
    if standing.is_deleted() {
        return outcome.into_decision();
    }
    match unseen_edit(state, record, &outcome, draft) {
        Some(edit) => outcome.set_aside(ConflictKind::EditDelete, "delete", edit, deleted(true)),
        None => outcome.delete(),
    }
    outcome.into_decision()
}

pub(super) fn restore(state: &LedgerState, record: RecordRef, draft: &Draft) -> Decision {
    let standing = find(state, record)?;
    check_contact_of(state, record, draft)?;
    let mut outcome = Outcome::new(state, record, draft);
    if !standing.is_deleted() {
        return outcome.into_decision();
    }
    let deletion = standing.stamp(Field::Deleted);
    if deletion.forestalls(draft) {
        // Deleted again since: another deletion than the one that is taken back.
        outcome.set_aside(ConflictKind::DeleteEdit, "edit", standing_by(deletion, deleted(true)), deleted(false));
    } else {
        outcome.restore_all(None);
    }
    outcome.into_decision()
}

/// A transaction whose contact the author knew to be deleted is not there for them.
fn check_contact_of(state: &LedgerState, record: RecordRef, draft: &Draft) -> Result<(), tidebook_book::Rejected> {
    let contact = contact_of(state, record);
    match contact.map(|contact| own_deletion(state, contact, draft)) {
        Some(Deletion::Known) => Err(unknown(record)),
        _ => Ok(()),
    }
}

/// An edit of the record that the author of a delete did not know of: of its fields, its restoration, or, of a contact,
/// a transaction that was made, edited, moved or restored.
pub(super) fn unseen_edit(
    state: &LedgerState,
    record: RecordRef,
    outcome: &Outcome<'_>,
    draft: &Draft,
) -> Option<Standing> {
    let standing = find(state, record).ok()?;
    let news: Groups =
        standing.changed().iter().filter(|(_, stamp)| stamp.forestalls(draft)).map(|(group, _)| *group).collect();
    outcome.standing_of(news).or_else(|| match record {
        RecordRef::Contact(id) => {
            let latest = unseen_transaction(state, id, draft)?;
            Some(standing_by(latest, FieldSet::default()))
        }
        RecordRef::Book | RecordRef::Transaction(_) => None,
    })
}

/// The latest unseen change of a contact's standing transactions.
fn unseen_transaction(state: &LedgerState, contact: ContactId, draft: &Draft) -> Option<Stamp> {
    let latest_of = |transaction: &dyn Record| {
        let created = transaction.created();
        let created = Stamp { seq: created.seq, by: created.by, replica: created.replica };
        let stamps = transaction.changed().values().copied().chain([created]);
        stamps.filter(|stamp| stamp.forestalls(draft)).max_by_key(|stamp| stamp.seq)
    };
    state.transactions_of(contact).filter_map(|transaction| latest_of(transaction)).max_by_key(|stamp| stamp.seq)
}
