//! What is said to people: where a report lies, what was removed, and what is not as it should be.

pub(crate) mod proof;

use std::fmt::Write as _;
use std::io::Write as _;

use jiff::{SignedDuration, Timestamp};
use records::duration::Span;
use records::text::{clean, shown};
use report::Completeness;

use crate::cli::StoreArgs;
use crate::document::Document;
use crate::history::{self, Entry};
use crate::names::{LATEST, ReportName};
use stage::exit::chain;

use crate::keep::Kept;
use crate::latest::Latest;
use crate::place::Place;
use crate::prune::Pruned;
use crate::retention::{LEAST_GAP, TOLERANCE, is_future};

/// How many rows of a report are printed.
pub(crate) const ROWS: usize = 200;

/// How many reasons, names or errors of one kind are said.
const FEW: usize = 5;

/// Writes to standard error. When that is closed there is nobody left to tell.
pub(crate) fn to_stderr(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Where a report lies, with its size and hash, and what else became of the store.
pub(crate) fn stored(
    place: &dyn Place,
    document: &Document,
    kept: &Kept,
    pruned: Option<&Pruned>,
    args: &StoreArgs,
) -> String {
    let mut text = String::new();
    if let Completeness::Incomplete(_) = document.head.completeness {
        let _ = writeln!(text, "INCOMPLETE: not everything that runs is in this report.");
    }
    let _ = writeln!(
        text,
        "Stored: {}  {} bytes  {}",
        path(place, kept.name),
        document.bytes.len(),
        document.digest
    );
    let _ = match kept.latest {
        Latest::This => writeln!(text, "Latest: {LATEST} is this report."),
        Latest::Stays(time) => writeln!(text, "Latest: {LATEST} stays the report of {time}."),
        Latest::Other(name) => writeln!(text, "Latest: {LATEST} is {name}."),
    };
    if let Some(pruned) = pruned {
        let _ = writeln!(
            text,
            "Kept: {}, retention {}, {} removed.",
            reports(pruned.left),
            span(args.report_retention),
            pruned.removed.len()
        );
    }
    text
}

/// Where a report lies. A path is the operator's own; only what steers a terminal is taken out.
pub(crate) fn path(place: &dyn Place, name: ReportName) -> String {
    clean(&place.locate(&name.to_string()), usize::MAX)
}

/// What was removed, or would be.
pub(crate) fn pruned(pruned: &Pruned, keep: Span, dry_run: bool) -> String {
    let mut text = String::new();
    let done = if dry_run { "would remove" } else { "removed" };
    for name in &pruned.removed {
        let _ = writeln!(text, "{done} {name}");
    }
    let _ = write!(
        text,
        "{done} {}, {} left, retention {}",
        reports(pruned.removed.len()),
        pruned.left,
        span(keep)
    );
    let _ = match pruned.reference {
        Some(reference) => writeln!(text, ", counted back from {reference}"),
        None => writeln!(text, ", and no report to count it from"),
    };
    text
}

/// Says loudly what is wrong with a report that was stored all the same.
pub(crate) fn warn_of_report(place: &dyn Place, document: &Document, kept: &Kept, now: Timestamp) {
    let time = document.head.generated_at;
    if let Completeness::Incomplete(reasons) = &document.head.completeness {
        tracing::warn!("the report is not complete: {}", few(reasons.iter().map(|why| shown(why))));
    }
    if is_future(time, now) {
        tracing::warn!(
            "the report is of {time}, {:#} later than this machine's clock ({now}): one of the two clocks is wrong; no report's age is counted from it; {}",
            now.duration_until(time),
            mend(&[kept.name])
        );
    }
    let Latest::Stays(latest) = kept.latest else {
        return;
    };
    if is_future(latest, now) {
        tracing::warn!(
            "`{LATEST}` stays the report of {latest}, later than this machine's clock ({now}), and no report becomes the latest until then; {}",
            mend(&named(place, latest))
        );
    } else {
        tracing::warn!("`{LATEST}` stays the report of {latest}: the one stored is of {time}");
    }
}

/// Says which of the reports in a list are later than the clock.
pub(crate) fn warn_of_future(entries: &[Entry], now: Timestamp) {
    let future = entries.iter().filter(|entry| is_future(entry.name.time(), now));
    let names: Vec<ReportName> = future.map(|entry| entry.name).collect();
    if !names.is_empty() {
        tracing::warn!("{}", later(&names, now));
    }
}

/// Which reports are later than the clock, and what to do about it.
fn later(names: &[ReportName], now: Timestamp) -> String {
    format!(
        "{} later than this machine's clock ({now}) by more than {TOLERANCE:#}: kept, and no age is counted from there: {}; {}",
        reports(names.len()),
        few(names.iter().map(ReportName::to_string)),
        mend(names)
    )
}

/// How a store is mended that holds reports of a wrong time. Which of the clocks was wrong is for
/// people to say, so nothing is removed here.
fn mend(names: &[ReportName]) -> String {
    let how = match names {
        [] => format!("remove `{LATEST}` by hand: the next run makes the newest of the others"),
        names if names.len() > FEW => {
            "`pc-store remove` with their names makes the newest of the others".to_owned()
        }
        names => {
            let names: Vec<String> = names.iter().map(ReportName::to_string).collect();
            format!("`pc-store remove {}` makes the newest of the others", names.join(" "))
        }
    };
    format!("if that time is wrong, {how} the latest")
}

/// The reports under the name of a time.
fn named(place: &dyn Place, time: Timestamp) -> Vec<ReportName> {
    // A store that cannot be listed is told about elsewhere.
    let names = history::names(place).unwrap_or_default();
    names.into_iter().filter(|name| name.fits(time)).collect()
}

/// Says why reports that look too old are still there.
pub(crate) fn warn_of_pruning(pruned: &Pruned, now: Timestamp) {
    if !pruned.held.is_empty() {
        tracing::warn!(
            "{} older than the retention not removed: before a gap of more than {} days, which a wrong clock can make; `pc-store prune --past-gap` removes what lies before it",
            reports(pruned.held.len()),
            LEAST_GAP.as_secs() / (24 * 60 * 60)
        );
    }
    if !pruned.future.is_empty() {
        tracing::warn!("{}", later(&pruned.future, now));
    }
    if !pruned.foreign.is_empty() {
        tracing::warn!(
            "left alone, by name too old: {}",
            few(pruned.foreign.iter().map(|unfit| chain(unfit)))
        );
    }
    for error in pruned.failed.iter().take(FEW) {
        tracing::warn!("an old report was not removed: {}", chain(error));
    }
}

/// The first few, and how many more.
fn few(texts: impl ExactSizeIterator<Item = String>) -> String {
    let more = texts.len().saturating_sub(FEW);
    let mut text = texts.take(FEW).collect::<Vec<_>>().join("; ");
    if more > 0 {
        let _ = write!(text, "; and {more} more");
    }
    text
}

fn reports(count: usize) -> String {
    match count {
        1 => "1 report".to_owned(),
        count => format!("{count} reports"),
    }
}

fn span(span: Span) -> String {
    match span {
        Span::Forever => "for ever".to_owned(),
        Span::For(time) => SignedDuration::try_from(time)
            .map_or_else(|_| format!("{} s", time.as_secs()), |time| format!("{time:#}")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn few_are_said_and_the_rest_counted() {
        let words = |count: usize| few((0..count).map(|n| n.to_string()));
        assert_eq!(words(2), "0; 1");
        assert_eq!(words(7), "0; 1; 2; 3; 4; and 2 more");
    }

    #[test]
    fn a_span_reads_as_it_is_written() {
        assert_eq!(span(Span::Forever), "for ever");
        assert_eq!(span(Span::For(Duration::from_secs(168 * 3600))), "168h");
        assert_eq!(span(Span::For(Duration::MAX)), format!("{} s", u64::MAX));
    }
}
