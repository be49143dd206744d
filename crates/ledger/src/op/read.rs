//! Reading an op, as [`crate::change`] is read and for the same reason: derived, the reader of a tagged enum is large,
//! and a browser that keeps its outbox has to have one.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::LedgerOp;
use crate::{Checked, ConflictId, ContactId, Field, FieldSet, FieldValue, TransactionId};

/// All that an op of any name can hold.
#[derive(Default)]
struct Members {
    op: String,
    id: Option<ConflictId>,
    set: Option<FieldSet>,
    apply: Option<bool>,
    /// Of a record to create.
    fields: FieldSet,
    /// Those with something that no field holds. It matters only where the op has such a field.
    unreadable: Vec<Field>,
}

impl<'de> Deserialize<'de> for LedgerOp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InAnyOrder;
        impl<'de> Visitor<'de> for InAnyOrder {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an op")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some(name) = map.next_key::<Cow<'_, str>>()? {
                    match &*name {
                        "op" => members.op = map.next_value()?,
                        "id" => members.id = Some(map.next_value()?),
                        "set" => members.set = Some(map.next_value()?),
                        "apply" => members.apply = Some(map.next_value()?),
                        name => match Field::by_name(name) {
                            Some(field) => match map.next_value::<Anything>()? {
                                Anything(Some(value)) => members.fields.insert(field, value),
                                Anything(None) => members.unreadable.push(field),
                            },
                            None => drop(map.next_value::<IgnoredAny>()?),
                        },
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(InAnyOrder)?.into_op().map_err(D::Error::custom)
    }
}

/// A field's value, where it is one.
struct Anything(Option<FieldValue>);

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whatever;
        impl<'de> Visitor<'de> for Whatever {
            type Value = Anything;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_unit<E: Error>(self) -> Result<Anything, E> {
                Ok(Anything(Some(FieldValue::Nothing)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Anything, E> {
                Ok(Anything(Some(FieldValue::Text(text.to_owned()))))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Anything, E> {
                Ok(Anything(Some(FieldValue::Number(number))))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Anything, E> {
                Ok(Anything(i64::try_from(number).ok().map(FieldValue::Number)))
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<Anything, E> {
                Ok(Anything(None))
            }
            fn visit_bool<E: Error>(self, _: bool) -> Result<Anything, E> {
                Ok(Anything(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Anything, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Anything(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Anything, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Anything(None))
            }
        }
        deserializer.deserialize_any(Whatever)
    }
}

/// What is missing, or is not what stands there.
type Fault = &'static str;

impl Members {
    fn into_op(self) -> Result<LedgerOp, Fault> {
        let id = || self.id.map(|id| id.0).ok_or("an op without an id");
        Ok(match self.op.as_str() {
            "create_contact" => self.create_contact(id()?)?,
            "create_transaction" => self.create_transaction(id()?)?,
            "delete_contact" => LedgerOp::DeleteContact { id: ContactId(id()?) },
            "restore_contact" => LedgerOp::RestoreContact { id: ContactId(id()?) },
            "delete_transaction" => LedgerOp::DeleteTransaction { id: TransactionId(id()?) },
            "restore_transaction" => LedgerOp::RestoreTransaction { id: TransactionId(id()?) },
            "resolve_conflict" => LedgerOp::ResolveConflict {
                id: ConflictId(id()?),
                apply: self.apply.ok_or("a decision without a choice")?,
            },
            "update_contact" => LedgerOp::UpdateContact { id: ContactId(id()?), set: self.into_set()? },
            "update_transaction" => LedgerOp::UpdateTransaction { id: TransactionId(id()?), set: self.into_set()? },
            "update_book" => LedgerOp::UpdateBook { set: self.into_set()? },
            _ => return Err("an unknown op"),
        })
    }

    fn create_contact(&self, id: Uuid) -> Result<LedgerOp, Fault> {
        Ok(LedgerOp::CreateContact {
            id: ContactId(id),
            name: self.text(Field::Name)?,
            username: self.optional(Field::Username)?,
            phone: self.optional(Field::Phone)?,
            email: self.optional(Field::Email)?,
            note: self.optional(Field::Note)?,
        })
    }

    fn create_transaction(&self, id: Uuid) -> Result<LedgerOp, Fault> {
        Ok(LedgerOp::CreateTransaction {
            id: TransactionId(id),
            contact: self.text(Field::Contact)?.parse().map_err(|_| "not an id")?,
            direction: self.text(Field::Direction)?.into(),
            amount: match self.fields.get(Field::Amount) {
                Some(FieldValue::Number(amount)) => *amount,
                _ => return Err("no amount where one is due"),
            },
            currency: self.text(Field::Currency)?.into(),
            date: self.text(Field::Date)?.into(),
            note: self.optional(Field::Note)?,
            due: self.optional(Field::Due)?.map(Checked::from),
        })
    }

    fn into_set(self) -> Result<FieldSet, Fault> {
        self.set.ok_or("an update of nothing")
    }

    fn text(&self, field: Field) -> Result<String, Fault> {
        self.optional(field)?.ok_or("a field that every such op has is missing")
    }

    fn optional(&self, field: Field) -> Result<Option<String>, Fault> {
        match self.fields.get(field) {
            None if self.unreadable.contains(&field) => Err("no text where one is due"),
            None | Some(FieldValue::Nothing) => Ok(None),
            Some(FieldValue::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err("no text where one is due"),
        }
    }
}
