//! Taking a request apart: its JSON body, its query and its path, each with a problem as the answer when it is wrong.
//! axum's own extractors answer with plain text, which no client of ours reads.

use std::time::Duration;

use axum::{
    body::Body as RawBody,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode, header, request::Parts};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// A JSON body may have this many bytes: eight of the largest mutations, and nothing a server can be filled up with.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Of a body that is too large, this much is still read and thrown away: a caller that is answered in the middle of
/// sending often sees a broken connection in place of the answer.
const DRAINED_BYTES_MAX: usize = 8 * BODY_BYTES_MAX;

/// A body must have arrived within this time: 1 MiB over a bad phone line takes about half of it, and a caller that
/// trickles a byte at a time gives the connection back.
const BODY_WAIT: Duration = Duration::from_secs(60);

/// A JSON body, read as a `T`.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = read_json(request).await?;
        let value =
            serde_json::from_slice(&bytes).map_err(|error| Problem::malformed(format!("The body: {error}.")))?;
        Ok(Self(value))
    }
}

/// The bytes of a body that says it is JSON.
pub(crate) async fn read_json(request: Request) -> Result<Bytes, Problem> {
    let headers = request.headers();
    if !is_json(headers) {
        let detail = "The body must be JSON, and say so: `Content-Type: application/json`.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    }
    if announced_bytes(headers) > DRAINED_BYTES_MAX {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_WAIT, read(request.into_body())).await {
        Ok(read) => read,
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "The body took too long to arrive.")),
    }
}

async fn read(body: RawBody) -> Result<Bytes, Problem> {
    let mut stream = body.into_data_stream();
    let mut kept = BytesMut::new();
    let mut seen = 0_usize;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Problem::malformed("The body broke off."))?;
        seen = seen.saturating_add(chunk.len());
        if seen <= BODY_BYTES_MAX {
            kept.extend_from_slice(&chunk);
        } else if seen > DRAINED_BYTES_MAX {
            break;
        }
    }
    if seen > BODY_BYTES_MAX { Err(too_large()) } else { Ok(kept.freeze()) }
}

fn too_large() -> Problem {
    let detail = format!("A body has at most {BODY_BYTES_MAX} bytes.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(kind)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let essence = kind.split(';').next().unwrap_or(kind).trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// What the caller says the body has; 0 where it doesn't say.
fn announced_bytes(headers: &HeaderMap) -> usize {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    announced.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The query, read as a `T`.
#[derive(Debug)]
pub(crate) struct QueryOf<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Query::try_from_uri(&parts.uri);
        let Query(value) = query.map_err(|error| Problem::malformed(format!("The query: {}.", error.body_text())))?;
        Ok(Self(value))
    }
}

/// The path's parameters, read as a `T`. A path whose ids are no ids leads nowhere: 404.
#[derive(Debug)]
pub(crate) struct PathOf<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        let Path(value) = path.map_err(|_| Problem::not_found())?;
        Ok(Self(value))
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Named {
        name: String,
    }

    async fn status_of(kind: Option<&str>, body: Vec<u8>) -> u16 {
        let mut request = Request::builder().method("POST");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        match Body::<Named>::from_request(request.body(body.into()).unwrap(), &()).await {
            Ok(Body(named)) => {
                assert!(named.name.starts_with("Ana"));
                200
            }
            Err(problem) => problem.into_response().status().as_u16(),
        }
    }

    #[tokio::test]
    async fn a_body_is_json_and_says_so() {
        let ana = r#"{"name":"Ana","more":1}"#;
        let cases = [
            (Some("application/json"), ana, 200),
            (Some("Application/JSON; charset=utf-8"), ana, 200),
            (Some("application/json5"), ana, 415),
            (Some("text/plain"), ana, 415),
            (Some("application/x-www-form-urlencoded"), ana, 415),
            (None, ana, 415),
            (Some("application/json"), "", 400),
            (Some("application/json"), "{", 400),
            (Some("application/json"), "{}", 400),
            (Some("application/json"), r#"{"name":7}"#, 400),
            (Some("application/json"), r#"{"name":"\ud800"}"#, 400),
        ];
        for (kind, body, status) in cases {
            assert_eq!(status_of(kind, body.into()).await, status, "{kind:?} {body}");
        }
    }

    #[tokio::test]
    async fn a_body_ends_at_the_limit() {
        let frame = r#"{"name":"Ana"}"#.len();
        for (bytes, status) in [(BODY_BYTES_MAX, 200), (BODY_BYTES_MAX + 1, 413), (DRAINED_BYTES_MAX + 1, 413)] {
            let body = format!(r#"{{"name":"Ana{}"}}"#, "a".repeat(bytes - frame));
            assert_eq!(body.len(), bytes);
            assert_eq!(status_of(Some("application/json"), body.into()).await, status, "{bytes}");
        }
    }
}
