//! Fields of records by name, and values of them: what updates, conflicts and history speak of.

use std::fmt;

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tidebook_book::SortedMap;

use crate::RecordKind;
use crate::named_fields::{Member, MemberOf};

macro_rules! fields {
    ($($name:ident $text:literal),* $(,)?) => {
        /// A field of a record, by its name on the wire.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field { $(#[doc = concat!("`", $text, "`")] $name),* }

        impl Field {
            const ALL: &[Self] = &[$(Self::$name),*];

            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            pub(crate) fn by_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

fields! {
    Name "name", Username "username", Phone "phone", Email "email", Contact "contact", Direction "direction",
    Amount "amount", Currency "currency", Date "date", Due "due", Note "note", Deleted "deleted",
}

impl Field {
    /// The fields of a kind of record that a person can set.
    #[must_use]
    pub fn of(kind: RecordKind) -> &'static [Self] {
        match kind {
            RecordKind::Book => &[Self::Name, Self::Currency],
            RecordKind::Contact => &[Self::Name, Self::Username, Self::Phone, Self::Email, Self::Note],
            RecordKind::Transaction => {
                &[Self::Contact, Self::Direction, Self::Amount, Self::Currency, Self::Date, Self::Due, Self::Note]
            }
        }
    }

    /// The group this field is compared and kept with, named by one of its fields. Amount, currency and direction are
    /// one, so that no sum comes about that nobody entered; every other field is a group of its own.
    #[must_use]
    pub fn group(self, kind: RecordKind) -> Self {
        match (kind, self) {
            (RecordKind::Transaction, Self::Direction | Self::Currency) => Self::Amount,
            (_, field) => field,
        }
    }
}

/// Some field groups of one kind of record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Groups {
    /// One for each field that names a group.
    bits: u16,
}

impl Groups {
    /// The groups that fields of a kind of record belong to.
    pub(crate) fn of(kind: RecordKind, fields: impl Iterator<Item = Field>) -> Self {
        fields.map(|field| field.group(kind)).collect()
    }

    pub(crate) fn contains(self, group: Field) -> bool {
        self.bits & 1 << group as u16 != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.bits == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL.iter().copied().filter(move |group| self.contains(*group))
    }
}

impl FromIterator<Field> for Groups {
    fn from_iter<I: IntoIterator<Item = Field>>(groups: I) -> Self {
        Self { bits: groups.into_iter().fold(0, |bits, group| bits | 1 << group as u16) }
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match MemberOf(&[]).deserialize(deserializer)? {
            Member::Field(field) => Ok(field),
            _ => Err(de::Error::custom("not a field")),
        }
    }
}

/// What a field holds, as JSON has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// `null`: an optional field that is not there.
    Nothing,
    Text(String),
    /// An amount in minor units.
    Number(i64),
    /// Whether a record is deleted.
    Flag(bool),
}

impl FieldValue {
    pub(crate) fn text(value: impl fmt::Display) -> Self {
        Self::Text(value.to_string())
    }

    /// The same in one copy.
    pub(crate) fn optional_text(text: Option<&str>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text(text.to_owned()))
    }

    pub(crate) fn optional(value: Option<impl fmt::Display>) -> Self {
        value.map_or(Self::Nothing, Self::text)
    }

    pub(crate) fn amount(amount: u64) -> Self {
        Self::Number(i64::try_from(amount).expect("an amount is at most AMOUNT_MAX"))
    }

    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Serialize for FieldValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
        }
    }
}

impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = FieldValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a whole number, true, false or null")
            }
            fn visit_unit<E: de::Error>(self) -> Result<FieldValue, E> {
                Ok(FieldValue::Nothing)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<FieldValue, E> {
                Ok(FieldValue::Text(text.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<FieldValue, E> {
                Ok(FieldValue::Number(number))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<FieldValue, E> {
                i64::try_from(number).map(FieldValue::Number).map_err(|_| E::custom("the number is too large"))
            }
            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<FieldValue, E> {
                Ok(FieldValue::Flag(flag))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Values by field, as `set`, `was` and conflicts carry them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSet(SortedMap<Field, FieldValue>);

impl FieldSet {
    #[must_use]
    pub fn get(&self, field: Field) -> Option<&FieldValue> {
        self.0.get(&field)
    }

    pub fn insert(&mut self, field: Field, value: FieldValue) {
        self.0.insert(field, value);
    }

    /// The same set with one value more.
    #[must_use]
    pub fn with(mut self, field: Field, value: FieldValue) -> Self {
        self.insert(field, value);
        self
    }

    pub fn iter(&self) -> impl Iterator<Item = (Field, &FieldValue)> + Clone {
        self.0.iter().map(|(field, value)| (*field, value))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = Field> {
        self.0.keys().copied()
    }

    /// The fields for which `keep` says yes.
    #[must_use]
    pub(crate) fn only(&self, keep: impl Fn(Field) -> bool) -> Self {
        self.iter().filter(|(field, _)| keep(*field)).map(|(field, value)| (field, value.clone())).collect()
    }
}

impl FromIterator<(Field, FieldValue)> for FieldSet {
    fn from_iter<I: IntoIterator<Item = (Field, FieldValue)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl Serialize for FieldSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for FieldSet {
    /// Passes over fields it does not know, as every reader of the wire does.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = FieldSet;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of fields")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FieldSet, A::Error> {
                let mut set = FieldSet::default();
                while let Some(member) = map.next_key_seed(MemberOf(&[]))? {
                    match member {
                        Member::Field(field) => set.insert(field, map.next_value()?),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(set)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
