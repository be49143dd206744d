//! How long to wait before the next attempt to connect: doubling, with full jitter, so that many clients of a
//! restarted server come back spread out.

/// The first wait is somewhere below this: a restart is often over at once.
const FIRST_MS: u64 = 300;
/// No wait is longer: a person watching a dead connection should see it come back soon after it could.
const LONGEST_MS: u64 = 15_000;

/// Nor is one that the server asks for, whatever it says.
pub(crate) const WAIT_MS_MAX: u64 = 600_000;

/// Waits that double, with chance in them.
#[derive(Debug, Clone)]
pub(crate) struct BackOff {
    attempts: u32,
    /// State of a xorshift generator; the driver seeds it.
    random: u64,
}

impl BackOff {
    pub(crate) fn new(seed: u64) -> Self {
        Self { attempts: 0, random: seed | 1 }
    }

    /// The wait before the next attempt.
    pub(crate) fn next_ms(&mut self) -> u64 {
        let ceiling = FIRST_MS.saturating_mul(1 << self.attempts.min(16)).min(LONGEST_MS);
        self.attempts += 1;
        self.up_to(ceiling)
    }

    /// A random wait of at most `ceiling` ms, and never more than [`WAIT_MS_MAX`].
    pub(crate) fn up_to(&mut self, ceiling: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % (ceiling.min(WAIT_MS_MAX) + 1)
    }

    /// The server answered: start from the shortest wait again.
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_spread() {
        let mut back_off = BackOff::new(7);
        let waits: Vec<u64> = (0..200).map(|_| back_off.next_ms()).collect();
        assert!(waits[0] <= FIRST_MS);
        assert!(waits.iter().all(|wait| *wait <= LONGEST_MS));
        assert!(waits[20..].iter().any(|wait| *wait > LONGEST_MS / 2));
        assert!(waits[20..].iter().any(|wait| *wait < LONGEST_MS / 2));
        back_off.reset();
        assert!(back_off.next_ms() <= FIRST_MS);
    }
}
