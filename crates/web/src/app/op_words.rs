//! What a person asked for, in a few words: for lists of what has not come into the book.

use tidebook_ledger::{Direction, Field, FieldSet, FieldValue, LedgerOp, LedgerState};

use crate::app::format;
use crate::conflict::{Card, is_deletion};

/// An op in words. What it is about is named only where the op itself names it.
pub(crate) fn op_words(op: &LedgerOp, state: &LedgerState) -> String {
    match op {
        LedgerOp::CreateContact { name, .. } => format!("New person: {name}"),
        LedgerOp::CreateTransaction { contact, direction, amount, currency, note, .. } => {
            let verb = match direction.valid() {
                Some(Direction::Got) => "I got",
                _ => "I gave",
            };
            let amount = currency.valid().map(|currency| format::money(i128::from(*amount), *currency).unsigned());
            let who = state.contact(*contact).map(|contact| format!(", {}", contact.name)).unwrap_or_default();
            let note = note.as_deref().map(|note| format!(", {note}")).unwrap_or_default();
            format!("{verb} {}{who}{note}", amount.unwrap_or_default())
        }
        LedgerOp::UpdateContact { set, .. } => format!("Change of a person: {}", set_words(set)),
        LedgerOp::UpdateTransaction { set, .. } => format!("Change of a transaction: {}", set_words(set)),
        LedgerOp::UpdateBook { set } => format!("Change of the book: {}", set_words(set)),
        LedgerOp::DeleteContact { .. } => "A person deleted".into(),
        LedgerOp::DeleteTransaction { .. } => "A transaction deleted".into(),
        LedgerOp::RestoreContact { .. } => "A person restored".into(),
        LedgerOp::RestoreTransaction { .. } => "A transaction restored".into(),
        LedgerOp::ResolveConflict { .. } => "A choice between two versions".into(),
    }
}

/// New values in words: "amount +€20.50, note Taxi".
pub(crate) fn set_words(set: &FieldSet) -> String {
    if is_deletion(set) {
        return "deleted".into();
    }
    let words = |(field, value)| value_words(set, field, value);
    set.iter().filter_map(words).collect::<Vec<_>>().join(", ")
}

fn value_words(set: &FieldSet, field: Field, value: &FieldValue) -> Option<String> {
    let text = match (field, value) {
        (Field::Amount, _) => {
            let (sum, currency) = Card::sum(set)?;
            format::money(sum, currency).signed()
        }
        // They are part of the amount.
        (Field::Currency | Field::Direction, _) if Card::sum(set).is_some() => return None,
        (Field::Contact, _) => "another".into(),
        (Field::Date | Field::Due, FieldValue::Text(date)) => {
            date.parse().map_or_else(|_| date.clone(), format::full_day)
        }
        (_, FieldValue::Text(text)) => text.clone(),
        (Field::Deleted, _) => return Some("restored".into()),
        _ => "none".into(),
    };
    Some(format!("{} {text}", field_word(field)))
}

/// A field as people call it.
pub(crate) fn field_word(field: Field) -> &'static str {
    match field {
        Field::Email => "e-mail",
        Field::Contact => "person",
        Field::Phone => "phone number",
        Field::Due => "due day",
        Field::Date => "day",
        field => field.name(),
    }
}
