//! Reading a change: its members in whatever order they come, then what its type makes of them.
//!
//! Derived, this would be a fourth of what the browser downloads of the ledger: one reader per type of change, each for
//! texts and for what was already read of them.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::LedgerChange;
use crate::named_fields::{Fault, Member, MemberOf, NamedFields};
use crate::{
    Conflict, ConflictId, ConflictKind, ContactId, Field, FieldSet, Offered, RecordRef, Standing, TransactionId,
};

/// All that a change of any type can hold.
#[derive(Default)]
struct Members {
    name: String,
    id: Option<ConflictId>,
    /// Of a record that was created.
    fields: NamedFields,
    set: Option<FieldSet>,
    was: Option<FieldSet>,
    record: Option<RecordRef>,
    kind: Option<ConflictKind>,
    standing: Option<Standing>,
    offered: Option<Offered>,
    applied: Option<bool>,
}

/// What is no field, in the order that reading knows them by.
const NAMES: &[&str] = &["type", "id", "set", "was", "record", "kind", "standing", "offered", "applied"];

impl<'de> Deserialize<'de> for LedgerChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InAnyOrder;
        impl<'de> Visitor<'de> for InAnyOrder {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a change")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some(member) = map.next_key_seed(MemberOf(NAMES))? {
                    match member {
                        Member::Listed(0) => members.name = map.next_value()?,
                        Member::Listed(1) => members.id = Some(map.next_value()?),
                        Member::Listed(2) => members.set = Some(map.next_value()?),
                        Member::Listed(3) => members.was = Some(map.next_value()?),
                        Member::Listed(4) => members.record = Some(map.next_value()?),
                        Member::Listed(5) => members.kind = Some(map.next_value()?),
                        Member::Listed(6) => members.standing = Some(map.next_value()?),
                        Member::Listed(7) => members.offered = Some(map.next_value()?),
                        Member::Listed(_) => members.applied = Some(map.next_value()?),
                        field => members.fields.read(field, &mut map)?,
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(InAnyOrder)?.into_change().map_err(D::Error::custom)
    }
}

impl Members {
    fn into_change(self) -> Result<LedgerChange, Fault> {
        let id = || self.id.map(|id| id.0).ok_or("a change without an id");
        Ok(match self.name.as_str() {
            "book_created" => LedgerChange::BookCreated {
                name: self.fields.text(Field::Name)?.to_owned(),
                currency: self.fields.parsed(Field::Currency)?,
            },
            "contact_created" => self.contact_created(id()?)?,
            "transaction_created" => self.transaction_created(id()?)?,
            "contact_deleted" => LedgerChange::ContactDeleted { id: ContactId(id()?) },
            "contact_restored" => LedgerChange::ContactRestored { id: ContactId(id()?) },
            "transaction_deleted" => LedgerChange::TransactionDeleted { id: TransactionId(id()?) },
            "transaction_restored" => LedgerChange::TransactionRestored { id: TransactionId(id()?) },
            "conflict_resolved" => LedgerChange::ConflictResolved {
                id: ConflictId(id()?),
                applied: self.applied.ok_or("a decision without a choice")?,
                record: self.record.ok_or("a decision without a record")?,
            },
            "book_updated" => self.updated(RecordRef::Book)?,
            "contact_updated" => {
                let record = RecordRef::Contact(ContactId(id()?));
                self.updated(record)?
            }
            "transaction_updated" => {
                let record = RecordRef::Transaction(TransactionId(id()?));
                self.updated(record)?
            }
            "conflict_raised" => self.conflict_raised()?,
            _ => return Err("an unknown type of change"),
        })
    }

    fn contact_created(&self, id: Uuid) -> Result<LedgerChange, Fault> {
        Ok(LedgerChange::ContactCreated {
            id: ContactId(id),
            name: self.fields.text(Field::Name)?.to_owned(),
            username: self.fields.optional(Field::Username)?,
            phone: self.fields.optional(Field::Phone)?,
            email: self.fields.optional(Field::Email)?,
            note: self.fields.optional(Field::Note)?,
        })
    }

    fn transaction_created(&self, id: Uuid) -> Result<LedgerChange, Fault> {
        let due = self.fields.optional_text(Field::Due)?.map(|due| due.parse());
        Ok(LedgerChange::TransactionCreated {
            id: TransactionId(id),
            contact: self.fields.parsed(Field::Contact)?,
            direction: self.fields.parsed(Field::Direction)?,
            amount: u64::try_from(self.fields.amount()?).map_err(|_| "an amount below zero")?,
            currency: self.fields.parsed(Field::Currency)?,
            date: self.fields.parsed(Field::Date)?,
            note: self.fields.optional(Field::Note)?,
            due: due.transpose().map_err(|_| "not a date")?,
        })
    }

    fn updated(self, record: RecordRef) -> Result<LedgerChange, Fault> {
        let (set, was) = self.set.zip(self.was).ok_or("an update without its values")?;
        Ok(LedgerChange::updated(record, set, was))
    }

    fn conflict_raised(self) -> Result<LedgerChange, Fault> {
        let Self { id: Some(id), record: Some(record), kind: Some(kind), standing, offered, .. } = self else {
            return Err("a conflict of nothing");
        };
        let (standing, offered) = standing.zip(offered).ok_or("a conflict without its two sides")?;
        Ok(LedgerChange::ConflictRaised(Conflict { id, record, kind, standing, offered }))
    }
}
