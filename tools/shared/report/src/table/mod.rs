//! The report for a person at a terminal: what runs, the answers about it, and what they add up to.
//!
//! Words carry the meaning and colour repeats it, only on a terminal and only where nobody asked
//! for none. Names are a stranger's: they are cleaned before they are shown.

mod cells;
mod concern;
pub(crate) mod grid;
pub(crate) mod paint;
mod releases;
pub(crate) mod text;
mod totals;

use std::collections::BTreeSet;
use std::io::IsTerminal;

use records::text::shown;
use terminal_size::{Width, terminal_size_of};

use crate::{Report, Row, difference};

use cells::Uses;
pub use paint::{Color, Paint, Tone};

/// How wide the table is where there is no terminal that says so.
const DEFAULT_WIDTH: usize = 120;

/// The narrowest table that is tried.
const MIN_WIDTH: usize = 40;

/// How many reasons for an incomplete report are shown.
const REASONS: usize = 10;

/// How the table is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// How wide it may be, in columns of the terminal.
    pub width: usize,
    /// Whether it is coloured.
    pub color: Color,
    /// How many rows are shown at most.
    pub rows: usize,
}

impl Look {
    /// What suits standard output: as wide as its terminal, coloured there unless `NO_COLOR` is
    /// set (no-color.org) or the terminal is a dumb one.
    #[must_use]
    pub fn of_stdout(rows: usize) -> Self {
        let out = std::io::stdout();
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let plain = set("NO_COLOR").is_some() || set("TERM").is_some_and(|term| term == "dumb");
        let width = terminal_size_of(&out).map(|(Width(width), _)| usize::from(width));
        Self {
            width: width.unwrap_or(DEFAULT_WIDTH).max(MIN_WIDTH),
            color: if out.is_terminal() && !plain { Color::Yes } else { Color::No },
            rows,
        }
    }
}

/// The report as a table: header, rows, Helm releases, summary, and what could not be found out.
#[must_use]
pub fn render(report: &Report, look: &Look) -> String {
    let paint = Paint::new(look.color);
    let mut out = header(report, paint);
    if !report.images.is_empty() {
        out.push('\n');
        out.push_str(&rows(report, look, paint));
    }
    if !report.helm_releases.is_empty() {
        out.push('\n');
        let releases = releases::releases(&report.helm_releases, look.rows, look.width, paint);
        out.push_str(&releases);
    }
    out.push('\n');
    out.push_str(&totals::totals(report, look, paint));
    out.push_str(&difference::table::section(report, look));
    out
}

/// The report in a few lines: header, summary, and what could not be found out.
#[must_use]
pub fn summary(report: &Report, look: &Look) -> String {
    let paint = Paint::new(look.color);
    let totals = totals::totals(report, look, paint);
    let changes = difference::table::section(report, look);
    format!("{}\n{totals}{changes}", header(report, paint))
}

fn header(report: &Report, paint: Paint) -> String {
    let metadata = &report.metadata;
    let cluster = metadata.cluster_name.as_deref().unwrap_or("(cluster without a name)");
    let state = if metadata.complete {
        paint.on(Tone::Good, "complete")
    } else {
        paint.on(Tone::Bad, "INCOMPLETE")
    };
    let mut out = format!(
        "{} · {} · {state}\n",
        paint.on(Tone::Strong, &shown(cluster)),
        shown(&metadata.generated_at),
    );
    out.push_str(&format!("{}\n", extent(report)));
    for why in metadata.incomplete_why.iter().take(REASONS) {
        out.push_str(&format!("  {} {}\n", paint.on(Tone::Bad, "!"), shown(why)));
    }
    let more = metadata.incomplete_why.len().saturating_sub(REASONS);
    if more > 0 {
        out.push_str(&format!("  … and {more} more reasons\n"));
    }
    out
}

/// How much the report is about. Releases that nobody listed are not said to be none.
fn extent(report: &Report) -> String {
    let summary = &report.summary;
    // A tally may not say which were asked; whatever runs somewhere was found there.
    let asked = report.metadata.namespaces_scanned.iter();
    let found = report.images.iter().filter_map(|row| row.namespace.as_ref());
    let namespaces: BTreeSet<&String> = asked.chain(found).collect();
    let mut out = format!(
        "{} of {} in {}",
        text::many(summary.total_images, "use"),
        text::many(summary.unique_images, "image"),
        text::many(namespaces.len() as u64, "namespace"),
    );
    let listed = report.stages.iter().any(|tally| tally.stage == "pc-helm");
    if listed || summary.total_helm_releases > 0 {
        out.push_str(&format!(" · {}", text::many(summary.total_helm_releases, "Helm release")));
    }
    out
}

/// The rows, by namespace; of too many those that need a person most.
fn rows(report: &Report, look: &Look, paint: Paint) -> String {
    let shown = concern::gravest(&report.images, look.rows);
    let uses = Uses::of(&report.images);
    let mut out = String::new();
    if !shown.is_empty() {
        out.push_str(&uses.table(&shown, look.width, paint));
    }
    let more = report.images.len() - shown.len();
    if more > 0 {
        let note = if shown.is_empty() {
            format!("… {more} rows\n")
        } else {
            format!("… and {more} more, none of them graver than these\n")
        };
        out.push_str(&paint.on(Tone::Faint, &note));
    }
    out.push_str(&legend(&shown, paint));
    out
}

/// What the marks mean that were used.
fn legend(rows: &[&Row], paint: Paint) -> String {
    let marks = [
        (
            rows.iter().any(|row| cells::is_from_tag(row)),
            format!("{} the tag's digest; which one runs is not proven", cells::FROM_TAG),
        ),
        (
            rows.iter().any(|row| row.present == Some(false)),
            format!("{} the repository no longer has this manifest", cells::GONE),
        ),
        (
            rows.iter().any(|row| row.presence_is_open()),
            format!(
                "{} whether the repository still has this manifest could not be checked",
                cells::PRESENCE_OPEN
            ),
        ),
    ];
    let used = marks.into_iter().filter(|(used, _)| *used);
    used.map(|(_, text)| paint.on(Tone::Faint, &text) + "\n").collect()
}
