//! The handshake (RFC 6455, section 4.2), and taking the connection over from the HTTP server.

use std::future::Future;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use sha1::{Digest as _, Sha1};
use tokio::net::TcpStream;

use super::wire::Wire;
use crate::problem::Problem;

/// What a key is hashed with, so that nobody who does not speak WebSocket answers right by chance.
const ACCEPT_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const VERSION: &str = "13";
const KEY_BYTES: usize = 16;

/// Keys are random bits; clients that don't clear the last few of them are let in all the same.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// A request that asks for a WebSocket, and may have one.
#[derive(Debug)]
pub struct Upgrade {
    accept: HeaderValue,
    connection: OnUpgrade,
}

/// Why a request gets no WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It asks for none, or for one of a version that is not spoken here.
    NoUpgrade,
    /// Its key is not 16 bytes in base64.
    WrongKey,
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refused> {
        let headers = &parts.headers;
        let asks = parts.method == Method::GET
            && parts.version == Version::HTTP_11
            && names(headers, header::CONNECTION, "upgrade")
            && names(headers, header::UPGRADE, "websocket")
            && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == VERSION);
        if !asks {
            return Err(Refused::NoUpgrade);
        }
        let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or(Refused::WrongKey)?;
        let accept = accept(key).ok_or(Refused::WrongKey)?;
        let connection = parts.extensions.remove::<OnUpgrade>().ok_or(Refused::NoUpgrade)?;
        Ok(Self { accept, connection })
    }
}

impl Upgrade {
    /// The answer that opens the socket, which is then run in a task of its own. Its messages have at most so many bytes.
    pub fn answer<F>(
        self,
        subprotocol: Option<&'static str>,
        message_bytes_max: usize,
        run: impl FnOnce(Wire) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { accept, connection } = self;
        tokio::spawn(async move {
            if let Some((stream, read)) = take_over(connection).await {
                run(Wire::new(stream, read, message_bytes_max)).await;
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        if let Some(subprotocol) = subprotocol {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
        }
        response
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::NoUpgrade => {
                let spoken = [(header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_VERSION, VERSION)];
                let detail = "This address speaks WebSocket only.";
                (spoken, Problem::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", detail)).into_response()
            }
            Self::WrongKey => Problem::malformed("Sec-WebSocket-Key must be 16 bytes in base64").into_response(),
        }
    }
}

/// The connection, and what the client said on it before it had its answer.
async fn take_over(connection: OnUpgrade) -> Option<(TcpStream, Bytes)> {
    let parts = downcast::<TokioIo<TcpStream>>(connection.await.ok()?);
    let Ok(parts) = parts else {
        tracing::error!("a socket came over something that is no TCP connection");
        return None;
    };
    let stream = parts.io.into_inner();
    // Frames are written whole: waiting for more to send would only make them late.
    stream.set_nodelay(true).ok()?;
    // A copy, so that the HTTP server's buffer is let go.
    Some((stream, Bytes::copy_from_slice(&parts.read_buf)))
}

/// Whether one of a header's comma-separated words is this one.
fn names(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|named| named.trim().eq_ignore_ascii_case(word))
}

/// What proves that the key was understood.
fn accept(key: &HeaderValue) -> Option<HeaderValue> {
    if BASE64.decode(key).ok()?.len() != KEY_BYTES {
        return None;
    }
    let digest = Sha1::new().chain_update(key).chain_update(ACCEPT_GUID).finalize();
    HeaderValue::from_str(&BASE64.encode(digest)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(key: &str) -> Option<String> {
        accept(&key.parse().unwrap()).map(|accept| accept.to_str().unwrap().to_owned())
    }

    /// The example of RFC 6455, 1.3.
    #[test]
    fn a_key_is_answered_as_the_rfc_has_it() {
        assert_eq!(accepted("dGhlIHNhbXBsZSBub25jZQ==").as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    #[test]
    fn a_key_is_sixteen_bytes_in_base64() {
        let cases = [
            ("AAAAAAAAAAAAAAAAAAAAAA==", true),
            // Bits beyond the 128th.
            ("AAAAAAAAAAAAAAAAAAAAAB==", true),
            ("AAAAAAAAAAAAAAAAAAAAAA", false),
            ("AAAAAAAAAAAAAAAAAAAA", false),
            ("AAAAAAAAAAAAAAAAAAAAAAA=", false),
            ("AAAAAAAAAAAAAAAAAAAAAAAA", false),
            ("AAAAAAAAAAAAAAAAAAAAA!==", false),
            ("", false),
        ];
        for (key, is_key) in cases {
            assert_eq!(accepted(key).is_some(), is_key, "{key}");
        }
    }
}
