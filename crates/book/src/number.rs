//! Positions and times: where an entry stands in a log, a mutation in its replica's line, and when something happened.

use serde::{Deserialize, Serialize};

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

numbers! {
    /// An entry's position in its book's log: 1, 2, 3 … without a gap. 0 stands before the first entry.
    Seq(u64);
    /// A mutation's number in its replica's line for one book: 1, 2, 3 … 0 stands before the first.
    MutationNumber(u64);
    /// Milliseconds since 1970-01-01 UTC. Shown to people, never compared to decide anything.
    UnixMillis(i64);
}

impl Seq {
    /// Before the first entry.
    pub const ZERO: Self = Self(0);

    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl MutationNumber {
    /// Before the first mutation.
    pub const ZERO: Self = Self(0);

    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
