//! What an error looks like on the wire: `application/problem+json` as RFC 9457 describes it, with a stable `code`
//! beside it that programs can branch on.

use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value};
use tidebook_event_store::StoreError;

/// An error answer. `type` is always `about:blank`, so that `title` is the status's own phrase; the code tells more.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    /// Members beyond the five that every problem has, such as `field`.
    members: Map<String, Value>,
    retry_after: Option<Duration>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code: code.into(), detail: detail.into(), members: Map::new(), retry_after: None }
    }

    /// Adds a member of this problem's own.
    pub(crate) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// Tells the caller when to come back; rounded up to whole seconds.
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    pub(crate) fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Sign in first: no valid session came with the request.")
    }

    pub(crate) fn origin() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "origin",
            "The request doesn't come from a page of this server. Its own addresses are set with --public-url.",
        )
    }

    pub(crate) fn read_only() -> Self {
        Self::new(StatusCode::FORBIDDEN, "read_only", "You may read this book but not write in it.")
    }

    pub(crate) fn invite_gone() -> Self {
        Self::new(StatusCode::GONE, "invite_gone", "The invite is used up, expired or withdrawn.")
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here, or nothing for you to see.")
    }

    pub(crate) fn invalid_field(field: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_field", detail).with("field", field)
    }

    pub(crate) fn rate_limited(wait: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many tries; wait a little.").retry_after(wait)
    }

    pub(crate) fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "The server has more to do than it can; try again.")
            .retry_after(Duration::from_secs(1))
    }
}

/// The answer where the path is known and the method isn't.
pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This address doesn't answer that method.")
}

impl From<StoreError> for Problem {
    /// What went wrong is for the server's log; the caller learns only that it wasn't their fault.
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Closed) {
            return Self::busy();
        }
        tracing::error!(?error, "the store failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server couldn't do that.")
    }
}

impl Problem {
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What it says, as JSON.
    pub(crate) fn body(&self) -> String {
        let mut members = self.members.clone();
        members.insert("type".to_owned(), "about:blank".into());
        members.insert("title".to_owned(), self.status.canonical_reason().unwrap_or("Error").into());
        members.insert("status".to_owned(), self.status.as_u16().into());
        members.insert("code".to_owned(), (*self.code).into());
        members.insert("detail".to_owned(), (*self.detail).into());
        Value::Object(members).to_string()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        response
    }
}

/// Rounded up, and never 0: "come back at once" is not what a limit means.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn check(problem: Problem, status: u16, body: Value) -> http::HeaderMap {
        let (parts, answer) = problem.into_response().into_parts();
        let bytes = axum::body::to_bytes(answer, 10_000).await.unwrap();
        assert_eq!(parts.status, status);
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), body);
        assert_eq!(parts.headers["content-type"], "application/problem+json");
        parts.headers
    }

    #[tokio::test]
    async fn a_problem_has_the_five_members_and_its_own() {
        let body = json!({"type": "about:blank", "title": "Unprocessable Entity", "status": 422, "code": "invalid_field",
            "detail": "too long", "field": "name"});
        check(Problem::invalid_field("name", "too long"), 422, body).await;
    }

    #[tokio::test]
    async fn a_wait_is_told_in_whole_seconds() {
        for (wait_ms, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (60_000, "60")] {
            let response = Problem::rate_limited(Duration::from_millis(wait_ms)).into_response();
            assert_eq!(response.headers()["retry-after"], seconds, "{wait_ms}");
        }
    }

    #[tokio::test]
    async fn the_stores_own_words_stay_on_the_server() {
        let problem = Problem::from(StoreError::Failed("disk /secret/path is full".to_owned()));
        let body = json!({"type": "about:blank", "title": "Internal Server Error", "status": 500, "code": "internal",
            "detail": "The server couldn't do that."});
        check(problem, 500, body).await;
    }

    #[tokio::test]
    async fn a_missing_session_names_the_scheme() {
        let response = Problem::unauthenticated().into_response();
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
    }
}
