//! Many seeds, on all cores.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::fault::Fault;
use crate::plant::Plant;
use crate::run::{Failure, Options, Run, run};

/// What many runs came to.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    pub seeds: u64,
    pub entries: u64,
    pub conflicts: u64,
    pub rejections: u64,
    /// Virtual milliseconds of all devices.
    pub client_ms: u64,
    /// In how many seeds each fault happened, in the order of [`Fault::ALL`].
    pub seeds_with: Vec<u64>,
    /// By seed.
    pub failures: Vec<Failure>,
}

/// The share of seeds, from 0 to 1, in which a fault happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    pub fault: Fault,
    pub of_seeds: f64,
}

impl Summary {
    fn add(&mut self, outcome: Result<Run, Failure>) {
        self.seeds += 1;
        self.seeds_with.resize(Fault::ALL.len(), 0);
        match outcome {
            Ok(run) => {
                self.entries += run.entries;
                self.conflicts += run.conflicts;
                self.rejections += run.rejections;
                self.client_ms += run.client_ms;
                self.seeds_with.iter_mut().zip(run.fired).for_each(|(seeds, fired)| *seeds += u64::from(fired > 0));
            }
            Err(failure) => self.failures.push(failure),
        }
    }

    /// How often which fault happened.
    #[must_use]
    pub fn shares(&self) -> Vec<Share> {
        let of_seeds = |seeds: &u64| *seeds as f64 / self.seeds.max(1) as f64;
        let shares = Fault::ALL.iter().zip(&self.seeds_with);
        shares.map(|(fault, seeds)| Share { fault: *fault, of_seeds: of_seeds(seeds) }).collect()
    }

    /// Hours that devices lived through.
    #[must_use]
    pub fn client_hours(&self) -> u64 {
        self.client_ms / 3_600_000
    }
}

/// Runs all of these seeds, and tells how far it has come whenever `every` has passed.
pub fn run_many(seeds: Range<u64>, every: Duration, mut tell: impl FnMut(&Summary)) -> Summary {
    let next = AtomicU64::new(seeds.start);
    let mut summary = Summary::default();
    thread::scope(|scope| {
        let (done, outcomes) = mpsc::channel();
        for _ in 0..threads() {
            let (done, next, end) = (done.clone(), &next, seeds.end);
            scope.spawn(move || run_until(next, end, |outcome| done.send(outcome).is_ok()));
        }
        drop(done);
        let mut told_at = std::time::Instant::now();
        loop {
            match outcomes.recv_timeout(every.saturating_sub(told_at.elapsed())) {
                Ok(outcome) => summary.add(outcome),
                Err(RecvTimeoutError::Timeout) => {
                    tell(&summary);
                    told_at = std::time::Instant::now();
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
    summary.failures.sort_by_key(|failure| failure.seed);
    summary
}

/// The first of these seeds in which a planted bug shows.
#[must_use]
pub fn catch(plant: Plant, mut seeds: Range<u64>) -> Option<Failure> {
    seeds.find_map(|seed| run(seed, Options { plant: Some(plant), ..Options::default() }).err())
}

/// [`catch`], for many plants at once; in their order.
#[must_use]
pub fn catch_all(plants: &[Plant], seeds: Range<u64>) -> Vec<Option<Failure>> {
    let next = AtomicU64::new(0);
    let mut caught: Vec<(u64, Option<Failure>)> = thread::scope(|scope| {
        let take = || {
            let take_one = || {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let plant = plants.get(usize::try_from(place).ok()?)?;
                Some((place, catch(*plant, seeds.clone())))
            };
            std::iter::from_fn(take_one).collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..threads()).map(|_| scope.spawn(take)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("runs catch their own panics")).collect()
    });
    caught.sort_by_key(|(place, _)| *place);
    caught.into_iter().map(|(_, failure)| failure).collect()
}

fn run_until(next: &AtomicU64, end: u64, mut done: impl FnMut(Result<Run, Failure>) -> bool) {
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end || !done(run(seed, Options::default())) {
            return;
        }
    }
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
