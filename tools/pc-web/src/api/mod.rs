//! JSON for machines.
//!
//! - `health`: whether the process lives, and whether it can answer.
//! - `peer`: the routes and names that existing Grafana panels read.
//! - `error`: what a request that cannot be answered gets.
//! - `metrics`: gauges for Prometheus.
//! - `v1`: flat objects, arrays of them at the root.

mod error;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod peer;
pub(crate) mod v1;

use std::sync::Arc;

use axum::http::{HeaderMap, header};

use crate::app::{App, NOT_READY};
use crate::library::Library;
pub(crate) use error::ApiError;

/// What the store holds, or that it was not read yet.
fn library(app: &App) -> Result<Arc<Library>, ApiError> {
    let reading = || ApiError::new(NOT_READY, "the store is being read for the first time");
    app.library().ok_or_else(reading)
}

/// Whether who asks has the answer of this tag already (RFC 9110, section 13.1.2).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let weak = tag.trim_start_matches("W/");
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    known
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| matches!(one.trim(), "*") || one.trim().trim_start_matches("W/") == weak)
}
