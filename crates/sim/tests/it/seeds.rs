//! A thousand seeds hold, and faults do strike in them.

use std::time::Duration;

use tidebook_sim::{Failure, run_many};

const SEEDS: u64 = 1000;

/// Each fault is on in half of the seeds; in this share of all it has to have happened.
const SHARE_MIN: f64 = 0.2;

#[test]
fn a_thousand_seeds_hold_and_every_fault_strikes_in_many() {
    let summary = run_many(0..SEEDS, Duration::from_secs(60), |_| {});
    let failures: Vec<String> = summary.failures.iter().map(Failure::to_string).collect();
    assert_eq!(failures, Vec::<String>::new(), "cargo run -p tidebook-sim -- --seed N --trace tells more");
    assert_eq!(summary.seeds, SEEDS);
    for share in summary.shares() {
        assert!(share.of_seeds >= SHARE_MIN, "{} in {} of all seeds", share.fault.name(), share.of_seeds);
    }
}
