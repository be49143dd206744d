//! `GET /books/{b}/entries` and the chain's hash at a seq.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use tidebook_book::{BookId, ChainHash, EncodedEntry, MutationNumber, ReplicaId, Seq};
use tidebook_event_store::EntryLimit;

use super::{BookParts, BookPath};
use crate::extract::{PathOf, QueryOf};
use crate::openapi::schema::EntriesSchema;
use crate::problem::Problem;
use crate::session::Signed;

/// Entries a page, unless the caller says.
const PAGE: usize = 1000;
/// And the most the caller may say.
const PAGE_MAX: usize = 5000;
/// Bytes a page: what a small machine sends without noticing.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Range {
    #[serde(default)]
    #[param(value_type = Option<u64>)]
    after: Seq,
    limit: Option<usize>,
    #[param(value_type = Option<uuid::Uuid>)]
    replica: Option<ReplicaId>,
    #[param(value_type = Option<u64>)]
    from_n: Option<MutationNumber>,
}

/// A book's entries in order, or the fates of one replica's mutations.
#[utoipa::path(get, path = "/api/v1/books/{book}/entries", tag = "log", params(("book" = uuid::Uuid, Path), Range), responses((status = 200, content((EntriesSchema = "application/json"), (String = "application/x-ndjson")))))]
pub(super) async fn list(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(BookPath { book }): PathOf<BookPath>,
    QueryOf(range): QueryOf<Range>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let access = parts.books.access(signed.user, book).await?;
    let head = access.handle.ring.head().seq;
    let entries = read(&parts, book, &range, head).await?;
    let head = entries.last().map_or(head, |last| head.max(last.seq));
    access.check_after()?;
    Ok(if asks_for_lines(&headers) { as_lines(&entries) } else { as_object(&entries, head) })
}

async fn read(parts: &BookParts, book: BookId, range: &Range, head: Seq) -> Result<Vec<EncodedEntry>, Problem> {
    let count = range.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&count) {
        return Err(Problem::malformed(format!("`limit` is from 1 to {PAGE_MAX}.")));
    }
    let limit = EntryLimit { count, bytes: PAGE_BYTES };
    Ok(match range.replica {
        Some(replica) => {
            let from = range.from_n.unwrap_or(MutationNumber(1));
            parts.store.fates(book, replica, from, head, limit).await?
        }
        None => parts.store.entries(book, range.after, limit).await?,
    })
}

/// `Accept` is a list, and each of it may have parameters.
fn asks_for_lines(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let mut kinds = lines.flat_map(|line| line.split(',')).filter_map(|kind| kind.split(';').next());
    kinds.any(|kind| kind.trim().eq_ignore_ascii_case("application/x-ndjson"))
}

/// One entry a line, each the exact bytes of the hash chain.
fn as_lines(entries: &[EncodedEntry]) -> Response {
    let mut body = Vec::new();
    for entry in entries {
        body.extend_from_slice(&entry.bytes);
        body.push(b'\n');
    }
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

fn as_object(entries: &[EncodedEntry], head: Seq) -> Response {
    let mut body = b"{\"entries\":[".to_vec();
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&entry.bytes);
    }
    body.extend_from_slice(format!("],\"head\":{head}}}").as_bytes());
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct HashAt {
    #[schema(value_type = u64)]
    seq: Seq,
    #[schema(value_type = String)]
    hash: ChainHash,
}

/// The hash of the book's chain after one entry.
#[utoipa::path(get, path = "/api/v1/books/{book}/entries/{seq}/hash", tag = "log", params(("book" = uuid::Uuid, Path), ("seq" = u64, Path)), responses((status = 200, body = HashAt)))]
pub(super) async fn hash(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf((book, seq)): PathOf<(BookId, Seq)>,
) -> Result<Json<HashAt>, Problem> {
    parts.books.access(signed.user, book).await?;
    let hash = parts.store.hash_at(book, seq).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(HashAt { seq, hash }))
}
