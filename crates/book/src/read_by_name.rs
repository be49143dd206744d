//! Reading what has named members, as serde's derive does it, but in less code.
//!
//! Derived readers also take a struct as a list and a variant as an object, which nobody writes, and bring all of their
//! code along for each type. These read objects and names alone, share what is the same for all of them, and report the
//! same faults. Browsers download them.

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Implements `Deserialize` for a struct: first the members that must be there, then, after a semicolon, those that
/// are what `Default` says where they are not there. A member goes by the name of its field, or by the one given.
#[macro_export]
macro_rules! read_by_name {
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
    ($kind:ident $(<$of:ident: $bound:path>)? {
        $($needed:ident $(as $needed_name:literal)?),* $(; $($free:ident $(as $free_name:literal)?),+)?
    }) => {
        impl<'de $(, $of: $bound)?> serde::Deserialize<'de> for $kind $(<$of>)? {
            fn deserialize<Reader: serde::Deserializer<'de>>(reader: Reader) -> Result<Self, Reader::Error> {
                use $crate::__private::{OneOf, read_once, skip, there};

                #[allow(non_camel_case_types)]
                enum Place { $($needed,)* $($($free,)*)? }
                const NAMES: &[&str] = &[
                    $($crate::read_by_name!(@name $needed $($needed_name)?),)*
                    $($($crate::read_by_name!(@name $free $($free_name)?),)*)?
                ];
                struct InAnyOrder<T>(std::marker::PhantomData<T>);

                impl<'de $(, $of: $bound)?> serde::de::Visitor<'de> for InAnyOrder<$kind $(<$of>)?> {
                    type Value = $kind $(<$of>)?;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("struct ", stringify!($kind)))
                    }
                    fn visit_map<Map: serde::de::MapAccess<'de>>(self, mut map: Map) -> Result<Self::Value, Map::Error> {
                        $(let mut $needed = None;)*
                        $($(let mut $free = None;)*)?
                        while let Some(place) = map.next_key_seed(OneOf(NAMES))? {
                            match place {
                                $(it if it == Place::$needed as usize => read_once(&mut $needed, NAMES[it], &mut map)?,)*
                                $($(it if it == Place::$free as usize => read_once(&mut $free, NAMES[it], &mut map)?,)*)?
                                _ => skip(&mut map)?,
                            }
                        }
                        Ok($kind {
                            $($needed: there($needed, NAMES[Place::$needed as usize])?,)*
                            $($($free: $free.unwrap_or_default(),)*)?
                        })
                    }
                }
                reader.deserialize_map(InAnyOrder(std::marker::PhantomData))
            }
        }
    };
}

/// Implements `Deserialize` for an enum whose variants are names alone.
#[macro_export]
macro_rules! read_variant_by_name {
    ($kind:ident { $($name:literal => $variant:ident),* $(,)? }) => {
        impl<'de> serde::Deserialize<'de> for $kind {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                const NAMES: &[&str] = &[$($name),*];
                const VARIANTS: &[$kind] = &[$($kind::$variant),*];
                $crate::__private::deserialize_name(deserializer, NAMES).map(|place| VARIANTS[place])
            }
        }
    };
}

/// Reads a name as its place in a list, or as the list's length where it is another.
#[derive(Debug)]
pub struct OneOf(pub &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for OneOf {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for OneOf {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        Ok(self.0.iter().position(|known| *known == name).unwrap_or(self.0.len()))
    }
}

/// Reads a member's value, which may come once.
#[inline(never)]
pub fn read_once<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    member: &mut Option<T>,
    name: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    if member.is_some() {
        return Err(A::Error::duplicate_field(name));
    }
    *member = Some(map.next_value()?);
    Ok(())
}

/// Passes over the value of a member that is not known here.
#[inline(never)]
pub fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

pub fn there<T, E: Error>(member: Option<T>, name: &'static str) -> Result<T, E> {
    member.ok_or_else(|| E::missing_field(name))
}

/// The place of a name that must be one of the list.
pub fn deserialize_name<'de, D: Deserializer<'de>>(
    deserializer: D,
    names: &'static [&'static str],
) -> Result<usize, D::Error> {
    struct Known(&'static [&'static str]);
    impl Visitor<'_> for Known {
        type Value = usize;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a name")
        }
        fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
            self.0.iter().position(|known| *known == name).ok_or_else(|| E::unknown_variant(name, self.0))
        }
    }
    deserializer.deserialize_str(Known(names))
}
