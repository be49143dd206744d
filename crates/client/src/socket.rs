//! A WebSocket to a server.

use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{ClientRequestBuilder, Message, http::Uri};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// Room for the largest frame a server sends, and some.
const MESSAGE_BYTES_MAX: usize = 2 * tidebook_protocol::FRAME_DOWN_BYTES_MAX;

#[derive(Debug)]
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What came over it.
#[derive(Debug)]
pub(crate) enum Received {
    Text(String),
    /// Nothing to act on, but a sign that somebody is there.
    Sign,
    /// With the close code, where there was one.
    Closed(Option<u16>, String),
}

impl Socket {
    pub(crate) async fn open(url: &Url, subprotocol: &str, token: Option<&str>) -> Result<Self, String> {
        let uri: Uri = url.as_str().parse().map_err(|_| format!("{url} is not an address"))?;
        let mut request = ClientRequestBuilder::new(uri).with_sub_protocol(subprotocol);
        if let Some(token) = token {
            request = request.with_header("Authorization", format!("Bearer {token}"));
        }
        let config = WebSocketConfig::default().max_message_size(Some(MESSAGE_BYTES_MAX));
        let connected = connect_async_with_config(request, Some(config), true).await;
        connected.map(|(stream, _)| Self { stream }).map_err(|error| error.to_string())
    }

    /// False where the line is gone; `receive` tells why.
    pub(crate) async fn send(&mut self, text: String) -> bool {
        self.stream.send(Message::text(text)).await.is_ok()
    }

    /// The next thing that comes. Cancel-safe.
    pub(crate) async fn receive(&mut self) -> Received {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => Received::Text(text.as_str().to_owned()),
            Some(Ok(Message::Close(frame))) => {
                let reason = frame.as_ref().map(|frame| frame.reason.as_str().to_owned()).unwrap_or_default();
                Received::Closed(frame.map(|frame| frame.code.into()), reason)
            }
            Some(Ok(_)) => Received::Sign,
            Some(Err(error)) => Received::Closed(None, error.to_string()),
            None => Received::Closed(None, "the line was cut".into()),
        }
    }
}
