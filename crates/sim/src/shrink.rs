//! A failing seed with as little of its world as still shows the failure.

use crate::fault::Fault;
use crate::run::{Failure, Limits, Options, run};
use crate::trace::Telling;

/// What is tried of each size, small first.
const EPISODES: [u64; 4] = [1, 2, 3, 5];
const BOOKS: [u64; 2] = [1, 2];
const DEVICES: [u64; 5] = [2, 3, 4, 5, 6];

/// A failure in a smaller world than the seed's own.
#[derive(Debug, Clone)]
pub struct Shrunk {
    pub limits: Limits,
    pub failure: Failure,
}

/// Leaves out one part of a failing run's world after the other, as long as the same thing goes wrong. Less of a world is
/// another world, so it is chance whether a part can go: some fifty short runs are tried, and what they leave is told.
#[must_use]
pub fn shrink(failure: &Failure, options: Options) -> Shrunk {
    let mut shrunk = Shrunk { limits: options.limits, failure: failure.clone() };
    let try_out = |shrunk: &mut Shrunk, limits: Limits| {
        let fails = fails_alike(failure, Options { limits, ..options });
        let is_found = fails.is_some();
        fails.into_iter().for_each(|failure| *shrunk = Shrunk { limits, failure });
        is_found
    };
    EPISODES.into_iter().any(|most| {
        let limits = Limits { episodes_max: most, ..shrunk.limits };
        try_out(&mut shrunk, limits)
    });
    BOOKS.into_iter().any(|most| {
        let limits = Limits { books_max: most, ..shrunk.limits };
        try_out(&mut shrunk, limits)
    });
    DEVICES.into_iter().any(|most| {
        let limits = Limits { devices_max: most, ..shrunk.limits };
        try_out(&mut shrunk, limits)
    });
    for fault in Fault::ALL {
        let limits = shrunk.limits.without(*fault);
        try_out(&mut shrunk, limits);
    }
    shrunk
}

/// What goes wrong otherwise is another story.
fn fails_alike(failure: &Failure, options: Options) -> Option<Failure> {
    let other = run(failure.seed, Options { telling: Telling::Silent, ..options }).err();
    other.filter(|other| other.violation.invariant == failure.violation.invariant)
}
