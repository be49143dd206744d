//! Fields whose content a person can get wrong while the message is well-formed.

use std::fmt::Display;
use std::str::FromStr;

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

impl<T: FromStr> From<String> for Checked<T> {
    fn from(text: String) -> Self {
        text.parse().map_or_else(|_| Self::Wrong(text), Self::Valid)
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}
