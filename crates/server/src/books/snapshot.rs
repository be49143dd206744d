//! `GET /books/{b}/snapshot`: a book's whole state at one seq.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tidebook_book::{Domain, Person, Snapshot};
use tidebook_ledger::Ledger;

use super::{BookParts, BookPath};
use crate::book::Committed;
use crate::extract::PathOf;
use crate::problem::Problem;
use crate::session::Signed;

pub(super) async fn handle(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(BookPath { book }): PathOf<BookPath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let access = parts.books.access(signed.user, book).await?;
    let people = parts.store.people(book).await?;
    let epoch = access.handle.epoch;
    let make = move |committed: Committed<'_>| {
        let state = committed.authority.state();
        Snapshot::<Ledger> {
            book,
            epoch,
            seq: committed.head.seq,
            hash: committed.head.hash,
            state_version: Ledger::STATE_VERSION,
            state_hash: state.hash(),
            replicas: committed.authority.last_numbers().collect(),
            people: people_at(people, state),
            state: state.domain.clone(),
        }
    };
    let snapshot = access.handle.read(make).await?;
    // The chain's hash names the state: same log, same snapshot, but for the names of people, which are hashed with it.
    let names = serde_json::to_vec(&snapshot.people).expect("people serialise");
    let etag = format!("\"{}\"", snapshot.hash.followed_by(&names));
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let body = serde_json::to_vec(&snapshot).expect("a snapshot serialises into memory");
    let mut response = ([(header::CONTENT_TYPE, "application/json")], body).into_response();
    response.headers_mut().insert(header::ETAG, HeaderValue::try_from(etag).expect("hex is a header value"));
    Ok(response)
}

/// Roles as of the snapshot's seq: the store may be ahead of it by now.
fn people_at(people: Vec<Person>, state: &tidebook_ledger::LedgerBook) -> Vec<Person> {
    people.into_iter().map(|person| Person { role: state.role_of(person.id), ..person }).collect()
}
