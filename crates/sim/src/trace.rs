//! The story of a run, line by line: hashed, so that two runs can be compared, or told as it happens.

use std::fmt;

use crate::queue::Ms;

/// Takes a line of the story.
pub type Teller = fn(&str);

/// What is done with the story.
#[derive(Debug, Clone, Copy, Default)]
pub enum Telling {
    /// Nothing; the fastest.
    #[default]
    Silent,
    /// It is hashed.
    Hashed,
    /// It is hashed, and told.
    Told(Teller),
}

pub(crate) struct Trace {
    telling: Telling,
    hasher: blake3::Hasher,
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({})", self.hash())
    }
}

impl Trace {
    pub(crate) fn new(telling: Telling) -> Self {
        Self { telling, hasher: blake3::Hasher::new() }
    }

    /// `what` is only made where somebody listens.
    pub(crate) fn say(&mut self, now: Ms, what: impl FnOnce() -> String) {
        if matches!(self.telling, Telling::Silent) {
            return;
        }
        let line = format!("{:>9}.{:03} {}", now / 1000, now % 1000, what());
        self.hasher.update(line.as_bytes());
        self.hasher.update(b"\n");
        if let Telling::Told(teller) = self.telling {
            teller(&line);
        }
    }

    /// Of all lines so far.
    pub(crate) fn hash(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }
}
