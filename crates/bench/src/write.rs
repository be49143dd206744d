//! Durable writes: one socket that pushes batches, many connections that write one mutation a request, and one that
//! writes alone.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::cores::SERVER_CORE;
use crate::http;
use crate::medians::{median, rounded, thousands};
use crate::peers::{Peer, start_pocketbase};
use crate::plot::plot;
use crate::raw;
use crate::requests::Requests;
use crate::swarm::{Sockets, Swarm};
use crate::target::{Subject, Target};
use crate::tidebook::{self, Tidebook};

/// What one push carries, and how many are on their way: a frame may have 256 KiB, a socket 32 pushes.
const MUTATIONS_PER_PUSH: u64 = 200;
const PUSHES_ON_THEIR_WAY: u64 = 16;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// Connections that each write one mutation a request
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// How long each is measured
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

#[derive(Debug, Default)]
struct Rounds {
    batches: Vec<f64>,
    requests: Vec<f64>,
    commit_each: Vec<f64>,
    pocketbase: Vec<f64>,
    alone_us: Vec<f64>,
    raw_commit_us: Vec<f64>,
    raw_rows: Vec<f64>,
}

pub(crate) fn run(options: &Options) -> Result<Value> {
    let duration = Duration::from_secs_f64(options.seconds);
    let mut found = Rounds::default();
    for round in 0..options.rounds {
        eprintln!("writes, round {} of {}", round + 1, options.rounds);
        let folder = tempfile::tempdir()?;
        found.batches.push(batches(duration)?);
        found.requests.push(requests(options.connections, duration)?);
        found.commit_each.push(commit_each(options.connections, duration)?);
        found.pocketbase.push(pocketbase(options.connections, duration)?);
        found.alone_us.push(alone(duration)?);
        found.raw_commit_us.push(raw::median_commit(folder.path(), duration)?.as_secs_f64() * 1e6);
        found.raw_rows.push(raw::measure(folder.path(), duration / 4)?.rows);
    }
    let middle = |values: &[f64]| median(values.iter().copied());
    let (requests, commit_each) = (middle(&found.requests), middle(&found.commit_each));
    let (alone, raw_commit) = (middle(&found.alone_us), middle(&found.raw_commit_us));
    let (batches, raw_rows, pocketbase) = (middle(&found.batches), middle(&found.raw_rows), middle(&found.pocketbase));
    let rows = json!([
        {
            "what": "one socket, batches",
            "mutations_per_s": rounded(batches),
            "raw_rows_per_s": rounded(raw_rows),
        },
        {
            "what": "one mutation a request",
            "connections": options.connections,
            "mutations_per_s": rounded(requests),
            "one_commit_each_per_s": rounded(commit_each),
            "ratio": rounded(requests / commit_each),
            "pocketbase_per_s": rounded(pocketbase),
        },
        {
            "what": "alone",
            "p50_us": rounded(alone),
            "raw_commit_p50_us": rounded(raw_commit),
            "ratio": rounded(alone / raw_commit),
        },
    ]);
    let cells = [format!(
        "{} | {} | {} | {} ({:.1} ×) | {} | {alone:.0} µs | {raw_commit:.0} µs ({:.1} ×)",
        thousands(rounded(batches)),
        thousands(rounded(raw_rows)),
        thousands(rounded(requests)),
        thousands(rounded(commit_each)),
        requests / commit_each,
        thousands(rounded(pocketbase)),
        alone / raw_commit,
    )];
    let bars = [("tidebook", requests), ("a commit each", commit_each), ("pocketbase", pocketbase)];
    let title = format!("{} connections, one mutation a request", options.connections);
    let plots = [plot(&title, "durable writes a second", bars)];
    Ok(json!({ "rounds": options.rounds, "rows": rows, "cells": cells, "plots": plots }))
}

