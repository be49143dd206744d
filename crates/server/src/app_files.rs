//! The web app's files, embedded in the program when it was compiled.

mod negotiate;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use self::negotiate::{Encoding, choose, etag_matches};
use crate::{headers::is_api, problem::Problem};

/// A file as the build found it, with its compressed forms where there are any.
#[derive(Debug)]
struct EmbeddedFile {
    /// From the root, as in `/index.html`.
    path: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

static EMBEDDED: &[EmbeddedFile] = include!(concat!(env!("OUT_DIR"), "/app_files.rs"));

const INDEX: &str = "/index.html";

/// Files below this carry a hash of their content in their name.
const HASHED: &str = "/assets/";

const BUILT_WITHOUT: &str = "built without the web app: run `cargo xtask build`\n";

/// The table by path, with what each answer says of its file. Built once: hashing takes a moment.
static APP_FILES: LazyLock<Arc<AppFiles>> = LazyLock::new(|| Arc::new(AppFiles::new(EMBEDDED)));

/// Answers everything that no route answers, so it holds the router's one fallback.
pub(crate) fn router() -> Router {
    router_of(Arc::clone(&APP_FILES))
}

fn router_of(files: Arc<AppFiles>) -> Router {
    Router::new().fallback(handle).with_state(files)
}

#[derive(Debug)]
struct AppFiles {
    by_path: HashMap<&'static str, AppFile>,
}

#[derive(Debug)]
struct AppFile {
    content_type: HeaderValue,
    cache_control: HeaderValue,
    forms: Vec<Form>,
}

/// One encoding of a file. Each has an ETag of its own, as RFC 9110, 8.8.3.3, asks.
#[derive(Debug)]
struct Form {
    encoding: Encoding,
    bytes: &'static [u8],
    etag: HeaderValue,
}

async fn handle(State(files): State<Arc<AppFiles>>, request: Request) -> Response {
    let (method, path, headers) = (request.method(), request.uri().path(), request.headers());
    let Some(file) = files.find(path, headers) else {
        return match path {
            "/" | INDEX if files.by_path.is_empty() => (StatusCode::SERVICE_UNAVAILABLE, BUILT_WITHOUT).into_response(),
            _ => Problem::not_found().into_response(),
        };
    };
    match *method {
        Method::GET | Method::HEAD => file.answer(method, headers),
        _ => {
            let mut refusal = crate::problem::method_not_allowed().await.into_response();
            refusal.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
            refusal
        }
    }
}

impl AppFiles {
    fn new(embedded: &[EmbeddedFile]) -> Self {
        Self { by_path: embedded.iter().map(|file| (file.path, AppFile::new(file))).collect() }
    }

    /// The file of a path. The app has addresses of its own (`/books/…`): a browser that opens one gets the app, which
    /// then finds out where it is. A script or a picture that isn't there is not the app.
    fn find(&self, path: &str, headers: &HeaderMap) -> Option<&AppFile> {
        if is_api(path) {
            return None;
        }
        let is_page = path == "/" || (accepts_html(headers) && !path.starts_with(HASHED));
        self.by_path.get(path).or_else(|| self.by_path.get(INDEX).filter(|_| is_page))
    }
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|line| line.to_str().is_ok_and(|line| line.contains("text/html")))
}

impl AppFile {
    fn new(file: &EmbeddedFile) -> Self {
        let forms =
            [(Encoding::Identity, Some(file.plain)), (Encoding::Brotli, file.brotli), (Encoding::Gzip, file.gzip)];
        let form = |(encoding, bytes): (Encoding, Option<&'static [u8]>)| Some(Form::new(encoding, bytes?));
        let cache_control =
            if file.path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
        Self {
            content_type: HeaderValue::from_static(content_type(file.path)),
            cache_control: HeaderValue::from_static(cache_control),
            forms: forms.into_iter().filter_map(form).collect(),
        }
    }

    fn answer(&self, method: &Method, request: &HeaderMap) -> Response {
        let form = self.form_for(request);
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(header::ETAG, form.etag.clone());
        headers.insert(header::CACHE_CONTROL, self.cache_control.clone());
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if etag_matches(request, &form.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(header::CONTENT_TYPE, self.content_type.clone());
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(form.bytes.len()));
        if let Some(name) = form.encoding.name() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        if method == Method::GET {
            *response.body_mut() = Body::from(Bytes::from_static(form.bytes));
        }
        response
    }

    fn form_for(&self, request: &HeaderMap) -> &Form {
        let chosen = choose(request, |encoding| self.forms.iter().any(|form| form.encoding == encoding));
        self.forms.iter().find(|form| form.encoding == chosen).expect("chosen among the forms there are")
    }
}

impl Form {
    fn new(encoding: Encoding, bytes: &'static [u8]) -> Self {
        let etag = format!("\"{}-{}\"", blake3::hash(bytes).to_hex(), encoding.name().unwrap_or("plain"));
        Self { encoding, bytes, etag: HeaderValue::try_from(etag).expect("hex digits and letters are header text") }
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
