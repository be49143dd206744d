//! What a book says of itself, as it stands.

use serde::Serialize;
use tidebook_book::{Seq, read_by_name};

use crate::record::{Record, parsed, text_of};
use crate::{Changed, Created, Currency, Field, FieldValue, Stamp};

/// What a book is called and counts in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BookFacts {
    pub name: String,
    /// What new amounts are in unless said otherwise.
    pub currency: Currency,
}

read_by_name!(BookFacts { name, currency });

/// The book's own record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BookRecord {
    pub name: String,
    pub currency: Currency,
    /// Of its last change.
    pub seq: Seq,
    pub created: Created,
    #[serde(skip_serializing_if = "Changed::is_empty")]
    pub changed: Changed,
}

read_by_name!(BookRecord { name, currency, seq, created; changed });

impl BookRecord {
    #[must_use]
    pub fn facts(&self) -> BookFacts {
        BookFacts { name: self.name.clone(), currency: self.currency }
    }
}

impl Record for BookRecord {
    fn get(&self, field: Field) -> FieldValue {
        match field {
            Field::Name => FieldValue::text(&self.name),
            Field::Currency => FieldValue::text(self.currency.code()),
            _ => FieldValue::Nothing,
        }
    }

    fn set(&mut self, field: Field, value: &FieldValue) {
        match field {
            Field::Name => self.name = text_of(value),
            Field::Currency => self.currency = parsed(value).unwrap_or(self.currency),
            _ => {}
        }
    }

    fn created(&self) -> &Created {
        &self.created
    }

    fn changed(&self) -> &Changed {
        &self.changed
    }

    fn note_change(&mut self, group: Field, stamp: Stamp) {
        self.seq = stamp.seq;
        self.changed.insert(group, stamp);
    }
}
