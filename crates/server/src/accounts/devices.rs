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
    extract::{PathOf, QueryOf},
    page::{Page, PageQuery},
    problem::Problem,
    session::{self, Signed},
};

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Device {
    id: String,
    client: String,
    #[schema(value_type = i64)]
    created_at: UnixMillis,
    #[schema(value_type = i64)]
    last_seen_at: UnixMillis,
    current: bool,
}

/// A person's devices, the one used last first.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "accounts", params(PageQuery), responses((status = 200, body = Page<Device>)))]
pub(super) async fn list(
    State(accounts): State<Arc<Accounts>>,
    signed: Signed,
    QueryOf(page): QueryOf<PageQuery>,
) -> Result<Json<Page<Device>>, Problem> {
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
    Ok(Json(page.cut((0..).zip(rows).map(|(place, row)| ((place, 0), device(row))))?))
}

/// Signs one of the devices out.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "accounts", params(("id" = uuid::Uuid, Path)), responses((status = 204)))]
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
