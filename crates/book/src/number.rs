//! Positions and times: where an entry stands in a log, a mutation in its replica's line, and when something happened.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// The last position or number there can be, as which larger ones read: what a column of a store holds. What counts on from
/// there fits.
const LAST: u64 = (1 << 63) - 1;

/// Milliseconds since 1970-01-01 UTC. Shown to people, never compared to decide anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub i64);

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! counted {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// Before the first.
            pub const ZERO: Self = Self(0);

            /// The one after it. The last there can be, which nobody who counts gets to, is followed by itself.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0.saturating_add(1).min(LAST))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read(deserializer).map(Self)
            }
        }
    )*};
}

counted! {
    /// An entry's position in its book's log: 1, 2, 3 … without a gap. 0 stands before the first entry.
    Seq;
    /// A mutation's number in its replica's line for one book: 1, 2, 3 … 0 stands before the first.
    MutationNumber;
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(u64::deserialize(deserializer)?.min(LAST))
}
