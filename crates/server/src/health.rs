//! `GET /health` and `GET /ready`: for whoever keeps the server running.

use axum::{Json, Router, extract::State, routing::get};
use http::StatusCode;
use serde_json::{Value, json};
use tidebook_book::UserId;
use tidebook_event_store::Store;
use uuid::Uuid;

use crate::problem::Problem;

pub(crate) fn router(store: Store) -> Router {
    Router::new().route("/health", get(health)).route("/ready", get(ready)).with_state(store)
}

/// The process answers.
async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// The store answers too. Asked for someone who doesn't exist, which is the cheapest question there is.
async fn ready(State(store): State<Store>) -> Result<Json<Value>, Problem> {
    match store.account(UserId(Uuid::nil())).await {
        Ok(_) => Ok(Json(json!({"status": "ready"}))),
        Err(error) => {
            tracing::warn!(?error, "not ready: the store doesn't answer");
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", "The store doesn't answer."))
        }
    }
}
