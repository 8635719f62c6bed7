//! SARIF 2.1.0 (OASIS): one run; a result for each answer that somebody should look at.
//!
//! What could not be checked has kind `open` and level `note`. Section 3.27.10 of the standard
//! wants the level `none` for every kind but `fail`; a reader that looks at levels alone would then
//! hide such a result, and what is open must be seen. What was not asked has no result: a
//! notification of the invocation says which checks that are.

use std::cmp::Reverse;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{HelmRelease, Report, Row};

use super::judge::{self, Judged};
use super::vocabulary::{Check, Outcome, Severity};
use super::{Source, json, view};

/// How many results are written, the gravest first: more of a run GitHub does not show ("SARIF
/// support for code scanning": 25,000 are accepted, the top 5,000 included).
const RESULTS: usize = 5_000;

/// Where an answer is: a row or a release, and which of its answers.
type At = (Reverse<Severity>, Outcome, usize, usize);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<R> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [R; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<R> {
    tool: Value,
    invocations: [Value; 1],
    automation_details: Value,
    column_kind: &'static str,
    results: R,
    properties: Value,
}

/// Writes the report as SARIF, and says what was left out.
pub(super) fn write(
    report: &Report,
    source: &Source<'_>,
    out: &mut dyn Write,
) -> io::Result<Vec<String>> {
    let (order, all) = gravest(report);
    let omitted = all - order.len();
    let results = json::Streamed(|| order.iter().filter_map(|at| result(report, at)));
    let run = Run {
        tool: tool(source),
        invocations: [invocation(report)],
        automation_details: json!({
            "id": format!("provenance/{}/", view::shown(cluster(report))),
        }),
        column_kind: "unicodeCodePoints",
        results,
        properties: json!({
            "report": source.digest,
            "reportName": source.name,
            "complete": report.metadata.complete,
            "resultsOmitted": omitted,
        }),
    };
    let schema = "https://json.schemastore.org/sarif-2.1.0.json";
    json::write(&Log { schema, version: "2.1.0", runs: [run] }, 4, out)?;
    Ok(match omitted {
        0 => Vec::new(),
        some => {
            vec![format!("SARIF has the {RESULTS} gravest results; {some} more are in the report")]
        }
    })
}

fn cluster(report: &Report) -> &str {
    report.metadata.cluster_name.as_deref().unwrap_or("cluster")
}

/// Where the gravest answers are, and how many there are that should be looked at. Releases come
/// behind the rows.
fn gravest(report: &Report) -> (Vec<At>, usize) {
    let rows = report.images.iter().map(|row| judge::row(row).collect::<Vec<_>>());
    let releases = report.helm_releases.iter().map(|release| vec![judge::release(release)]);
    let mut order: Vec<At> = Vec::new();
    for (subject, answers) in rows.chain(releases).enumerate() {
        let grave = answers.iter().enumerate().filter(|(_, one)| one.outcome.wants_attention());
        order.extend(grave.map(|(at, one)| (Reverse(one.severity), one.outcome, subject, at)));
    }
    let all = order.len();
    order.sort_unstable();
    order.truncate(RESULTS);
    (order, all)
}

fn result(report: &Report, at: &At) -> Option<Value> {
    let (_, _, subject, answer) = *at;
    match report.images.get(subject) {
        Some(row) => Some(of_row(row, &judge::row(row).nth(answer)?)),
        None => Some(of_release(report.helm_releases.get(subject - report.images.len())?)),
    }
}

fn of_row(row: &Row, judged: &Judged<'_>) -> Value {
    let workload = row.workload.as_ref();
    let policy = judged.policy.map(|policy| format!(" (policy {policy})")).unwrap_or_default();
    let message = format!("{}{policy}: {judged}", row.image);
    let parts = [
        judged.check.as_str(),
        judged.policy.unwrap_or_default(),
        row.namespace.as_deref().unwrap_or_default(),
        workload.map_or("", |workload| &workload.kind),
        workload.map_or("", |workload| &workload.name),
        row.container.as_deref().unwrap_or(&row.image),
    ];
    let path = match workload {
        Some(workload) => {
            let namespace = row.namespace.as_deref().unwrap_or("-");
            vec!["k8s", namespace, &workload.kind, &workload.name]
        }
        None => vec!["images", &row.image],
    };
    let properties = json!({
        "image": view::shown(&row.image),
        "digest": row.digest,
        "platform": row.platform.as_deref().map(view::shown),
        "answer": judged.answer.as_str(),
        "severity": judged.severity.as_str(),
    });
    record(judged, &message, &path, &parts, &view::place(row), &properties)
}

fn of_release(release: &HelmRelease) -> Value {
    let judged = judge::release(release);
    let (namespace, name) = (release.namespace.as_str(), release.release_name.as_str());
    let message = format!("Helm release {namespace}/{name}: {judged}");
    let parts = [judged.check.as_str(), "", namespace, "HelmRelease", name, ""];
    let path = ["k8s", namespace, "HelmRelease", name];
    let properties = json!({
        "chart": release.chart.as_deref().map(view::shown),
        "version": release.version.as_deref().map(view::shown),
        "answer": judged.answer.as_str(),
        "severity": judged.severity.as_str(),
    });
    record(&judged, &message, &path, &parts, &format!("{namespace}/{name}"), &properties)
}

fn record(
    judged: &Judged<'_>,
    message: &str,
    path: &[&str],
    parts: &[&str],
    place: &str,
    properties: &Value,
) -> Value {
    let path: Vec<String> = path.iter().map(|part| segment(part)).collect();
    json!({
        "ruleId": judged.check.as_str(),
        "ruleIndex": Check::ALL.iter().position(|check| *check == judged.check),
        "kind": if judged.outcome == Outcome::Error { "open" } else { "fail" },
        "level": level(judged),
        "message": { "text": view::shown(message) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": path.join("/") },
                "region": { "startLine": 1 },
            },
            "logicalLocations": [{ "fullyQualifiedName": view::shown(place), "kind": "resource" }],
        }],
        "partialFingerprints": { "provenance/v1": fingerprint(parts) },
        "properties": properties,
    })
}

