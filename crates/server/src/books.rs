//! Books over HTTP: making one, listing them, and reading what is in one.

mod archive;
mod create;
mod entries;
mod feed;
pub(crate) mod invites;
mod list;
pub(crate) mod members;
mod mutations;
mod records;
mod snapshot;

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRef;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tidebook_book::{BookId, Epoch, Role, Seq};
use tidebook_event_store::{BookRow, Store};
use tidebook_ledger::BookFacts;
use tokio::sync::{mpsc, watch};
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::Accounts;
use crate::book::{Books, Denied, ReadError, Unavailable};
use crate::openapi::schema::{FactsSchema, RoleSchema};
use crate::problem::Problem;

/// What these calls need.
#[derive(Debug, Clone)]
pub(crate) struct BookParts {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) books: Arc<Books>,
    pub(crate) store: Store,
    /// Turns true when the server is going away.
    pub(crate) draining: watch::Receiver<bool>,
    /// Held by each stream until it is done, so that the server can wait for all of them.
    pub(crate) open: mpsc::Sender<Infallible>,
}

impl FromRef<BookParts> for Arc<Accounts> {
    fn from_ref(parts: &BookParts) -> Self {
        Arc::clone(&parts.accounts)
    }
}

pub(crate) fn router(parts: BookParts) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list::all, create::handle))
        .routes(routes!(list::one, archive::handle))
        .routes(routes!(members::list))
        .routes(routes!(members::change_role, members::remove))
        .routes(routes!(invites::list, invites::create))
        .routes(routes!(invites::revoke))
        .routes(routes!(invites::accept))
        .routes(routes!(snapshot::handle))
        .routes(routes!(entries::list))
        .routes(routes!(entries::hash))
        .routes(routes!(mutations::handle))
        .routes(routes!(records::contacts, records::create_contact))
        .routes(routes!(records::contact, records::update_contact, records::delete_contact))
        .routes(routes!(records::restore_contact))
        .routes(routes!(records::transactions, records::create_transaction))
        .routes(routes!(records::transaction, records::update_transaction, records::delete_transaction))
        .routes(routes!(records::restore_transaction))
        .layer(CompressionLayer::new())
        // Not compressed: a compressor would hold events back.
        .routes(routes!(feed::handle))
        .with_state(parts)
}

/// A book as its members see it in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct BookItem {
    #[schema(value_type = uuid::Uuid)]
    id: BookId,
    #[serde(flatten)]
    #[schema(value_type = FactsSchema)]
    facts: BookFacts,
    #[schema(value_type = RoleSchema)]
    role: Role,
    #[schema(value_type = u64)]
    head: Seq,
    #[schema(value_type = uuid::Uuid)]
    epoch: Epoch,
    /// Put away: it is read and left, and written in no more.
    #[serde(skip_serializing_if = "is_false")]
    archived: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl BookItem {
    fn new(row: &BookRow, role: Role) -> Result<Self, Problem> {
        let facts = serde_json::from_str(&row.summary).map_err(|error| {
            tracing::error!(book = %row.id, %error, "a book's summary is unreadable");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server couldn't do that.")
        })?;
        Ok(Self { id: row.id, facts, role, head: row.head, epoch: row.epoch, archived: row.archived })
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
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotAMember => Self::not_found(),
            ReadError::Unavailable(error) => error.into(),
        }
    }
}

impl From<Unavailable> for Problem {
    fn from(_: Unavailable) -> Self {
        Self::busy()
    }
}
