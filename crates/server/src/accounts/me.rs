//! `GET /api/v1/accounts/me`: who the caller is.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Serialize;

use super::{Accounts, User};
use crate::{problem::Problem, session::Signed};

#[derive(Serialize)]
pub(super) struct Me {
    user: User,
}

pub(super) async fn handle(State(accounts): State<Arc<Accounts>>, signed: Signed) -> Result<Json<Me>, Problem> {
    // Gone between the check of the session and here: then the session is gone too.
    let account = accounts.store.account(signed.user).await?.ok_or_else(Problem::unauthenticated)?;
    Ok(Json(Me { user: account.into() }))
}
