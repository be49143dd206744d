//! `POST /api/v1/sessions`: signs a person in, on the device that asks.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::{Accounts, Delivery, Welcome, email_as_kept, welcome};
use crate::openapi::schema::ProblemSchema;
use crate::{extract::Body, problem::Problem};

#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct SignIn {
    email: String,
    password: String,
}

/// Signs a person in, on the device that asks.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "accounts", request_body = SignIn, responses((status = 200, body = Welcome), (status = 401, body = ProblemSchema, content_type = "application/problem+json"), (status = 403, body = ProblemSchema, content_type = "application/problem+json"), (status = 429, body = ProblemSchema, content_type = "application/problem+json")))]
pub(super) async fn handle(
    State(accounts): State<Arc<Accounts>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(SignIn { email, password }): Body<SignIn>,
) -> Result<Response, Problem> {
    let delivery = Delivery::choose(&accounts.origins, &headers)?;
    let email = email_as_kept(&email);
    accounts.limit_address(caller.ip())?;
    accounts.limit_person(caller.ip(), &email)?;

    // Both ways hash once and give one answer, so that neither words nor time tell who has an account.
    let account = accounts.store.account_by_email(&email).await?;
    let is_right = match &account {
        Some(account) => accounts.passwords.verify(password, account.password_hash.clone()).await?,
        None => accounts.passwords.dummy_verify(password).await?,
    };
    match account {
        Some(account) if is_right => welcome(&accounts, &headers, delivery, StatusCode::OK, account.into()).await,
        _ => Err(bad_credentials()),
    }
}

fn bad_credentials() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "bad_credentials", "This e-mail address and password don't go together.")
}
