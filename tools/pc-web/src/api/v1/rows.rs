//! The objects, made from the index.

use jiff::Timestamp;
use pc_store::names::ReportName;
use records::{Failure, Verdict};
use report::difference::{Change, Difference};
use report::{Completeness, DriftState, HelmRelease, UpdateState};
use serde_json::{Value, json};

use super::Flat;
use crate::library::{Line, Open, State, TextError, Volume};
use crate::view::{self, Grouping, Query};

/// An object from `json!`.
fn flat(value: Value) -> Flat {
    match value {
        Value::Object(map) => map,
        _ => Flat::new(),
    }
}

/// 1, 0, or null where it is not known.
fn number(is: Option<bool>) -> Value {
    is.map_or(Value::Null, |is| u8::from(is).into())
}

fn milliseconds(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// The counts of a report.
pub(crate) fn summary(name: ReportName, volume: &Volume) -> Flat {
    let head = &volume.head;
    let mut row = flat(json!({
        "report": name.to_string(),
        "cluster": head.cluster,
        "generatedAt": head.generated_at.to_string(),
        "generatedAtMs": milliseconds(head.generated_at),
        "complete": u8::from(head.completeness == Completeness::Complete),
        "sizeBytes": volume.size,
        "sha256": volume.digest.hex(),
        "rows": head.rows,
    }));
    spread(&mut row, "", &head.summary);
    row
}

/// Puts a tree of counts into one level: `signature.absent` becomes `signatureAbsent`.
fn spread(row: &mut Flat, prefix: &str, tree: &Flat) {
    for (name, value) in tree {
        let name =
            if prefix.is_empty() { name.clone() } else { format!("{prefix}{}", capital(name)) };
        match value {
            Value::Object(tree) => spread(row, &name, tree),
            value => {
                row.insert(name, value.clone());
            }
        }
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// Every use of an image that the question is about, the first `most` of them.
pub(crate) fn images(volume: &Volume, query: &Query, most: usize) -> Vec<Flat> {
    let query = query.with(|query| query.grouping = Grouping::Use);
    view::all(volume, &query).iter().take(most).map(|item| image(item.first())).collect()
}

fn image(line: &Line) -> Flat {
    let answers = &line.answers;
    flat(json!({
        "image": line.image,
        "registry": line.registry,
        "repository": line.repository,
        "tag": line.tag,
        "digest": line.digest,
        "index": line.index,
        "manifest": line.manifest,
        "namespace": line.namespace,
        "workloadKind": line.workload_kind,
        "workload": line.workload,
        "container": line.container,
        "containerType": line.container_type,
        "platform": line.platform,
        "state": state(line.state),
        "pods": line.pods,
        "pinned": u8::from(answers.pinned),
        "present": number(line.present),
        "signature": answers.signature,
        "signed": number(answers.signature.is_there()),
        "trusted": number(known(answers.signature).map(|verdict| verdict == Verdict::Trusted)),
        "provenance": answers.provenance,
        "hasProvenance": number(answers.provenance.is_there()),
        "slsaLevel": line.level,
        "sbom": answers.sbom,
        "hasSbom": number(answers.sbom.is_there()),
        "drift": answers.drift,
        "moved": number(moved(answers.drift)),
        "update": answers.update,
        "updateAvailable": number(answers.update.is_available()),
        "latestInMajor": line.latest_in_major,
        "newestAvailable": line.newest,
        "unchecked": u8::from(answers.are_open()),
    }))
}

/// A verdict that is an answer.
fn known(verdict: Verdict) -> Option<Verdict> {
    Some(verdict).filter(|verdict| !matches!(verdict, Verdict::Unknown | Verdict::Skipped))
}

fn state(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::Pending => "pending",
        State::Idle => "idle",
    }
}

fn moved(drift: Option<DriftState>) -> Option<bool> {
    match drift? {
        DriftState::Moved => Some(true),
        DriftState::Same | DriftState::Pinned => Some(false),
        DriftState::Unknown | DriftState::Skipped => None,
    }
}

/// Every change of a difference, the gravest first.
pub(crate) fn changes(difference: &Difference) -> Vec<Flat> {
    difference.changes.iter().map(|change| self::change(difference, change)).collect()
}

fn change(difference: &Difference, change: &Change) -> Flat {
    let subject = &change.subject;
    flat(json!({
        "from": difference.older.generated_at,
        "to": difference.newer.generated_at,
        "code": change.code,
        "severity": change.severity.as_str(),
        "namespace": subject.namespace,
        "releaseName": subject.release_name,
        "repository": subject.repository,
        "image": subject.image,
        "digest": subject.digest,
        "about": subject.about,
        "before": change.before.join(", "),
        "after": change.after.join(", "),
        "reason": change.reason,
        "uses": change.uses,
    }))
}

/// Every Helm release.
pub(crate) fn releases(volume: &Volume) -> Vec<Flat> {
    volume.releases.iter().map(release).collect()
}

fn release(release: &HelmRelease) -> Flat {
    let update = &release.update;
    let deployed = release.last_deployed.as_deref().and_then(|time| time.parse().ok());
    flat(json!({
        "namespace": release.namespace,
        "releaseName": release.release_name,
        "chart": release.chart,
        "version": release.version,
        "appVersion": release.app_version,
        "revision": release.revision,
        "status": release.status,
        "deployed": u8::from(release.status == "deployed"),
        "deprecated": u8::from(release.deprecated),
        "lastDeployed": release.last_deployed,
        "lastDeployedMs": deployed.map(milliseconds),
        "origin": release.origin.kind,
        "originUrl": release.origin.url,
        "update": update.status,
        "updateAvailable": number(update.update_available),
        "latestInMajor": update.latest_in_major,
        "newestAvailable": update.newest_available,
        "reason": update.reason,
        "images": release.images.len(),
    }))
}

/// Counts of uses by namespace, sorted by name; those that were asked and run nothing too.
pub(crate) fn namespaces(volume: &Volume) -> Vec<Flat> {
    #[derive(Default)]
    struct Counts {
        uses: u64,
        trusted: u64,
        unsigned: u64,
        invalid: u64,
        unknown: u64,
        moved: u64,
        updates: u64,
        unchecked: u64,
    }
    let mut names: std::collections::BTreeMap<&str, Counts> = std::collections::BTreeMap::new();
    for name in &volume.namespaces_scanned {
        names.entry(name).or_default();
    }
    for one in &volume.uses {
        let Some(name) = one.line.namespace.as_deref() else { continue };
        let (counts, answers) = (names.entry(name).or_default(), &one.line.answers);
        counts.uses += 1;
        counts.trusted += u64::from(answers.signature == Verdict::Trusted);
        counts.unsigned += u64::from(answers.signature == Verdict::Absent);
        counts.invalid += u64::from(answers.signature == Verdict::Invalid);
        counts.unknown += u64::from(answers.signature == Verdict::Unknown);
        counts.moved += u64::from(answers.drift == Some(DriftState::Moved));
        counts.updates += u64::from(answers.update == UpdateState::Available);
        counts.unchecked += u64::from(answers.are_open());
    }
    let row = |(name, counts): (&str, Counts)| {
        flat(json!({
            "namespace": name,
            "uses": counts.uses,
            "signatureTrusted": counts.trusted,
            "signatureAbsent": counts.unsigned,
            "signatureInvalid": counts.invalid,
            "signatureUnknown": counts.unknown,
            "moved": counts.moved,
            "updateAvailable": counts.updates,
            "unchecked": counts.unchecked,
        }))
    };
    names.into_iter().map(row).collect()
}

/// What could not be found out: the first `most`, from the report's file.
pub(crate) fn failures(volume: &Volume, open: &Open, most: usize) -> Result<Vec<Flat>, TextError> {
    volume.failures.iter().take(most).map(|at| Ok(failure(&open.part(*at)?))).collect()
}

fn failure(failure: &Failure) -> Flat {
    let code = records::FailureCode::ALL.into_iter().find(|code| code.as_str() == failure.code);
    flat(json!({
        "stage": failure.stage,
        "code": failure.code,
        "message": failure.message,
        "remedy": code.map(records::FailureCode::remedy),
        "retryable": u8::from(failure.retryable),
        "host": failure.host,
        "status": failure.status,
        "about": failure.about.join(","),
        "image": failure.image.as_ref(),
        "repository": failure.repository.as_ref(),
        "namespace": failure.namespace.as_ref(),
        "releaseName": failure.release_name.as_ref(),
    }))
}
