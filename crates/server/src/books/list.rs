//! `GET /books` and `GET /books/{b}`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::{BookItem, BookParts, BookPath};
use crate::extract::PathOf;
use crate::problem::Problem;
use crate::session::Signed;

#[derive(Debug, Serialize)]
pub(super) struct Page {
    items: Vec<BookItem>,
    next_cursor: Option<String>,
}

/// All of a person's books, the one they have been in longest first.
pub(super) async fn all(State(parts): State<BookParts>, signed: Signed) -> Result<Json<Page>, Problem> {
    let rows = parts.store.books_of(signed.user).await?;
    let items = rows.iter().map(|(row, role)| BookItem::new(row, *role)).collect::<Result<_, _>>()?;
    Ok(Json(Page { items, next_cursor: None }))
}

pub(super) async fn one(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(BookPath { book }): PathOf<BookPath>,
) -> Result<Json<BookItem>, Problem> {
    let rows = parts.store.books_of(signed.user).await?;
    let found = rows.iter().find(|(row, _)| row.id == book).ok_or_else(Problem::not_found)?;
    Ok(Json(BookItem::new(&found.0, found.1)?))
}
