//! What the machine can do at all: a loop that reads what came in and writes it to every connection. It knows no protocol
//! but `length (4 bytes, little endian) payload`, and copies that as it is.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::mem;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;

use anyhow::Result;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// The token of the listener; a connection's is its place.
const LISTENER: u64 = u64::MAX;
const TOKENS_AT_ONCE: usize = 1024;
const READ_BYTES: usize = 64 * 1024;
const EVENT_BYTES_MAX: usize = 1024 * 1024;
/// What waits for one that does not read. nats-server keeps as much.
const BACKLOG_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(super) fn publish(payload: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(payload.len()).expect("an event has at most EVENT_BYTES_MAX");
    out.extend(length.to_le_bytes());
    out.extend(payload);
}

pub(super) fn serve(address: SocketAddr) -> Result<()> {
    serve_on(TcpListener::bind(address)?)
}

fn serve_on(listener: TcpListener) -> Result<()> {
    let mut server = Server::new(listener)?;
    loop {
        server.turn()?;
    }
}

struct Server {
    epoll: OwnedFd,
    listener: TcpListener,
    /// Those that closed leave an empty place, which the next one takes.
    connections: Vec<Option<Connection>>,
    ready: Vec<Event>,
    read_buffer: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    /// The beginning of an event of which the rest has not come.
    begun: Vec<u8>,
    /// What the socket did not take yet.
    backlog: VecDeque<u8>,
}

impl Server {
    fn new(listener: TcpListener) -> Result<Self> {
        listener.set_nonblocking(true)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        let ready = Vec::with_capacity(TOKENS_AT_ONCE);
        Ok(Self { epoll, listener, connections: Vec::new(), ready, read_buffer: vec![0; READ_BYTES] })
    }

    /// What is read together is written together.
    fn turn(&mut self) -> Result<()> {
        let mut ready = mem::take(&mut self.ready);
        epoll::wait(&self.epoll, spare_capacity(&mut ready), None)?;
        let mut events = Vec::new();
        for event in ready.drain(..) {
            let (token, flags) = (event.data.u64(), event.flags);
            if token == LISTENER {
                self.accept()?;
                continue;
            }
            let place = usize::try_from(token)?;
            if flags.contains(EventFlags::OUT) {
                self.with(place, Connection::write_backlog);
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                self.read(place, &mut events);
            }
        }
        self.ready = ready;
        if !events.is_empty() {
            for place in 0..self.connections.len() {
                self.with(place, |connection| connection.write(&events));
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let place = self.connections.iter().position(Option::is_none).unwrap_or(self.connections.len());
            epoll::add(&self.epoll, &stream, EventData::new_u64(place as u64), EventFlags::IN)?;
            if place == self.connections.len() {
                self.connections.push(None);
            }
            self.connections[place] = Some(Connection { stream, begun: Vec::new(), backlog: VecDeque::new() });
            self.with(place, |connection| connection.write(b"subscribed"));
        }
    }

    fn read(&mut self, place: usize, events: &mut Vec<u8>) {
        let mut buffer = mem::take(&mut self.read_buffer);
        self.with(place, |connection| connection.read(&mut buffer, events));
        self.read_buffer = buffer;
    }

    /// Closes the connection when `act` fails, and wants to know when it can be written to as long as something waits.
    fn with(&mut self, place: usize, act: impl FnOnce(&mut Connection) -> io::Result<()>) {
        let Some(connection) = &mut self.connections[place] else { return };
        let waited = !connection.backlog.is_empty();
        let acted = act(connection);
        let waits = !connection.backlog.is_empty();
        let wanted = if waits { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
        let told = acted.and_then(|()| {
            if waits == waited {
                return Ok(());
            }
            Ok(epoll::modify(&self.epoll, &connection.stream, EventData::new_u64(place as u64), wanted)?)
        });
        if told.is_err() {
            self.connections[place] = None;
        }
    }
}

impl Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = if self.backlog.is_empty() { unless_blocked((&self.stream).write(bytes))? } else { 0 };
        self.backlog.extend(&bytes[written..]);
        if self.backlog.len() > BACKLOG_BYTES_MAX {
            return Err(ErrorKind::OutOfMemory.into());
        }
        Ok(())
    }

    fn write_backlog(&mut self) -> io::Result<()> {
        let (front, _) = self.backlog.as_slices();
        let written = unless_blocked((&self.stream).write(front))?;
        self.backlog.drain(..written);
        Ok(())
    }

    /// Appends the events that are complete.
    fn read(&mut self, buffer: &mut [u8], events: &mut Vec<u8>) -> io::Result<()> {
        let length = match (&self.stream).read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            read => unless_blocked(read)?,
        };
        self.begun.extend(&buffer[..length]);
        let complete = complete_length(&self.begun)?;
        events.extend(self.begun.drain(..complete));
        Ok(())
    }
}

fn unless_blocked(done: io::Result<usize>) -> io::Result<usize> {
    match done {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(0),
        done => done,
    }
}

/// How many of the `bytes` are whole events.
fn complete_length(bytes: &[u8]) -> io::Result<usize> {
    let mut complete = 0;
    while let Some((head, rest)) = bytes[complete..].split_first_chunk() {
        let length = u32::from_le_bytes(*head) as usize;
        if length > EVENT_BYTES_MAX {
            return Err(ErrorKind::InvalidData.into());
        }
        if rest.len() < length {
            break;
        }
        complete += head.len() + length;
    }
    Ok(complete)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_whole_events_are_passed_on() {
        let mut bytes = Vec::new();
        publish(b"one", &mut bytes);
        publish(b"", &mut bytes);
        for (length, complete) in [(0, 0), (3, 0), (6, 0), (7, 7), (10, 7), (11, 11)] {
            assert_eq!(complete_length(&bytes[..length]).unwrap(), complete, "{length}");
        }
        let longest = u32::try_from(EVENT_BYTES_MAX).unwrap();
        assert_eq!(complete_length(&longest.to_le_bytes()).unwrap(), 0);
        assert!(complete_length(&(longest + 1).to_le_bytes()).is_err());
    }

    #[test]
    fn who_reads_late_misses_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || serve_on(listener));
        let mut connections = [(); 2].map(|()| TcpStream::connect(address).unwrap());
        for connection in &mut connections {
            connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            connection.read_exact(&mut [0; b"subscribed".len()]).unwrap();
        }
        // More than sockets hold.
        let mut events = Vec::new();
        for number in 0..200_u8 {
            publish(&vec![number; 100_000], &mut events);
        }
        connections[0].write_all(&events).unwrap();
        for connection in &mut connections {
            let mut received = vec![0; events.len()];
            connection.read_exact(&mut received).unwrap();
            assert!(received == events);
        }
    }
}
