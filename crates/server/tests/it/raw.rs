//! A WebSocket client that speaks the wire by hand: it sends what it is told to, right or wrong, and hands over what
//! comes, byte for byte. Nothing of the project's own client is in it.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Response};
use tokio_tungstenite::tungstenite::{Error, Message};

pub(crate) const SYNC: &str = "tidebook.sync.v1";
pub(crate) const FEED: &str = "tidebook.feed.v1";

/// How long an event may be in coming before a test says what it waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A receive window this small stops the sender after about as many bytes.
const SMALL_WINDOW_BYTES: u32 = 4096;

/// An open socket.
#[derive(Debug)]
pub(crate) struct Raw {
    stream: WebSocketStream<TcpStream>,
}

/// The end of a socket: its close code, or none where the line was just cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed(pub(crate) Option<u16>);

impl Raw {
    /// Opens `path` with these headers beside those every handshake has.
    pub(crate) async fn open(
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<(Self, Response<Option<Vec<u8>>>), Error> {
        Self::open_over(TcpStream::connect(address).await?, address, path, headers).await
    }

    /// The same over a line that holds little: a reader that stops is felt by the server soon.
    pub(crate) async fn open_narrow(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Self, Error> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(SMALL_WINDOW_BYTES)?;
        let stream = socket.connect(address).await?;
        Self::open_over(stream, address, path, headers).await.map(|(raw, _)| raw)
    }

    async fn open_over(
        stream: TcpStream,
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<(Self, Response<Option<Vec<u8>>>), Error> {
        let mut request = format!("ws://{address}{path}").into_client_request()?;
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            request.headers_mut().append(name, HeaderValue::from_str(value).expect("a header's value"));
        }
        let (stream, response) = tokio_tungstenite::client_async(request, stream).await?;
        Ok((Self { stream }, response))
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.send_text(message.to_string()).await;
    }

    /// A server that has closed already is found out when reading.
    pub(crate) async fn send_text(&mut self, text: impl Into<String>) {
        let _sent = self.stream.send(Message::text(text.into())).await;
    }

    pub(crate) async fn send_binary(&mut self, bytes: Vec<u8>) {
        let _sent = self.stream.send(Message::binary(bytes)).await;
    }

    /// The next text frame.
    pub(crate) async fn text(&mut self) -> Result<String, Closed> {
        let next = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => return Ok(text.as_str().to_owned()),
                    Some(Ok(Message::Close(frame))) => return Err(Closed(frame.map(|frame| frame.code.into()))),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Err(Closed(None)),
                }
            }
        };
        timeout(PATIENCE, next).await.expect("a frame, or the end of the socket")
    }

    /// The next frame, of a socket that is to stay open.
    pub(crate) async fn frame(&mut self) -> Value {
        let text = self.text().await.expect("a frame, not the end of the socket");
        serde_json::from_str(&text).expect("frames are JSON")
    }

    /// The next frame of this type; what comes before it is passed over.
    pub(crate) async fn frame_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Every frame that still comes, and the end.
    pub(crate) async fn rest(&mut self) -> (Vec<Value>, Closed) {
        let mut frames = Vec::new();
        loop {
            match self.text().await {
                Ok(text) => frames.push(serde_json::from_str(&text).expect("frames are JSON")),
                Err(closed) => {
                    // Answers the close, so that the server need not linger.
                    let _closed = self.stream.close(None).await;
                    return (frames, closed);
                }
            }
        }
    }

    /// The one error frame a socket at fault ends with: its code, and the close code.
    pub(crate) async fn error(&mut self) -> (String, Option<u16>) {
        let (frames, Closed(code)) = self.rest().await;
        let errors: Vec<&Value> = frames.iter().filter(|frame| frame["type"] == "error").collect();
        assert_eq!(errors.len(), 1, "{frames:?} {code:?}");
        assert!(errors[0]["detail"].is_string(), "{frames:?}");
        (errors[0]["code"].as_str().expect("a code").to_owned(), code)
    }
}

/// An entry: its exact bytes, and what they say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Written {
    pub(crate) bytes: String,
    pub(crate) value: Value,
}

impl Written {
    pub(crate) fn read(bytes: &str) -> Self {
        Self { bytes: bytes.to_owned(), value: serde_json::from_str(bytes).expect("an entry is JSON") }
    }

    pub(crate) fn seq(&self) -> u64 {
        self.value["seq"].as_u64().expect("a seq")
    }

    /// The rejection's code and field; empty where there are none.
    pub(crate) fn rejection(&self) -> (&str, &str) {
        let rejected = &self.value["rejected"];
        (rejected["code"].as_str().unwrap_or(""), rejected["field"].as_str().unwrap_or(""))
    }
}

/// The entries of an `entries` or `fates` frame, of any other frame none.
pub(crate) fn entries_of(frame: &str) -> Vec<Written> {
    entry_bytes_of(frame).iter().map(|raw| Written::read(raw.get())).collect()
}

/// The same, unread.
pub(crate) fn entry_bytes_of(frame: &str) -> Vec<Box<RawValue>> {
    #[derive(Deserialize)]
    struct Carrier {
        #[serde(default)]
        entries: Vec<Box<RawValue>>,
    }
    let carrier: Carrier = serde_json::from_str(frame).expect("frames are JSON objects");
    carrier.entries
}

/// The hash chain as the protocol defines it: `BLAKE3(hash(seq − 1) ‖ BLAKE3(bytes))`, from 32 zero bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Chain([u8; 32]);

impl Chain {
    pub(crate) fn of<'a>(entries: impl IntoIterator<Item = &'a str>) -> Self {
        entries.into_iter().fold(Self::default(), Self::followed_by)
    }

    pub(crate) fn followed_by(self, entry: &str) -> Self {
        let digest = blake3::hash(entry.as_bytes());
        Self(*blake3::hash(&[self.0, *digest.as_bytes()].concat()).as_bytes())
    }

    pub(crate) fn hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
