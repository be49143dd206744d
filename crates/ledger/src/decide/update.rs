//! Edits.

use tidebook_book::{Draft, Rejected};

use super::check::{check_contact, check_gross, check_set};
use super::outcome::{deleted, fields_of, find, groups, moved, standing_by};
use super::{Decision, Deletion, Outcome, deletion_of, unknown};
use crate::field::Groups;
use crate::record::{Record, parsed};
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
    let late: Groups = groups(record, &set).iter().filter(|group| standing.stamp(*group).forestalls(draft)).collect();
    // Nearly always all of it applies.
    let (applying, offered) = match late.is_empty() {
        true => (set, FieldSet::default()),
        false => (set.only(|field| !late.contains(field.group(kind))), set),
    };
    check_sum(state, standing, &applying)?;
    if applying.get(Field::Contact).is_some() {
        to_restore.into_iter().for_each(|contact| outcome.restore(RecordRef::Contact(contact)));
    }
    outcome.write(applying);
    for group in late.iter() {
        let standing_now = outcome.standing_of(Groups::from_iter([group])).expect("one group has one stamp");
        let offered = whole(record, standing, group, &offered, draft);
        outcome.set_aside(ConflictKind::EditEdit, group.name(), standing_now, offered);
    }
    outcome.into_decision()
}

/// What the author offers for a group: where they named a part of it, the rest as they saw it.
fn whole(record: RecordRef, standing: &dyn Record, group: Field, set: &FieldSet, draft: &Draft) -> FieldSet {
    let value = |field| set.get(field).cloned().unwrap_or_else(|| standing.get_at(field, draft.base));
    fields_of(record, Groups::from_iter([group])).map(|field| (field, value(field))).collect()
}

/// The contact a transaction is moved to, where that has to be brought back.
fn check_target(state: &LedgerState, set: &FieldSet, draft: &Draft) -> Result<Option<ContactId>, Rejected> {
    match set.get(Field::Contact).and_then(parsed) {
        Some(contact) => check_contact(state, contact, draft),
        None => Ok(None),
    }
}

/// Whether the book's sums hold with these values in place of those that stand.
pub(super) fn check_sum(state: &LedgerState, standing: &dyn Record, set: &FieldSet) -> Result<(), Rejected> {
    if set.get(Field::Amount).or(set.get(Field::Currency)).is_none() {
        return Ok(());
    }
    let standing_amount = standing.get(Field::Amount);
    let amount = set.get(Field::Amount).unwrap_or(&standing_amount);
    let (FieldValue::Number(amount), FieldValue::Number(amount_before)) = (amount, &standing_amount) else {
        return Ok(());
    };
    let standing_currency = standing.get(Field::Currency);
    let currency_after = set.get(Field::Currency).unwrap_or(&standing_currency);
    let Some(Ok(currency)) = currency_after.as_text().map(str::parse::<Currency>) else { return Ok(()) };
    let removed = if *currency_after == standing_currency { amount_before.unsigned_abs() } else { 0 };
    check_gross(state.gross(currency), removed, amount.unsigned_abs())
}
