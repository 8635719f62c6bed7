//! The dashboard: pages rendered here, whole without JavaScript, each with an address of its own.
//!
//! - `frame`: what every page has around it, and which report it is about.
//! - `mark`: verdicts as word, icon and colour.
//! - `changes`: what is different from the report before.
//! - `overview`, `images`, `image` (with `finds`), `releases`, `history`: the pages.
//! - `say`: pages for when there is nothing to show.

mod changes;
mod finds;
mod frame;
mod history;
mod image;
mod images;
mod mark;
mod overview;
mod releases;
mod say;

use axum::routing::get;

use crate::app::{Access, Routes};
use crate::assets;

pub(crate) use say::no_such_page;

/// The routes of the pages.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .route("/", Access::Read, get(overview::page))
        .route("/images", Access::Read, get(images::page))
        .route("/images/{*reference}", Access::Read, get(image::page))
        .route("/changes", Access::Read, get(changes::page))
        .route("/releases", Access::Read, get(releases::page))
        .route("/reports", Access::Read, get(history::page))
        .route("/assets/{version}/{name}", Access::Anyone, get(assets::serve))
}
