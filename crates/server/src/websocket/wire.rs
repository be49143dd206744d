//! A WebSocket with bounds: on what it takes in, on how long a reader may take, and on silence.

use std::cell::RefCell;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::frames::{self, Decoder, Event, Opcode, Violation};
use super::outlet::{Outlet, Written};

/// A reader that has not taken a frame by then is closed; it resumes by seq.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// How often a peer is asked for a sign of life, and for how long it may give none.
const PING_EVERY: Duration = Duration::from_secs(30);
const SILENCE_MAX: Duration = Duration::from_secs(75);

/// The same for a peer that is shown to others: it should not be shown for long once its line is dead.
const CLOSE_PING_EVERY: Duration = Duration::from_secs(4);
const CLOSE_SILENCE_MAX: Duration = Duration::from_secs(10);

/// How long a peer has to read why it is being closed.
const LINGER: Duration = Duration::from_secs(1);

/// What is read at once.
const READ_BYTES: usize = 16 * 1024;

/// Close codes of RFC 6455, 7.4.1.
const PROTOCOL_ERROR: u16 = 1002;
const NOT_TEXT: u16 = 1007;

thread_local! {
    /// What is read goes through here, and only what is not yet a message stays with its connection: most of them are
    /// idle most of the time.
    static READ_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into_boxed_slice());
}

/// What came.
#[derive(Debug)]
pub enum Incoming {
    Text(String),
    Binary(Vec<u8>),
    /// More bytes than a message may have.
    TooLarge,
    /// A peer that is listened to closely has given no sign of life for a while. Told once; it may still come back.
    Silent,
    /// The peer closed, went silent, or broke the protocol of WebSockets. [`Wire::close`] answers as it must.
    Gone,
}

/// An open WebSocket.
#[derive(Debug)]
pub struct Wire {
    /// While anything is left to send, nothing is read.
    outlet: Arc<Outlet>,
    decoder: Decoder,
    message_bytes_max: usize,
    /// What was read behind the last message.
    unread: Bytes,
    heard_at: Instant,
    /// When to look at the silence.
    timer: Pin<Box<Sleep>>,
    attention: Attention,
    end: Option<End>,
}

/// How soon silence is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attention {
    Usual,
    Close,
    /// The silence was told.
    Told,
}

/// How the peer's half of the conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// There is nobody there any more.
    Cut,
    /// By a close frame, which is answered with the same code.
    Closed(Option<u16>),
    /// By what cannot be read on after, with the code and the reason to tell.
    Broken(u16, &'static str),
}

impl Wire {
    /// `read`: what was read of the stream already.
    pub(super) fn new(stream: TcpStream, read: Bytes, message_bytes_max: usize) -> Self {
        let now = Instant::now();
        Self {
            outlet: Arc::new(Outlet::new(stream)),
            // Between the two bounds a message is read to its end before its sender is told that it is too large.
            decoder: Decoder::new(2 * message_bytes_max),
            message_bytes_max,
            unread: read,
            heard_at: now,
            timer: Box::pin(sleep_until(now + PING_EVERY)),
            attention: Attention::Usual,
            end: None,
        }
    }

    /// For others who have something to send on it.
    pub(crate) fn outlet(&self) -> Arc<Outlet> {
        Arc::clone(&self.outlet)
    }

    /// From now on its silence is noticed sooner.
    pub(crate) fn listen_closely(&mut self) {
        self.attention = Attention::Close;
        let soon = Instant::now() + CLOSE_PING_EVERY;
        if self.timer.deadline() > soon {
            self.timer.as_mut().reset(soon);
        }
    }

    /// The next message. Cancel-safe: nothing is lost where another event comes first.
    pub async fn receive(&mut self) -> Incoming {
        loop {
            if let Some(incoming) = self.decode_unread() {
                return incoming;
            }
            if self.end.is_some() {
                return Incoming::Gone;
            }
            let interest = if self.outlet.is_free() { Interest::READABLE } else { Interest::WRITABLE };
            tokio::select! {
                biased;
                ready = self.outlet.stream.ready(interest) => {
                    let incoming = match ready {
                        Err(_) => self.end_with(End::Cut),
                        Ok(_) if interest.is_readable() => self.read(),
                        Ok(_) => self.note(self.outlet.write_on()),
                    };
                    if let Some(incoming) = incoming {
                        return incoming;
                    }
                }
                () = &mut self.timer => {
                    if let Some(incoming) = self.look_at_silence() {
                        return incoming;
                    }
                }
            }
        }
    }

    /// Sends a text message; false where the peer is gone or too slow.
    pub async fn send_text(&mut self, text: Vec<u8>) -> bool {
        self.send_framed(frames::text(&text)).await
    }

    /// Sends a binary message likewise.
    pub async fn send_binary(&mut self, bytes: Vec<u8>) -> bool {
        self.send_framed(frames::data(Opcode::Binary, &bytes)).await
    }

    /// Sends what is framed already, from a buffer that others may be sending too. Where the line takes all of it at once
    /// this is one write, and nothing else. What is left of it when this is cancelled goes before anything that follows.
    pub(crate) async fn send_framed(&mut self, frame: Bytes) -> bool {
        if !self.flush().await {
            return false;
        }
        self.begin(frame);
        self.flush().await
    }

