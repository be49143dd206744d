//! Fields whose content a person can get wrong while the message is well-formed.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text field that reads as a `T`, or what stood there instead, so that the answer can be `invalid_field` with the
/// field's name and not just `malformed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked<T> {
    Valid(T),
    Wrong(String),
}

impl<T> Checked<T> {
    pub fn valid(&self) -> Option<&T> {
        match self {
            Self::Valid(value) => Some(value),
            Self::Wrong(_) => None,
        }
    }
}

impl<T: Display> Serialize for Checked<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Valid(value) => serializer.collect_str(value),
            Self::Wrong(text) => serializer.serialize_str(text),
        }
    }
}

impl<T: FromStr> Checked<T> {
    #[must_use]
    pub fn of(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Wrong(text.to_owned()), Self::Valid)
    }
}

impl<T: FromStr> From<String> for Checked<T> {
    fn from(text: String) -> Self {
        Self::of(&text)
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InPlace<T>(PhantomData<T>);
        impl<T: FromStr> Visitor<'_> for InPlace<T> {
            type Value = Checked<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Checked<T>, E> {
                Ok(Checked::of(text))
            }
        }
        deserializer.deserialize_str(InPlace(PhantomData))
    }
}
