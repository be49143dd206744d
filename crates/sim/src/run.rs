//! One seed, one run.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::check::{Invariant, Violation};
use crate::fault::Fault;
use crate::plant::Plant;
use crate::trace::Telling;
use crate::world::World;

/// How a run is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// The bug that is planted in it.
    pub plant: Option<Plant>,
    pub telling: Telling,
    pub limits: Limits,
}

/// How much of a seed's world there is, for a failure told with as little of it as shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A bit for each fault that may be, in the order of [`Fault::ALL`].
    pub(crate) faults: u64,
    pub episodes_max: u64,
    pub books_max: u64,
    pub devices_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { faults: u64::MAX, episodes_max: u64::MAX, books_max: u64::MAX, devices_max: u64::MAX }
    }
}

impl Limits {
    #[must_use]
    pub fn allow(&self, fault: Fault) -> bool {
        self.faults & bit(fault) != 0
    }

    #[must_use]
    pub fn without(self, fault: Fault) -> Self {
        Self { faults: self.faults & !bit(fault), ..self }
    }

    /// Only these faults.
    #[must_use]
    pub fn only(self, faults: &[Fault]) -> Self {
        Self { faults: faults.iter().map(|fault| bit(*fault)).sum(), ..self }
    }
}

fn bit(fault: Fault) -> u64 {
    1 << fault as u64
}

/// What a run came to that found nothing wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// How often each fault happened, in the order of [`crate::Fault::ALL`].
    pub fired: Vec<u32>,
    /// Of all books.
    pub entries: u64,
    pub conflicts: u64,
    pub rejections: u64,
    /// Virtual milliseconds, once for each device, however many tabs it has and whether it is on.
    pub client_ms: u64,
    /// Of the story; only of use where it was told or hashed.
    pub trace_hash: String,
}

/// What a run found, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub seed: u64,
    /// Virtual.
    pub at_ms: u64,
    pub violation: Violation,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "seed {} at {} ms: {}", self.seed, self.at_ms, self.violation)
    }
}

/// Runs one seed to its end, or to the first thing that must not happen.
pub fn run(seed: u64, options: Options) -> Result<Run, Failure> {
    let mut world = World::new(seed, options);
    let outcome = catch_unwind(AssertUnwindSafe(|| world.run()));
    let outcome = outcome.unwrap_or_else(|panic| Err(Invariant::Panic.broken(message_of(&*panic))));
    match outcome {
        Ok(()) => Ok(world.into_run()),
        Err(violation) => Err(Failure { seed, at_ms: world.now(), violation }),
    }
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_else(|| "a panic".into())
}
