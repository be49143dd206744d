//! What the pure crates cost: deciding, rebasing, opening, encoding, hashing. Run by `cargo xtask bench core`.
//!
//! Each is measured in the processor time of its thread, on ledgers as people keep them, with the ops, entries and frames
//! that cross the wire.
#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

mod cpu_time;
mod decide;
mod device;
mod encode;
mod fixture;
mod frame;
mod open;
mod push;
mod rebase;

use std::path::PathBuf;
use std::time::Duration;

use criterion::Criterion;

use crate::cpu_time::CpuTime;

fn main() {
    // Cargo says `--bench`; whatever else is said picks some of the benches.
    let is_whole = std::env::args().skip(1).all(|argument| argument.starts_with("--"));
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == open::OPENED) {
        return open::print_growth(&PathBuf::from(arguments.next().expect("a folder")));
    }
    // Each iteration does thousands of things, so a few of them tell.
    let criterion = Criterion::default().with_measurement(CpuTime).sample_size(10).without_plots();
    let criterion = criterion.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    let mut criterion = criterion.configure_from_args();
    decide::bench(&mut criterion);
    push::bench(&mut criterion);
    frame::bench(&mut criterion);
    encode::bench(&mut criterion);
    rebase::bench(&mut criterion);
    open::bench(&mut criterion);
    if is_whole {
        open::print_memory();
    }
    criterion.final_summary();
}
