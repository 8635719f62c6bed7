//! Every stored report, with its totals, and the files that are none.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::html;
use report::Completeness;
use serde_json::Value;

use super::frame::{Section, Shown, ago, stamp};
use super::mark::{self, Tone};
use crate::app::App;

/// How many reports one page lists.
const PER_PAGE: usize = 100;

pub(crate) async fn page(State(app): State<App>, text: RawQuery) -> Response {
    let shown = match Shown::of(&app, text) {
        Ok(shown) => shown,
        Err(response) => return *response,
    };
    let shelf = &shown.library.shelf;
    let pages = shelf.len().div_ceil(PER_PAGE).max(1);
    let page = shown.query.page.min(pages);
    let listed = shelf.iter().skip((page - 1) * PER_PAGE).take(PER_PAGE);
    let number = |volume: &crate::library::Volume, name: &str| {
        volume
            .head
            .summary
            .get(name)
            .and_then(Value::as_u64)
            .map_or_else(|| "–".to_owned(), |count| count.to_string())
    };
    let content = html! {
        div.title { h1 { "History" } p.quiet { (shelf.len()) " files in the store" } }
        div.scroll tabindex="0" role="region" aria-label="Stored reports" {
            table {
                thead { tr { th scope="col" { "Report" } th scope="col" { "Cluster" } th.num scope="col" { "Images" } th.num scope="col" { "Trusted" } th.num scope="col" { "Signed" } th.num scope="col" { "Updates" } th scope="col" { "State" } th.num scope="col" { "Size" } th scope="col" { "SHA-256" } th scope="col" { "Download" } } }
                tbody {
                    @for shelved in listed {
                        tr {
                            @match &shelved.volume {
                                Ok(volume) => {
                                    th scope="row" { a href=(shown.query.elsewhere().with(|query| query.report = Some(shelved.name)).href("/")) { (stamp(volume.head.generated_at)) } " " span.small.quiet { (ago(volume.head.generated_at, shown.now)) } }
                                    td { (volume.head.cluster.as_deref().unwrap_or("–")) }
                                    td.num { (number(volume, "uniqueImages")) } td.num { (number(volume, "verifiedImages")) } td.num { (number(volume, "signedImages")) } td.num { (number(volume, "imagesWithUpdates")) }
                                    td { @match volume.head.completeness { Completeness::Complete => (mark::badge(Tone::Valid, "complete")), Completeness::Incomplete(_) => (mark::badge(Tone::Invalid, "not complete")) } }
                                    td.num { (volume.size / 1024) " KiB" }
                                    td { code title=(volume.digest) { (volume.digest.short()) } }
                                    td { a href={"/api/reports/" (shelved.name)} download { "JSON" } }
                                }
                                Err(why) => {
                                    th scope="row" { code { (shelved.name) } }
                                    td colspan="9" { (mark::badge(Tone::Unknown, "cannot be shown")) " " (why) }
                                }
                            }
                        }
                    }
                }
            }
        }
        @if pages > 1 {
            nav.pages aria-label="Pages of the list" {
                span.quiet { "Page " (page) " of " (pages) }
                ul {
                    @if page > 1 { li { a.button rel="prev" href=(shown.query.with(|query| query.page = page - 1).href("/reports")) { "Newer" } } }
                    @if page < pages { li { a.button rel="next" href=(shown.query.with(|query| query.page = page + 1).href("/reports")) { "Older" } } }
                }
            }
        }
    };
    shown.page(Section::History, "History", &content)
}
