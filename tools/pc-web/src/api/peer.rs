//! `/api/reports…`: the stored reports, with the names that existing Grafana panels read.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use pc_store::names::ReportName;
use serde_json::{Value, json};

use super::error::ApiError;
use super::library;
use crate::app::{Access, App, Routes};
use crate::library::{Library, Shelved, Volume};

pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .route("/api/reports", Access::Read, get(list))
        .route("/api/reports/latest", Access::Read, get(latest))
        .route("/api/reports/{file}", Access::Read, get(named))
}

/// Every report that can be shown, newest first.
async fn list(State(app): State<App>) -> Result<Json<Vec<Value>>, ApiError> {
    let library = library(&app)?;
    Ok(Json(library.reports(None).map(|(shelved, volume)| entry(shelved, volume)).collect()))
}

fn entry(shelved: &Shelved, volume: &Volume) -> Value {
    let mut entry = json!({
        "filename": shelved.name.to_string(),
        "generatedAt": volume.head.generated_at.to_string(),
        "summary": volume.head.summary,
    });
    if let Some(cluster) = &volume.head.cluster {
        entry["clusterName"] = cluster.as_str().into();
    }
    entry
}

async fn latest(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    let library = library(&app)?;
    let (shelved, volume) =
        library.latest(None).ok_or_else(|| ApiError::not_found("no report is stored yet"))?;
    whole(&library, shelved, volume, &headers)
}

async fn named(
    State(app): State<App>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if file.contains(['/', '\\']) || file.contains("..") {
        return Err(ApiError::bad("a report's name has no `/` and no `..`"));
    }
    let library = library(&app)?;
    let shelved = file.parse().ok().and_then(|name: ReportName| library.named(name));
    let shelved = shelved.ok_or_else(|| ApiError::not_found("no such report"))?;
    match &shelved.volume {
        Ok(volume) => whole(&library, shelved, volume, &headers),
        Err(why) => Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, why.to_string())),
    }
}

/// The bytes of a report, as they are stored.
fn whole(
    library: &Library,
    shelved: &Shelved,
    volume: &Volume,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let tag = format!("\"{}\"", volume.digest);
    if super::is_known(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let open = library.open(shelved).map_err(ApiError::gone)?;
    let file = tokio::fs::File::from_std(open.into_file());
    let stream = tokio_util::io::ReaderStream::with_capacity(file, 64 * 1024);
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_LENGTH, volume.size.to_string()),
        (header::ETAG, tag),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}
