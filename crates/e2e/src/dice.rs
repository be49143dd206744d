//! Chance that can be had again: everything at random in a journey follows from one number, which is told.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

/// Set to the number a journey told, has it do the same once more.
const SEED: &str = "TIDEBOOK_SEED";

/// Throws numbers, the same ones for the same seed.
#[derive(Debug)]
pub struct Dice {
    seed: u64,
    state: u64,
}

impl Dice {
    /// With a seed of its own, unless `TIDEBOOK_SEED` names one.
    pub fn new() -> Result<Self> {
        let seed = match env::var(SEED) {
            Ok(seed) => seed.parse().with_context(|| format!("{SEED} is a number"))?,
            Err(_) => u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?,
        };
        Ok(Self { seed, state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 })
    }

    /// For whoever wants the same once more.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{SEED}={}", self.seed)
    }

    /// Other dice, for somebody who throws at the same time: theirs fall the same again as well.
    #[must_use]
    pub fn another(&mut self) -> Self {
        let state = (self.below(usize::MAX) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { seed: self.seed, state }
    }

    /// A number from 0 up to `limit`, without it (xorshift).
    pub fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state % limit as u64) as usize
    }

    /// Once in so many throws.
    pub fn once_in(&mut self, throws: usize) -> bool {
        self.below(throws) == 0
    }
}
