//! The report as a whole, and what it says about itself.

use records::{Failure, Runtime, Tally, Update};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::difference::{Change, Compared};
use crate::{Evidence, HelmRelease, Row, Summary};

/// The version of the report's form that is written here: `major.minor`.
///
/// A new minor version adds fields; a new major version changes what a field means, or drops one.
pub const SCHEMA_VERSION: &str = "1.0";

/// A report: everything that one run found out about one cluster.
///
/// Rows and evidence never nest: a row names its evidence by `repository`, `index` and `manifest`,
/// so that a thousand uses of one image carry its evidence once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The version of this form: `major.minor`. A newer minor version only adds fields.
    pub schema_version: String,
    /// When, by what and about what this report was made, and whether it is whole.
    pub metadata: Metadata,
    /// Everything that runs, one row each, sorted by namespace, workload, containerType, container,
    /// image, imageId and platform.
    pub images: Vec<Row>,
    /// What proves where the images came from, each manifest once, in full; sorted by repository,
    /// index and manifest.
    pub evidence: Vec<Evidence>,
    /// The answers about newer versions in full, each image or release once per rule.
    #[serde(default)]
    pub updates: Vec<Update>,
    /// On what each container runs, and what constrains its pods.
    ///
    /// Not in the rows: its subject is the container, of which a roll-out has several rows, and
    /// its counts would be told once in each.
    #[serde(default)]
    pub runtimes: Vec<Runtime>,
    /// The Helm releases, sorted by namespace and name.
    pub helm_releases: Vec<HelmRelease>,
    /// What could not be found out, and why.
    pub failures: Vec<Failure>,
    /// What each stage of the pipeline did, in the order of the pipeline.
    pub stages: Vec<Tally>,
    /// Counts over all of the above.
    pub summary: Summary,
    /// What changed since `metadata.previous`, the gravest first; null where nothing was compared,
    /// which is not the same as no change.
    #[serde(default)]
    pub changes: Option<Vec<Change>>,
    /// Records of types that are not known here, as they came, keys sorted.
    #[serde(default)]
    pub other: Vec<Map<String, Value>>,
}

/// When, by what and about what a report was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// When the report was made: RFC 3339, UTC.
    #[schemars(extend("format" = "date-time"))]
    pub generated_at: String,
    /// The version of the tool that made it.
    pub collector_version: String,
    /// The cluster's name; null where none was given.
    pub cluster_name: Option<String>,
    /// The namespaces that were asked, sorted, those without an image too.
    pub namespaces_scanned: Vec<String>,
    /// Whether every record that the stages wrote is in this report.
    pub complete: bool,
    /// Why it is not, one reason each; empty when it is.
    pub incomplete_why: Vec<String>,
    /// How many records of unknown types were left out of `other`, which is bounded.
    #[serde(default)]
    pub other_dropped: u64,
    /// The report that this one was compared with; null where `changes` is.
    #[serde(default)]
    pub previous: Option<Compared>,
    /// Why this report was compared with none, a stable word in front: `not-asked`, `first` (there
    /// is no earlier report), `unreadable`, `other-cluster`; null where it was compared, and in reports
    /// from before there were comparisons.
    #[serde(default)]
    pub not_compared: Option<String>,
}
