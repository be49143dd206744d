//! What a connection costs that is signed in, follows a book, and has nothing to do.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use serde_json::{Value, json};

use crate::cores::SERVER_CORE;
use crate::medians::rounded;
use crate::peers::Peer;
use crate::plot::plot;
use crate::process;
use crate::swarm::{Sockets, Swarm};
use crate::target::{Subject, Target};

/// Of those that fill what a server keeps once for all.
const FIRST: usize = 100;

/// What has not come within this of the one before is not coming.
const QUIET_MAX: Duration = Duration::from_secs(10);

#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
}

pub(crate) fn run(options: &Options) -> Result<Value> {
    let subjects = [
        Subject::Tidebook,
        Subject::Peer(Peer::Bare),
        Subject::Peer(Peer::Naive),
        Subject::Peer(Peer::Bun),
        Subject::Peer(Peer::Nats),
    ];
    let mut rows = Vec::new();
    for subject in subjects {
        eprintln!("{} idle connections: {subject}", options.connections);
        let folder = tempfile::tempdir()?;
        let mut target = Target::start(subject, SERVER_CORE, folder.path(), 460)?;
        let pid = target.running().pid;
        let mut swarm = Swarm::new(target.mark())?;
        swarm.connect(&target, FIRST, 0, Sockets::default())?;
        let before = process::memory(pid)?;
        swarm.connect(&target, options.connections, 0, Sockets::default())?;
        let after = process::memory(pid)?;
        // One event to each, as they may get at any time.
        swarm.send(0, |out| target.publish(out))?;
        let mut heard_at = Instant::now();
        while !swarm.all_have(target.last()) {
            // What comes may also be a ping.
            swarm.poll(Duration::from_secs(1), |_, _| heard_at = Instant::now())?;
            ensure!(heard_at.elapsed() < QUIET_MAX, "{subject}: the event did not come to all of them");
        }
        let once_used = process::memory(pid)?;
        let each = |bytes: u64| rounded((bytes.saturating_sub(before)) as f64 / options.connections as f64);
        rows.push(json!({
            "subject": subject.to_string(),
            "connections": options.connections,
            "bytes_each": each(after),
            "bytes_each_after_an_event": each(once_used),
        }));
    }
    let each = |row: &Value, name: &str| row[name].as_f64().unwrap_or(f64::NAN) / 1024.0;
    let kib = |row: &Value| {
        let (idle, used) = (each(row, "bytes_each"), each(row, "bytes_each_after_an_event"));
        format!("{} {idle:.1} KiB, after an event {used:.1} KiB", row["subject"].as_str().unwrap_or_default())
    };
    let cells = [format!("{} | {}", options.connections, rows.iter().map(kib).collect::<Vec<_>>().join(" | "))];
    let bars = rows.iter().map(|row| (row["subject"].as_str().unwrap_or_default(), each(row, "bytes_each")));
    let plots = [plot(&format!("{} idle connections", options.connections), "KiB each", bars)];
    Ok(json!({ "rows": rows, "cells": cells, "plots": plots }))
}
