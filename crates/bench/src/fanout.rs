//! One writes, many read: how fast everybody has everything.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use serde_json::{Value, json};

use crate::cores::SERVER_CORE;
use crate::medians::{median, rounded, thousands};
use crate::peers::Peer;
use crate::plot::plot;
use crate::process;
use crate::swarm::{Sockets, Swarm};
use crate::target::{Subject, Target};

/// Before it is measured, a server runs for so long.
const WARM_UP: Duration = Duration::from_millis(300);
/// How long all may take to have everything once nobody writes any more.
const QUIET_WITHIN: Duration = Duration::from_secs(30);

#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// How many read
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 5_000])]
    readers: Vec<usize>,
    /// How many events may be on their way at once
    #[arg(long, value_delimiter = ',', default_values_t = [1, 32])]
    windows: Vec<u64>,
    /// How long each is measured
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only these
    #[arg(long, value_delimiter = ',', value_parser = subject)]
    subjects: Vec<Subject>,
}

fn subject(name: &str) -> Result<Subject, String> {
    match name {
        "tidebook" => Ok(Subject::Tidebook),
        other => <Peer as clap::ValueEnum>::from_str(other, false).map(Subject::Peer),
    }
}

/// What one subject did in one round.
#[derive(Debug)]
struct Measured {
    per_second: f64,
    missing: u64,
    repeated: u64,
    /// Of the server, per delivery
    processor: Duration,
    bytes: f64,
}

/// Every subject's rounds, for one number of readers and one window.
pub(crate) fn run(options: &Options) -> Result<Value> {
    let all = [Subject::Tidebook, Subject::Peer(Peer::Bare), Subject::Peer(Peer::Bun), Subject::Peer(Peer::Nats)];
    let naive = [Subject::Peer(Peer::Naive), Subject::Peer(Peer::NaiveDurable)];
    let mut subjects = options.subjects.clone();
    if subjects.is_empty() {
        subjects.extend(all.into_iter().chain(naive));
    }
    let mut rows = Vec::new();
    for &readers in &options.readers {
        let found = rounds(&subjects, readers, options)?;
        for (place, window) in options.windows.iter().enumerate() {
            let row = |(subject, rounds): (&Subject, &Vec<Vec<Measured>>)| row(*subject, rounds, place);
            let by_subject = subjects.iter().zip(&found).map(row).collect::<Vec<_>>();
            rows.push(json!({ "readers": readers, "in_flight": window, "subjects": by_subject }));
        }
    }
    let cells = rows.iter().map(cells).collect::<Vec<_>>();
    let plots = rows.iter().map(bars).collect::<Vec<_>>();
    Ok(json!({ "rounds": options.rounds, "seconds": options.seconds, "rows": rows, "cells": cells, "plots": plots }))
}

/// Of each subject, what each round found for each window. The rounds of all are interleaved.
fn rounds(subjects: &[Subject], readers: usize, options: &Options) -> Result<Vec<Vec<Vec<Measured>>>> {
    let mut found: Vec<Vec<Vec<Measured>>> = subjects.iter().map(|_| Vec::new()).collect();
    // So that all send as many bytes as ours, which comes first.
    let mut payload_bytes = 460;
    for round in 0..options.rounds {
        for (subject, found) in subjects.iter().zip(&mut found) {
            eprintln!("{readers} readers, round {} of {}: {subject}", round + 1, options.rounds);
            let measured = measure(*subject, readers, options, payload_bytes)?;
            if *subject == Subject::Tidebook {
                payload_bytes = measured[0].bytes as usize;
            }
            found.push(measured);
        }
    }
    Ok(found)
}

fn row(subject: Subject, rounds: &[Vec<Measured>], place: usize) -> Value {
    let of = |value: fn(&Measured) -> f64| median(rounds.iter().map(|round| value(&round[place])));
    let sum = |value: fn(&Measured) -> u64| rounds.iter().map(|round| value(&round[place])).sum::<u64>();
    json!({
        "subject": subject.to_string(),
        "deliveries_per_s": rounded(of(|it| it.per_second)),
        "server_ns_per_delivery": rounded(of(|it| it.processor.as_nanos() as f64)),
        "bytes_per_delivery": rounded(of(|it| it.bytes)),
        "missing": sum(|it| it.missing),
        "repeated": sum(|it| it.repeated),
    })
}

