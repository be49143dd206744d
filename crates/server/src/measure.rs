//! `GET /metrics`: what this server does, for whoever keeps it running.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::accounts::Accounts;
use crate::problem::Problem;
use crate::session::Signed;

const ENTRIES: &str = "tidebook_entries_total";
const COMMIT_SECONDS: &str = "tidebook_commit_seconds";
const COMMITS_FAILED: &str = "tidebook_commits_failed_total";
const SOCKETS: &str = "tidebook_sockets";

/// Upper bounds of the histogram's buckets, from a fast disk's sync to one that is in trouble, in seconds.
const COMMIT_BUCKETS: [f64; 9] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

/// The process has one recorder, however many servers a test runs in it.
fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(COMMIT_SECONDS.to_owned()), &COMMIT_BUCKETS)
            .expect("there are buckets");
        let handle = builder.install_recorder().expect("nobody else records in this process");
        metrics::describe_counter!(ENTRIES, "Entries committed since the start");
        metrics::describe_counter!(COMMITS_FAILED, "Commits that failed since the start");
        metrics::describe_histogram!(
            COMMIT_SECONDS,
            metrics::Unit::Seconds,
            "From handing a batch over to its being on disk"
        );
        metrics::describe_gauge!(SOCKETS, "Open sockets and event streams");
        handle
    })
}

/// Lets go of single measurements once they are counted.
pub(crate) fn drain() {
    recorder().run_upkeep();
}

/// A batch is on disk.
pub(crate) fn committed(entries: usize, took: Duration) {
    metrics::counter!(ENTRIES).increment(u64::try_from(entries).unwrap_or(u64::MAX));
    metrics::histogram!(COMMIT_SECONDS).record(took.as_secs_f64());
}

/// A batch is not.
pub(crate) fn commit_failed() {
    metrics::counter!(COMMITS_FAILED).increment(1);
}

/// Counts as an open socket until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenSocket(());

impl OpenSocket {
    pub(crate) fn count() -> Self {
        metrics::gauge!(SOCKETS).increment(1);
        Self(())
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        metrics::gauge!(SOCKETS).decrement(1);
    }
}

pub(crate) fn router(accounts: Arc<Accounts>) -> Router {
    recorder();
    Router::new().route("/metrics", get(show)).with_state(accounts)
}

async fn show(
    State(accounts): State<Arc<Accounts>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    signed: Option<Signed>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !is_this_machine(caller, &headers) {
        let signed = signed.ok_or_else(Problem::unauthenticated)?;
        let account = accounts.store.account(signed.user).await?;
        if !account.is_some_and(|account| account.admin) {
            return Err(Problem::new(StatusCode::FORBIDDEN, "not_an_admin", "Only the server's admin may see this."));
        }
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], recorder().render()).into_response())
}

/// Asked from this machine, and not by way of a proxy on it: those say so, or ask for the address people type.
fn is_this_machine(caller: SocketAddr, headers: &HeaderMap) -> bool {
    let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"].iter().any(|name| headers.contains_key(*name));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    caller.ip().to_canonical().is_loopback() && !forwarded && matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_on_this_machine_is_not_this_machine() {
        let cases = [
            ("127.0.0.1:5", "localhost:8000", None, true),
            ("[::1]:5", "[::1]:8000", None, true),
            ("[::ffff:127.0.0.1]:5", "127.0.0.1", None, true),
            ("127.0.0.1:5", "tide.example", None, false),
            ("127.0.0.1:5", "localhost", Some(("x-forwarded-for", "1.2.3.4")), false),
            ("127.0.0.1:5", "localhost", Some(("forwarded", "for=1.2.3.4")), false),
            ("192.0.2.1:5", "localhost", None, false),
        ];
        for (caller, host, extra, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some((name, value)) = extra {
                headers.insert(name, value.parse().unwrap());
            }
            assert_eq!(is_this_machine(caller.parse().unwrap(), &headers), expected, "{caller} {host} {extra:?}");
        }
    }
}
