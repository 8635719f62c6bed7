//! Changes for a person at a terminal: a line each, the gravest first.

use records::text::{clean, shown};

use crate::Report;
use crate::table::grid::{self, Column, Cut, Give, Shrink};
use crate::table::paint::{Cell, Paint, Tone};
use crate::table::{Look, text};

use super::{Change, Compared, Counts, Difference, Place, Severity};

/// The longest text that is looked at, in characters; it is shortened to its column later.
const MAX_TEXT: usize = 400;

/// The difference as a table: which reports, how many changes, and what they are.
#[must_use]
pub fn render(difference: &Difference, look: &Look) -> String {
    let paint = Paint::new(look.color);
    let Difference { older, newer, counts, changes } = difference;
    let mut out = heading(older, newer, paint);
    out.push_str(&format!("{}\n", sum(*counts, paint)));
    if changes.is_empty() {
        return out;
    }
    let listed = &changes[..changes.len().min(look.rows)];
    out.push('\n');
    for line in lines(listed, look.width, paint) {
        out.push_str(&format!("{line}\n"));
    }
    out.push_str(&paint.on(Tone::Faint, &more(changes.len() - listed.len(), "")));
    out
}

/// How many changes are shown below a report.
const FEW: usize = 10;

/// What changed since the report that this one was compared with, for the end of its table; empty
/// where nobody asked for a comparison.
pub(crate) fn section(report: &Report, look: &Look) -> String {
    let paint = Paint::new(look.color);
    let (Some(changes), Some(previous)) = (&report.changes, &report.metadata.previous) else {
        let why = report.metadata.not_compared.as_deref().and_then(|why| why.split_once(": "));
        let why = why.filter(|(word, _)| *word != "not-asked");
        return why.map_or_else(String::new, |(_, why)| {
            format!("\nNot compared: {}\n", clean(why, MAX_TEXT))
        });
    };
    let title = paint.on(Tone::Strong, &format!("Since {}", shown(&previous.generated_at)));
    let mut out = format!("\n{title}  {}\n", sum(Counts::of(changes), paint));
    let few = &changes[..changes.len().min(FEW.min(look.rows))];
    if !few.is_empty() {
        let lines = lines(few, look.width.saturating_sub(2), paint);
        out.extend(lines.iter().map(|line| format!("  {line}\n")));
    }
    out.push_str(&paint.on(Tone::Faint, &more(changes.len() - few.len(), "  ")));
    out
}

/// How many are not shown.
fn more(count: usize, indent: &str) -> String {
    match count {
        0 => String::new(),
        count => format!("{indent}… and {count} more, none of them graver than these\n"),
    }
}

/// `prod · 2026-11-24T06:00:00Z → 2026-11-25T06:00:00Z`.
fn heading(older: &Compared, newer: &Compared, paint: Paint) -> String {
    let name = |report: &Compared| {
        let name = report.cluster_name.as_deref().unwrap_or("(cluster without a name)");
        shown(name)
    };
    let mark = |report: &Compared| {
        let mark = if report.complete { "" } else { " (INCOMPLETE)" };
        format!("{}{}", shown(&report.generated_at), paint.on(Tone::Bad, mark))
    };
    let (from, to) = (mark(older), mark(newer));
    let (a, b) = (name(older), name(newer));
    if a == b {
        return format!("{} · {from} → {to}\n", paint.on(Tone::Strong, &a));
    }
    let (a, b) = (paint.on(Tone::Strong, &a), paint.on(Tone::Strong, &b));
    format!("{a} · {from} → {b} · {to}\n")
}

/// `3 changes: 1 high, 2 info`.
pub(super) fn words(counts: Counts) -> Vec<(Severity, String)> {
    let all = [counts.high, counts.medium, counts.low, counts.info];
    let parts = Severity::ALL.into_iter().zip(all).filter(|(_, count)| *count > 0);
    parts.map(|(severity, count)| (severity, format!("{count} {}", severity.as_str()))).collect()
}

fn sum(counts: Counts, paint: Paint) -> String {
    let total = counts.high + counts.medium + counts.low + counts.info;
    if total == 0 {
        return paint.on(Tone::Good, "no change");
    }
    let parts = words(counts);
    let parts = parts.iter().map(|(severity, text)| paint.on(tone(*severity), text));
    format!("{}: {}", text::many(total, "change"), parts.collect::<Vec<_>>().join(", "))
}

fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::High => Tone::Bad,
        Severity::Medium => Tone::Fair,
        Severity::Low => Tone::New,
        Severity::Info => Tone::Faint,
    }
}

