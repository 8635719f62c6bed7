//! Metrics: the text format of Prometheus (0.0.4), for node_exporter's textfile collector, and
//! OpenMetrics 1.0.
//!
//! Gauges of one report. No digest, pod, image or free text is a label: namespaces, checks,
//! policies, stages and codes are bounded, and a report's time says how old all of it is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use jiff::Timestamp;
use records::{FailureCode, PolicyResult};

use crate::{Coverage, Report};

use super::vocabulary::{Check, Outcome};
use super::{Source, judge, view};

/// Which of the two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `text/plain; version=0.0.4`.
    Prometheus,
    /// `application/openmetrics-text; version=1.0.0`.
    OpenMetrics,
}

/// Labels of a sample, in order.
type Labels<'a> = Vec<(&'a str, &'a str)>;

/// Writes the report as metrics.
pub(super) fn write(
    dialect: Dialect,
    report: &Report,
    source: &Source<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let cluster = view::shown(report.metadata.cluster_name.as_deref().unwrap_or_default());
    let mut metrics = Metrics { dialect, cluster: &cluster, out };
    metrics.about(report, source)?;
    metrics.totals(report)?;
    metrics.checks(report)?;
    metrics.coverage(report)?;
    metrics.policies(report)?;
    metrics.failures(report)?;
    match dialect {
        Dialect::Prometheus => Ok(()),
        Dialect::OpenMetrics => metrics.out.write_all(b"# EOF\n"),
    }
}

struct Metrics<'a> {
    dialect: Dialect,
    cluster: &'a str,
    out: &'a mut dyn Write,
}

