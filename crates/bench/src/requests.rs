//! Many connections that each send one request after the other.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use memchr::memmem;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

const READ_BYTES: usize = 64 * 1024;
const ANSWER_WITHIN: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

pub(crate) struct Requests {
    epoll: OwnedFd,
    connections: Vec<Connection>,
    events: Vec<Event>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// What has come of the answer.
    answer: Vec<u8>,
    request: Vec<u8>,
}

impl Requests {
    pub(crate) fn connect(address: SocketAddr, count: usize) -> Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let connect = |number| {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            epoll::add(&epoll, &stream, EventData::new_u64(number as u64), EventFlags::IN)?;
            Ok(Connection { stream, answer: Vec::new(), request: Vec::new() })
        };
        let connections = (0..count).map(connect).collect::<Result<Vec<_>>>()?;
        Ok(Self { epoll, connections, events: Vec::with_capacity(count) })
    }

    /// Answers a second. Each must have `mark` in it. `request` appends the next request of a connection; those on their
    /// way at the end are waited for, and not counted.
    pub(crate) fn run(
        mut self,
        duration: Duration,
        mark: &[u8],
        mut request: impl FnMut(usize, &mut Vec<u8>),
    ) -> Result<f64> {
        let began = Instant::now();
        for number in 0..self.connections.len() {
            self.connections[number].send(number, &mut request)?;
        }
        let mut buffer = vec![0; READ_BYTES];
        let mut on_their_way = self.connections.len();
        let (mut answers, mut elapsed) = (0_u64, Duration::ZERO);
        while on_their_way > 0 {
            epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&ANSWER_WITHIN))?;
            ensure!(!self.events.is_empty(), "the server stopped answering");
            for event in self.events.drain(..) {
                let number = usize::try_from(event.data.u64())?;
                let connection = &mut self.connections[number];
                if !connection.receive(&mut buffer, mark)? {
                    continue;
                }
                on_their_way -= 1;
                if began.elapsed() < duration {
                    answers += 1;
                    elapsed = began.elapsed();
                    on_their_way += 1;
                    connection.send(number, &mut request)?;
                }
            }
        }
        Ok(answers as f64 / elapsed.as_secs_f64())
    }
}

impl Connection {
    fn send(&mut self, number: usize, request: &mut impl FnMut(usize, &mut Vec<u8>)) -> Result<()> {
        self.request.clear();
        request(number, &mut self.request);
        // A socket takes one request at once.
        Ok(self.stream.write_all(&self.request)?)
    }

    /// Whether the answer is complete.
    fn receive(&mut self, buffer: &mut [u8], mark: &[u8]) -> Result<bool> {
        match self.stream.read(buffer) {
            Ok(0) => bail!("the server closed a connection"),
            Ok(length) => self.answer.extend(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let Some(head) = memmem::find(&self.answer, b"\r\n\r\n") else { return Ok(false) };
        let body = &self.answer[head + 4..];
        let length = content_length(&self.answer[..head]).context("an answer without a length")?;
        if body.len() < length {
            return Ok(false);
        }
        ensure!(
            memmem::find(body, mark).is_some(),
            "an answer says {}",
            String::from_utf8_lossy(&self.answer).chars().take(600).collect::<String>()
        );
        self.answer.clear();
        Ok(true)
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?;
    let values = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = values.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next()?.1.trim().parse().ok()
}
