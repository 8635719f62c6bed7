//! The difference between two reports: what appeared, went, and became better or worse.
//!
//! The one rule holds here too. An answer that became `unknown` or `skipped` is not lost but
//! `not-checked`, with the reason; what a report did not cover is not gone but `not-covered`, with
//! the reason. Whatever scheduling does by itself (numbers of replicas, pods on other nodes) is no
//! change, and what many containers have in common is one change with all its uses.
//!
//! - `code`: the kinds of changes. - `scope`: what a report covers. - `uses`: images in
//!   containers. - `states`, `verdicts`, `origins`, `updates`, `releases`, `runtimes`: what is said of them.
//! - `gather`: changes of one kind about one subject are one.
//! - [`seen`]: since when digests are known. - [`markdown`] and [`table`]: the changes for people.
//!
//! Time and memory are linear in the rows of both reports; texts are borrowed until the end.

mod code;
mod gather;
pub mod markdown;
mod origins;
mod releases;
mod runtimes;
mod scope;
pub mod seen;
mod states;
pub mod table;
mod updates;
mod uses;
mod verdicts;

use records::{ContainerType, Digest, Workload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Report;

pub use code::{Code, Severity, Wanted, WordError};

use gather::Gather;
use scope::Scopes;

/// How many of the containers are named that have a change in common.
pub const PLACES: usize = 10;

/// What changed from one report to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The report that is compared with.
    pub older: Compared,
    /// The report that is compared.
    pub newer: Compared,
    /// How many changes there are.
    pub counts: Counts,
    /// The changes, the gravest first, then by subject.
    pub changes: Vec<Change>,
}

/// A report in a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// When it was made: RFC 3339, UTC.
    #[schemars(extend("format" = "date-time"))]
    pub generated_at: String,
    /// The cluster's name; null where none was given.
    pub cluster_name: Option<String>,
    /// Whether it is complete.
    pub complete: bool,
    /// The SHA-256 of its bytes, where it was read from bytes.
    pub digest: Option<Digest>,
}

impl Compared {
    /// A report, and the hash of its bytes where they are known.
    #[must_use]
    pub fn of(report: &Report, digest: Option<Digest>) -> Self {
        Self {
            generated_at: report.metadata.generated_at.clone(),
            cluster_name: report.metadata.cluster_name.clone(),
            complete: report.metadata.complete,
            digest,
        }
    }
}

/// Changes by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Of high severity.
    pub high: u64,
    /// Of medium severity.
    pub medium: u64,
    /// Of low severity.
    pub low: u64,
    /// For information.
    pub info: u64,
}

impl Counts {
    /// The counts of a list of changes.
    #[must_use]
    pub fn of(changes: &[Change]) -> Self {
        let count = |severity| changes.iter().filter(|c| c.severity == severity).count() as u64;
        Self {
            high: count(Severity::High),
            medium: count(Severity::Medium),
            low: count(Severity::Low),
            info: count(Severity::Info),
        }
    }
}

/// One change, with everything that has it in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// What kind of change it is, in a stable word: docs/changes.md lists them.
    pub code: String,
    /// How grave it is.
    pub severity: Severity,
    /// What it is about.
    pub subject: ChangeSubject,
    /// What was, sorted; empty where there was nothing.
    pub before: Vec<String>,
    /// What is, sorted; empty where there is nothing.
    pub after: Vec<String>,
    /// Why an answer is missing, or what else has to be known.
    pub reason: Option<String>,
    /// How many containers it is about; 0 where it is about none by itself.
    pub uses: u64,
    /// The first ten of them.
    pub places: Vec<Place>,
}

/// What a change is about; what does not apply is left out.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct ChangeSubject {
    /// A namespace as a whole, or that of the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// A Helm release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_name: Option<String>,
    /// A repository, normalized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// An image reference, verbatim: that in the newer report, where it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What runs, where that is one digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The check, the policy (`policy NAME`) or the kind of fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// A container of a workload.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The namespace; null for an image that was named as an argument.
    pub namespace: Option<String>,
    /// The workload.
    pub workload: Option<Workload>,
    /// In which list of the pod it stands.
    pub container_type: Option<ContainerType>,
    /// The container's name.
    pub container: Option<String>,
}

/// What changed from `older` to `newer`. The same two reports always give the same list.
#[must_use]
pub fn changes(older: &Report, newer: &Report) -> Vec<Change> {
    let mut gather = Gather::default();
    let scopes = Scopes::of(older, newer);
    completeness(older, newer, &mut gather);
    let unseen = (scopes.all_unseen_now(older), scopes.all_unseen_before(newer));
    uses::compare(older, newer, &scopes, &unseen, &mut gather);
    origins::compare(older, newer, &unseen, &mut gather);
    updates::compare(older, newer, &mut gather);
    releases::compare(older, newer, &scopes, &mut gather);
    runtimes::compare(older, newer, &mut gather);
    gather.finish()
}

/// The difference between two reports, with the hashes of their bytes where those are known.
#[must_use]
pub fn difference(
    older: (&Report, Option<Digest>),
    newer: (&Report, Option<Digest>),
) -> Difference {
    let changes = changes(older.0, newer.0);
    Difference {
        older: Compared::of(older.0, older.1),
        newer: Compared::of(newer.0, newer.1),
        counts: Counts::of(&changes),
        changes,
    }
}

fn completeness<'a>(older: &'a Report, newer: &'a Report, gather: &mut Gather<'a>) {
    let (code, report) = match (older.metadata.complete, newer.metadata.complete) {
        (true, false) => (Code::ReportIncomplete, newer),
        (false, true) => (Code::ReportComplete, older),
        _ => return,
    };
    let mut found = gather::Found::new(code);
    found.reason = report.metadata.incomplete_why.first().map(|why| why.as_str().into());
    gather.add(found);
}
