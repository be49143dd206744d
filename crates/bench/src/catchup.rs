//! Readers that are behind: one by very much, and very many by a little.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde_json::{Value, json};

use crate::cores::SERVER_CORE;
use crate::medians::{median, rounded};
use crate::peers::serve_file;
use crate::scan::Scanner;
use crate::swarm::{Sockets, Swarm};
use crate::target::{Subject, Target};

/// What one push carries: a frame may have 256 KiB.
const MUTATIONS_PER_PUSH: u64 = 200;
const PUSHES_ON_THEIR_WAY: u64 = 8;
const READ_BYTES: usize = 256 * 1024;

#[derive(Args, Debug, Clone)]
pub(crate) struct Options {
    /// How many entries the reader is behind; it has as many, for who lacks more than it has is sent to a snapshot
    #[arg(long, default_value_t = 100_000)]
    entries: u64,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

#[derive(Args, Debug, Clone)]
pub(crate) struct StormOptions {
    /// How many readers come back at once
    #[arg(long, default_value_t = 10_000)]
    readers: usize,
    /// How many entries they are behind
    #[arg(long, default_value_t = 1_000)]
    behind: u64,
}

/// One reader, beside a socket that only sends the same bytes.
pub(crate) fn run(options: &Options) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let mut target = Target::start(Subject::Tidebook, SERVER_CORE, folder.path(), 0)?;
    eprintln!("writing {} entries", 2 * options.entries);
    write_entries(&mut target, options.entries)?;
    let first = target.last();
    write_entries(&mut target, options.entries)?;
    let frames = folder.path().join("frames");
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        eprintln!("one reader {} behind, round {} of {}", options.entries, round + 1, options.rounds);
        let mut file = if round == 0 { Some(File::create(&frames)?) } else { None };
        ours.push(read_to(target.address(), &target.greeting(1, first)?, target.last(), file.as_mut())?.as_secs_f64());
        let peer = serve_file(SERVER_CORE, folder.path(), &frames)?;
        bare.push(read_to(peer.address, b"", target.last(), None)?.as_secs_f64());
    }
    let bytes = frames.metadata()?.len();
    let (ours, bare) = (median(ours), median(bare));
    let cells =
        [format!("{} | {bytes} | {:.0} ms | {:.0} ms | {:.2}", options.entries, ours * 1e3, bare * 1e3, bare / ours)];
    let row = json!({
        "entries": options.entries,
        "bytes": bytes,
        "seconds": rounded(ours),
        "bare_seconds": rounded(bare),
        "ratio": rounded(bare / ours),
    });
    Ok(json!({ "rounds": options.rounds, "rows": [row], "cells": cells }))
}

/// All of them at once, right after the server has started again: nothing is in its memory.
pub(crate) fn storm(options: &StormOptions) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let mut target = Target::start(Subject::Tidebook, SERVER_CORE, folder.path(), 0)?;
    write_entries(&mut target, 2 * options.behind)?;
    let Target::Tidebook(tidebook) = target else { unreachable!("it is our server that was started") };
    let target = Target::Tidebook(Box::new(tidebook.start_again(SERVER_CORE, folder.path())?));
    let mut swarm = Swarm::new(target.mark())?;
    let after = target.last() - options.behind;
    let began = Instant::now();
    swarm.connect(&target, options.readers, after, Sockets::default())?;
    let connected = began.elapsed();
    while !swarm.all_have(target.last()) {
        let mut heard = false;
        swarm.poll(Duration::from_secs(10), |_, _| heard = true)?;
        ensure!(heard, "some never caught up");
    }
    let (seconds, to_connect) = (began.elapsed().as_secs_f64(), connected.as_secs_f64());
    let (missing, repeated) = (swarm.count(|reader| reader.missing), swarm.count(|reader| reader.repeated));
    let bytes = swarm.count(|reader| reader.bytes);
    let cells = [format!(
        "{} | {} | {seconds:.1} s | {to_connect:.1} s | {bytes} | {missing} | {repeated}",
        options.readers, options.behind
    )];
    let row = json!({
        "readers": options.readers,
        "behind": options.behind,
        "seconds": rounded(seconds),
        "seconds_to_connect": rounded(to_connect),
        "bytes": bytes,
        "missing": missing,
        "repeated": repeated,
    });
    Ok(json!({ "rows": [row], "cells": cells }))
}

fn write_entries(target: &mut Target, entries: u64) -> Result<()> {
    let mut swarm = Swarm::new(target.mark())?;
    swarm.connect(target, 1, target.last(), Sockets::default())?;
    let Target::Tidebook(tidebook) = target else { unreachable!("it is our server that was started") };
    let end = tidebook.last + entries;
    while swarm.readers[0].last < end {
        while tidebook.last < end && tidebook.last - swarm.readers[0].last < PUSHES_ON_THEIR_WAY * MUTATIONS_PER_PUSH {
            swarm.send(0, |out| tidebook.push(MUTATIONS_PER_PUSH.min(end - tidebook.last), out))?;
        }
        let mut heard = false;
        swarm.poll(Duration::from_secs(10), |_, _| heard = true)?;
        ensure!(heard, "the server stopped answering");
    }
    Ok(())
}

/// Connects and reads until event `last` has come. What came is also written into `file`.
fn read_to(address: SocketAddr, greeting: &[u8], last: u64, mut file: Option<&mut File>) -> Result<Duration> {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(greeting)?;
    let scanner = Scanner::new();
    let mut buffer = vec![0; READ_BYTES];
    let mut carry = 0;
    let mut seen = 0;
    while seen < last {
        let length = stream.read(&mut buffer[carry..]).context("waiting for entries")?;
        ensure!(length > 0, "the server closed the connection after {seen}");
        if let Some(file) = &mut file {
            file.write_all(&buffer[carry..carry + length])?;
        }
        let end = carry + length;
        let mut missing = None;
        let kept = scanner.scan(&buffer[..end], |seq| {
            // The first of them says where it begins.
            if seen > 0 && seq != seen + 1 {
                missing = Some(seq);
            }
            seen = seq;
        });
        ensure!(missing.is_none(), "entry {missing:?} came in the wrong place");
        buffer.copy_within(end - kept..end, 0);
        carry = kept;
    }
    Ok(began.elapsed())
}
