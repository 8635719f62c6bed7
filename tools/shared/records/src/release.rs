//! Helm releases: the `release` record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Record;

/// Where a chart came from, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// `flux-oci`, `flux-helm`, `flux-other`, `argo-cd`, `k3s`, `configuration`; `unknown`: nobody
    /// says; `unread`: objects that may say so could not be read; `skipped`: nobody was asked.
    pub kind: String,
    /// `oci://…`: the chart itself, without a tag; `https://…`: the repository whose `index.yaml`
    /// lists it. Null when unknown, and for a chart that is in no chart repository.
    pub url: Option<String>,
    /// The chain of objects or the setting that says so.
    pub how: String,
}

/// The newest revision that is deployed, where a newer one is not: what really runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeployedRevision {
    /// The number of that revision.
    pub revision: u64,
    /// The chart's name; null where the revision could not be read.
    pub chart: Option<String>,
    /// The chart's version.
    pub version: Option<String>,
    /// The version of the application in the chart.
    pub app_version: Option<String>,
    /// RFC 3339.
    pub last_deployed: Option<String>,
    /// The images that its manifest and hooks name.
    pub images: Vec<String>,
    /// How many images were left out.
    #[serde(default)]
    pub dropped: u64,
}

/// `release`: one Helm release, by its newest revision. Subject: namespace, releaseName.
///
/// What only the stored release says is null where that could not be read; a `failure` says why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// The namespace that holds the release.
    pub namespace: String,
    /// The release's name.
    pub release_name: String,
    /// Where Helm keeps it: `secret` or `configmap`.
    pub driver: String,
    /// The chart's name.
    pub chart: Option<String>,
    /// The chart's version.
    pub version: Option<String>,
    /// The version of the application in the chart.
    pub app_version: Option<String>,
    /// The number of this revision.
    pub revision: u64,
    /// Helm's status word, `deployed` for example.
    pub status: String,
    /// Whether the chart calls itself deprecated.
    pub deprecated: bool,
    /// RFC 3339, UTC.
    pub first_deployed: Option<String>,
    /// RFC 3339, UTC.
    pub last_deployed: Option<String>,
    /// How many revisions are kept.
    pub revisions: u64,
    /// Helm's description of the last action.
    #[serde(default)]
    pub description: Option<String>,
    /// The images that the revision's manifest and hooks name.
    pub images: Vec<String>,
    /// The namespace that its objects go to, where it is not the one that holds the release.
    #[serde(default)]
    pub target_namespace: Option<String>,
    /// The newest deployed revision; null where that is this one, and where none is deployed.
    #[serde(default)]
    pub deployed: Option<DeployedRevision>,
    /// Where the chart came from.
    pub origin: Origin,
    /// How many images were left out.
    #[serde(default)]
    pub dropped: u64,
}

impl Record for Release {
    const TYPE: &'static str = "release";
    const VERSION: u32 = 1;
}
