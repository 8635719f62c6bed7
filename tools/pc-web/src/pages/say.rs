//! Pages for when there is nothing to show: each says why, and what to do next.

use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use maud::html;

use super::frame::{bare, stamp, time};
use crate::library::{Library, Reach, TextError};
use crate::view::Query;

/// The store was not read yet.
pub(crate) fn reading() -> Response {
    let content = html! {
        section.panel {
            h1 { "The store is being read" }
            p { "The server has just started and reads the stored reports for the first time. " a href="" { "Try again" } " in some seconds." }
        }
    };
    bare(StatusCode::SERVICE_UNAVAILABLE, "Reading", &Query::default(), &content)
}

/// There is no report.
pub(crate) fn empty(library: &Library, query: &Query, now: Timestamp) -> Response {
    let content = html! {
        section.panel {
            @match (&library.reach, &query.cluster) {
                (Reach::Lost { since, why }, _) => {
                    h1 { "The store cannot be read" }
                    p { "Since " (time(*since, now)) ": " (why) }
                    p { "Mend the volume or its mount; the pages come back by themselves." }
                }
                (Reach::Read, Some(cluster)) => {
                    h1 { "No report of this cluster" }
                    p { "The store has no report of a cluster called " code { (records::text::shown(cluster)) } ". " a href="/" { "Show any" } }
                }
                (Reach::Read, None) => {
                    h1 { "No report yet" }
                    p { "The store is empty. A report is written at the end of each run of the collector; start one now with" }
                    pre { "kubectl create job --from=cronjob/provenance-collector manual-run -n provenance-system" }
                    p { "This page shows it as soon as it is stored." }
                }
            }
            (broken(library))
        }
    };
    bare(StatusCode::OK, "No report", query, &content)
}

/// Files with a report's name that cannot be shown.
fn broken(library: &Library) -> maud::Markup {
    let broken: Vec<_> = library
        .shelf
        .iter()
        .filter_map(|shelved| Some((shelved.name, shelved.volume.as_ref().err()?)))
        .collect();
    html! {
        @if !broken.is_empty() {
            h2 { "Files that cannot be shown" }
            ul { @for (name, why) in broken { li { code { (name) } ": " (why) } } }
        }
    }
}

/// The report that is asked for is not there.
pub(crate) fn no_such_report(library: &Library, query: &Query, now: Timestamp) -> Response {
    let newest = library.latest(None).map(|(_, volume)| volume.head.generated_at);
    let content = html! {
        section.panel {
            h1 { "This report is no longer stored" }
            p { "It was removed by the retention, or was never here." }
            @if let Some(newest) = newest {
                p { a href="/" { "Show the newest report" } ", of " (time(newest, now)) ", or " a href="/reports" { "all that are stored" } "." }
            }
        }
    };
    bare(StatusCode::NOT_FOUND, "No such report", query, &content)
}

/// The file that is asked for is no report that can be shown.
pub(crate) fn unfit(library: &Library, query: &Query, why: &str, now: Timestamp) -> Response {
    let newest = library.latest(None).map(|(_, volume)| volume.head.generated_at);
    let content = html! {
        section.panel {
            h1 { "This report cannot be shown" }
            p { (why) }
            @if let Some(newest) = newest {
                p { a href="/" { "Show the newest report that can be" } ", of " (stamp(newest)) "." }
            }
            p.quiet { "Looked at " (time(now, now)) "." }
        }
    };
    bare(StatusCode::UNPROCESSABLE_ENTITY, "Not a report", query, &content)
}

/// A page that is not there.
pub(crate) async fn no_such_page() -> Response {
    let content = html! {
        section.panel {
            h1 { "No such page" }
            p { "Perhaps the address was cut. " a href="/" { "To the overview" } }
        }
    };
    bare(StatusCode::NOT_FOUND, "No such page", &Query::default(), &content)
}

/// A part of the report could not be read from its file.
pub(crate) fn unreadable(query: &Query, error: &TextError) -> Response {
    let content = html! {
        section.panel {
            h1 { "The report changed while it was shown" }
            p { (stage::exit::chain(error)) }
            p { a href="/" { "Show the newest report" } }
        }
    };
    bare(StatusCode::GONE, "The report changed", query, &content)
}
