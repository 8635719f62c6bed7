//! `/api/v1/…`: flat objects, an array of them at the root, for tools that want no selectors.
//!
//! Every key is always there, null where something is not known. Verdicts are words; beside them
//! stand numbers, 1, 0, or null where it is not known. Times are RFC 3339, and beside them
//! milliseconds since 1970.
//!
//! - `rows`: the objects, made from the index.
//! - `question`: which report, which of the objects, which of their keys, in which order.

mod question;
pub(crate) mod rows;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value};

use super::error::ApiError;
use super::library;
use crate::app::{Access, App, Routes};
use crate::library::{Library, Shelved, Volume};

pub(crate) use question::Question;

/// The routes.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .route("/api/v1/summary", Access::Read, get(summary))
        .route("/api/v1/images", Access::Read, get(images))
        .route("/api/v1/changes", Access::Read, get(changes))
        .route("/api/v1/releases", Access::Read, get(releases))
        .route("/api/v1/namespaces", Access::Read, get(namespaces))
        .route("/api/v1/failures", Access::Read, get(failures))
        .route("/api/v1/history", Access::Read, get(history))
}

/// A flat object.
pub(crate) type Flat = Map<String, Value>;

/// The report that a question is about.
struct About<'a> {
    library: &'a Library,
    shelved: &'a Shelved,
    volume: &'a Volume,
}

/// Answers a question about one report.
fn answer(
    app: &App,
    text: &RawQuery,
    headers: &HeaderMap,
    rows: impl FnOnce(&About<'_>, &Question) -> Result<Vec<Flat>, ApiError>,
) -> Result<Response, ApiError> {
    let question = Question::parse(text.0.as_deref().unwrap_or_default())?;
    let library = library(app)?;
    let about = about(&library, &question)?;
    let tag = tag(&about.volume.digest, text);
    if super::is_known(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let rows = question.of(rows(&about, &question)?)?;
    Ok(([(header::ETAG, tag)], Json(rows)).into_response())
}

fn about<'a>(library: &'a Library, question: &'a Question) -> Result<About<'a>, ApiError> {
    let found = match question.view.report {
        None => library.latest(question.view.cluster.as_deref()),
        Some(name) => {
            let shelved = library.named(name);
            let shelved = shelved.ok_or_else(|| ApiError::not_found("no such report"))?;
            let volume = shelved
                .volume
                .as_ref()
                .map_err(|why| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, why.to_string()))?;
            let cluster = question.view.cluster.as_deref();
            if cluster.is_some_and(|name| volume.head.cluster.as_deref() != Some(name)) {
                return Err(ApiError::not_found("that report is of another cluster"));
            }
            Some((shelved, volume))
        }
    };
    let (shelved, volume) = found.ok_or_else(|| ApiError::not_found("no report is stored yet"))?;
    Ok(About { library, shelved, volume })
}

/// What an answer is, for who has it already: one report, one question, one version of this tool.
fn tag(digest: &records::Digest, RawQuery(text): &RawQuery) -> String {
    let mut hasher = DefaultHasher::new();
    (text, env!("CARGO_PKG_VERSION")).hash(&mut hasher);
    format!("W/\"{}-{:016x}\"", digest.short(), hasher.finish())
}

/// Counts over a report: one object.
async fn summary(
    State(app): State<App>,
    text: RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let question = Question::parse(text.0.as_deref().unwrap_or_default())?;
    let library = library(&app)?;
    let about = about(&library, &question)?;
    let tag = tag(&about.volume.digest, &text);
    if super::is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    question.without_view()?;
    let row = rows::summary(about.shelved.name, about.volume);
    Ok(([(header::ETAG, tag)], Json(row)).into_response())
}

/// Every use of an image.
async fn images(
    State(app): State<App>,
    text: RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    answer(&app, &text, &headers, |about, question| {
        Ok(rows::images(about.volume, &question.view, question.window()))
    })
}

/// What changed since the report before; 404 where there was none to compare with.
async fn changes(
    State(app): State<App>,
    text: RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    answer(&app, &text, &headers, |about, question| {
        question.without_view()?;
        // That nothing was compared is not that nothing changed.
        let changes = about.shelved.changes.as_deref();
        let none = || ApiError::not_found("there is no report before this one to compare with");
        changes.map(rows::changes).ok_or_else(none)
    })
}

/// Every Helm release.
async fn releases(
    State(app): State<App>,
    text: RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    answer(&app, &text, &headers, |about, question| {
        question.without_view()?;
        Ok(rows::releases(about.volume))
    })
}

/// Every namespace with counts.
async fn namespaces(
    State(app): State<App>,
    text: RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    answer(&app, &text, &headers, |about, question| {
        question.without_view()?;
        Ok(rows::namespaces(about.volume))
    })
}

/// What could not be found out, and what would mend it.
async fn failures(
    State(app): State<App>,
    text: RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    answer(&app, &text, &headers, |about, question| {
        question.without_view()?;
        let open = about.library.open(about.shelved).map_err(ApiError::gone)?;
        rows::failures(about.volume, &open, question.window()).map_err(ApiError::gone)
    })
}

/// Every stored report with its counts, oldest first.
async fn history(State(app): State<App>, text: RawQuery) -> Result<Response, ApiError> {
    let question = Question::parse(text.0.as_deref().unwrap_or_default())?;
    let library = library(&app)?;
    let mut reports: Vec<_> = library.reports(question.view.cluster.as_deref()).collect();
    reports.reverse();
    let within = |volume: &Volume| question.is_within(volume.head.generated_at);
    let all = reports
        .into_iter()
        .filter(|(_, volume)| within(volume))
        .map(|(shelved, volume)| rows::summary(shelved.name, volume))
        .collect();
    Ok(Json(question.of(all)?).into_response())
}
