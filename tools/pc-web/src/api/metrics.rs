//! `/metrics`: gauges over the newest report of each cluster, for Prometheus.
//!
//! Names and rules: Prometheus text format 0.0.4, OpenMetrics naming. No digest, pod or free text
//! is a label, so that the number of series grows with namespaces alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use records::Verdict;
use report::{Completeness, DriftState, UpdateState};

use super::error::ApiError;
use super::library;
use crate::app::App;
use crate::library::{Library, Reach, State as Runs, Volume};

pub(crate) async fn page(State(app): State<App>) -> Result<Response, ApiError> {
    let library = library(&app)?;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text(&library)).into_response())
}

/// The newest report of each cluster, by the cluster's name.
fn newest(library: &Library) -> BTreeMap<&str, &Volume> {
    let mut newest = BTreeMap::new();
    for (_, volume) in library.reports(None) {
        newest.entry(volume.head.cluster.as_deref().unwrap_or_default()).or_insert(&**volume);
    }
    newest
}

fn text(library: &Library) -> String {
    let mut out = Families::default();
    let newest = newest(library);
    out.family("provenance_build_info", "The version of this server; always 1.");
    out.value(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    out.family("provenance_last_report_timestamp_seconds", "When the newest report was made.");
    for (cluster, volume) in &newest {
        out.value(&[("cluster", cluster)], volume.head.generated_at.as_second());
    }
    out.family("provenance_last_report_size_bytes", "How large the newest report is.");
    for (cluster, volume) in &newest {
        out.value(&[("cluster", cluster)], volume.size);
    }
    out.family("provenance_report_complete", "Whether the newest report is complete.");
    for (cluster, volume) in &newest {
        let complete = volume.head.completeness == Completeness::Complete;
        out.value(&[("cluster", cluster)], u8::from(complete));
    }
    out.family("provenance_store_readable", "Whether the store could be read the last time.");
    out.value(&[], u8::from(library.reach == Reach::Read));
    out.family("provenance_stored_reports", "How many reports the store has.");
    out.value(&[], library.reports(None).count());
    out.family(
        "provenance_unreadable_reports",
        "How many files have a report's name and cannot be shown.",
    );
    out.value(&[], library.shelf.iter().filter(|shelved| shelved.volume.is_err()).count());
    images(&mut out, &newest);
    results(&mut out, &newest);
    coverage(&mut out, &newest);
    out.text
}

fn images(out: &mut Families, newest: &BTreeMap<&str, &Volume>) {
    out.family("provenance_images", "Uses of images in the newest report.");
    for (cluster, volume) in newest {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for one in &volume.uses {
            *counts.entry(one.line.namespace.as_deref().unwrap_or_default()).or_default() += 1;
        }
        for (namespace, count) in counts {
            out.value(&[("cluster", cluster), ("namespace", namespace)], count);
        }
    }
    out.family("provenance_unique_digests", "Distinct digests that run.");
    for (cluster, volume) in newest {
        let mut digests: Vec<_> = volume
            .uses
            .iter()
            .filter(|one| one.line.state == Runs::Running)
            .filter_map(|one| one.line.digest.as_ref())
            .collect();
        digests.sort_unstable();
        digests.dedup();
        out.value(&[("cluster", cluster)], digests.len());
    }
}

/// What a check says, in PolicyReport's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Pass,
    Fail,
    Warn,
    Error,
    Skip,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Skip => "skip",
        }
    }

    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Trusted | Verdict::Valid => Self::Pass,
            Verdict::Present | Verdict::Absent => Self::Warn,
            Verdict::Invalid => Self::Fail,
            Verdict::Unknown => Self::Error,
            Verdict::Skipped => Self::Skip,
        }
    }

    fn of_drift(drift: Option<DriftState>) -> Self {
        match drift {
            Some(DriftState::Same | DriftState::Pinned) => Self::Pass,
            Some(DriftState::Moved) => Self::Warn,
            Some(DriftState::Unknown) => Self::Error,
            Some(DriftState::Skipped) | None => Self::Skip,
        }
    }

    fn of_update(update: UpdateState) -> Self {
        match update {
            UpdateState::Current => Self::Pass,
            UpdateState::Available => Self::Warn,
            UpdateState::Unknown => Self::Error,
            UpdateState::NotComparable | UpdateState::Ignored | UpdateState::Skipped => Self::Skip,
        }
    }
}

fn results(out: &mut Families, newest: &BTreeMap<&str, &Volume>) {
    out.family("provenance_check_results", "Uses and releases by check and result.");
    for (cluster, volume) in newest {
        let mut counts: BTreeMap<(&str, &str, Outcome), u64> = BTreeMap::new();
        for one in &volume.uses {
            let namespace = one.line.namespace.as_deref().unwrap_or_default();
            let answers = &one.line.answers;
            for (check, outcome) in [
                ("signature", Outcome::of(answers.signature)),
                ("provenance", Outcome::of(answers.provenance)),
                ("sbom", Outcome::of(answers.sbom)),
                ("drift", Outcome::of_drift(answers.drift)),
                ("update", Outcome::of_update(answers.update)),
            ] {
                *counts.entry((namespace, check, outcome)).or_default() += 1;
            }
        }
        for release in &volume.releases {
            let outcome = Outcome::of_update(release.update.status);
            *counts.entry((&release.namespace, "chart_update", outcome)).or_default() += 1;
        }
        for ((namespace, check, outcome), count) in counts {
            let labels = [
                ("cluster", *cluster),
                ("namespace", namespace),
                ("check", check),
                ("result", outcome.word()),
            ];
            out.value(&labels, count);
        }
    }
}

fn coverage(out: &mut Families, newest: &BTreeMap<&str, &Volume>) {
    const CHECKS: [&str; 7] =
        ["digest", "present", "drift", "signature", "provenance", "sbom", "update"];
    out.family(
        "provenance_audit_coverage_ratio",
        "How much of what runs has a definite answer, from 0 to 1.",
    );
    for (cluster, volume) in newest {
        for check in CHECKS {
            let ratio = volume
                .head
                .summary
                .get("coverage")
                .and_then(|all| all.get(check)?.get("ratio")?.as_f64());
            // Where nothing runs there is no share.
            if let Some(ratio) = ratio {
                out.value(&[("cluster", cluster), ("check", check)], ratio);
            }
        }
    }
}

/// Metric families as text.
#[derive(Debug, Default)]
struct Families {
    text: String,
    name: &'static str,
}

impl Families {
    fn family(&mut self, name: &'static str, help: &str) {
        self.name = name;
        // Writing to a String cannot fail, here and below.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
    }

    fn value(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.text.push_str(self.name);
        for (at, (name, text)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{before}{name}=\"{}\"", escaped(text));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }
}

/// A label's value as the text format wants it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
