//! `DELETE /books/{b}`: the owner puts a book away, or removes it for good.

use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use tidebook_book::Role;

use super::{BookParts, BookPath};
use crate::book::{Access, PurgeBy, Purged};
use crate::clock;
use crate::extract::{PathOf, QueryOf};
use crate::problem::Problem;
use crate::session::Signed;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct How {
    /// Gone for good, with all its history.
    #[serde(default)]
    purge: bool,
}

/// Puts a book away, or removes it for good.
#[utoipa::path(delete, path = "/api/v1/books/{book}", tag = "books", params(("book" = uuid::Uuid, Path), How), responses((status = 204)))]
pub(super) async fn handle(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(BookPath { book }): PathOf<BookPath>,
    QueryOf(How { purge }): QueryOf<How>,
) -> Result<StatusCode, Problem> {
    let access = parts.books.access(signed.user, book).await?;
    require_owner(&access)?;
    if purge {
        match parts.books.purge(book, PurgeBy::Owner(signed.user)).await? {
            Purged::Gone => {}
            Purged::NotAllowed => return Err(not_an_owner()),
        }
    } else {
        parts.store.archive_book(book, clock::now()).await?;
        access.handle.archive().await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// For what only owners do.
pub(super) fn require_owner(access: &Access) -> Result<(), Problem> {
    match access.role {
        Role::Owner => Ok(()),
        Role::Editor => Err(not_an_owner()),
        Role::Viewer => Err(Problem::read_only()),
    }
}

pub(super) fn not_an_owner() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "not_an_owner", "Only the book's owners may do that.")
}