/// A row of docs/benchmarks.md.
fn cells(row: &Value) -> String {
    let subjects = row["subjects"].as_array().map_or(&[][..], Vec::as_slice);
    let of = |name: &str| subjects.iter().find(|subject| subject["subject"] == name).unwrap_or(&Value::Null);
    let speed = |name: &str| of(name)["deliveries_per_s"].as_f64().unwrap_or(f64::NAN);
    let (ours, bun) = (speed("tidebook"), speed("bun"));
    let others = ["bun", "bare", "nats", "naive", "naive-durable"].map(|name| thousands(speed(name))).join(" | ");
    let lost = |name: &str| of(name)["missing"].as_u64().unwrap_or(0) + of(name)["repeated"].as_u64().unwrap_or(0);
    format!(
        "{} | {} | {} | {others} | {:.2} | {} bytes | {} (naive {})",
        row["readers"],
        row["in_flight"],
        thousands(ours),
        ours / bun,
        of("tidebook")["bytes_per_delivery"],
        lost("tidebook"),
        lost("naive"),
    )
}

fn bars(row: &Value) -> Value {
    let subjects = row["subjects"].as_array().map_or(&[][..], Vec::as_slice);
    let bar = |of: &'_ Value| (of["subject"].as_str().unwrap_or_default().to_owned(), of["deliveries_per_s"].as_f64());
    let bars = subjects.iter().map(bar).map(|(name, speed)| (name, speed.unwrap_or_default()));
    plot(&format!("{} readers, {} in flight", row["readers"], row["in_flight"]), "deliveries a second", bars)
}

fn measure(subject: Subject, readers: usize, options: &Options, payload_bytes: usize) -> Result<Vec<Measured>> {
    let folder = tempfile::tempdir()?;
    let mut target = Target::start(subject, SERVER_CORE, folder.path(), payload_bytes)?;
    let mut swarm = Swarm::new(target.mark())?;
    swarm.connect(&target, readers, 0, Sockets::default())?;
    write_for(&mut target, &mut swarm, 1, WARM_UP)?;
    let duration = Duration::from_secs_f64(options.seconds);
    options.windows.iter().map(|window| write_for(&mut target, &mut swarm, *window, duration)).collect()
}

/// The writer sends the next event when its own has come back to it; at most `window` are on their way.
fn write_for(target: &mut Target, swarm: &mut Swarm, window: u64, duration: Duration) -> Result<Measured> {
    let pid = target.running().pid;
    let (missing, repeated, bytes) = totals(swarm);
    let processor = process::time(pid)?;
    let began = Instant::now();
    let mut deliveries = 0_u64;
    while began.elapsed() < duration {
        let free = window.saturating_sub(target.last() - swarm.readers[0].last);
        if free > 0 {
            swarm.send(0, |out| (0..free).for_each(|_| target.publish(out)))?;
        }
        swarm.poll(Duration::from_secs(1), |_, _| deliveries += 1)?;
    }
    let mut ended = Instant::now();
    while !swarm.all_have(target.last()) && ended.elapsed() < QUIET_WITHIN {
        let before = deliveries;
        swarm.poll(Duration::from_secs(1), |_, _| deliveries += 1)?;
        if deliveries == before {
            // What did not come within a second of nothing else is not coming.
            break;
        }
        ended = Instant::now();
    }
    ensure!(deliveries > 0, "nothing was delivered");
    let (missing_now, repeated_now, bytes_now) = totals(swarm);
    let lost = swarm.count(|reader| target.last() - reader.last.min(target.last()));
    // Each round of a subject that loses is a round of its own.
    swarm.readers.iter_mut().for_each(|reader| reader.last = target.last());
    Ok(Measured {
        per_second: deliveries as f64 / (ended - began).as_secs_f64(),
        missing: missing_now - missing + lost,
        repeated: repeated_now - repeated,
        processor: (process::time(pid)? - processor) / u32::try_from(deliveries)?,
        bytes: (bytes_now - bytes) as f64 / deliveries as f64,
    })
}

fn totals(swarm: &Swarm) -> (u64, u64, u64) {
    (swarm.count(|reader| reader.missing), swarm.count(|reader| reader.repeated), swarm.count(|reader| reader.bytes))
}
