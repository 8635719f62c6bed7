//! Policy reports of Kubernetes: `PolicyReport` (`wgpolicyk8s.io/v1alpha2`) and `Report`
//! (`openreports.io/v1alpha1`), one for each namespace, as a list that `kubectl apply` takes.
//!
//! The summary counts every answer; the results are those that somebody should look at, the
//! gravest first, up to a bound, because an object of etcd is at most 1.5 MiB. A namespace that
//! was asked and runs nothing has an empty report, so that an old one does not stay.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{HelmRelease, Report, Row};

use super::judge::{self, Judged};
use super::vocabulary::{Check, Outcome};
use super::{Source, json, view};

/// How many results an object has at most.
const RESULTS: usize = 1_000;

/// How large the results of an object may be together, in bytes of JSON.
const BYTES: usize = 900 * 1024;

/// How long a message may be, in characters.
const MESSAGE: usize = 1_000;

/// Which of the two groups of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kinds {
    /// `wgpolicyk8s.io/v1alpha2`.
    PolicyReport,
    /// `openreports.io/v1alpha1`.
    OpenReports,
}

/// What of a report is in one namespace.
#[derive(Default)]
struct Inside<'a> {
    rows: Vec<&'a Row>,
    releases: Vec<&'a HelmRelease>,
}

/// What a result is about.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Row(&'a Row),
    Release(&'a HelmRelease),
}

impl<'a> Subject<'a> {
    fn parts(self) -> (Option<&'a Row>, Option<&'a HelmRelease>) {
        match self {
            Self::Row(row) => (Some(row), None),
            Self::Release(release) => (None, Some(release)),
        }
    }

    fn message(self, judged: &Judged<'_>) -> String {
        match self {
            Self::Row(row) => format!("{}: {judged}", row.image),
            Self::Release(release) => format!("Helm release {}: {judged}", release.release_name),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<I> {
    api_version: &'static str,
    kind: &'static str,
    items: I,
}

/// Writes the report as policy reports, and says what was left out.
pub(super) fn write(
    kinds: Kinds,
    report: &Report,
    source: &Source<'_>,
    out: &mut dyn Write,
) -> io::Result<Vec<String>> {
    let namespaces = by_namespace(report);
    let objects = namespaces.iter().map(|(name, inside)| (*name, inside));
    let writer = Objects { kinds, report, source };
    let omitted = std::cell::RefCell::new(Vec::new());
    let items = json::Streamed(|| {
        objects.clone().map(|(name, inside)| {
            let (object, left_out) = writer.object(name, inside);
            if left_out > 0 {
                omitted.borrow_mut().push(note(name, left_out));
            }
            object
        })
    });
    json::write(&List { api_version: "v1", kind: "List", items }, 4, out)?;
    Ok(omitted.into_inner())
}

fn note(namespace: Option<&str>, left_out: usize) -> String {
    let whose = namespace.map_or_else(
        || "of the cluster".to_owned(),
        |name| format!("of the namespace `{}`", view::shown(name)),
    );
    format!("the policy report {whose} counts {left_out} results that it has no room to list")
}

/// Rows and releases by namespace; `None` is what has none.
fn by_namespace(report: &Report) -> BTreeMap<Option<&str>, Inside<'_>> {
    let mut map: BTreeMap<Option<&str>, Inside<'_>> = BTreeMap::new();
    for name in &report.metadata.namespaces_scanned {
        map.entry(Some(name)).or_default();
    }
    for row in &report.images {
        map.entry(row.namespace.as_deref()).or_default().rows.push(row);
    }
    for release in &report.helm_releases {
        map.entry(Some(&release.namespace)).or_default().releases.push(release);
    }
    map
}

struct Objects<'a> {
    kinds: Kinds,
    report: &'a Report,
    source: &'a Source<'a>,
}

impl Objects<'_> {
    /// The object of a namespace, and how many results it only counts.
    fn object(&self, namespace: Option<&str>, inside: &Inside<'_>) -> (Value, usize) {
        let (results, summary, left_out) = self.results(inside);
        let mut object = json!({
            "apiVersion": self.api_version(),
            "kind": self.kind(namespace),
            "metadata": self.metadata(namespace, left_out),
        });
        if self.kinds == Kinds::OpenReports {
            object["source"] = json!("provenance-collector");
            object["configuration"] = json!({
                "limits": { "maxResults": RESULTS, "statusFilter": ["fail", "warn", "error"] },
            });
        }
        object["summary"] = summary;
        object["results"] = Value::Array(results);
        (object, left_out)
    }

