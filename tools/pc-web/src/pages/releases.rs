//! Helm releases: status, versions, what is newer and from where that is known.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};
use report::HelmRelease;

use super::frame::{Section, Shown};
use super::mark::{self, Tone};
use crate::app::App;

pub(crate) async fn page(State(app): State<App>, text: RawQuery) -> Response {
    let shown = match Shown::of(&app, text) {
        Ok(shown) => shown,
        Err(response) => return *response,
    };
    let needle = shown.query.filter.search.to_lowercase();
    let fits = |release: &&HelmRelease| {
        let texts = [Some(&release.release_name), Some(&release.namespace), release.chart.as_ref()];
        (needle.is_empty()
            || texts.into_iter().flatten().any(|text| text.to_lowercase().contains(&needle)))
            && (shown.query.filter.namespaces.is_empty()
                || shown.query.filter.namespaces.contains(&release.namespace))
    };
    let releases: Vec<&HelmRelease> = shown.volume.releases.iter().filter(fits).collect();
    let content = html! {
        div.title { h1 { "Helm releases" } p.quiet { (releases.len()) " of " (shown.volume.releases.len()) } }
        form.filters.panel data-live action="/releases" method="get" role="search" {
            @if let Some(cluster) = &shown.query.cluster { input type="hidden" name="cluster" value=(cluster); }
            @if let Some(report) = shown.query.report { input type="hidden" name="report" value=(report); }
            label.wide { "Search (release, namespace, chart)" input type="search" name="q" value=(shown.query.filter.search) autocomplete="off"; }
            button.main { "Apply" }
        }
        @if releases.is_empty() {
            section.panel { h2 { "No release" } p { @if shown.volume.releases.is_empty() { "This report lists no Helm releases. Where releases are there, pc-helm was not in the pipeline, or was switched off: the stages of the report say which." } @else { "None fits the search. " a href="/releases" { "Show all" } } } }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Helm releases" {
                table {
                    thead { tr { th scope="col" { "Release" } th scope="col" { "Status" } th scope="col" { "Chart" } th scope="col" { "App version" } th scope="col" { "Update" } th scope="col" { "Where the chart came from" } th scope="col" { "Images" } } }
                    tbody { @for release in &releases { (row(release)) } }
                }
            }
        }
    };
    shown.page(Section::Releases, "Helm", &content)
}

fn row(release: &HelmRelease) -> Markup {
    let tone = match release.status.as_str() {
        "deployed" => Tone::Valid,
        "failed" => Tone::Invalid,
        _ => Tone::Present,
    };
    html! {
        tr {
            th scope="row" { span.mono { (release.release_name) } br; span.small.quiet { (release.namespace) } }
            td { (mark::badge(tone, &release.status)) br; span.small.quiet { "revision " (release.revision) } }
            td { (release.chart.as_deref().unwrap_or("–")) " " code { (release.version.as_deref().unwrap_or("–")) } @if release.deprecated { " " (mark::badge(Tone::Present, "deprecated")) } }
            td { (release.app_version.as_deref().unwrap_or("–")) }
            td { (mark::update(release.update.status, release.update.latest_in_major.as_deref().or(release.update.newest.as_deref()))) @if let Some(reason) = &release.update.reason { br; span.small.quiet { (reason) } } }
            td { @match &release.origin.url { Some(url) => { code { (url) } } None => { (release.origin.kind) } } br; span.small.quiet { (release.origin.how) } }
            td { @if release.images.is_empty() { "–" } @else { details { summary { (release.images.len()) } ul.small { @for image in &release.images { li { code { (image) } } } } } } }
        }
    }
}
