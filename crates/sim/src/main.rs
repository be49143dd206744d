//! Runs seeds, tells the story of one, or tries the planted bugs.
#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use tidebook_sim::{Failure, Options, Plant, Summary, Telling, catch_all, run, run_many};

/// Somebody waiting for many seeds hears of them at least this often.
const TOLD_EVERY: Duration = Duration::from_secs(4);

/// A planted bug that so many seeds do not show goes unnoticed.
const PLANT_SEEDS_MAX: u64 = 1000;

/// Runs replicas and a server in a virtual world, and checks what must hold.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds to run
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Runs this seed alone
    #[arg(long)]
    seed: Option<u64>,
    /// Prints the story of that seed
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Plants a bug in it: the simulator should find it
    #[arg(long, requires = "seed", value_parser = parse_plant)]
    plant: Option<Plant>,
    /// Tries every planted bug until it is found
    #[arg(long)]
    plants: bool,
}

fn parse_plant(name: &str) -> Result<Plant, String> {
    let names = || Plant::ALL.iter().map(|plant| plant.name()).collect::<Vec<_>>().join(", ");
    Plant::by_name(name).ok_or_else(|| format!("the planted bugs are {}", names()))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.seed {
        _ if arguments.plants => try_plants(),
        Some(seed) => run_one(seed, &arguments),
        None => run_all(arguments.from, arguments.seeds),
    }
}

fn run_one(seed: u64, arguments: &Arguments) -> ExitCode {
    let telling = if arguments.trace { Telling::Told(|line| println!("{line}")) } else { Telling::Hashed };
    match run(seed, Options { plant: arguments.plant, telling }) {
        Ok(run) => {
            println!("seed {seed} holds: {} entries, story {}", run.entries, run.trace_hash);
            ExitCode::SUCCESS
        }
        Err(failure) => tell_failure(&failure, arguments.plant),
    }
}

fn run_all(from: u64, seeds: u64) -> ExitCode {
    let began = Instant::now();
    let summary = run_many(from..from + seeds, TOLD_EVERY, |summary| {
        println!("{} of {seeds} seeds, {} failed", summary.seeds, summary.failures.len());
    });
    tell_summary(&summary, began.elapsed());
    for failure in &summary.failures {
        tell_failure(failure, None);
    }
    if summary.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell_summary(summary: &Summary, took: Duration) {
    let Summary { seeds, entries, conflicts, rejections, .. } = summary;
    println!("{seeds} seeds in {:.1} s: {} client-hours of virtual time", took.as_secs_f64(), summary.client_hours());
    println!("{entries} entries, {conflicts} conflicts raised, {rejections} rejections");
    println!("of all seeds there were:");
    for share in summary.shares() {
        println!("{:>6.1} % with {}", 100.0 * share.of_seeds, share.fault.name());
    }
}

fn tell_failure(failure: &Failure, plant: Option<Plant>) -> ExitCode {
    let plant = plant.map(|plant| format!(" --plant {}", plant.name())).unwrap_or_default();
    println!("{failure}");
    println!("    cargo run -p tidebook-sim -- --seed {} --trace{plant}", failure.seed);
    ExitCode::FAILURE
}

fn try_plants() -> ExitCode {
    let mut unnoticed = 0;
    for (plant, caught) in Plant::ALL.iter().zip(catch_all(Plant::ALL, 0..PLANT_SEEDS_MAX)) {
        match caught {
            Some(failure) => {
                let (seeds, found) = (failure.seed + 1, failure.violation.invariant.name());
                println!("{:26} {seeds:4} seeds  {found}", plant.name());
            }
            None => {
                unnoticed += 1;
                println!("{:26} unnoticed in {PLANT_SEEDS_MAX} seeds", plant.name());
            }
        }
    }
    if unnoticed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
