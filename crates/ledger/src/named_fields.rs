//! The fields of a record that a change or an op creates, which stand in it by their names.

use std::fmt;
use std::str::FromStr;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::{Field, FieldSet, FieldValue};

/// What is missing, or is not what stands there.
pub(crate) type Fault = &'static str;

#[derive(Default)]
pub(crate) struct NamedFields {
    fields: FieldSet,
    /// Those with something that no field holds. It matters only where it is asked for.
    unreadable: Vec<Field>,
}

impl NamedFields {
    /// Reads a member's value, and keeps it where the member is a field.
    pub(crate) fn read<'de, A: MapAccess<'de>>(&mut self, member: Member, map: &mut A) -> Result<(), A::Error> {
        let Member::Field(field) = member else { return map.next_value::<IgnoredAny>().map(drop) };
        match map.next_value::<Anything>()? {
            Anything(Some(value)) => self.fields.insert(field, value),
            Anything(None) => self.unreadable.push(field),
        }
        Ok(())
    }

    pub(crate) fn optional_text(&self, field: Field) -> Result<Option<&str>, Fault> {
        match self.fields.get(field) {
            None if self.unreadable.contains(&field) => Err("no text where one is due"),
            None | Some(FieldValue::Nothing) => Ok(None),
            Some(FieldValue::Text(text)) => Ok(Some(text)),
            Some(_) => Err("no text where one is due"),
        }
    }

    pub(crate) fn optional(&self, field: Field) -> Result<Option<String>, Fault> {
        Ok(self.optional_text(field)?.map(str::to_owned))
    }

    pub(crate) fn text(&self, field: Field) -> Result<&str, Fault> {
        self.optional_text(field)?.ok_or("a field that every such record has is missing")
    }

    pub(crate) fn parsed<T: FromStr>(&self, field: Field) -> Result<T, Fault> {
        self.text(field)?.parse().map_err(|_| "a text that its field cannot hold")
    }

    pub(crate) fn amount(&self) -> Result<i64, Fault> {
        match self.fields.get(Field::Amount) {
            Some(FieldValue::Number(amount)) => Ok(*amount),
            _ => Err("no amount where one is due"),
        }
    }
}

/// The name of a member.
pub(crate) enum Member {
    /// By its place in the list that was given.
    Listed(usize),
    Field(Field),
    Unknown,
}

/// Reads a member's name, which may be one of the list.
pub(crate) struct MemberOf(pub(crate) &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for MemberOf {
    type Value = Member;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Member, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for MemberOf {
    type Value = Member;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Member, E> {
        let listed = self.0.iter().position(|known| *known == name).map(Member::Listed);
        Ok(listed.or_else(|| Field::by_name(name).map(Member::Field)).unwrap_or(Member::Unknown))
    }
}

/// Whatever stands there: a field's value, where it is one. For members that matter only to some.
pub(crate) struct Anything(pub(crate) Option<FieldValue>);

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
            fn visit_bool<E: Error>(self, flag: bool) -> Result<Anything, E> {
                Ok(Anything(Some(FieldValue::Flag(flag))))
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