/// Mutations a second that one socket pushes, until their entries have come back.
fn batches(duration: Duration) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut target = Target::start(Subject::Tidebook, SERVER_CORE, folder.path(), 0)?;
    let mut swarm = Swarm::new(target.mark())?;
    swarm.connect(&target, 1, 0, Sockets::default())?;
    let Target::Tidebook(tidebook) = &mut target else { unreachable!("it is our server that was started") };
    let first = tidebook.last;
    let began = Instant::now();
    while began.elapsed() < duration || swarm.readers[0].last < tidebook.last {
        let on_their_way = tidebook.last - swarm.readers[0].last;
        let free = (PUSHES_ON_THEIR_WAY * MUTATIONS_PER_PUSH - on_their_way) / MUTATIONS_PER_PUSH;
        if began.elapsed() < duration {
            (0..free).try_for_each(|_| swarm.send(0, |out| tidebook.push(MUTATIONS_PER_PUSH, out)))?;
        }
        let mut heard = false;
        swarm.poll(ANSWER_WITHIN, |_, _| heard = true)?;
        ensure!(heard, "the server stopped answering");
    }
    let reader = &swarm.readers[0];
    ensure!(reader.missing + reader.repeated == 0, "{} missing, {} repeated", reader.missing, reader.repeated);
    Ok((tidebook.last - first) as f64 / began.elapsed().as_secs_f64())
}

/// Each connection is a replica of its own with a transaction of its own to edit, and sends its next mutation when the last
/// one was answered.
fn requests(connections: usize, duration: Duration) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let tidebook = Tidebook::start(SERVER_CORE, folder.path())?;
    let (mut numbers, mut written) = (vec![0_u64; connections], 0_u64);
    let request = |connection: usize, out: &mut Vec<u8>| {
        numbers[connection] += 1;
        written += 1;
        // Ids rise with time, as those of real clients do; the book's own writes have the first few.
        let (n, unique, transaction) = (numbers[connection], written + 1_000, connection as u64 + 2);
        let mutation = match n {
            1 => tidebook::create(n, unique, transaction),
            _ => tidebook::edit(n, unique, transaction),
        };
        let body = format!(
            r#"{{"epoch":"{}","replica":"{}","mutations":[{mutation}]}}"#,
            tidebook.epoch,
            tidebook::writer_id(connection)
        );
        out.extend(http::post_text(
            tidebook.running.address,
            &tidebook.path("mutations"),
            Some(&tidebook.bearer()),
            &body,
        ));
    };
    let per_second =
        Requests::connect(tidebook.running.address, connections)?.run(duration, b"\"entries\":[{", request)?;
    let head = tidebook.get(&tidebook.path("entries?limit=1"))?["head"].as_u64().context("no head")?;
    ensure!(head == tidebook.last + written, "{written} were written and the head is {head}");
    Ok(per_second)
}

/// The naive design: a commit for each request.
fn commit_each(connections: usize, duration: Duration) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let running = Peer::NaiveDurable.start(SERVER_CORE, folder.path())?;
    let text = "x".repeat(460);
    let request = http::post_text(running.address, "/events", None, &text);
    Requests::connect(running.address, connections)?.run(duration, b"kept", |_, out| out.extend(&request))
}

fn pocketbase(connections: usize, duration: Duration) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let pocketbase = start_pocketbase(SERVER_CORE, folder.path())?;
    let request = pocketbase.create(&"x".repeat(200));
    Requests::connect(pocketbase.running.address, connections)?.run(duration, b"\"id\"", |_, out| out.extend(&request))
}

/// From the push to its entry, with nothing else going on: the median, in microseconds.
fn alone(duration: Duration) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut target = Target::start(Subject::Tidebook, SERVER_CORE, folder.path(), 0)?;
    let mut swarm = Swarm::new(target.mark())?;
    swarm.connect(&target, 1, 0, Sockets::default())?;
    let mut latencies = Histogram::<u64>::new(3)?;
    let began = Instant::now();
    while began.elapsed() < duration {
        let sent = Instant::now();
        swarm.send(0, |out| target.publish(out))?;
        while swarm.readers[0].last < target.last() {
            swarm.poll(ANSWER_WITHIN, |_, _| {})?;
            ensure!(sent.elapsed() < ANSWER_WITHIN, "the server stopped answering");
        }
        latencies.record(u64::try_from(sent.elapsed().as_nanos())?)?;
    }
    Ok(latencies.value_at_quantile(0.5) as f64 / 1000.0)
}
