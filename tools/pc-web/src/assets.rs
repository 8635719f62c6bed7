//! What pages load beside themselves, in the binary. Its address has the hash of its bytes, so
//! that a browser keeps it for as long as it wants.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

const ASSETS: [Asset; 4] = [
    Asset {
        name: "style.css",
        kind: "text/css; charset=utf-8",
        text: include_str!("../assets/style.css"),
    },
    Asset {
        name: "theme.js",
        kind: "text/javascript; charset=utf-8",
        text: include_str!("../assets/theme.js"),
    },
    Asset {
        name: "app.js",
        kind: "text/javascript; charset=utf-8",
        text: include_str!("../assets/app.js"),
    },
    Asset { name: "icon.svg", kind: "image/svg+xml", text: include_str!("../assets/icon.svg") },
];

/// One hash over all.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let all: String = ASSETS.iter().map(|asset| asset.text).collect();
    pc_store::document::digest(all.as_bytes()).hex()[..12].to_owned()
});

/// Where an asset is.
pub(crate) fn path(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

/// Hands an asset out.
pub(crate) async fn serve(Path((_, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, asset.text).into_response()
}