impl Metrics<'_> {
    fn gauge(&mut self, name: &str, help: &str) -> io::Result<()> {
        writeln!(self.out, "# HELP {name} {help}\n# TYPE {name} gauge")
    }

    /// One sample, the cluster its first label.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) -> io::Result<()> {
        write!(self.out, "{name}{{cluster=\"{}\"", escaped(self.cluster))?;
        for (label, text) in labels {
            write!(self.out, ",{label}=\"{}\"", escaped(&view::shown(text)))?;
        }
        writeln!(self.out, "}} {value}")
    }

    /// A family of a single sample.
    fn single(&mut self, name: &str, help: &str, value: f64) -> io::Result<()> {
        self.gauge(name, help)?;
        self.sample(name, &[], value)
    }

    fn about(&mut self, report: &Report, source: &Source<'_>) -> io::Result<()> {
        let metadata = &report.metadata;
        let (family, kind) = match self.dialect {
            Dialect::Prometheus => ("provenance_build_info", "gauge"),
            Dialect::OpenMetrics => ("provenance_build", "info"),
        };
        let version = escaped(source.version);
        writeln!(
            self.out,
            "# HELP {family} The version of the tool that wrote these metrics.\n\
             # TYPE {family} {kind}\nprovenance_build_info{{version=\"{version}\"}} 1",
        )?;
        if let Ok(time) = metadata.generated_at.parse::<Timestamp>() {
            let name = "provenance_last_report_timestamp_seconds";
            #[expect(
                clippy::cast_precision_loss,
                reason = "seconds since 1970 are far below 2^53"
            )]
            self.single(name, "When the report was generated.", time.as_second() as f64)?;
        }
        if let Some(duration) = duration(report) {
            let name = "provenance_last_report_duration_seconds";
            self.single(
                name,
                "From the start of the first stage to the end of the last.",
                duration,
            )?;
        }
        let help = "The size of the report as JSON.";
        self.single("provenance_last_report_size_bytes", help, count(source.size))?;
        let complete = if metadata.complete { 1.0 } else { 0.0 };
        let help = "Whether every fact that the stages found is in the report.";
        self.single("provenance_report_complete", help, complete)
    }

    fn totals(&mut self, report: &Report) -> io::Result<()> {
        let digests: BTreeSet<_> =
            report.images.iter().filter_map(|row| row.digest.as_ref()).collect();
        let help = "Distinct digests of images.";
        self.single("provenance_unique_digests", help, count(digests.len() as u64))?;
        let mut images: BTreeMap<&str, u64> = namespaces(report);
        for row in &report.images {
            *images.entry(row.namespace.as_deref().unwrap_or_default()).or_default() += 1;
        }
        self.gauge("provenance_images", "Uses of images.")?;
        self.by_namespace("provenance_images", &images)?;
        let mut releases: BTreeMap<&str, u64> = BTreeMap::new();
        for release in &report.helm_releases {
            *releases.entry(&release.namespace).or_default() += 1;
        }
        self.gauge("provenance_helm_releases", "Helm releases.")?;
        self.by_namespace("provenance_helm_releases", &releases)
    }

    fn by_namespace(&mut self, name: &str, counts: &BTreeMap<&str, u64>) -> io::Result<()> {
        counts.iter().try_for_each(|(namespace, number)| {
            self.sample(name, &[("namespace", namespace)], count(*number))
        })
    }

    /// Every result of every check that a namespace has answers of, zeros too: a series that comes
    /// and goes is no zero to an alert.
    fn checks(&mut self, report: &Report) -> io::Result<()> {
        let mut counts: BTreeMap<(&str, Check), [u64; Outcome::ALL.len()]> = BTreeMap::new();
        let mut add = |namespace, check, outcome: Outcome| {
            counts.entry((namespace, check)).or_default()[outcome as usize] += 1;
        };
        for row in &report.images {
            let namespace = row.namespace.as_deref().unwrap_or_default();
            judge::row(row).for_each(|judged| add(namespace, judged.check, judged.outcome));
        }
        for release in &report.helm_releases {
            let judged = judge::release(release);
            add(&release.namespace, judged.check, judged.outcome);
        }
        let name = "provenance_check_results";
        self.gauge(
            name,
            "Answers by check and result: error could not be checked, skip was not asked.",
        )?;
        for ((namespace, check), counts) in counts {
            for (outcome, number) in Outcome::ALL.iter().zip(counts) {
                let labels = vec![
                    ("namespace", namespace),
                    ("check", check.as_str()),
                    ("result", outcome.as_str()),
                ];
                self.sample(name, &labels, count(number))?;
            }
        }
        Ok(())
    }

    fn coverage(&mut self, report: &Report) -> io::Result<()> {
        let coverage = &report.summary.coverage;
        let checks: [(&str, Coverage); 7] = [
            ("digest", coverage.digest),
            ("present", coverage.present),
            ("drift", coverage.drift),
            ("signature", coverage.signature),
            ("provenance", coverage.provenance),
            ("sbom", coverage.sbom),
            ("update", coverage.update),
        ];
        let name = "provenance_audit_coverage_ratio";
        self.gauge(name, "The share of what runs that has a definite answer.")?;
        // Nothing runs: there is no share.
        let known = checks.into_iter().filter_map(|(check, one)| Some((check, one.ratio?)));
        known
            .into_iter()
            .try_for_each(|(check, ratio)| self.sample(name, &[("check", check)], ratio))
    }

    fn policies(&mut self, report: &Report) -> io::Result<()> {
        let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for policy in report.images.iter().flat_map(|row| row.policies.iter().flatten()) {
            let (failed, judged) = counts.entry(&policy.policy).or_default();
            match policy.result {
                PolicyResult::Fail => (*failed, *judged) = (*failed + 1, *judged + 1),
                PolicyResult::Pass | PolicyResult::Warn => *judged += 1,
                PolicyResult::Skip | PolicyResult::Unknown => {}
            }
        }
        let name = "provenance_policy_failure_ratio";
        self.gauge(name, "The share of uses that fail a policy, of those that it could judge.")?;
        for (policy, (failed, judged)) in counts.into_iter().filter(|(_, (_, judged))| *judged > 0)
        {
            self.sample(name, &[("policy", policy)], count(failed) / count(judged))?;
        }
        Ok(())
    }

    fn failures(&mut self, report: &Report) -> io::Result<()> {
        let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for failure in &report.failures {
            // Another version's code, or a stranger's, would be a label without bound.
            let known = FailureCode::ALL.iter().map(|code| code.as_str());
            let code = known.into_iter().find(|code| *code == failure.code).unwrap_or("other");
            *counts.entry((stage(&failure.stage), code)).or_default() += 1;
        }
        let name = "provenance_failures";
        self.gauge(name, "What could not be found out, by stage and reason.")?;
        counts.into_iter().try_for_each(|((stage, code), number)| {
            let labels: Labels<'_> = vec![("stage", stage), ("code", code)];
            self.sample(name, &labels, count(number))
        })
    }
}

/// The stages of this project by name; all others together.
fn stage(name: &str) -> &str {
    let known = ["pc-discover", "pc-helm", "pc-digest", "pc-updates", "pc-verify"];
    known.into_iter().find(|one| *one == name).unwrap_or("other")
}

fn namespaces(report: &Report) -> BTreeMap<&str, u64> {
    report.metadata.namespaces_scanned.iter().map(|name| (name.as_str(), 0)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn count(number: u64) -> f64 {
    number as f64
}

/// From the start of the first stage to the end of the last; `None` where a time is missing.
fn duration(report: &Report) -> Option<f64> {
    let times = |of: fn(&records::Tally) -> &str| {
        let times = report.stages.iter().map(|tally| of(tally).parse::<Timestamp>());
        times.collect::<Result<Vec<_>, _>>().ok()
    };
    let start = times(|tally| &tally.started_at)?.into_iter().min()?;
    let end = times(|tally| &tally.ended_at)?.into_iter().max()?;
    Some(end.duration_since(start).as_secs_f64())
}

/// A label's value (Prometheus text format; OpenMetrics is the same here).
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
