//! JSON over HTTP, to the server this page came from.

use serde::{Serialize, de::DeserializeOwned};
use tidebook_book::read_by_name;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit, Response};

use crate::app::browser::{text_of, window};

/// Why a call has no answer.
#[derive(Debug, Clone)]
pub(crate) enum HttpError {
    /// Nothing came back: no network, or no server.
    Unreachable,
    /// The server said no, by a code for programs and in words for people.
    Problem { status: u16, code: String, detail: String },
    /// Something came back that is not what was asked for.
    Unreadable,
}

impl HttpError {
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Problem { code, .. } => code,
            Self::Unreachable | Self::Unreadable => "",
        }
    }

    pub(crate) fn is_unauthenticated(&self) -> bool {
        matches!(self, Self::Problem { status: 401, .. })
    }

    /// In words for people.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Unreachable => "The server does not answer. Check the connection and try again.".into(),
            Self::Unreadable => "The server gave an answer that makes no sense. Try again in a moment.".into(),
            Self::Problem { detail, status, .. } if detail.is_empty() => format!("The server said no ({status})."),
            Self::Problem { detail, .. } => sentence(detail),
        }
    }
}

/// What the server says of a fault may be a part of a sentence; to people it stands alone.
pub(crate) fn sentence(detail: &str) -> String {
    let mut sentence = detail.to_owned();
    if let Some(start) = sentence.get_mut(..1) {
        start.make_ascii_uppercase();
    }
    if !detail.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// A call whose request is on its way already; so that several can be.
pub(crate) struct Call(js_sys::Promise);

impl Call {
    pub(crate) fn get(path: &str) -> Self {
        Self::start("GET", path, None)
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self::start("DELETE", path, None)
    }

    /// With a body that is JSON already.
    pub(crate) fn send(method: &str, path: &str, body: &str) -> Self {
        Self::start(method, path, Some(body))
    }

    pub(crate) fn post(path: &str, body: &impl Serialize) -> Self {
        let body = serde_json::to_string(body).expect("a body serialises into memory");
        Self::send("POST", path, &body)
    }

    /// For an answer of one line each.
    pub(crate) fn lines(path: &str) -> Self {
        Self::request("GET", path, None, ("accept", "application/x-ndjson"))
    }

    fn start(method: &str, path: &str, body: Option<&str>) -> Self {
        Self::request(method, path, body, ("content-type", "application/json"))
    }

    fn request(method: &str, path: &str, body: Option<&str>, (header, value): (&str, &str)) -> Self {
        let request = RequestInit::new();
        request.set_method(method);
        if let Ok(headers) = Headers::new() {
            // Fails only for names and values that headers cannot have.
            let _ = headers.set(header, value);
            request.set_headers(&headers);
        }
        if let Some(body) = body {
            request.set_body(&JsValue::from_str(body));
        }
        Self(window().fetch_with_str_and_init(&format!("/api/v1{path}"), &request))
    }

    /// Waits for the answer's text.
    pub(crate) async fn text(self) -> Result<String, HttpError> {
        let response = JsFuture::from(self.0).await.map_err(|_| HttpError::Unreachable)?;
        let response: Response = response.dyn_into().map_err(|_| HttpError::Unreadable)?;
        let text = response.text().map_err(|_| HttpError::Unreadable)?;
        let text = JsFuture::from(text).await.map_err(|_| HttpError::Unreachable)?;
        let text = text_of(&text).unwrap_or_default();
        if response.ok() { Ok(text) } else { Err(problem(response.status(), &text)) }
    }

    /// Waits for the answer.
    pub(crate) async fn json<T: DeserializeOwned>(self) -> Result<T, HttpError> {
        serde_json::from_str(&self.text().await?).map_err(|_| HttpError::Unreadable)
    }
}

fn problem(status: u16, text: &str) -> HttpError {
    #[derive(Default)]
    struct Body {
        code: String,
        detail: String,
    }

    read_by_name!(Body { ; code, detail });
    let Body { code, detail } = serde_json::from_str(text).unwrap_or_default();
    HttpError::Problem { status, code, detail }
}
