//! Books over HTTP: making one, listing them, and reading what is in one.

mod create;
mod entries;
mod list;
mod snapshot;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tidebook_book::{BookId, Epoch, Role, Seq};
use tidebook_event_store::{BookRow, Store};
use tidebook_ledger::BookFacts;
use tower_http::compression::CompressionLayer;

use crate::accounts::Accounts;
use crate::book::{Books, Denied, ReadError};
use crate::problem::Problem;

/// What these calls need.
#[derive(Debug, Clone)]
pub(crate) struct BookParts {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) books: Arc<Books>,
    pub(crate) store: Store,
}

impl FromRef<BookParts> for Arc<Accounts> {
    fn from_ref(parts: &BookParts) -> Self {
        Arc::clone(&parts.accounts)
    }
}

pub(crate) fn router(parts: BookParts) -> Router {
    Router::new()
        .route("/api/v1/books", get(list::all).post(create::handle))
        .route("/api/v1/books/{book}", get(list::one))
        .route("/api/v1/books/{book}/snapshot", get(snapshot::handle))
        .route("/api/v1/books/{book}/entries", get(entries::list))
        .route("/api/v1/books/{book}/entries/{seq}/hash", get(entries::hash))
        .layer(CompressionLayer::new())
        .with_state(parts)
}

/// A book as its members see it in a list.
#[derive(Debug, Serialize)]
struct BookItem {
    id: BookId,
    #[serde(flatten)]
    facts: BookFacts,
    role: Role,
    head: Seq,
    epoch: Epoch,
}

impl BookItem {
    fn new(row: &BookRow, role: Role) -> Result<Self, Problem> {
        let facts = serde_json::from_str(&row.summary).map_err(|error| {
            tracing::error!(book = %row.id, %error, "a book's summary is unreadable");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server couldn't do that.")
        })?;
        Ok(Self { id: row.id, facts, role, head: row.head, epoch: row.epoch })
    }
}

/// The `{b}` of a path. What is not an id names no book.
#[derive(Debug, Deserialize)]
struct BookPath {
    book: BookId,
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NotFound => Self::not_found(),
            Denied::Store(error) => error.into(),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(_: ReadError) -> Self {
        Self::busy()
    }
}
