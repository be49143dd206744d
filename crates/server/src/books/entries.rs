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
use crate::problem::Problem;
use crate::session::Signed;

/// Entries a page, unless the caller says.
const PAGE: usize = 1000;
/// And the most the caller may say.
const PAGE_MAX: usize = 5000;
/// Bytes a page: what a small machine sends without noticing.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

#[derive(Debug, Deserialize)]
pub(super) struct Range {
    #[serde(default)]
    after: Seq,
    limit: Option<usize>,
    replica: Option<ReplicaId>,
    from_n: Option<MutationNumber>,
}

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
    let ndjson = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes() == b"application/x-ndjson");
    Ok(if ndjson { as_lines(&entries) } else { as_object(&entries, head) })
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

#[derive(Debug, Serialize)]
pub(super) struct HashAt {
    seq: Seq,
    hash: ChainHash,
}

pub(super) async fn hash(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf((book, seq)): PathOf<(BookId, Seq)>,
) -> Result<Json<HashAt>, Problem> {
    parts.books.access(signed.user, book).await?;
    let hash = parts.store.hash_at(book, seq).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(HashAt { seq, hash }))
}