    fn api_version(&self) -> &'static str {
        match self.kinds {
            Kinds::PolicyReport => "wgpolicyk8s.io/v1alpha2",
            Kinds::OpenReports => "openreports.io/v1alpha1",
        }
    }

    fn kind(&self, namespace: Option<&str>) -> &'static str {
        match (self.kinds, namespace) {
            (Kinds::PolicyReport, Some(_)) => "PolicyReport",
            (Kinds::PolicyReport, None) => "ClusterPolicyReport",
            (Kinds::OpenReports, Some(_)) => "Report",
            (Kinds::OpenReports, None) => "ClusterReport",
        }
    }

    fn metadata(&self, namespace: Option<&str>, left_out: usize) -> Value {
        let about = &self.report.metadata;
        let mut metadata = json!({
            "name": "provenance-collector",
            "labels": { "app.kubernetes.io/managed-by": "provenance-collector" },
            "annotations": {
                "provenance.nebari.dev/report": self.source.digest,
                "provenance.nebari.dev/generated-at": about.generated_at,
                "provenance.nebari.dev/complete": about.complete.to_string(),
                "provenance.nebari.dev/results-not-listed": left_out.to_string(),
            },
        });
        if let Some(namespace) = namespace {
            metadata["namespace"] = json!(namespace);
        }
        metadata
    }

    /// The results that are listed, the counts of all, and how many are only counted.
    fn results(&self, inside: &Inside<'_>) -> (Vec<Value>, Value, usize) {
        let mut counts = [0_u64; Outcome::ALL.len()];
        let mut wanted = Vec::new();
        let rows = inside
            .rows
            .iter()
            .flat_map(|row| judge::row(row).map(|judged| (Subject::Row(row), judged)));
        let releases = inside.releases.iter();
        let releases = releases.map(|one| (Subject::Release(one), judge::release(one)));
        for (subject, judged) in rows.chain(releases) {
            counts[judged.outcome as usize] += 1;
            if judged.outcome.wants_attention() {
                wanted.push((subject, judged));
            }
        }
        // Stable: equals stay in the report's order.
        wanted.sort_by_key(|(_, judged)| (Reverse(judged.severity), judged.outcome));
        let mut room = BYTES;
        let listed: Vec<Value> = wanted
            .iter()
            .take(RESULTS)
            .map(|(subject, judged)| self.result(*subject, judged))
            .take_while(|result| {
                let size = result.to_string().len();
                room = room.saturating_sub(size);
                room > 0
            })
            .collect();
        let left_out = wanted.len() - listed.len();
        let summary = Outcome::ALL.iter().zip(counts);
        let summary: Map<String, Value> =
            summary.map(|(outcome, count)| (outcome.as_str().to_owned(), json!(count))).collect();
        (listed, Value::Object(summary), left_out)
    }

    fn result(&self, subject: Subject<'_>, judged: &Judged<'_>) -> Value {
        let (policy, rule) = names(judged);
        let text = records::text::clean(&subject.message(judged), MESSAGE);
        let mut result = json!({
            "source": "provenance-collector",
            "policy": policy,
            "rule": rule,
            "category": "Supply Chain Security",
            "severity": judged.severity.as_str(),
            "result": judged.outcome.as_str(),
            "scored": judged.outcome == Outcome::Fail,
            "message": text,
            "properties": self.properties(subject, judged),
        });
        if let Some(timestamp) = seconds(&self.report.metadata.generated_at) {
            result["timestamp"] = json!({ "seconds": timestamp, "nanos": 0 });
        }
        if let (Some(row), _) = subject.parts()
            && let Some(workload) = &row.workload
        {
            result["resources"] = json!([{
                "apiVersion": workload.api_version,
                "kind": workload.kind,
                "namespace": row.namespace,
                "name": workload.name,
            }]);
        }
        result
    }

    fn properties(&self, subject: Subject<'_>, judged: &Judged<'_>) -> Value {
        let (row, release) = subject.parts();
        let exception = row.into_iter().flat_map(|row| row.policies.iter().flatten());
        let exception = exception.filter(|one| Some(one.policy.as_str()) == judged.policy);
        let exception = exception.filter_map(|one| one.exception.as_deref()).next();
        let name = self.source.name;
        let evidence = match name {
            Some(name) => format!("{name} {}", self.source.digest),
            None => self.source.digest.to_string(),
        };
        let digest = row.and_then(|row| row.digest.as_ref());
        let pairs = [
            ("answer", Some(judged.answer.as_str())),
            ("image", row.map(|row| row.image.as_str())),
            ("digest", digest.map(records::Digest::as_str)),
            ("platform", row.and_then(|row| row.platform.as_deref())),
            ("container", row.and_then(|row| row.container.as_deref())),
            ("release", release.map(|release| release.release_name.as_str())),
            ("chart", release.and_then(|release| release.chart.as_deref())),
            ("exception", exception),
            ("evidence", Some(evidence.as_str())),
        ];
        let pairs = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let pairs: Map<String, Value> =
            pairs.map(|(name, value)| (name.to_owned(), json!(view::shown(value)))).collect();
        Value::Object(pairs)
    }
}

fn seconds(time: &str) -> Option<i64> {
    time.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

/// Policy and rule of an answer.
fn names(judged: &Judged<'_>) -> (&'static str, String) {
    let (policy, rule) = match judged.check {
        Check::Digest => ("digest", "proven"),
        Check::Drift => ("drift", "running-digest"),
        Check::Signature => ("image-signature", "verified"),
        Check::Provenance => ("slsa-provenance", "verified"),
        Check::Sbom => ("sbom", "verified"),
        Check::Update => ("updates", "image-current"),
        Check::ChartUpdate => ("updates", "chart-current"),
        Check::Policy => ("policy", judged.policy.unwrap_or("unnamed")),
    };
    (policy, view::shown(rule))
}
