//! What a write is answered with.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use tidebook_book::{BookChange, Change, Rejected};
use tidebook_event_store::StoreError;
use tidebook_ledger::{
    ConflictId, ContactView, Ledger, LedgerBook, LedgerChange, LedgerState, RecordRef, TransactionView,
};
use tidebook_protocol::{Refusal, Refused};

use crate::book::{WriteAnswer, WriteResult};
use crate::problem::Problem;

/// The record as it stands; `null` where there is none.
pub(super) fn record(state: &LedgerState, record: RecordRef) -> Value {
    let view = match record {
        RecordRef::Contact(id) => serde_json::to_value(state.contact(id).map(|found| ContactView::new(state, found))),
        RecordRef::Transaction(id) => {
            serde_json::to_value(state.transaction(id).map(|found| TransactionView::new(state, found)))
        }
        RecordRef::Book => Ok(Value::Null),
    };
    view.expect("a record serialises into memory")
}

/// The answer to a write about one record. `done`: the status where all of it took effect.
pub(super) fn compose(state: &LedgerBook, about: RecordRef, done: StatusCode, written: &WriteResult) -> WriteAnswer {
    match &written.result {
        Ok(changes) => match conflicts(changes) {
            ids if ids.is_empty() => {
                WriteAnswer { status: done.as_u16(), body: record(&state.domain, about).to_string() }
            }
            ids => problem(
                Problem::new(
                    StatusCode::CONFLICT,
                    "conflict",
                    "Something here changed meanwhile; both values are kept.",
                )
                .with("conflicts", ids.iter().map(ToString::to_string).collect::<Vec<_>>())
                .with("seq", written.seq.0)
                .with("record", record(&state.domain, about)),
            ),
        },
        Err(rejected) => problem(rejection(rejected)),
    }
}

fn problem(problem: Problem) -> WriteAnswer {
    WriteAnswer { status: problem.status().as_u16(), body: problem.body() }
}

fn conflicts(changes: &[BookChange<Ledger>]) -> Vec<ConflictId> {
    let raised = changes.iter().filter_map(|change| match change {
        Change::Domain(LedgerChange::ConflictRaised(conflict)) => Some(conflict.id),
        _ => None,
    });
    raised.collect()
}

fn rejection(rejected: &Rejected) -> Problem {
    let status = match &*rejected.code {
        "unknown_contact" | "unknown_transaction" => StatusCode::NOT_FOUND,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let problem = Problem::new(status, rejected.code.clone(), rejected.detail.clone());
    match &rejected.field {
        Some(field) => problem.with("field", field.clone()),
        None => problem,
    }
}

/// Why a write did not become an entry.
pub(super) fn refusal(refused: &Refused) -> Problem {
    match refused.code {
        Refusal::NotAMember => Problem::not_found(),
        Refusal::ReadOnly => Problem::read_only(),
        Refusal::Archived => Problem::new(StatusCode::CONFLICT, "archived", "This book is archived."),
        Refusal::WrongEpoch => Problem::new(StatusCode::CONFLICT, "wrong_epoch", refused.detail.clone()),
        _ => {
            tracing::error!(?refused, "a session's write was refused");
            Problem::busy()
        }
    }
}

/// An answer made earlier or just now.
pub(super) fn respond(WriteAnswer { status, body }: WriteAnswer) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(status)
        .map_err(|_| Problem::from(StoreError::Corrupt("an answer's status is none".to_owned())))?;
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