fn level(judged: &Judged<'_>) -> &'static str {
    match (judged.outcome, judged.severity) {
        (Outcome::Error, _) | (_, Severity::Info) => "note",
        (Outcome::Fail, _) => "error",
        _ => "warning",
    }
}

/// The same for the same question about the same place, in every report.
fn fingerprint(parts: &[&str]) -> String {
    hex::encode(Sha256::digest(parts.join("|")))
}

/// A segment of a relative URI (RFC 3986, section 3.3), which is never `.` or `..`.
fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let dots = text.bytes().all(|byte| byte == b'.');
    let encode = |byte: u8| match plain(byte) && !dots {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    match text {
        "" => "-".to_owned(),
        text => text.bytes().map(encode).collect(),
    }
}

fn tool(source: &Source<'_>) -> Value {
    let rules: Vec<Value> = Check::ALL.iter().map(|check| rule(*check)).collect();
    json!({
        "driver": {
            "name": "provenance-collector",
            "version": source.version,
            "semanticVersion": source.version,
            "informationUri": "https://github.com/nebari-dev/provenance-collector",
            "rules": rules,
        }
    })
}

fn rule(check: Check) -> Value {
    json!({
        "id": check.as_str(),
        "name": check.label().replace(' ', ""),
        "shortDescription": { "text": check.label() },
        "fullDescription": { "text": check.meaning() },
        "help": { "text": format!("{} See docs/exports.md of the project.", check.meaning()) },
        "defaultConfiguration": { "level": "warning" },
        "properties": { "tags": ["supply-chain"] },
    })
}

/// The run that made the report: whether it was whole, and what it did not ask.
fn invocation(report: &Report) -> Value {
    let incomplete = report
        .metadata
        .incomplete_why
        .iter()
        .map(|why| json!({ "level": "error", "message": { "text": view::shown(why) } }));
    let skipped = view::not_asked(report).into_iter().map(|check| {
        let text = format!("{}: not asked, so there is no result about it.", check.label());
        json!({ "level": "note", "message": { "text": text },
            "associatedRule": { "id": check.as_str() } })
    });
    let notifications: Vec<Value> = incomplete.chain(skipped).collect();
    json!({
        "executionSuccessful": report.metadata.complete,
        "endTimeUtc": report.metadata.generated_at,
        "toolExecutionNotifications": notifications,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_leads_nowhere_else() {
        assert_eq!(segment("web"), "web");
        assert_eq!(segment(".."), "%2E%2E");
        assert_eq!(segment("a/../b c\u{202e}"), "a%2F..%2Fb%20c%E2%80%AE");
        assert_eq!(segment(""), "-");
    }
}
