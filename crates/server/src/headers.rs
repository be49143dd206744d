//! What every answer says to browsers: run only our own code, show it in nobody's frame, tell nobody where one came from.

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use http::{HeaderName, HeaderValue, header};

use crate::{origin::Origins, problem};

/// Nothing is allowed but what the app needs. `wasm-unsafe-eval` compiles WebAssembly and evaluates no text; `'self'`
/// under `connect-src` covers the socket of the same host too.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; \
     frame-ancestors 'none'";

/// The app uses none of these, so that a script that got in could not either.
const PERMISSIONS_POLICY: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";

const ALWAYS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
];

/// A year, for this host only: what stands beside it on the same domain is not ours to decide on.
const STRICT_TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Whether people reach the server through TLS.
#[derive(Debug, Clone, Copy)]
enum Transport {
    Plain,
    Tls,
}

/// Puts the frame around all routes there are so far: the headers, and a problem as the answer to a wrong method.
pub(crate) fn frame(routes: Router, origins: &Origins) -> Router {
    let transport = if origins.secure() { Transport::Tls } else { Transport::Plain };
    routes
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(middleware::from_fn_with_state(transport, add))
}

async fn add(State(transport): State<Transport>, request: Request, next: Next) -> Response {
    let is_api = is_api(request.uri().path());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if matches!(transport, Transport::Tls) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT_SECURITY);
    }
    // Books are nobody's to keep but the app's own store. A route that knows better, as one with an ETag may, has said so.
    if is_api {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}

/// Whether a path belongs to programs: what is unknown below it is an error, never a page.
pub(crate) fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}
