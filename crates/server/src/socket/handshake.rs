//! The handshake: who may open a socket, and which conversation it is for.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::{HeaderMap, header};
use tidebook_event_store::Store;
use tidebook_protocol::{FEED_SUBPROTOCOL, FRAME_UP_BYTES_MAX, SYNC_SUBPROTOCOL};
use tokio::sync::{mpsc, watch};

use super::sign_in::{SessionsEnded, SignIn};
use super::{connection, feed};
use crate::accounts::Accounts;
use crate::book::Books;
use crate::extract::QueryOf;
use crate::measure::OpenSocket;
use crate::origin::OriginCheck;
use crate::problem::Problem;
use crate::session::Signed;
use crate::websocket::{Refused, Upgrade};

/// What sockets need.
#[derive(Debug, Clone)]
pub(crate) struct SocketParts {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) books: Arc<Books>,
    pub(crate) store: Store,
    /// Turns true when the server is going away.
    pub(crate) draining: watch::Receiver<bool>,
    /// Held by each socket until it is done, so that the server can wait for all of them.
    pub(crate) open: mpsc::Sender<Infallible>,
}

impl FromRef<SocketParts> for Arc<Accounts> {
    fn from_ref(parts: &SocketParts) -> Self {
        Arc::clone(&parts.accounts)
    }
}

pub(crate) fn router(parts: SocketParts) -> Router {
    Router::new().route("/ws", any(upgrade)).with_state(parts)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subprotocol {
    Sync,
    /// Asked for by name, or by naming none.
    Feed {
        named: bool,
    },
}

async fn upgrade(
    State(parts): State<SocketParts>,
    headers: HeaderMap,
    // Listened for from before the session is looked up, so that no end of it goes unheard.
    SessionsEnded(ended): SessionsEnded,
    signed: Option<Signed>,
    QueryOf(query): QueryOf<feed::FeedQuery>,
    upgrade: Result<Upgrade, Refused>,
) -> Result<Response, Problem> {
    if parts.accounts.origins.check(&headers) == OriginCheck::Foreign {
        return Err(Problem::origin());
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(refused) => return Ok(refused.into_response()),
    };
    Ok(match subprotocol(&headers)? {
        Subprotocol::Sync => upgrade.answer(Some(SYNC_SUBPROTOCOL), FRAME_UP_BYTES_MAX, move |wire| {
            held(parts.open.clone(), Box::pin(connection::run(wire, parts, signed, ended)))
        }),
        Subprotocol::Feed { named } => {
            let caller = match signed {
                Some(signed) => feed::Caller::Signed(SignIn::new(&signed, ended, parts.store.clone())),
                None if headers.contains_key(header::AUTHORIZATION) => feed::Caller::Refused,
                None => feed::Caller::Unknown,
            };
            upgrade.answer(named.then_some(FEED_SUBPROTOCOL), FRAME_UP_BYTES_MAX, move |wire| {
                held(parts.open.clone(), Box::pin(feed::run(wire, parts, caller, query)))
            })
        }
    })
}

/// Holds the sender until the socket is done, which comes in a box: a future that is handed on as it is takes its room twice.
async fn held(open: mpsc::Sender<Infallible>, socket: Pin<Box<impl Future<Output = ()>>>) {
    let counted = OpenSocket::count();
    socket.await;
    drop((open, counted));
}

fn subprotocol(headers: &HeaderMap) -> Result<Subprotocol, Problem> {
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|line| line.to_str().ok());
    let named: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    match named.iter().find(|name| [SYNC_SUBPROTOCOL, FEED_SUBPROTOCOL].contains(name)) {
        Some(&SYNC_SUBPROTOCOL) => Ok(Subprotocol::Sync),
        Some(_) => Ok(Subprotocol::Feed { named: true }),
        None if named.is_empty() => Ok(Subprotocol::Feed { named: false }),
        None => Err(Problem::malformed(format!("the subprotocols here are {SYNC_SUBPROTOCOL} and {FEED_SUBPROTOCOL}"))),
    }
}
