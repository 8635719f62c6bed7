//! What the rows add up to, and what could not be found out.

use std::collections::BTreeMap;

use records::text::clean;
use records::{Failure, Verdict};

use crate::{Coverage, Report, UpdateCounts, VerdictCounts};

use super::Look;
use super::paint::{Paint, Tone};
use super::text;

/// How many cells a full bar has.
const BAR: usize = 10;

/// How much of a failure's message is shown, in characters.
const MAX_MESSAGE: usize = 600;

/// How many failure codes are shown.
const CODES: usize = 6;

/// The width of a line's label.
const LABEL: usize = 12;

/// One line: a label, the coverage where there is one, and counts.
struct Line {
    label: &'static str,
    coverage: Option<Coverage>,
    counts: Vec<(Tone, String)>,
}

/// Summary and failures.
pub(super) fn totals(report: &Report, look: &Look, paint: Paint) -> String {
    let lines = lines(report);
    let widest = lines
        .iter()
        .filter_map(|line| line.coverage)
        .map(|coverage| share(coverage).len())
        .max()
        .unwrap_or_default();
    let mut out = paint.on(Tone::Strong, "Summary");
    let note = "  a bar is the share of what runs that has a definite answer\n";
    out.push_str(&paint.on(Tone::Faint, note));
    for line in &lines {
        out.push_str(&line.render(widest, look.width, paint));
    }
    out.push_str(&paint.on(Tone::Faint, &not_asked(report)));
    out.push_str(&failures(&report.failures, look.width, paint));
    out
}

fn lines(report: &Report) -> Vec<Line> {
    let summary = &report.summary;
    let coverage = &summary.coverage;
    let images = summary.unique_images;
    let check = |label, coverage, counts: &VerdictCounts| Line {
        label,
        coverage: (counts.skipped < images).then_some(coverage),
        counts: verdicts(counts, images),
    };
    vec![
        digest(report),
        drift(report),
        check("signature", coverage.signature, &summary.signature),
        check("provenance", coverage.provenance, &summary.provenance),
        check("sbom", coverage.sbom, &summary.sbom),
        Line {
            label: "update",
            coverage: (summary.updates.skipped < images).then_some(coverage.update),
            counts: updates(&summary.updates, images),
        },
        Line {
            label: "helm charts",
            coverage: None,
            counts: updates(&summary.helm_updates, summary.total_helm_releases),
        },
    ]
    .into_iter()
    .filter(|line| !line.counts.is_empty())
    .collect()
}

/// The checks that nobody asked for.
fn not_asked(report: &Report) -> String {
    let (summary, of) = (&report.summary, report.summary.unique_images);
    let (charts, releases) = (summary.helm_updates.skipped, summary.total_helm_releases);
    let drift = if summary.drift.was_asked() { 0 } else { of };
    let checks = [
        // Presence and drift are one stage's answers.
        ("presence", drift, of),
        ("drift", drift, of),
        ("signature", summary.signature.skipped, of),
        ("provenance", summary.provenance.skipped, of),
        ("sbom", summary.sbom.skipped, of),
        ("update", summary.updates.skipped, of),
        ("helm charts", charts, releases),
    ];
    let skipped = checks.iter().filter(|(_, skipped, of)| *skipped > 0 && skipped == of);
    let labels: Vec<&str> = skipped.map(|(label, ..)| *label).collect();
    if labels.is_empty() {
        return String::new();
    }
    format!("  {}{}\n", text::padded("not asked", LABEL), labels.join(", "))
}

/// `n/m what`, where there is any.
fn part(tone: Tone, count: u64, of: u64, what: &str) -> Option<(Tone, String)> {
    (count > 0).then(|| (tone, format!("{count}/{of} {what}")))
}

const UNKNOWN: &str = "could not be checked";

/// Its bar is about both: which digest runs, and whether the repository still has it, where that
/// was asked.
fn digest(report: &Report) -> Line {
    let summary = &report.summary;
    let coverage = &summary.coverage;
    let coverage = if summary.drift.was_asked() { coverage.present } else { coverage.digest };
    Line { label: "digest", coverage: Some(coverage), counts: digests(report) }
}

fn digests(report: &Report) -> Vec<(Tone, String)> {
    let summary = &report.summary;
    let of = summary.unique_images;
    let parts = [
        part(Tone::Good, summary.pinned, of, "pinned"),
        part(Tone::Bad, summary.not_present, of, "gone"),
        part(Tone::Open, summary.unknown.present, of, "presence unknown"),
        part(Tone::Open, summary.unknown.digest, of, "not proven"),
        part(Tone::Fair, summary.pending, of, "pending"),
        part(Tone::Faint, summary.idle, of, "idle"),
    ];
    let mut parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() && of > 0 {
        parts.push((Tone::Plain, format!("0/{of} pinned")));
    }
    parts
}

fn drift(report: &Report) -> Line {
    let (counts, of) = (&report.summary.drift, report.summary.unique_images);
    if !counts.was_asked() {
        return Line { label: "drift", coverage: None, counts: Vec::new() };
    }
    let parts = [
        part(Tone::Bad, counts.moved, of, "moved"),
        part(Tone::Good, counts.same, of, "same"),
        part(Tone::Good, counts.pinned, of, "pinned"),
        part(Tone::Open, counts.unknown, of, UNKNOWN),
        part(Tone::Faint, counts.not_running, of, "not running"),
    ];
    Line {
        label: "drift",
        coverage: Some(report.summary.coverage.drift),
        counts: parts.into_iter().flatten().collect(),
    }
}

