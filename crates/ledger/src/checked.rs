//! Fields whose content a person can get wrong while the message is well-formed.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

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

impl<'de, T: FromStr> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);
        impl<T: FromStr> de::Visitor<'_> for Visitor<T> {
            type Value = Checked<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Checked<T>, E> {
                Ok(text.parse().map_or_else(|_| Checked::Wrong(text.to_owned()), Checked::Valid))
            }
        }
        deserializer.deserialize_str(Visitor(PhantomData))
    }
}