fn lines(changes: &[Change], width: usize, paint: Paint) -> Vec<String> {
    let column = |head, give, cell: fn(&Change) -> Cell| Column {
        head,
        cells: changes.iter().map(cell).collect(),
        give,
    };
    let shrinks = |cut, comfort, least| Give::Width(Shrink { cut, comfort, least });
    let columns = vec![
        column("SEVERITY", Give::Nothing, |change| {
            Cell::new(tone(change.severity), change.severity.as_str())
        }),
        column("CHANGE", Give::Nothing, |change| Cell::new(Tone::Plain, shown(&change.code))),
        column("SUBJECT", shrinks(Cut::Middle, 24, 14), |change| {
            Cell::new(Tone::Strong, subject(change))
        }),
        column("BEFORE → AFTER", shrinks(Cut::End, 22, 12), |change| {
            Cell::new(Tone::Plain, what(change))
        }),
        column("WHERE", Give::All(1), |change| Cell::new(Tone::Faint, place_of(change))),
        column("WHY", shrinks(Cut::End, 18, 6), |change| {
            let why = change.reason.as_deref().map(|why| clean(why, MAX_TEXT));
            Cell::new(Tone::Open, why.unwrap_or_default())
        }),
    ];
    // A column with nothing in it only takes room.
    let columns =
        columns.into_iter().filter(|column| column.cells.iter().any(|cell| !cell.text.is_empty()));
    grid::lines(columns.collect(), 0, width, paint)
}

/// What a change is about, in one text. The check is told where the code does not name it.
pub(super) fn subject(change: &Change) -> String {
    let subject = &change.subject;
    let name = match (&subject.release_name, &subject.image, &subject.repository) {
        (Some(release), ..) => {
            let namespace = subject.namespace.as_deref().unwrap_or("-");
            Some(format!("release {namespace}/{release}"))
        }
        (None, Some(image), _) => Some(image.clone()),
        (None, None, Some(repository)) => Some(repository.clone()),
        (None, None, None) => {
            subject.namespace.as_ref().map(|namespace| format!("namespace {namespace}"))
        }
    };
    let about = subject.about.as_deref().filter(|about| !change.code.starts_with(*about));
    let about = about.filter(|about| name.is_none() || !is_said(&change.code, about));
    let about = about.map(|about| about.strip_prefix("policy ").unwrap_or(about).to_owned());
    let parts: Vec<String> = name.into_iter().chain(about).collect();
    let text = if parts.is_empty() { "the report".to_owned() } else { parts.join(" · ") };
    clean(&text, MAX_TEXT)
}

/// Whether the code says by itself what an answer is about.
fn is_said(code: &str, about: &str) -> bool {
    let said: &[&str] = match about {
        "present" => &["manifest-"],
        "drift" => &["tag-"],
        "provenance" => &["level-"],
        "chart update" => &["chart-update-"],
        "image" | "release" => &["not-covered", "newly-covered"],
        _ => &[],
    };
    said.iter().any(|prefix| code.starts_with(prefix))
}

/// What was and what is: `trusted → absent`.
pub(super) fn what(change: &Change) -> String {
    let side = |words: &[String]| {
        let words: Vec<String> = words.iter().map(|word| short(word)).collect();
        if words.is_empty() { "-".to_owned() } else { words.join(", ") }
    };
    // That an image came or went is said already.
    let is_subject =
        |words: &[String]| words.iter().all(|word| Some(word) == change.subject.image.as_ref());
    if is_subject(&change.before) && is_subject(&change.after) {
        return String::new();
    }
    clean(&format!("{} → {}", side(&change.before), side(&change.after)), MAX_TEXT)
}

/// A digest as people tell them apart: its algorithm and the first twelve digits.
fn short(word: &str) -> String {
    let digest = word.parse::<records::Digest>();
    digest.map_or_else(|_| word.to_owned(), |digest| digest.short().to_owned())
}

/// The first place, and how many more there are.
pub(super) fn place_of(change: &Change) -> String {
    let Some(first) = change.places.first() else {
        return String::new();
    };
    let more = change.uses.saturating_sub(1);
    let more = if more > 0 { format!(" +{more}") } else { String::new() };
    format!("{}{more}", place(first))
}

/// `shop/deploy web` without what is not there.
fn place(place: &Place) -> String {
    let Some(workload) = &place.workload else {
        return "named".to_owned();
    };
    let namespace = place.namespace.as_deref().unwrap_or("-");
    let container = place.container.as_deref().filter(|name| *name != workload.name);
    let container = container.map_or_else(String::new, |name| format!(" ({name})"));
    let kind = workload.kind.to_lowercase();
    clean(&format!("{namespace}/{kind}/{}{container}", workload.name), MAX_TEXT)
}
