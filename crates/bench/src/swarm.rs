//! Many connections that read, in one loop: each counts what it misses and what it gets twice.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use memchr::memmem;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::net::{AddressFamily, SocketType};

use crate::scan::{CARRY_BYTES_MAX, Scanner};
use crate::target::Target;

const READ_BYTES: usize = 256 * 1024;
const EVENTS_AT_ONCE: usize = 1024;
/// Connections that are greeted together: fewer than wait to be accepted.
const GREETED_TOGETHER: usize = 256;
const GREETED_WITHIN: Duration = Duration::from_secs(30);
/// Ports of one address run out at 28,000.
const CONNECTIONS_PER_ADDRESS: usize = 20_000;

/// What one connection has seen.
#[derive(Debug)]
pub(crate) struct Reader {
    stream: TcpStream,
    /// What came before it was subscribed; `None` since.
    greeting: Option<Vec<u8>>,
    carry: [u8; CARRY_BYTES_MAX],
    carry_length: usize,
    unsent: Vec<u8>,
    /// The socket is full: what is unsent goes on when it says so.
    waits_to_send: bool,
    is_paused: bool,
    is_closed: bool,
    pub(crate) last: u64,
    pub(crate) missing: u64,
    pub(crate) repeated: u64,
    pub(crate) bytes: u64,
}

/// How the connections are made.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sockets {
    /// Bytes a socket takes in while nobody reads it; the kernel's own choice where `None`.
    pub(crate) receive_buffer: Option<usize>,
}

pub(crate) struct Swarm {
    epoll: OwnedFd,
    pub(crate) readers: Vec<Reader>,
    events: Vec<Event>,
    buffer: Vec<u8>,
    scanner: Scanner,
    mark: &'static [u8],
}

impl Swarm {
    pub(crate) fn new(mark: &'static [u8]) -> Result<Self> {
        Ok(Self {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            readers: Vec::new(),
            events: Vec::with_capacity(EVENTS_AT_ONCE),
            buffer: vec![0; CARRY_BYTES_MAX + READ_BYTES],
            scanner: Scanner::new(),
            mark,
        })
    }

    /// Connects so many more, and waits until all of them are subscribed after `after`.
    pub(crate) fn connect(&mut self, target: &Target, count: usize, after: u64, sockets: Sockets) -> Result<()> {
        let end = self.readers.len() + count;
        while self.readers.len() < end {
            let together = GREETED_TOGETHER.min(end - self.readers.len());
            for _ in 0..together {
                let number = self.readers.len();
                let stream = open(target.address(), number, sockets)?;
                let reader = Reader::new(stream, after, target.greeting(number, after)?);
                self.watch(number, &reader.stream)?;
                self.readers.push(reader);
            }
            self.wait_for_greetings()?;
        }
        Ok(())
    }

    /// A connection that the server has closed comes back for what follows what it has.
    pub(crate) fn reconnect_closed(&mut self, target: &Target) -> Result<usize> {
        let closed: Vec<usize> = (0..self.readers.len()).filter(|number| self.readers[*number].is_closed).collect();
        for &number in &closed {
            let stream = open(target.address(), number, Sockets::default())?;
            self.watch(number, &stream)?;
            let reader = &mut self.readers[number];
            let mut fresh = Reader::new(stream, reader.last, target.greeting(number, reader.last)?);
            (fresh.missing, fresh.repeated, fresh.bytes) = (reader.missing, reader.repeated, reader.bytes);
            *reader = fresh;
        }
        Ok(closed.len())
    }

