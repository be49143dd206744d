//! `GET /books` and `GET /books/{b}`.

use axum::Json;
use axum::extract::State;

use super::{BookItem, BookParts, BookPath};
use crate::extract::{PathOf, QueryOf};
use crate::page::{Page, PageQuery};
use crate::problem::Problem;
use crate::session::Signed;

/// All of a person's books, the one they have been in longest first.
#[utoipa::path(get, path = "/api/v1/books", tag = "books", params(PageQuery), responses((status = 200, body = Page<BookItem>)))]
pub(super) async fn all(
    State(parts): State<BookParts>,
    signed: Signed,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Json<Page<BookItem>>, Problem> {
    let rows = parts.store.books_of(signed.user).await?;
    let items = rows.iter().map(|(row, role)| BookItem::new(row, *role)).collect::<Result<Vec<_>, _>>()?;
    Ok(Json(page.cut((0..).zip(items).map(|(place, item)| ((place, 0), item)))?))
}

/// One of them.
#[utoipa::path(get, path = "/api/v1/books/{book}", tag = "books", params(("book" = uuid::Uuid, Path)), responses((status = 200, body = BookItem)))]
pub(super) async fn one(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(BookPath { book }): PathOf<BookPath>,
) -> Result<Json<BookItem>, Problem> {
    let rows = parts.store.books_of(signed.user).await?;
    let found = rows.iter().find(|(row, _)| row.id == book).ok_or_else(Problem::not_found)?;
    Ok(Json(BookItem::new(&found.0, found.1)?))
}
