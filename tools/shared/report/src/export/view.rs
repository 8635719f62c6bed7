//! What a document for people shows of a report: totals, and what needs attention.

use std::collections::BTreeMap;

use records::text::{MAX_STRING, clean};

use crate::{Coverage, Report, Row, UpdateCounts, VerdictCounts};

use super::judge;
use super::vocabulary::{Check, Outcome, Severity};

/// How many findings a document lists; the rest are counted.
const FINDINGS: usize = 200;

/// A foreign text that may be shown: what steers or hides is replaced.
pub(super) fn shown(text: &str) -> String {
    clean(text, MAX_STRING)
}

/// A check over all images: how much of what runs has a definite answer, and the answers.
pub(super) struct Total {
    pub(super) check: Check,
    /// `None` where the check has none.
    pub(super) coverage: Option<Coverage>,
    /// Images (releases, for their charts) by answer.
    pub(super) counts: Vec<(u64, &'static str)>,
    pub(super) of: u64,
}

/// The totals of every check.
pub(super) fn totals(report: &Report) -> Vec<Total> {
    let (summary, coverage) = (&report.summary, &report.summary.coverage);
    let of = summary.unique_images;
    let verdicts = |check, coverage, counts: &VerdictCounts| Total {
        check,
        coverage: Some(coverage),
        counts: verdicts(counts),
        of,
    };
    vec![
        Total {
            check: Check::Digest,
            coverage: Some(if summary.drift.was_asked() {
                coverage.present
            } else {
                coverage.digest
            }),
            counts: some([
                (summary.pinned, "pinned"),
                (summary.not_present, "no longer in the repository"),
                (summary.unknown.digest, "not proven"),
                (summary.unknown.present, "presence unknown"),
                (summary.pending, "pending"),
                (summary.idle, "idle"),
            ]),
            of,
        },
        Total { check: Check::Drift, coverage: Some(coverage.drift), counts: drift(report), of },
        verdicts(Check::Signature, coverage.signature, &summary.signature),
        verdicts(Check::Provenance, coverage.provenance, &summary.provenance),
        verdicts(Check::Sbom, coverage.sbom, &summary.sbom),
        Total {
            check: Check::Update,
            coverage: Some(coverage.update),
            counts: updates(&summary.updates),
            of,
        },
        Total {
            check: Check::ChartUpdate,
            coverage: None,
            counts: updates(&summary.helm_updates),
            of: summary.total_helm_releases,
        },
    ]
}

fn some<const N: usize>(counts: [(u64, &'static str); N]) -> Vec<(u64, &'static str)> {
    counts.into_iter().filter(|(count, _)| *count > 0).collect()
}

fn drift(report: &Report) -> Vec<(u64, &'static str)> {
    let counts = &report.summary.drift;
    some([
        (counts.moved, "moved"),
        (counts.same, "same"),
        (counts.pinned, "pinned"),
        (counts.unknown, "could not be checked"),
        (counts.skipped, "not asked"),
        (counts.not_running, "not running"),
    ])
}

fn verdicts(counts: &VerdictCounts) -> Vec<(u64, &'static str)> {
    some([
        (counts.invalid, "invalid"),
        (counts.trusted, "trusted"),
        (counts.valid, "valid"),
        (counts.present, "present"),
        (counts.absent, "absent"),
        (counts.unknown, "could not be checked"),
        (counts.skipped, "not asked"),
    ])
}

fn updates(counts: &UpdateCounts) -> Vec<(u64, &'static str)> {
    some([
        (counts.available, "available"),
        (counts.current, "current"),
        (counts.not_comparable, "not comparable"),
        (counts.ignored, "ignored"),
        (counts.unknown, "could not be checked"),
        (counts.skipped, "not asked"),
    ])
}

impl Total {
    /// `6 of 11 (54 %) have a definite answer`; rounded down, so that 100 % is said of all alone.
    pub(super) fn share(&self) -> Option<String> {
        let coverage = self.coverage?;
        let percent = (coverage.definite * 100).checked_div(coverage.of)?;
        Some(format!("{} of {} ({percent} %)", coverage.definite, coverage.of))
    }

    /// `3 trusted, 2 absent`.
    pub(super) fn answers(&self) -> String {
        let parts: Vec<String> =
            self.counts.iter().map(|(count, word)| format!("{count} {word}")).collect();
        parts.join(", ")
    }
}

/// Something that somebody should look at, once for all uses of an image.
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) outcome: Outcome,
    /// What is the matter; foreign text in it is cleaned.
    pub(super) what: String,
    /// The image, or the release; verbatim.
    pub(super) subject: String,
    /// The first place where it runs; verbatim.
    pub(super) place: String,
    /// How many rows it is about.
    pub(super) uses: u64,
}

/// What needs attention, gravest first, and how many findings there are in all.
pub(super) fn attention(report: &Report) -> (Vec<Finding>, usize) {
    let mut findings: BTreeMap<(Check, String, &str), Finding> = BTreeMap::new();
    for row in &report.images {
        for judged in judge::row(row).filter(|judged| judged.outcome.wants_attention()) {
            let what = shown(&judged.to_string());
            let what = match judged.policy {
                Some(policy) => format!("{what} ({})", shown(policy)),
                None => what,
            };
            let finding = findings
                .entry((judged.check, what.clone(), &row.image))
                .or_insert_with(|| Finding::new(&judged, what, &row.image, place(row)));
            finding.uses += 1;
        }
    }
    let mut findings: Vec<Finding> = findings.into_values().collect();
    for release in &report.helm_releases {
        let judged = judge::release(release);
        if judged.outcome.wants_attention() {
            let what = shown(&judged.to_string());
            let place = release.namespace.clone();
            let finding = Finding::new(&judged, what, &release.release_name, place);
            findings.push(Finding { uses: 1, ..finding });
        }
    }
    // Stable: equals stay in the order of checks and images. Among equals a failure comes first.
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.outcome));
    let all = findings.len();
    findings.truncate(FINDINGS);
    (findings, all)
}

