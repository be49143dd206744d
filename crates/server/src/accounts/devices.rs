//! `GET /api/v1/sessions` and `DELETE /api/v1/sessions/{id}`: the devices a person is signed in on.

use std::{cmp::Reverse, sync::Arc};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use serde::Serialize;
use tidebook_book::{UnixMillis, parse_uuid};
use uuid::Uuid;

use super::Accounts;
use crate::{
    clock,
    extract::PathOf,
    problem::Problem,
    session::{self, Signed},
};

#[derive(Serialize)]
struct Device {
    id: String,
    client: String,
    created_at: UnixMillis,
    last_seen_at: UnixMillis,
    current: bool,
}

/// All on one page: a person has no more sessions than a page has room for.
#[derive(Serialize)]
pub(super) struct Devices {
    items: Vec<Device>,
    next_cursor: Option<String>,
}

pub(super) async fn list(State(accounts): State<Arc<Accounts>>, signed: Signed) -> Result<Json<Devices>, Problem> {
    let now = clock::now();
    let mut rows = accounts.store.sessions_of(signed.user).await?;
    rows.retain(|row| row.expires_at > now);
    rows.sort_by_key(|row| (Reverse(row.last_seen_at), row.id));
    let device = |row: tidebook_event_store::SessionRow| Device {
        id: row.id.to_string(),
        client: row.client,
        created_at: row.created_at,
        last_seen_at: row.last_seen_at,
        current: row.id == signed.session,
    };
    Ok(Json(Devices { items: rows.into_iter().map(device).collect(), next_cursor: None }))
}

pub(super) async fn end(
    State(accounts): State<Arc<Accounts>>,
    signed: Signed,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let id = parse_uuid(&id).map_err(|_| Problem::not_found())?;
    if session::end(&accounts, signed.user, id).await? {
        Ok(ended(&accounts, &signed, id))
    } else {
        Err(Problem::not_found())
    }
}

/// A browser that ended its own session also forgets its cookie.
pub(super) fn ended(accounts: &Accounts, signed: &Signed, id: Uuid) -> Response {
    if signed.by_cookie && signed.session == id {
        let cookie = session::clear_cookie(&accounts.origins);
        (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    }
}
