//! Helm releases as rows: chart and status, where the chart came from, and whether it is current.

use records::text::clean;

use crate::{HelmRelease, UpdateState};

use super::cells;
use super::grid::{self, Column, Cut, Give, Shrink};
use super::paint::{Cell, Paint, Tone};

/// The longest text that is looked at, in characters; it is shortened to its column later.
const MAX_TEXT: usize = 1_000;

/// Helm's word for a release that is as it should be.
const DEPLOYED: &str = "deployed";

/// The table, and nothing where there are no releases. Of too many, those whose chart is current
/// go first, and then the last.
pub(super) fn releases(all: &[HelmRelease], limit: usize, width: usize, paint: Paint) -> String {
    let rows = chosen(all, limit);
    let mut out = String::new();
    if !rows.is_empty() {
        for line in grid::lines(columns(&rows), 2, width, paint) {
            out.push_str(&format!("{line}\n"));
        }
    }
    let more = all.len() - rows.len();
    if more > 0 {
        out.push_str(&paint.on(Tone::Faint, &format!("… and {more} more Helm releases\n")));
    }
    out
}

fn chosen(all: &[HelmRelease], limit: usize) -> Vec<&HelmRelease> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    // Stable: the first among equals stays the first.
    order.sort_by_key(|at| is_as_it_should_be(&all[*at]));
    order.truncate(limit);
    order.sort_unstable();
    order.into_iter().map(|at| &all[at]).collect()
}

fn is_as_it_should_be(release: &HelmRelease) -> bool {
    let unremarkable = [UpdateState::Current, UpdateState::Ignored, UpdateState::Skipped];
    release.status == DEPLOYED && unremarkable.contains(&release.update.status)
}

fn columns(rows: &[&HelmRelease]) -> Vec<Column> {
    let column = |head, give, cell: fn(&HelmRelease) -> Cell| Column {
        head,
        cells: rows.iter().map(|row| cell(row)).collect(),
        give,
    };
    let shrinks = |cut, comfort, least| Give::Width(Shrink { cut, comfort, least });
    let mut columns = vec![
        column("HELM RELEASE", shrinks(Cut::Middle, 18, 10), name),
        column("CHART", shrinks(Cut::Middle, 18, 10), chart),
        column("STATUS", shrinks(Cut::End, 16, 8), status),
        column("CHART FROM", shrinks(Cut::Middle, 20, 9), from),
    ];
    if rows.iter().any(|row| row.update.status != UpdateState::Skipped) {
        columns.push(column("UPDATE", shrinks(Cut::End, 9, 7), update));
    }
    columns
}

fn name(release: &HelmRelease) -> Cell {
    let (namespace, name) = (&release.namespace, &release.release_name);
    Cell::new(Tone::Plain, clean(&format!("{namespace}/{name}"), MAX_TEXT))
}

/// What runs: of a release whose newest revision is not deployed, the one that is.
fn chart(release: &HelmRelease) -> Cell {
    let (chart, version) = match &release.deployed {
        Some(deployed) => (&deployed.chart, &deployed.version),
        None => (&release.chart, &release.version),
    };
    match (chart, version) {
        (Some(chart), Some(version)) => {
            Cell::new(Tone::Plain, clean(&format!("{chart} {version}"), MAX_TEXT))
        }
        (Some(chart), None) => Cell::new(Tone::Plain, clean(chart, MAX_TEXT)),
        (None, _) => Cell::new(Tone::Open, "unknown"),
    }
}

/// Helm's word, and of an upgrade that is not done which version it was to be.
fn status(release: &HelmRelease) -> Cell {
    let tone = match release.status.as_str() {
        DEPLOYED => Tone::Good,
        "failed" => Tone::Bad,
        "uninstalled" | "superseded" => Tone::Faint,
        "unknown" => Tone::Open,
        _ => Tone::Fair,
    };
    let tried = release.deployed.as_ref().and(release.version.as_ref());
    let text = match tried {
        Some(version) => format!("{}: {version}", release.status),
        None => release.status.clone(),
    };
    Cell::new(tone, clean(&text, MAX_TEXT))
}

fn from(release: &HelmRelease) -> Cell {
    match &release.origin.url {
        Some(url) => Cell::new(Tone::Plain, clean(url, MAX_TEXT)),
        None if release.origin.kind == "skipped" => Cell::new(Tone::Faint, "skipped"),
        None => Cell::new(Tone::Open, clean(&release.origin.kind, MAX_TEXT)),
    }
}

fn update(release: &HelmRelease) -> Cell {
    let update = &release.update;
    let newer = update.latest_in_major.as_deref().or(update.newest.as_deref());
    cells::newer(update.status, newer)
}
