//! What comes back over the line: an answer as bytes, or a stream, or a socket. Nothing of the server's own is in how it is
//! read.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::spelled::Spelled;

/// How many frames are said over a socket.
const FRAMES_MAX: usize = 32;

/// How long a frame of the server's is waited for, where the input waits.
const FRAME_WAIT: Duration = Duration::from_millis(20);

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const MASKED: u8 = 0x80;

/// An answer that has come whole, or as much of a stream as its first event.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The text frames that came over the socket, if it opened.
    pub(crate) frames: Vec<Vec<u8>>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"))
    }

    fn of_head(head: &[u8]) -> Self {
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        let status = status.expect("a status line");
        Self { status, headers: lines.filter_map(header).collect(), ..Self::default() }
    }
}

/// Asks, and reads the answer to its end.
pub(crate) async fn exchange(address: SocketAddr, request: &Spelled) -> Answer {
    let mut line = Line { stream: TcpStream::connect(address).await.expect("the server listens"), read: Vec::new() };
    // Thousands of lines a second that are remembered for a minute would leave none.
    line.stream.set_zero_linger().expect("a line that was opened");
    line.stream.set_nodelay(true).expect("a line that was opened");
    line.send(&request.bytes).await;
    let head = line.read_past(b"\r\n\r\n").await.expect("an answer");
    let mut answer = Answer::of_head(&head);
    if answer.status == 101 {
        answer.frames = converse(line, &request.frames).await;
    } else if answer.is_stream() {
        answer.body = line.read_past(b"\n\n").await.expect("an event");
    } else {
        line.read_to_end().await;
        let is_chunked = answer.header("transfer-encoding") == Some("chunked");
        answer.body = if is_chunked { of_chunks(&line.read) } else { line.read };
    }
    answer
}

struct Line {
    stream: TcpStream,
    /// And not used yet.
    read: Vec<u8>,
}

impl Line {
    /// A server that has closed already is found out when reading.
    async fn send(&mut self, bytes: &[u8]) {
        let _sent = self.stream.write_all(bytes).await;
    }

    /// False at the end. A line that was cut has ended.
    async fn read_more(&mut self) -> bool {
        self.stream.read_buf(&mut self.read).await.is_ok_and(|bytes| bytes > 0)
    }

    async fn read_to_end(&mut self) {
        while self.read_more().await {}
    }

    /// All up to these bytes, which are taken away.
    async fn read_past(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|window| window == end) {
                let rest = self.read.split_off(at + end.len());
                let mut past = std::mem::replace(&mut self.read, rest);
                past.truncate(at);
                return Some(past);
            }
            if !self.read_more().await {
                return None;
            }
        }
    }
}

/// Says all of it, hangs up as the protocol asks, and hears what there is to hear.
async fn converse(mut line: Line, frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    for text in frames.iter().take(FRAMES_MAX) {
        if text.is_empty() {
            let _is_more = timeout(FRAME_WAIT, line.read_more()).await;
        } else {
            line.send(&frame(TEXT, text)).await;
        }
    }
    line.send(&frame(CLOSE, &[])).await;
    line.read_to_end().await;
    texts(&line.read)
}

/// A client's frame, masked with zeros: with itself.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        bytes @ ..126 => frame.push(MASKED | bytes as u8),
        bytes if u16::try_from(bytes).is_ok() => {
            frame.push(MASKED | 126);
            frame.extend((bytes as u16).to_be_bytes());
        }
        bytes => {
            frame.push(MASKED | 127);
            frame.extend((bytes as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// The payloads of the server's text frames, each of which is whole.
fn texts(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    while let Some((first, payload, rest)) = next_frame(bytes) {
        if first == TEXT {
            texts.push(payload.to_vec());
        }
        bytes = rest;
    }
    texts
}

fn next_frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (short, rest) = rest.split_first()?;
    let (length, rest) = match short {
        126 => rest.split_first_chunk().map(|(bytes, rest)| (u64::from(u16::from_be_bytes(*bytes)), rest))?,
        127 => rest.split_first_chunk().map(|(bytes, rest)| (u64::from_be_bytes(*bytes), rest))?,
        bytes => (u64::from(*bytes), rest),
    };
    let (payload, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((*first, payload, rest))
}

/// A body that came in chunks (RFC 9112, 7.1).
fn of_chunks(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&bytes[..end]).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let (chunk, rest) = bytes[end + 2..].split_at(length.expect("a chunk says how long it is"));
        if chunk.is_empty() {
            return body;
        }
        body.extend(chunk);
        bytes = rest.strip_prefix(b"\r\n").expect("a chunk ends");
    }
    panic!("a body without an end")
}
