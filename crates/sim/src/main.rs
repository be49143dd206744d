//! Runs seeds, tells the story of one, or tries the planted bugs.
#![expect(clippy::print_stdout, reason = "a tool for the terminal")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use tidebook_sim::{
    Failure, Fault, Limits, Options, Plant, Shrunk, Summary, Telling, catch_all, run, run_many, shrink,
};

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
    /// With these of its faults alone, by their names with `-` for blanks, or with `none`
    #[arg(long, requires = "seed", value_parser = parse_faults)]
    only: Option<Faults>,
    /// With no more episodes of work than these
    #[arg(long, requires = "seed", default_value_t = u64::MAX)]
    episodes: u64,
    /// With no more books than these
    #[arg(long, requires = "seed", default_value_t = u64::MAX)]
    books: u64,
    /// With no more devices than these
    #[arg(long, requires = "seed", default_value_t = u64::MAX)]
    devices: u64,
    /// Tells failures as they are, and does not look for less of their worlds
    #[arg(long)]
    brief: bool,
    /// Tries every planted bug until it is found
    #[arg(long)]
    plants: bool,
}

fn parse_plant(name: &str) -> Result<Plant, String> {
    let names = || Plant::ALL.iter().map(|plant| plant.name()).collect::<Vec<_>>().join(", ");
    Plant::by_name(name).ok_or_else(|| format!("the planted bugs are {}", names()))
}

#[derive(Debug, Clone)]
struct Faults(Vec<Fault>);

fn parse_faults(names: &str) -> Result<Faults, String> {
    if names == "none" {
        return Ok(Faults(Vec::new()));
    }
    let found = |name| Fault::ALL.iter().copied().find(|fault| in_one_word(*fault) == name);
    let faults: Option<Vec<Fault>> = names.split(',').map(found).collect();
    faults.map(Faults).ok_or_else(|| format!("the faults are {}", in_words(Fault::ALL)))
}

fn in_one_word(fault: Fault) -> String {
    fault.name().replace(' ', "-")
}

fn in_words(faults: &[Fault]) -> String {
    let words: Vec<String> = faults.iter().copied().map(in_one_word).collect();
    if words.is_empty() { "none".into() } else { words.join(",") }
}

impl Arguments {
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        (limits.episodes_max, limits.books_max, limits.devices_max) = (self.episodes, self.books, self.devices);
        self.only.as_ref().map_or(limits, |only| limits.only(&only.0))
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.seed {
        _ if arguments.plants => try_plants(),
        Some(seed) => run_one(seed, &arguments),
        None => run_all(&arguments),
    }
}

fn run_one(seed: u64, arguments: &Arguments) -> ExitCode {
    let telling = if arguments.trace { Telling::Told(|line| println!("{line}")) } else { Telling::Hashed };
    let options = Options { plant: arguments.plant, telling, limits: arguments.limits() };
    match run(seed, options) {
        Ok(run) => {
            println!("seed {seed} holds: {} entries, story {}", run.entries, run.trace_hash);
            ExitCode::SUCCESS
        }
        Err(failure) if arguments.trace || arguments.brief => {
            println!("{failure}");
            ExitCode::FAILURE
        }
        Err(failure) => tell_failure(&failure, options),
    }
}

fn run_all(arguments: &Arguments) -> ExitCode {
    let Arguments { from, seeds, brief, .. } = *arguments;
    let began = Instant::now();
    let summary = run_many(from..from + seeds, TOLD_EVERY, |summary| {
        let failed: Vec<String> = summary.failures.iter().map(|failure| failure.seed.to_string()).collect();
        println!("{} of {seeds} seeds, {} failed {}", summary.seeds, failed.len(), failed.join(" "));
    });
    tell_summary(&summary, began.elapsed());
    for failure in &summary.failures {
        if brief {
            println!("{failure}");
        } else {
            tell_failure(failure, Options::default());
        }
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

/// With the least of the seed's world that shows it.
fn tell_failure(failure: &Failure, options: Options) -> ExitCode {
    println!("{failure}");
    let Shrunk { limits, failure } = shrink(failure, options);
    let mut command = format!("cargo run -p tidebook-sim -- --seed {} --trace", failure.seed);
    if let Some(plant) = options.plant {
        command += &format!(" --plant {}", plant.name());
    }
    let sizes = [("episodes", limits.episodes_max), ("books", limits.books_max), ("devices", limits.devices_max)];
    for (name, size) in sizes.into_iter().filter(|(_, size)| *size < u64::MAX) {
        command += &format!(" --{name} {size}");
    }
    let faults: Vec<Fault> = Fault::ALL.iter().copied().filter(|fault| limits.allow(*fault)).collect();
    println!("    with less of its world, at {} ms: {}", failure.at_ms, failure.violation);
    println!("    {command} --only {}", in_words(&faults));
    ExitCode::FAILURE
}

fn try_plants() -> ExitCode {
    let mut unnoticed = 0;
    for (plant, caught) in Plant::ALL.iter().zip(catch_all(Plant::ALL, 0..PLANT_SEEDS_MAX)) {
        match caught {
            Some(failure) if plant.explains(&failure) => {
                let (seeds, found) = (failure.seed + 1, failure.violation.invariant.name());
                println!("{:26} {seeds:4} seeds  {found}", plant.name());
            }
            Some(failure) => {
                unnoticed += 1;
                println!("{:26} fails by something else: {failure}", plant.name());
            }
            None => {
                unnoticed += 1;
                println!("{:26} unnoticed in {PLANT_SEEDS_MAX} seeds", plant.name());
            }
        }
    }
    if unnoticed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