fn verdicts(counts: &VerdictCounts, of: u64) -> Vec<(Tone, String)> {
    let word = |verdict: Verdict| verdict.as_str();
    let parts = [
        part(Tone::Bad, counts.invalid, of, word(Verdict::Invalid)),
        part(Tone::Good, counts.trusted, of, word(Verdict::Trusted)),
        part(Tone::New, counts.valid, of, word(Verdict::Valid)),
        part(Tone::Fair, counts.present, of, word(Verdict::Present)),
        part(Tone::Fair, counts.absent, of, word(Verdict::Absent)),
        part(Tone::Open, counts.unknown, of, UNKNOWN),
    ];
    parts.into_iter().flatten().collect()
}

fn updates(counts: &UpdateCounts, of: u64) -> Vec<(Tone, String)> {
    let parts = [
        part(Tone::New, counts.available, of, "available"),
        part(Tone::Good, counts.current, of, "current"),
        part(Tone::Faint, counts.not_comparable, of, "not comparable"),
        part(Tone::Faint, counts.ignored, of, "ignored"),
        part(Tone::Open, counts.unknown, of, UNKNOWN),
    ];
    parts.into_iter().flatten().collect()
}

fn share(coverage: Coverage) -> String {
    format!("{}/{}", coverage.definite, coverage.of)
}

impl Line {
    fn render(&self, share_width: usize, width: usize, paint: Paint) -> String {
        let mut out = format!("  {}", text::padded(self.label, LABEL));
        match self.coverage {
            Some(coverage) => {
                let tone = bar_tone(coverage);
                out.push_str(&paint.on(tone, &bar(coverage)));
                out.push_str(&format!(
                    " {:>5}  {:>share_width$}",
                    percent(coverage),
                    share(coverage)
                ));
            }
            None => out.push_str(&" ".repeat(BAR + 8 + share_width)),
        }
        let indent = 2 + LABEL + BAR + 8 + share_width + 2;
        out.push_str("  ");
        out.push_str(&wrapped(&self.counts, indent, width, paint));
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }
}

/// Parts behind each other, on further lines where one is full.
fn wrapped(parts: &[(Tone, String)], indent: usize, width: usize, paint: Paint) -> String {
    let mut out = String::new();
    let mut used = indent;
    for (at, (tone, text)) in parts.iter().enumerate() {
        let needed = text::width(text) + 3;
        if at > 0 && used + needed > width {
            out.push_str(&format!("\n{}", " ".repeat(indent)));
            used = indent;
        } else if at > 0 {
            out.push_str(" · ");
        }
        out.push_str(&paint.on(*tone, text));
        used += needed;
    }
    out
}

/// A full bar says all, and an empty one none: what lies between is rounded away from both.
fn bar(coverage: Coverage) -> String {
    let cells = BAR as u64;
    let reached = |cell: &u64| coverage.definite * cells >= cell * coverage.of;
    let full = match coverage.definite {
        0 => 0,
        _ => (1..=cells).filter(reached).count().max(1),
    };
    format!("{}{}", "█".repeat(full), "░".repeat(BAR - full))
}

fn bar_tone(coverage: Coverage) -> Tone {
    match coverage.definite {
        0 => Tone::Bad,
        definite if definite == coverage.of => Tone::Good,
        _ => Tone::Fair,
    }
}

/// Rounded down: 100 % is said of all and nothing less.
fn percent(coverage: Coverage) -> String {
    match (coverage.definite * 100).checked_div(coverage.of) {
        Some(percent) => format!("{percent} %"),
        None => "-".to_owned(),
    }
}

/// The most frequent reasons, each with the first of its messages.
fn failures(failures: &[Failure], width: usize, paint: Paint) -> String {
    let mut codes: BTreeMap<&str, (usize, &Failure)> = BTreeMap::new();
    for failure in failures {
        codes.entry(&failure.code).or_insert((0, failure)).0 += 1;
    }
    if codes.is_empty() {
        return String::new();
    }
    let mut codes: Vec<(usize, &Failure)> = codes.into_values().collect();
    codes.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let more = codes.len().saturating_sub(CODES);
    codes.truncate(CODES);
    let counts = codes.iter().map(|(count, _)| count.to_string().len()).max().unwrap_or_default();
    let names =
        codes.iter().map(|(_, f)| text::width(&clean(&f.code, 24))).max().unwrap_or_default();
    let mut out = format!("\n{}\n", paint.on(Tone::Strong, "Could not be found out"));
    for (count, failure) in codes {
        let code = text::padded(&clean(&failure.code, 24), names);
        let again = if failure.retryable { " (may pass)" } else { "" };
        let indent = counts + names + 6;
        // Whole, over several lines where it must: what would mend it stands at the end.
        let message = format!("{}{again}", clean(&failure.message, MAX_MESSAGE));
        let lines = text::wrapped(&message, width.saturating_sub(indent).max(20));
        let message = lines.join(&format!("\n{}", " ".repeat(indent)));
        out.push_str(&format!("  {count:>counts$}  {}  {message}\n", paint.on(Tone::Open, &code)));
    }
    if more > 0 {
        out.push_str(&format!("  … and {more} more reasons\n"));
    }
    out
}
