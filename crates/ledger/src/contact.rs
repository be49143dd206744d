//! A contact as it stands.

use serde::Serialize;
use tidebook_book::{Seq, read_by_name};

use crate::record::{Record, optional_text_of, text_of, with};
use crate::{Changed, ContactId, Created, Field, FieldSet, FieldValue, Stamp};

/// Someone who owes, or is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    pub id: ContactId,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub deleted: bool,
    /// Of its last change.
    pub seq: Seq,
    pub created: Created,
    #[serde(skip_serializing_if = "Changed::is_empty")]
    pub changed: Changed,
}

read_by_name!(Contact { id, name, deleted, seq, created; username, phone, email, note, changed });

impl Contact {
    /// As it would be with these values, which the book took before.
    #[must_use]
    pub fn with(&self, set: &FieldSet) -> Self {
        with(self, set)
    }
}

impl Record for Contact {
    fn get(&self, field: Field) -> FieldValue {
        match field {
            Field::Name => FieldValue::text(&self.name),
            Field::Username => FieldValue::optional_text(self.username.as_deref()),
            Field::Phone => FieldValue::optional_text(self.phone.as_deref()),
            Field::Email => FieldValue::optional_text(self.email.as_deref()),
            Field::Note => FieldValue::optional_text(self.note.as_deref()),
            Field::Deleted => FieldValue::Flag(self.deleted),
            _ => FieldValue::Nothing,
        }
    }

    fn set(&mut self, field: Field, value: &FieldValue) {
        match field {
            Field::Name => self.name = text_of(value),
            Field::Username => self.username = optional_text_of(value),
            Field::Phone => self.phone = optional_text_of(value),
            Field::Email => self.email = optional_text_of(value),
            Field::Note => self.note = optional_text_of(value),
            Field::Deleted => self.deleted = *value == FieldValue::Flag(true),
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