impl Finding {
    fn new(judged: &judge::Judged<'_>, what: String, subject: &str, place: String) -> Self {
        Self {
            severity: judged.severity,
            outcome: judged.outcome,
            what,
            subject: subject.to_owned(),
            place,
            uses: 0,
        }
    }
}

/// `namespace/Kind/name/container`.
pub(super) fn place(row: &Row) -> String {
    let workload = row.workload.as_ref();
    let parts = [
        row.namespace.as_deref(),
        workload.map(|workload| workload.kind.as_str()),
        workload.map(|workload| workload.name.as_str()),
        row.container.as_deref(),
    ];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    parts.join("/")
}

/// What could not be found out: how often, by which code, and the first message.
pub(super) fn failures(report: &Report) -> Vec<(u64, &str, &str)> {
    let mut codes: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for failure in &report.failures {
        codes.entry(&failure.code).or_insert((0, &failure.message)).0 += 1;
    }
    let mut codes: Vec<_> =
        codes.into_iter().map(|(code, (count, message))| (count, code, message)).collect();
    codes.sort_by_key(|(count, ..)| std::cmp::Reverse(*count));
    codes
}

/// The verdicts of a row, in words: signature, provenance, bill of materials, drift, update.
pub(super) fn answers(row: &Row) -> [String; 5] {
    let level = match (row.provenance.has_provenance, row.provenance.level) {
        (Some(true), Some(level)) => format!(" L{level}"),
        _ => String::new(),
    };
    let update = &row.update;
    let newer = update.latest_in_major.as_ref().or(update.newest_available.as_ref());
    let newer = newer.filter(|_| update.update_available == Some(true));
    [
        row.signature.verdict.as_str().to_owned(),
        format!("{}{level}", row.provenance.verdict.as_str()),
        row.sbom.verdict.as_str().to_owned(),
        row.drift.as_str().to_owned(),
        match newer {
            Some(newer) => format!("{}: {newer}", update.status.as_str()),
            None => update.status.as_str().to_owned(),
        },
    ]
}

/// The checks that nobody asked for, of nothing at all.
pub(super) fn not_asked(report: &Report) -> Vec<Check> {
    let (summary, of) = (&report.summary, report.summary.unique_images);
    let drift = if summary.drift.was_asked() { 0 } else { of };
    let skipped = [
        (Check::Drift, drift, of),
        (Check::Signature, summary.signature.skipped, of),
        (Check::Provenance, summary.provenance.skipped, of),
        (Check::Sbom, summary.sbom.skipped, of),
        (Check::Update, summary.updates.skipped, of),
        (Check::ChartUpdate, summary.helm_updates.skipped, summary.total_helm_releases),
    ];
    let all = skipped.into_iter().filter(|(_, skipped, of)| *skipped > 0 && skipped == of);
    all.map(|(check, ..)| check).collect()
}
