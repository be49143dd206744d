//! Some readers stop reading for a while. They must miss nothing, and nobody else may notice.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::cores::SERVER_CORE;
use crate::medians::rounded;
use crate::peers::Peer;
use crate::process;
use crate::swarm::{Sockets, Swarm};
use crate::target::{Subject, Target};

/// A socket of somebody who may stop takes in little, so that the server has to deal with it.
const RECEIVE_BUFFER: usize = 4 * 1024;
/// How long those who stopped may take to have everything.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(60);

#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    #[arg(long, default_value_t = 1_000)]
    readers: usize,
    /// How many of them stop, for 5 seconds and as many for 20
    #[arg(long, default_value_t = 20)]
    stopped: usize,
    /// Events a second
    #[arg(long, default_value_t = 100)]
    rate: u32,
}

/// A writer with a clock: what is due is sent, whatever came back.
struct Paced {
    target: Target,
    swarm: Swarm,
    rate: u32,
    began: Instant,
    /// The last event before the first that was due.
    first: u64,
    most_memory: u64,
}

pub(crate) fn run(options: &Options) -> Result<Value> {
    let mut rows = Vec::new();
    for subject in [Subject::Tidebook, Subject::Peer(Peer::Bun), Subject::Peer(Peer::Naive)] {
        rows.push(measure(subject, options)?);
    }
    let cells = rows.iter().map(cells).collect::<Vec<_>>();
    Ok(json!({ "rows": rows, "cells": cells }))
}

/// A row of docs/benchmarks.md.
fn cells(row: &Value) -> String {
    let mib = |name: &str| row[name].as_f64().unwrap_or(f64::NAN) / f64::from(1 << 20);
    format!(
        "{} | {} of {} | {} | {} ms | {} ms | {:.2} | {} | {} | {:.1} → {:.1} MiB",
        row["subject"].as_str().unwrap_or_default(),
        row["stopped"],
        row["readers"],
        row["events_per_s"],
        row["p99_ms"],
        row["p99_ms_while_some_stop"],
        row["p99_ratio"].as_f64().unwrap_or(f64::NAN),
        row["lost"],
        row["came_back"],
        mib("memory_before"),
        mib("memory_at_most"),
    )
}

fn measure(subject: Subject, options: &Options) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let target = Target::start(subject, SERVER_CORE, folder.path(), 460)?;
    let mut swarm = Swarm::new(target.mark())?;
    let (stopped, all) = (2 * options.stopped, options.readers);
    ensure!(stopped < all, "somebody has to go on");
    // Number 0 writes.
    swarm.connect(&target, all - stopped, 0, Sockets::default())?;
    swarm.connect(&target, stopped, 0, Sockets { receive_buffer: Some(RECEIVE_BUFFER) })?;
    let first = target.last();
    let mut paced = Paced { target, swarm, rate: options.rate, began: Instant::now(), first, most_memory: 0 };
    eprintln!("{subject}: nobody stops");
    paced.go_on_for(Duration::from_secs(2), all - stopped)?;
    let (calm, memory_before) = (paced.go_on_for(Duration::from_secs(10), all - stopped)?, paced.memory()?);
    paced.most_memory = memory_before;
    eprintln!("{subject}: {} stop for 5 s and as many for 20 s", options.stopped);
    let (short, long) = (all - stopped..all - options.stopped, all - options.stopped..all);
    paced.pause(short.clone().chain(long.clone()), true)?;
    let mut disturbed = paced.go_on_for(Duration::from_secs(5), all - stopped)?;
    paced.pause(short, false)?;
    disturbed.add(paced.go_on_for(Duration::from_secs(15), all - stopped)?)?;
    paced.pause(long, false)?;
    disturbed.add(paced.go_on_for(Duration::from_secs(5), all - stopped)?)?;
    let came_back = paced.catch_up()?;
    let lost =
        paced.swarm.count(|reader| reader.missing + (paced.target.last() - reader.last.min(paced.target.last())));
    let ms = |histogram: &Histogram<u64>, quantile| rounded(histogram.value_at_quantile(quantile) as f64 / 1000.0);
    Ok(json!({
        "subject": subject.to_string(),
        "readers": all,
        "stopped": stopped,
        "events_per_s": options.rate,
        "p50_ms": ms(&calm, 0.5),
        "p99_ms": ms(&calm, 0.99),
        "p99_ms_while_some_stop": ms(&disturbed, 0.99),
        "p99_ratio": rounded(disturbed.value_at_quantile(0.99) as f64 / calm.value_at_quantile(0.99) as f64),
        "lost": lost,
        "repeated": paced.swarm.count(|reader| reader.repeated),
        "came_back": came_back,
        "memory_before": memory_before,
        "memory_at_most": paced.most_memory,
    }))
}

impl Paced {
    /// Latencies in microseconds, from when each event was due, of the first `counted` connections.
    fn go_on_for(&mut self, duration: Duration, counted: usize) -> Result<Histogram<u64>> {
        let mut latencies = Histogram::new(3)?;
        let until = Instant::now() + duration;
        let mut memory_at = Instant::now();
        loop {
            let now = Instant::now();
            if now >= until {
                return Ok(latencies);
            }
            while self.due(self.target.last() + 1) <= now {
                let target = &mut self.target;
                self.swarm.send(0, |out| target.publish(out))?;
            }
            if now >= memory_at {
                self.most_memory = self.most_memory.max(self.memory()?);
                memory_at = now + Duration::from_millis(100);
            }
            let wait = self.due(self.target.last() + 1).saturating_duration_since(now);
            let (began, first, rate) = (self.began, self.first, self.rate);
            self.swarm.poll(wait, |number, seq| {
                if number < counted && seq > first {
                    let due = began + Duration::from_secs(seq - first) / rate;
                    let late = Instant::now().saturating_duration_since(due);
                    // It grows as far as it must: there is memory for any time that this runs.
                    let _fits = latencies.record(u64::try_from(late.as_micros()).unwrap_or(u64::MAX));
                }
            })?;
        }
    }

    fn due(&self, seq: u64) -> Instant {
        self.began + Duration::from_secs(seq - self.first) / self.rate
    }

    fn memory(&self) -> Result<u64> {
        process::memory(self.target.running().pid)
    }

    fn pause(&mut self, numbers: impl Iterator<Item = usize>, is_paused: bool) -> Result<()> {
        numbers.into_iter().try_for_each(|number| self.swarm.pause(number, is_paused))
    }

    /// Until everybody has everything; who was closed comes back where the subject lets one. How many that were.
    fn catch_up(&mut self) -> Result<usize> {
        let until = Instant::now() + CAUGHT_UP_WITHIN;
        let mut came_back = 0;
        let mut silent = 0;
        while !self.swarm.all_have(self.target.last()) && Instant::now() < until && silent < 3 {
            if matches!(self.target, Target::Tidebook(_)) {
                came_back += self.swarm.reconnect_closed(&self.target)?;
            }
            let mut heard = false;
            self.swarm.poll(Duration::from_secs(1), |_, _| heard = true)?;
            silent = if heard { 0 } else { silent + 1 };
        }
        Ok(came_back)
    }
}
