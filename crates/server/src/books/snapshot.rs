//! `GET /books/{b}/snapshot`: a book's whole state at one seq.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tidebook_book::{Person, Snapshot};

use super::{BookParts, BookPath};
use crate::book::{Committed, snapshot_of};
use crate::extract::PathOf;
use crate::openapi::schema::SnapshotSchema;
use crate::problem::Problem;
use crate::session::Signed;

/// A book's whole state at one seq.
#[utoipa::path(get, path = "/api/v1/books/{book}/snapshot", tag = "log", params(("book" = uuid::Uuid, Path)), responses((status = 200, body = SnapshotSchema), (status = 304)))]
pub(super) async fn handle(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(BookPath { book }): PathOf<BookPath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let access = parts.books.access(signed.user, book).await?;
    let make = move |committed: Committed<'_>| {
        let members = committed.authority.state().members.clone();
        (snapshot_of(book, committed), members)
    };
    let (snapshot, members) = access.read(make).await?;
    // Read afterwards, they are all that the state knows of; somebody who came since is in none of its roles.
    let people = parts.store.people(book).await?;
    access.check_after()?;
    let people = people.into_iter().map(|person| Person { role: members.get(&person.id).copied(), ..person }).collect();
    let snapshot = Snapshot { people, ..snapshot };
    // The chain's hash names the log; of what else is in a snapshot, everything that can change without an entry is hashed
    // with it.
    let Snapshot { epoch, state_version, state_hash, replicas, people, .. } = &snapshot;
    let beside = serde_json::to_vec(&(epoch, state_version, state_hash, replicas, people)).expect("they serialise");
    let etag = format!("\"{}\"", snapshot.hash.followed_by(&beside));
    if is_known(&headers, &etag) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let body = serde_json::to_vec(&snapshot).expect("a snapshot serialises into memory");
    let mut response = ([(header::CONTENT_TYPE, "application/json")], body).into_response();
    response.headers_mut().insert(header::ETAG, HeaderValue::try_from(etag).expect("hex is a header value"));
    Ok(response)
}

/// Whether the caller has it already: `If-None-Match` is a list, and who compresses on the way weakens what is in it (RFC
/// 9110, 13.1.2).
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let mut known = lines.flat_map(|line| line.split(',')).map(str::trim);
    known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}
