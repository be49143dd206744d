//! Ids: one newtype per thing that has one, all of them UUIDs written lower-case with dashes.

use std::fmt;

use serde::{Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

/// A text that is not an id as the wire writes them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected a UUID in lower case with dashes")]
pub struct IdParseError;

/// Reads a UUID, but only in the one spelling the wire allows, so that an id has one text and text comparison holds.
pub fn parse_uuid(text: &str) -> Result<Uuid, IdParseError> {
    // Of this length it is the spelling with dashes, or none.
    if text.len() != uuid::fmt::Hyphenated::LENGTH || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(IdParseError);
    }
    Uuid::try_parse(text).map_err(|_| IdParseError)
}

/// Declares newtypes over [`Uuid`] that read and write the one spelling.
#[macro_export]
macro_rules! id_newtypes {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub uuid::Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0.hyphenated(), f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.hyphenated())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::IdParseError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::parse_uuid(text).map(Self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::__private::serialize_uuid(&self.0, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::__private::deserialize_uuid(deserializer).map(Self)
            }
        }
    )*};
}

pub(crate) fn serialize_uuid<S: Serializer>(uuid: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()).serialize(serializer)
}

pub(crate) fn deserialize_uuid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    struct Visitor;
    impl serde::de::Visitor<'_> for Visitor {
        type Value = Uuid;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a UUID in lower case with dashes")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Uuid, E> {
            parse_uuid(text).map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Visitor).map_err(D::Error::custom)
}

id_newtypes! {
    /// Names a book.
    BookId;
    /// Names one store on one device.
    ReplicaId;
    /// Names a person with an account.
    UserId;
    /// Names a mutation; unique within its book.
    MutationId;
    /// Names one history of a book's log; a server restored from a backup starts a new one.
    Epoch;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let cases = [
            ("0199d4c2-5b1e-7c3a-8f00-0123456789ab", true),
            ("0199D4C2-5B1E-7C3A-8F00-0123456789AB", false),
            ("0199d4c25b1e7c3a8f000123456789ab", false),
            ("{0199d4c2-5b1e-7c3a-8f00-0123456789ab}", false),
            ("urn:uuid:0199d4c2-5b1e-7c3a-8f00-0123456789ab", false),
            ("", false),
        ];
        for (text, allowed) in cases {
            assert_eq!(text.parse::<BookId>().is_ok(), allowed, "{text}");
            let json = serde_json::to_string(text).expect("text is JSON");
            assert_eq!(serde_json::from_str::<BookId>(&json).is_ok(), allowed, "{text}");
        }
    }
}