    /// Closes, and gives the peer a moment to read why. Where it was the peer who closed or broke the protocol, it is told
    /// that instead.
    pub async fn close(mut self, code: u16, reason: &str) {
        let _gone_already = timeout(LINGER, self.part(code, reason)).await;
    }

    async fn part(&mut self, code: u16, reason: &str) {
        let frame = match self.end {
            Some(End::Cut) => return,
            Some(End::Closed(code)) => frames::close(code, ""),
            Some(End::Broken(code, reason)) => frames::close(Some(code), reason),
            None => frames::close(Some(code), reason),
        };
        if !self.send_framed(frame).await {
            return;
        }
        self.decoder.skip_messages();
        while self.end.is_none() {
            self.receive().await;
        }
        let stream = &self.outlet.stream;
        if SockRef::from(stream).shutdown(Shutdown::Write).is_err() {
            return;
        }
        // A socket that is dropped with something unread resets the line, before the reason is read.
        while stream.readable().await.is_ok() {
            match READ_BUFFER.with_borrow_mut(|buffer| stream.try_read(buffer)) {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => return,
            }
        }
    }

    /// Reads once, and returns the first message there is.
    fn read(&mut self) -> Option<Incoming> {
        READ_BUFFER.with_borrow_mut(|buffer| match self.outlet.stream.try_read(buffer) {
            Ok(bytes @ 1..) => {
                self.heard_at = Instant::now();
                let mut input = &buffer[..bytes];
                let incoming = self.decode(&mut input);
                self.unread = Bytes::copy_from_slice(input);
                incoming
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Ok(0) | Err(_) => self.end_with(End::Cut),
        })
    }

    fn decode_unread(&mut self) -> Option<Incoming> {
        if self.unread.is_empty() {
            return None;
        }
        let read = std::mem::take(&mut self.unread);
        let mut input = &read[..];
        let incoming = self.decode(&mut input);
        self.unread = read.slice(read.len() - input.len()..);
        incoming
    }

    /// Takes from `input` up to the next message that is anyone's business, or to what must be answered first.
    fn decode(&mut self, input: &mut &[u8]) -> Option<Incoming> {
        while self.outlet.is_free() && self.end.is_none() {
            match self.decoder.read(input) {
                Ok(None) => return None,
                Ok(Some(Event::Text(text))) => {
                    let fits = text.len() <= self.message_bytes_max;
                    return Some(if fits { Incoming::Text(text) } else { Incoming::TooLarge });
                }
                Ok(Some(Event::Binary(bytes))) => {
                    let fits = bytes.len() <= self.message_bytes_max;
                    return Some(if fits { Incoming::Binary(bytes) } else { Incoming::TooLarge });
                }
                Ok(Some(Event::Ping(payload))) => self.begin(frames::control(Opcode::Pong, &payload)),
                Ok(Some(Event::Pong)) => {}
                Ok(Some(Event::Close(code))) => return self.end_with(End::Closed(code)),
                Err(Violation::TooLarge) => return Some(Incoming::TooLarge),
                Err(Violation::Protocol(reason)) => return self.end_with(End::Broken(PROTOCOL_ERROR, reason)),
                Err(Violation::NotText) => return self.end_with(End::Broken(NOT_TEXT, "text that is not UTF-8")),
            }
        }
        None
    }

    fn end_with(&mut self, end: End) -> Option<Incoming> {
        self.end = Some(end);
        Some(Incoming::Gone)
    }

    fn look_at_silence(&mut self) -> Option<Incoming> {
        let silence = self.heard_at.elapsed();
        if silence > SILENCE_MAX {
            return self.end_with(End::Cut);
        }
        let is_usual = self.attention == Attention::Usual;
        self.timer.as_mut().reset(Instant::now() + if is_usual { PING_EVERY } else { CLOSE_PING_EVERY });
        // Someone who has not taken what was said before need not be asked.
        if self.outlet.is_free() {
            self.begin(frames::control(Opcode::Ping, &[]));
        }
        if self.attention == Attention::Close && silence > CLOSE_SILENCE_MAX {
            self.attention = Attention::Told;
            return Some(Incoming::Silent);
        }
        None
    }

    fn begin(&mut self, frame: Bytes) {
        let _gone_already = self.note(self.outlet.begin(frame));
    }

    /// What a write says of the peer.
    fn note(&mut self, written: Written) -> Option<Incoming> {
        if written == Written::Cut { self.end_with(End::Cut) } else { None }
    }

    /// Waits for the line to take what was begun; false where the peer is gone or too slow.
    pub(crate) async fn flush(&mut self) -> bool {
        if self.outlet.is_free() || self.end == Some(End::Cut) {
            return self.end != Some(End::Cut);
        }
        let taken = timeout(DRAIN_WITHIN, self.outlet.taken()).await;
        match taken {
            // It reads, and may well have been asked for no other sign of life.
            Ok(true) => self.heard_at = Instant::now(),
            Ok(false) => self.end = Some(End::Cut),
            Err(_) => {}
        }
        taken == Ok(true)
    }
}
