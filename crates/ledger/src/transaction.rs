//! A transaction as it stands.

use serde::Serialize;
use tidebook_book::{Seq, read_by_name};

use crate::record::{Record, optional_text_of, parsed, with};
use crate::{
    Changed, CivilDate, ContactId, Created, Currency, Direction, Field, FieldSet, FieldValue, RecordKind, Stamp,
    TransactionId,
};

/// How many replaced amounts a transaction remembers. More changes than this between a base and its late edit are not
/// seen in practice; then the oldest one remembered stands for all before it.
const PAST_AMOUNTS_MAX: usize = 4;

/// Money that went one way between the book's people and a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Transaction {
    pub id: TransactionId,
    pub contact: ContactId,
    pub direction: Direction,
    /// Minor units of `currency`.
    pub amount: u64,
    pub currency: Currency,
    pub date: CivilDate,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<CivilDate>,
    pub deleted: bool,
    /// Of its last change.
    pub seq: Seq,
    pub created: Created,
    #[serde(skip_serializing_if = "Changed::is_empty")]
    pub changed: Changed,
    /// Oldest first. A late edit that names the amount alone is kept with the currency its author saw.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub past_amounts: Vec<PastAmount>,
}

read_by_name!(Transaction {
    id, contact, direction, amount, currency, date, deleted, seq, created; note, due, changed, past_amounts
});

/// What amount, currency and direction were before they were replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PastAmount {
    /// The entry that replaced them.
    pub until: Seq,
    pub direction: Direction,
    pub amount: u64,
    pub currency: Currency,
}

read_by_name!(PastAmount { until, direction, amount, currency });

impl Transaction {
    /// What it adds to the contact's balance, if it counts.
    #[must_use]
    pub fn signed_amount(&self) -> i128 {
        self.direction.signed(self.amount)
    }

    /// As it would be with these values, which the book took before.
    #[must_use]
    pub fn with(&self, set: &FieldSet) -> Self {
        with(self, set)
    }

    /// What a field holds, as history and conflicts write it.
    #[must_use]
    pub fn value(&self, field: Field) -> FieldValue {
        self.get(field)
    }

    fn past_amount_at(&self, seq: Seq) -> Option<&PastAmount> {
        self.past_amounts.iter().find(|past| past.until > seq)
    }
}

impl Record for Transaction {
    fn get(&self, field: Field) -> FieldValue {
        match field {
            Field::Contact => FieldValue::text(self.contact),
            Field::Direction => FieldValue::text(self.direction),
            Field::Amount => FieldValue::amount(self.amount),
            Field::Currency => FieldValue::text(self.currency.code()),
            Field::Date => FieldValue::text(self.date),
            Field::Due => FieldValue::optional(self.due),
            Field::Note => FieldValue::optional_text(self.note.as_deref()),
            Field::Deleted => FieldValue::Flag(self.deleted),
            _ => FieldValue::Nothing,
        }
    }

    fn holds(&self, field: Field, value: &FieldValue) -> bool {
        // Nearly all edits are of these. Each day has one spelling.
        match (field, value) {
            (Field::Note, FieldValue::Text(note)) => self.note.as_ref() == Some(note),
            (Field::Date, FieldValue::Text(date)) => date.parse() == Ok(self.date),
            _ => self.get(field) == *value,
        }
    }

    fn set(&mut self, field: Field, value: &FieldValue) {
        match (field, value) {
            (Field::Contact, _) => self.contact = parsed(value).unwrap_or(self.contact),
            (Field::Direction, _) => self.direction = parsed(value).unwrap_or(self.direction),
            (Field::Amount, FieldValue::Number(amount)) => self.amount = u64::try_from(*amount).unwrap_or(self.amount),
            (Field::Currency, _) => self.currency = parsed(value).unwrap_or(self.currency),
            (Field::Date, _) => self.date = parsed(value).unwrap_or(self.date),
            (Field::Due, _) => self.due = parsed(value),
            (Field::Note, _) => self.note = optional_text_of(value),
            (Field::Deleted, _) => self.deleted = *value == FieldValue::Flag(true),
            _ => {}
        }
    }

    fn get_at(&self, field: Field, seq: Seq) -> FieldValue {
        match (field, self.past_amount_at(seq)) {
            (Field::Direction, Some(past)) => FieldValue::text(past.direction),
            (Field::Amount, Some(past)) => FieldValue::amount(past.amount),
            (Field::Currency, Some(past)) => FieldValue::text(past.currency.code()),
            _ => self.get(field),
        }
    }

    fn created(&self) -> &Created {
        &self.created
    }

    fn changed(&self) -> &Changed {
        &self.changed
    }

    fn note_change(&mut self, group: Field, stamp: Stamp) {
        if group == Field::Amount {
            let (direction, amount, currency) = (self.direction, self.amount, self.currency);
            self.past_amounts.reserve_exact(1);
            self.past_amounts.push(PastAmount { until: stamp.seq, direction, amount, currency });
            if self.past_amounts.len() > PAST_AMOUNTS_MAX {
                self.past_amounts.remove(0);
            }
        }
        self.seq = stamp.seq;
        // Under each field's own name, so that a reader need not know which of a group's fields names it.
        let fields = Field::of(RecordKind::Transaction).iter().chain(&[Field::Deleted]);
        let fields = fields.filter(|field| field.group(RecordKind::Transaction) == group);
        self.changed.extend(fields.map(|field| (*field, stamp)));
    }
}
