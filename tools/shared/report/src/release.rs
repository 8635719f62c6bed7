//! Helm releases, each with the answer about its chart.

use records::{DeployedRevision, Origin};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::UpdateState;

/// One Helm release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmRelease {
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
    pub description: Option<String>,
    /// The images that the revision's manifest and hooks name.
    pub images: Vec<String>,
    /// The namespace that its objects go to, where it is not the one that holds the release.
    #[serde(default)]
    pub target_namespace: Option<String>,
    /// The newest deployed revision; null where that is this one, and where none is deployed.
    #[serde(default)]
    pub deployed: Option<DeployedRevision>,
    /// How many images were left out.
    pub dropped: u64,
    /// Where the chart came from, and how that is known.
    pub origin: Origin,
    /// Whether a newer chart is there.
    pub update: ReleaseUpdate,
}

/// The answer about newer versions of a release's chart, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseUpdate {
    /// The answer in one word.
    pub status: UpdateState,
    /// The chart version that is used now.
    pub current: Option<String>,
    /// The newest of the same major version.
    pub latest_in_major: Option<String>,
    /// The newest of all.
    pub newest: Option<String>,
    /// As `current`, under the name that images have for it.
    pub current_tag: Option<String>,
    /// As `newest`, under the name that images have for it.
    pub newest_available: Option<String>,
    /// Whether something newer is there; null unless the status is `current` or `available`.
    pub update_available: Option<bool>,
    /// Why the status is what it is, where that is not plain.
    pub reason: Option<String>,
    /// The rule that gave this answer, empty for the default; with namespace and release name the
    /// key into `updates`.
    pub rule: Option<String>,
}
