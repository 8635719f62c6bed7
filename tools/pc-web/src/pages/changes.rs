//! What is different from the report before.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};
use report::difference::{Change, Code, Difference, Severity};

use super::frame::{Section, Shown, stamp};
use super::mark::{self, Tone};
use crate::app::App;

pub(crate) async fn page(State(app): State<App>, text: RawQuery) -> Response {
    let shown = match Shown::of(&app, text) {
        Ok(shown) => shown,
        Err(response) => return *response,
    };
    let content = match &shown.shelved.changes {
        Some(difference) => changes(&shown, difference),
        None => html! {
            div.title { h1 { "Changes" } }
            section.panel {
                h2 { "Nothing to compare with" }
                p { "The store has no older report of this cluster that can be read. From the next report on, this page says what appeared, went, and became better or worse." }
            }
        },
    };
    shown.page(Section::Changes, "Changes", &content)
}

fn changes(shown: &Shown, difference: &Difference) -> Markup {
    let counts = difference.counts;
    let all = counts.high + counts.medium + counts.low + counts.info;
    let listed = difference.changes.len() as u64;
    html! {
        div.title {
            div {
                h1 { "Changes" }
                p.quiet { "From " (told(&difference.older.generated_at)) " to " (told(&difference.newer.generated_at)) ": " (all) @if all == 1 { " change" } @else { " changes" } }
            }
        }
        @if all == 0 {
            section.panel { h2 { "No change" } p { "What runs, and what is known of it, is as it was in the report before." } }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Changes" {
                table {
                    thead { tr { th scope="col" { "Severity" } th scope="col" { "Change" } th scope="col" { "What" } th scope="col" { "Before" } th scope="col" { "After" } th scope="col" { "Where" } } }
                    tbody { @for change in &difference.changes { (row(shown, change)) } }
                }
            }
            @if listed < all { p.quiet { "and " (all - listed) " more, none of them graver." } }
        }
    }
}

fn told(time: &str) -> String {
    time.parse().map_or_else(|_| time.to_owned(), stamp)
}

fn row(shown: &Shown, change: &Change) -> Markup {
    let code: Option<Code> = change.code.parse().ok();
    html! {
        tr {
            td { (mark::badge(tone(change.severity), change.severity.as_str())) }
            td { code { (change.code) } @if let Some(code) = code { br; span.small.quiet { (code.meaning().trim()) } } @if let Some(reason) = &change.reason { br; span.small { (reason) } } }
            td { (subject(shown, change)) }
            td { (values(&change.before)) }
            td { (values(&change.after)) }
            td.small { (places(change)) }
        }
    }
}

fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::High => Tone::Invalid,
        Severity::Medium => Tone::Present,
        Severity::Low => Tone::Absent,
        Severity::Info => Tone::Skipped,
    }
}

fn subject(shown: &Shown, change: &Change) -> Markup {
    let subject = &change.subject;
    let name = subject
        .image
        .as_ref()
        .or(subject.repository.as_ref())
        .or(subject.release_name.as_ref())
        .or(subject.namespace.as_ref());
    let list = |image: &str| {
        shown.query.elsewhere().with(|query| query.filter.search = image.to_owned()).href("/images")
    };
    html! {
        @match (&subject.image, name) {
            (Some(image), _) => { a.mono href=(list(image)) { (image) } }
            (None, Some(name)) => { span.mono { (name) } }
            (None, None) => { "the report" }
        }
        @if let Some(about) = &subject.about { br; span.small.quiet { (about) } }
    }
}

fn values(values: &[String]) -> Markup {
    html! {
        @if values.is_empty() { span.quiet { "–" } }
        @for value in values { span.mono.small { (value) } br; }
    }
}

fn places(change: &Change) -> Markup {
    let more = change.uses.saturating_sub(change.places.len() as u64);
    html! {
        @for place in &change.places {
            span.mono { (place.namespace.as_deref().unwrap_or("–")) }
            @if let Some(workload) = &place.workload { " " (workload.kind) " " (workload.name) }
            br;
        }
        @if more > 0 { span.quiet { "and " (more) " more" } }
    }
}
