//! A WebSocket with bounds: on what it takes in, on how long a reader may take, and on silence.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use bytes::Bytes;
use tidebook_protocol::{FRAME_UP_BYTES_MAX, close};
use tokio::time::{Instant, timeout};

/// A reader that has not taken a frame by then is closed; it resumes by seq.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// How often a silent peer is asked for a sign of life, and for how long it may give none.
const PING_EVERY: Duration = Duration::from_secs(30);
const SILENCE_MAX: Duration = Duration::from_secs(75);

/// The same for a peer that is shown to others: it should not be shown for long once its line is dead.
const CLOSE_PING_EVERY: Duration = Duration::from_secs(4);
const CLOSE_SILENCE_MAX: Duration = Duration::from_secs(10);

/// How long a peer has to read why it is being closed.
const LINGER: Duration = Duration::from_secs(1);

/// What a peer may send before it is cut off mid-frame; between the protocol's bound and this one it is told why.
const MESSAGE_BYTES_MAX: usize = 2 * FRAME_UP_BYTES_MAX;

/// Per connection, so small: most of them are idle most of the time.
const BUFFER_BYTES: usize = 4 * 1024;

/// Set on every upgrade.
pub(super) fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(4 * 1024 * 1024)
}

/// What came.
#[derive(Debug)]
pub(super) enum Incoming {
    Text(Utf8Bytes),
    /// More bytes than a frame may have.
    TooLarge,
    /// A binary frame, which no subprotocol here has.
    Binary,
    /// A peer that is listened to closely has given no sign of life for a while. Told once; it may still come back.
    Silent,
    /// The peer closed, went silent, or broke the protocol of WebSockets.
    Gone,
}

#[derive(Debug)]
pub(super) struct Wire {
    socket: WebSocket,
    heard_at: Instant,
    ping_at: Instant,
    attention: Attention,
}

/// How soon silence is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attention {
    Usual,
    Close,
    /// The silence was told.
    Told,
}

impl Wire {
    pub(super) fn new(socket: WebSocket) -> Self {
        let now = Instant::now();
        Self { socket, heard_at: now, ping_at: now + PING_EVERY, attention: Attention::Usual }
    }

    /// From now on its silence is noticed sooner.
    pub(super) fn listen_closely(&mut self) {
        self.attention = Attention::Close;
        self.ping_at = self.ping_at.min(Instant::now() + CLOSE_PING_EVERY);
    }

    /// The next frame. Cancel-safe: nothing is lost where another event comes first.
    pub(super) async fn receive(&mut self) -> Incoming {
        loop {
            tokio::select! {
                message = self.socket.recv() => {
                    self.heard_at = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) if text.len() > FRAME_UP_BYTES_MAX => return Incoming::TooLarge,
                        Some(Ok(Message::Text(text))) => return Incoming::Text(text),
                        Some(Ok(Message::Binary(_))) => return Incoming::Binary,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Err(error)) if is_too_large(&error) => return Incoming::TooLarge,
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Incoming::Gone,
                    }
                }
                () = tokio::time::sleep_until(self.ping_at) => {
                    let silence = self.heard_at.elapsed();
                    if silence > SILENCE_MAX || !self.send(Message::Ping(Bytes::new())).await {
                        return Incoming::Gone;
                    }
                    let is_usual = self.attention == Attention::Usual;
                    self.ping_at = Instant::now() + if is_usual { PING_EVERY } else { CLOSE_PING_EVERY };
                    if self.attention == Attention::Close && silence > CLOSE_SILENCE_MAX {
                        self.attention = Attention::Told;
                        return Incoming::Silent;
                    }
                }
            }
        }
    }

    /// Sends a text frame; false where the peer is gone or too slow.
    pub(super) async fn send_text(&mut self, text: Vec<u8>) -> bool {
        let text = Utf8Bytes::try_from(Bytes::from(text)).expect("frames are made of JSON");
        self.send(Message::Text(text)).await
    }

    async fn send(&mut self, message: Message) -> bool {
        matches!(timeout(DRAIN_WITHIN, self.socket.send(message)).await, Ok(Ok(())))
    }

    /// Closes, and gives the peer a moment to read why.
    pub(super) async fn close(mut self, code: u16, reason: &str) {
        // A reason has at most 123 bytes (RFC 6455, 5.5).
        let reason: String = reason.chars().take(100).filter(char::is_ascii).collect();
        let frame = CloseFrame { code, reason: reason.into() };
        let _gone_already = timeout(LINGER, async {
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
                if code == close::TOO_LARGE {
                    // The rest of the frame is unread; closing now would reset the line before the reason is read.
                    std::future::pending::<()>().await;
                }
            }
        })
        .await;
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    // axum hides the kind of error; the text is tungstenite's for its capacity errors.
    error.to_string().contains("too long") || error.to_string().contains("too big")
}