    fn wait_for_greetings(&mut self) -> Result<()> {
        let began = Instant::now();
        while self.readers.iter().any(|reader| reader.greeting.is_some()) {
            self.poll(Duration::from_millis(100), |_, _| {})?;
            ensure!(
                self.readers.iter().all(|reader| !reader.is_closed),
                "the server closed a connection at its greeting"
            );
            if began.elapsed() > GREETED_WITHIN {
                let said = self.readers.iter().find_map(|reader| reader.greeting.as_ref()).map(Vec::as_slice);
                bail!("not subscribed in time; it said {}", String::from_utf8_lossy(said.unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// Reads what is there, once per connection. `delivered` is told of each event, and whose it is.
    pub(crate) fn poll(&mut self, wait: Duration, mut delivered: impl FnMut(usize, u64)) -> Result<()> {
        let mut events = std::mem::take(&mut self.events);
        let timeout = Timespec::try_from(wait).context("a short wait")?;
        match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in events.drain(..) {
            let number = usize::try_from(event.data.u64())?;
            let flags = event.flags;
            if flags.contains(EventFlags::OUT) {
                self.flush(number)?;
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                self.read(number, &mut delivered);
            }
        }
        self.events = events;
        Ok(())
    }

    fn read(&mut self, number: usize, delivered: &mut impl FnMut(usize, u64)) {
        let reader = &mut self.readers[number];
        // What is carried stands right before what is read.
        let start = CARRY_BYTES_MAX - reader.carry_length;
        self.buffer[start..CARRY_BYTES_MAX].copy_from_slice(&reader.carry[..reader.carry_length]);
        let length = match reader.stream.read(&mut self.buffer[CARRY_BYTES_MAX..]) {
            Ok(0) => return self.close(number),
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return,
            Err(_) => return self.close(number),
        };
        reader.bytes += length as u64;
        let mut from = start;
        if let Some(greeting) = &mut reader.greeting {
            greeting.extend(&self.buffer[CARRY_BYTES_MAX..CARRY_BYTES_MAX + length]);
            let Some(at) = memmem::find(greeting, self.mark) else { return };
            from = CARRY_BYTES_MAX + length - (greeting.len() - at - self.mark.len());
            reader.greeting = None;
            reader.bytes = (CARRY_BYTES_MAX + length - from) as u64;
        }
        let bytes = &self.buffer[from..CARRY_BYTES_MAX + length];
        let (last, missing, repeated) = (&mut reader.last, &mut reader.missing, &mut reader.repeated);
        let carry = self.scanner.scan(bytes, |seq| {
            if seq > *last {
                *missing += seq - *last - 1;
                *last = seq;
            } else {
                *repeated += 1;
            }
            delivered(number, seq);
        });
        reader.carry[..carry].copy_from_slice(&bytes[bytes.len() - carry..]);
        reader.carry_length = carry;
    }

    fn close(&mut self, number: usize) {
        let reader = &mut self.readers[number];
        reader.is_closed = true;
        // The kernel forgets a socket that is closed; this one stays open until it is replaced.
        let _gone = epoll::delete(&self.epoll, &reader.stream);
    }

    /// Sends on a connection, as soon as its socket takes it.
    pub(crate) fn send(&mut self, number: usize, fill: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        fill(&mut self.readers[number].unsent);
        self.flush(number)
    }

    fn flush(&mut self, number: usize) -> Result<()> {
        let reader = &mut self.readers[number];
        while !reader.unsent.is_empty() {
            match reader.stream.write(&reader.unsent) {
                Ok(written) => drop(reader.unsent.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    reader.waits_to_send = true;
                    let both = EventFlags::IN | EventFlags::OUT;
                    return Ok(epoll::modify(&self.epoll, &reader.stream, EventData::new_u64(number as u64), both)?);
                }
                Err(error) => return Err(error).context("sending"),
            }
        }
        if std::mem::take(&mut reader.waits_to_send) && !reader.is_paused {
            epoll::modify(&self.epoll, &reader.stream, EventData::new_u64(number as u64), EventFlags::IN)?;
        }
        Ok(())
    }

    /// Stops reading a connection, or goes on.
    pub(crate) fn pause(&mut self, number: usize, is_paused: bool) -> Result<()> {
        let reader = &mut self.readers[number];
        reader.is_paused = is_paused;
        let wanted = if is_paused { EventFlags::empty() } else { EventFlags::IN };
        match epoll::modify(&self.epoll, &reader.stream, EventData::new_u64(number as u64), wanted) {
            Err(_) if reader.is_closed => Ok(()),
            other => Ok(other?),
        }
    }

    fn watch(&self, number: usize, stream: &TcpStream) -> Result<()> {
        Ok(epoll::add(&self.epoll, stream, EventData::new_u64(number as u64), EventFlags::IN)?)
    }

    /// Whether all of them have seen everything up to `seq`.
    pub(crate) fn all_have(&self, seq: u64) -> bool {
        self.readers.iter().all(|reader| reader.last >= seq)
    }

    pub(crate) fn count(&self, of: impl Fn(&Reader) -> u64) -> u64 {
        self.readers.iter().map(of).sum()
    }
}

impl Reader {
    fn new(stream: TcpStream, after: u64, greeting: Vec<u8>) -> Self {
        let mut reader = Self {
            stream,
            greeting: Some(Vec::new()),
            carry: [0; CARRY_BYTES_MAX],
            carry_length: 0,
            unsent: greeting,
            waits_to_send: false,
            is_paused: false,
            is_closed: false,
            last: after,
            missing: 0,
            repeated: 0,
            bytes: 0,
        };
        // A new socket takes that much at once; what it does not take is noticed at the greeting.
        if let Ok(written) = reader.stream.write(&reader.unsent) {
            reader.unsent.drain(..written);
        }
        reader
    }
}

/// Each address of loopback has ports of its own.
fn open(address: SocketAddr, number: usize, sockets: Sockets) -> Result<TcpStream> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    if let Some(bytes) = sockets.receive_buffer {
        rustix::net::sockopt::set_socket_recv_buffer_size(&socket, bytes)?;
    }
    let block = u8::try_from(2 + number / CONNECTIONS_PER_ADDRESS)?;
    rustix::net::bind(&socket, &SocketAddr::from((Ipv4Addr::new(127, 0, 0, block), 0)))?;
    rustix::net::connect(&socket, &address).with_context(|| format!("connecting number {number}"))?;
    let stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}
