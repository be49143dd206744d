//! Whether content can stand: texts, amounts, codes, days, and sums.

use tidebook_book::{Draft, Rejected};

use super::{Deletion, deletion_of};
use crate::text::{TextKind, fault};
use crate::{
    AMOUNT_MAX, Checked, CivilDate, ContactId, Currency, Direction, Field, FieldSet, FieldValue, GROSS_MAX,
    LedgerState, RecordKind, RecordRef,
};

pub(super) const CURRENCY_RULE: &str = "must be an ISO 4217 code such as EUR";
pub(super) const DATE_RULE: &str = "must be a day as YYYY-MM-DD";
pub(super) const DIRECTION_RULE: &str = "must be `gave` or `got`";

/// The contact a transaction is to be with. Whether it has to be brought back for that: it was deleted, and the author
/// did not know.
pub(super) fn check_contact(state: &LedgerState, id: ContactId, draft: &Draft) -> Result<Option<ContactId>, Rejected> {
    let unknown = || rejected("unknown_contact", "there is no contact of this id");
    state.contact(id).ok_or_else(unknown)?;
    match deletion_of(state, RecordRef::Contact(id), draft) {
        Deletion::None => Ok(None),
        Deletion::News(_) => Ok(Some(id)),
        Deletion::Known => Err(unknown()),
    }
}

pub(super) fn check_amount(amount: i64) -> Result<u64, Rejected> {
    let in_range = u64::try_from(amount).ok().filter(|amount| (1..=AMOUNT_MAX).contains(amount));
    in_range.ok_or_else(|| invalid("amount", &format!("must be from 1 to {AMOUNT_MAX} minor units")))
}

/// Amounts of one currency, `added` to what is there without `removed`.
pub(super) fn check_gross(gross: u128, removed: u64, added: u64) -> Result<(), Rejected> {
    if gross - u128::from(removed) + u128::from(added) <= u128::from(GROSS_MAX) {
        return Ok(());
    }
    Err(rejected("total_too_large", "the amounts of this currency add up to more than a book holds"))
}

pub(super) fn check_text(field: &str, kind: TextKind, text: Option<&str>) -> Result<(), Rejected> {
    match text.and_then(|text| fault(kind, text)) {
        Some(fault) => Err(invalid(field, &fault)),
        None => Ok(()),
    }
}

pub(super) fn valid<T>(field: &str, value: Checked<T>, rule: &str) -> Result<T, Rejected> {
    match value {
        Checked::Valid(value) => Ok(value),
        Checked::Wrong(_) => Err(invalid(field, rule)),
    }
}

/// Whether the fields of a set that records of this kind have can hold their values.
pub(super) fn check_set(kind: RecordKind, set: &FieldSet) -> Result<(), Rejected> {
    let mut fields = set.iter().filter(|(field, _)| Field::of(kind).contains(field));
    fields.try_for_each(|(field, value)| check_value(field, value))
}

fn check_value(field: Field, value: &FieldValue) -> Result<(), Rejected> {
    let name = field.name();
    let reads = |rule: &str, reads: bool| if reads { Ok(()) } else { Err(invalid(name, rule)) };
    match (field, value) {
        (Field::Amount, FieldValue::Number(amount)) => check_amount(*amount).map(drop),
        (Field::Amount, FieldValue::Nothing) => Err(invalid(name, "must not be cleared")),
        (Field::Amount, _) => Err(malformed(name, "a whole number")),
        (_, FieldValue::Number(_) | FieldValue::Flag(_)) => Err(malformed(name, "a text")),
        (Field::Due | Field::Note | Field::Username | Field::Phone | Field::Email, FieldValue::Nothing) => Ok(()),
        (_, FieldValue::Nothing) => Err(invalid(name, "must not be cleared")),
        (Field::Name, FieldValue::Text(text)) => check_text(name, TextKind::Name, Some(text)),
        (Field::Note, FieldValue::Text(text)) => check_text(name, TextKind::Note, Some(text)),
        (Field::Contact, FieldValue::Text(text)) => {
            reads("must be the id of a contact", text.parse::<ContactId>().is_ok())
        }
        (Field::Direction, FieldValue::Text(text)) => reads(DIRECTION_RULE, text.parse::<Direction>().is_ok()),
        (Field::Currency, FieldValue::Text(text)) => reads(CURRENCY_RULE, text.parse::<Currency>().is_ok()),
        (Field::Date | Field::Due, FieldValue::Text(text)) => reads(DATE_RULE, text.parse::<CivilDate>().is_ok()),
        (_, FieldValue::Text(text)) => check_text(name, TextKind::Detail, Some(text)),
    }
}

pub(super) fn rejected(code: &str, detail: &str) -> Rejected {
    Rejected { code: code.into(), detail: detail.into(), op: 0, field: None }
}

fn malformed(field: &str, expected: &str) -> Rejected {
    rejected("malformed", &format!("{field} must be {expected}"))
}

pub(super) fn invalid(field: &str, rule: &str) -> Rejected {
    Rejected { field: Some(field.into()), ..rejected("invalid_field", &format!("{field} {rule}")) }
}
