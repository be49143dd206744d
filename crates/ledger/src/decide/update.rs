//! Edits.

use tidebook_book::{Draft, Rejected};

use super::check::{check_contact, check_gross, check_set};
use super::outcome::{deleted, fields_of, find, groups, moved, standing_by};
use super::{Decision, Deletion, Outcome, deletion_of, unknown};
use crate::record::{Record, text_of};
use crate::{ConflictKind, ContactId, Currency, Field, FieldSet, FieldValue, LedgerState, RecordRef};

pub(super) fn decide(state: &LedgerState, record: RecordRef, set: &FieldSet, draft: &Draft) -> Decision {
    let standing = find(state, record)?;
    let deletion = deletion_of(state, record, draft);
    if deletion == Deletion::Known {
        return Err(unknown(record));
    }
    check_set(record.kind(), set)?;
    let set = moved(record, standing, set);
    let to_restore = check_target(state, &set, draft)?;
    let mut outcome = Outcome::new(state, record, draft);
    if set.is_empty() {
        return outcome.into_decision();
    }
    if let Deletion::News(stamp) = deletion {
        outcome.set_aside(ConflictKind::DeleteEdit, "edit", standing_by(stamp, deleted(true)), set);
        return outcome.into_decision();
    }

    let kind = record.kind();
    let (late, clean): (Vec<Field>, Vec<Field>) =
        groups(record, &set).into_iter().partition(|group| standing.stamp(*group).forestalls(draft));
    // Nearly always all of it applies.
    let (applying, offered) = match late.is_empty() {
        true => (set, FieldSet::default()),
        false => (set.only(|field| clean.contains(&field.group(kind))), set),
    };
    check_sum(state, standing, &applying)?;
    if applying.get(Field::Contact).is_some() {
        to_restore.into_iter().for_each(|contact| outcome.restore(RecordRef::Contact(contact)));
    }
    outcome.write(applying);
    for group in late {
        let standing_now = outcome.standing_of(&[group]).expect("one group has one stamp");
        let offered = whole(record, standing, group, &offered, draft);
        outcome.set_aside(ConflictKind::EditEdit, group.name(), standing_now, offered);
    }
    outcome.into_decision()
}

/// What the author offers for a group: where they named a part of it, the rest as they saw it.
fn whole(record: RecordRef, standing: &dyn Record, group: Field, set: &FieldSet, draft: &Draft) -> FieldSet {
    let value = |field| set.get(field).cloned().unwrap_or_else(|| standing.get_at(field, draft.base));
    fields_of(record, &[group]).map(|field| (field, value(field))).collect()
}

/// The contact a transaction is moved to, where that has to be brought back.
fn check_target(state: &LedgerState, set: &FieldSet, draft: &Draft) -> Result<Option<ContactId>, Rejected> {
    match set.get(Field::Contact).map(|value| text_of(value).parse()) {
        Some(Ok(contact)) => check_contact(state, contact, draft),
        _ => Ok(None),
    }
}

/// Whether the book's sums hold with these values in place of those that stand.
pub(super) fn check_sum(state: &LedgerState, standing: &dyn Record, set: &FieldSet) -> Result<(), Rejected> {
    if set.get(Field::Amount).or(set.get(Field::Currency)).is_none() {
        return Ok(());
    }
    let after = |field| set.get(field).cloned().unwrap_or_else(|| standing.get(field));
    let (FieldValue::Number(amount), FieldValue::Number(amount_before)) =
        (after(Field::Amount), standing.get(Field::Amount))
    else {
        return Ok(());
    };
    let Ok(currency) = text_of(&after(Field::Currency)).parse::<Currency>() else { return Ok(()) };
    let same_currency = after(Field::Currency) == standing.get(Field::Currency);
    let removed = if same_currency { amount_before } else { 0 };
    check_gross(state.gross(currency), removed.unsigned_abs(), amount.unsigned_abs())
}
