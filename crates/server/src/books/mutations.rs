//! `POST /books/{b}/mutations`: the push of a client without a socket.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use serde::Deserialize;
use serde_json::value::RawValue;
use tidebook_authority::Outcome;
use tidebook_book::{Author, Epoch, ReplicaId, Role};
use tidebook_protocol::{RawMutation, Refusal, Refused};

use super::{BookParts, BookPath};
use crate::book::{Answer, BookHandle, entries_of, refuse_all};
use crate::extract::{Body, PathOf};
use crate::openapi::schema::{MutationSchema, PushedSchema};
use crate::problem::Problem;
use crate::session::Signed;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = PushRequest)]
pub(super) struct Request {
    #[schema(value_type = uuid::Uuid)]
    epoch: Epoch,
    #[schema(value_type = uuid::Uuid)]
    replica: ReplicaId,
    #[schema(value_type = Vec<MutationSchema>)]
    mutations: Vec<Box<RawValue>>,
}

/// The push of a client without a socket.
#[utoipa::path(post, path = "/api/v1/books/{book}/mutations", tag = "log", params(("book" = uuid::Uuid, Path)), request_body = Request, responses((status = 200, body = PushedSchema)))]
pub(super) async fn handle(
    State(parts): State<BookParts>,
    signed: Signed,
    PathOf(BookPath { book }): PathOf<BookPath>,
    Body(request): Body<Request>,
) -> Result<Response, Problem> {
    let access = parts.books.access(signed.user, book).await?;
    if access.role == Role::Viewer {
        return Err(Problem::read_only());
    }
    let parsed = request.mutations.iter().map(|raw| RawMutation::parse(raw)).collect::<Result<Vec<_>, _>>();
    let mutations = parsed.map_err(|error| Problem::malformed(format!("The body: {error}.")))?;
    let author = Author { user: signed.user, replica: request.replica };
    let outcomes = if parts.store.may_write_as(author).await? {
        access.handle.offer(author, request.epoch, mutations).await.answer().await
    } else {
        refuse_all(&mutations, Refusal::ReplicaTaken, "this replica id belongs to someone else")
    };
    answer(&parts, &access.handle, outcomes).await
}

/// The entries, as their exact bytes, and what did not become one.
async fn answer(parts: &BookParts, handle: &BookHandle, outcomes: Answer) -> Result<Response, Problem> {
    let mut refused: Vec<Refused> = Vec::new();
    let mut seqs = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Refused(why) => refused.push(why),
            Outcome::Entry(seq) => seqs.push(seq),
        }
    }
    let entries = entries_of(&parts.store, handle, seqs).await?;
    let mut body = b"{\"entries\":[".to_vec();
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&entry.bytes);
    }
    let refused = serde_json::to_string(&refused).expect("refusals serialise into memory");
    body.extend_from_slice(format!("],\"refused\":{refused}}}").as_bytes());
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}
