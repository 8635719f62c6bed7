//! Helm releases: the `release` record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Record;

/// Where a chart came from, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// `flux-oci`, `flux-helm`, `argo-cd`, `k3s`, `configuration` or `unknown`.
    pub kind: String,
    /// The chart repository, `oci://…` or `https://…`; null when unknown.
    pub url: Option<String>,
    /// The chain of objects or the setting that says so.
    pub how: String,
}

/// `release`: one Helm release. Subject: namespace, releaseName.
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
    /// RFC 3339.
    pub first_deployed: Option<String>,
    /// RFC 3339.
    pub last_deployed: Option<String>,
    /// How many revisions are kept.
    pub revisions: u64,
    /// Helm's description of the last action.
    #[serde(default)]
    pub description: Option<String>,
    /// The images that the release's manifest names.
    pub images: Vec<String>,
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
