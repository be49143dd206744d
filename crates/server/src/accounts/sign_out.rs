//! `DELETE /api/v1/sessions/current`: signs this device out.

use std::sync::Arc;

use axum::{extract::State, response::Response};

use super::{Accounts, devices};
use crate::{
    problem::Problem,
    session::{self, Signed},
};

/// Signs this device out.
#[utoipa::path(delete, path = "/api/v1/sessions/current", tag = "accounts", responses((status = 204)))]
pub(super) async fn handle(State(accounts): State<Arc<Accounts>>, signed: Signed) -> Result<Response, Problem> {
    session::end(&accounts, signed.user, signed.session).await?;
    Ok(devices::ended(&accounts, &signed, signed.session))
}
