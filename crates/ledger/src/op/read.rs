//! Reading an op, as [`crate::change`] is read and for the same reason: derived, the reader of a tagged enum is large,
//! and a browser that keeps its outbox has to have one.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tidebook_book::parse_uuid;
use uuid::Uuid;

use super::LedgerOp;
use crate::named_fields::{Anything, Fault, Member, MemberOf, NamedFields};
use crate::{Checked, ConflictId, ContactId, Field, FieldSet, FieldValue, TransactionId};

/// All that an op of any name can hold.
#[derive(Default)]
struct Members {
    op: String,
    id: Option<FieldValue>,
    set: Option<FieldSet>,
    apply: Option<FieldValue>,
    /// Of a record to create.
    fields: NamedFields,
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
                while let Some(member) = map.next_key_seed(MemberOf(&["op", "id", "set", "apply"]))? {
                    match member {
                        Member::Listed(0) => members.op = map.next_value()?,
                        Member::Listed(1) => members.id = map.next_value::<Anything>()?.0,
                        Member::Listed(2) => members.set = Some(map.next_value()?),
                        Member::Listed(3) => members.apply = map.next_value::<Anything>()?.0,
                        field => members.fields.read(field, &mut map)?,
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(InAnyOrder)?.into_op().map_err(D::Error::custom)
    }
}

impl Members {
    fn into_op(self) -> Result<LedgerOp, Fault> {
        let id = || match self.id.as_ref().and_then(FieldValue::as_text) {
            Some(id) => parse_uuid(id).map_err(|_| "not an id"),
            None => Err("an op without an id"),
        };
        Ok(match self.op.as_str() {
            "create_contact" => self.create_contact(id()?)?,
            "create_transaction" => self.create_transaction(id()?)?,
            "delete_contact" => LedgerOp::DeleteContact { id: ContactId(id()?) },
            "restore_contact" => LedgerOp::RestoreContact { id: ContactId(id()?) },
            "delete_transaction" => LedgerOp::DeleteTransaction { id: TransactionId(id()?) },
            "restore_transaction" => LedgerOp::RestoreTransaction { id: TransactionId(id()?) },
            "resolve_conflict" => LedgerOp::ResolveConflict {
                id: ConflictId(id()?),
                apply: match self.apply {
                    Some(FieldValue::Flag(apply)) => apply,
                    _ => return Err("a decision without a choice"),
                },
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
            name: self.fields.text(Field::Name)?.to_owned(),
            username: self.fields.optional(Field::Username)?,
            phone: self.fields.optional(Field::Phone)?,
            email: self.fields.optional(Field::Email)?,
            note: self.fields.optional(Field::Note)?,
        })
    }

    fn create_transaction(&self, id: Uuid) -> Result<LedgerOp, Fault> {
        Ok(LedgerOp::CreateTransaction {
            id: TransactionId(id),
            contact: self.fields.parsed(Field::Contact)?,
            direction: Checked::of(self.fields.text(Field::Direction)?),
            amount: self.fields.amount()?,
            currency: Checked::of(self.fields.text(Field::Currency)?),
            date: Checked::of(self.fields.text(Field::Date)?),
            note: self.fields.optional(Field::Note)?,
            due: self.fields.optional_text(Field::Due)?.map(Checked::of),
        })
    }

    fn into_set(self) -> Result<FieldSet, Fault> {
        self.set.ok_or("an update of nothing")
    }
}
