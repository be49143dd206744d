//! Shows of each peer that it does what all of them do, and tells roughly how fast.
#![expect(clippy::print_stdout, reason = "the answer of a command")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use memchr::memmem;

use super::{Peer, Running, naive, start_pocketbase};
use crate::http::Client;
use crate::process;

/// Where the peer runs.
const CORE: usize = 0;
/// Events that are published before all of them are read: half as many as the naive design keeps for a slow reader.
const IN_FLIGHT: u64 = 50;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// About what an entry of a book takes.
const TEXT: &str =
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";

pub(super) fn try_peer(peer: Peer, connections: usize, events: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let running = peer.start(CORE, folder.path())?;
    check_that_it_is_pinned(&running)?;
    let connect = |_| Subscriber::connect(peer, &running);
    let mut subscribers = (0..connections).map(connect).collect::<Result<Vec<_>>>()?;

    let started = Instant::now();
    for first in (0..events).step_by(IN_FLIGHT as usize) {
        let window = first..events.min(first + IN_FLIGHT);
        let mut bytes = Vec::new();
        for seq in window.clone() {
            peer.publish(format!(r#"{{"seq":{seq},"text":"{TEXT}"}}"#).as_bytes(), &mut bytes);
        }
        // The first one publishes, and receives what it publishes like everybody.
        subscribers.first_mut().context("no connection")?.stream.write_all(&bytes)?;
        for subscriber in &mut subscribers {
            for seq in window.clone() {
                let received = subscriber.next_seq()?;
                ensure!(received == seq, "{peer}: {received} came instead of {seq}");
            }
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    if peer == Peer::NaiveDurable {
        let kept = naive::count(&Peer::database(folder.path()))?;
        ensure!(kept == events, "{peer} kept {kept} of {events}");
    }
    let deliveries = events * connections as u64;
    println!(
        "{peer}: {deliveries} deliveries, {:.0} events/s, {:.0} deliveries/s, at most {} of memory",
        events as f64 / seconds,
        deliveries as f64 / seconds,
        process::status(running.pid, "VmHWM")?
    );
    Ok(())
}

pub(super) fn try_pocketbase(connections: usize, records: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let pocketbase = start_pocketbase(CORE, folder.path())?;
    check_that_it_is_pinned(&pocketbase.running)?;
    let request = pocketbase.create(TEXT);
    let connect = |_| Client::connect(pocketbase.running.address);
    let mut clients = (0..connections).map(connect).collect::<Result<Vec<_>>>()?;

    let started = Instant::now();
    for first in (0..records).step_by(connections) {
        let together = &mut clients[..connections.min(records - first)];
        for client in together.iter_mut() {
            client.send(&request)?;
        }
        for client in together {
            let record = client.receive()?;
            ensure!(record["event"] == TEXT, "a record came back as {record}");
        }
    }
    let per_second = records as f64 / started.elapsed().as_secs_f64();
    println!(
        "pocketbase: {records} records, {per_second:.0} records/s, at most {} of memory",
        process::status(pocketbase.running.pid, "VmHWM")?
    );
    Ok(())
}

fn check_that_it_is_pinned(running: &Running) -> Result<()> {
    let cores = process::status(running.pid, "Cpus_allowed_list")?;
    ensure!(cores == CORE.to_string(), "it runs on {cores} instead of {CORE}");
    Ok(())
}

struct Subscriber {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Subscriber {
    fn connect(peer: Peer, running: &Running) -> Result<Self> {
        let stream = TcpStream::connect(running.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        let mut subscriber = Self { stream, unread: Vec::new() };
        subscriber.stream.write_all(&peer.greeting(running.address))?;
        subscriber.skip_past(peer.subscribed()).context("waiting to be subscribed")?;
        Ok(subscriber)
    }

    fn next_seq(&mut self) -> Result<u64> {
        self.skip_past(b"\"seq\":")?;
        let digits = self.skip_past(b",")?;
        String::from_utf8_lossy(&digits).parse().context("a seq is a number")
    }

    /// Reads on until `mark` was read; what came before it.
    fn skip_past(&mut self, mark: &[u8]) -> Result<Vec<u8>> {
        loop {
            if let Some(at) = memmem::find(&self.unread, mark) {
                let before = self.unread[..at].to_vec();
                self.unread.drain(..at + mark.len());
                return Ok(before);
            }
            let mut buffer = [0; 16 * 1024];
            let length = self.stream.read(&mut buffer).context("waiting for what was published")?;
            ensure!(length > 0, "the server closed the connection");
            self.unread.extend(&buffer[..length]);
        }
    }
}
