//! Probes.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{App, NOT_READY};
use crate::library::Reach;

/// The process answers.
pub(crate) async fn alive() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// The store was read, so that pages can be shown.
pub(crate) async fn ready(State(app): State<App>) -> (StatusCode, Json<Value>) {
    match app.library().map(|library| library.reach.clone()) {
        None => (NOT_READY, Json(json!({"status": "reading"}))),
        Some(Reach::Lost { why, .. }) => {
            (StatusCode::OK, Json(json!({"status": "ok", "store": why})))
        }
        Some(Reach::Read) => (StatusCode::OK, Json(json!({"status": "ok"}))),
    }
}
