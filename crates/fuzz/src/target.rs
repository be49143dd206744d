//! What a fuzzer runs: a function of bytes, and the memory it may take.

use crate::TARGETS;

/// One decoder under attack.
#[derive(Debug)]
pub struct Target {
    pub name: &'static str,
    attack: fn(&[u8]) -> Reading,
}

/// Whether there was anything in the bytes that the decoder takes. Attacks that reach no further than its first check
/// find little: the tests see to it that some inputs do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    Taken,
    Refused,
}

/// What one input may have in memory at once. The fuzzer's inputs have at most 64 KiB, a fourth of the largest frame up.
const HEAP_BYTES_MAX: u64 = 10 << 20;

impl Target {
    pub(crate) const fn new(name: &'static str, attack: fn(&[u8]) -> Reading) -> Self {
        Self { name, attack }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Runs it once.
    ///
    /// # Panics
    /// Something does not hold that must, or it took too much memory.
    pub fn attack(&self, bytes: &[u8]) -> Reading {
        let mut reading = Reading::Refused;
        let memory = allocation_counter::measure(|| reading = (self.attack)(bytes));
        assert!(memory.bytes_max <= HEAP_BYTES_MAX, "{} bytes were taken at once", memory.bytes_max);
        reading
    }
}

impl Reading {
    pub(crate) fn taken_if(is_taken: bool) -> Self {
        if is_taken { Self::Taken } else { Self::Refused }
    }
}

/// The lines of an input, each with its first character apart: what it is and what it says.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u8, &str)> {
    let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| line.split_first());
    lines.filter_map(|(first, rest)| Some((*first, std::str::from_utf8(rest).ok()?)))
}
