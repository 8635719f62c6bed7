//! What is newer: the `update` and `repository` records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Record;

/// `repository`: its tag list was read whole. Subject: repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepositoryRecord {
    /// The repository, normalized.
    pub repository: String,
    /// How many tags it has.
    pub tags: u64,
    /// Those that are evidence (`sha256-…`).
    pub evidence: Vec<String>,
    /// How many of those were left out; then absence from the list means nothing.
    #[serde(default)]
    pub dropped: u64,
}

impl Record for RepositoryRecord {
    const TYPE: &'static str = "repository";
    const VERSION: u32 = 1;
}

/// Whether something newer is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateStatus {
    /// Nothing newer by the rule.
    Current,
    /// Something newer by the rule.
    Available,
    /// The tag has no version that could be compared.
    NotComparable,
    /// A rule says not to look.
    Ignored,
    /// Could not be checked.
    Unknown,
}

/// What an `update` record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum UpdateKind {
    /// An image reference.
    Image,
    /// A Helm release's chart.
    Release,
}

/// `update`: what is newer than an image's tag, or a release's chart.
///
/// Subject: image and rule, or namespace, releaseName and rule; the other keys are not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// The reference, verbatim, of an image's update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The namespace of a release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name of a release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_name: Option<String>,
    /// The effective rule in canonical text, empty for the default.
    pub rule: String,
    /// What this is about.
    pub kind: UpdateKind,
    /// The answer.
    pub status: UpdateStatus,
    /// The version that is used now.
    pub current: Option<String>,
    /// The newest of the same minor version.
    pub latest_in_patch: Option<String>,
    /// The newest of the same major version with another minor one.
    pub latest_in_minor: Option<String>,
    /// The newest of the same major version.
    pub latest_in_major: Option<String>,
    /// The newest of all.
    pub newest: Option<String>,
    /// How many newer ones there are; null when not known.
    pub behind: Option<u64>,
    /// Why the status is what it is, where that is not plain.
    pub reason: Option<String>,
    /// Candidates that were left out, each with its reason.
    pub left_out: Vec<String>,
    /// How many of those are not listed.
    #[serde(default)]
    pub dropped: u64,
}

impl Record for Update {
    const TYPE: &'static str = "update";
    const VERSION: u32 = 1;

    fn verbatim(&self) -> Vec<&str> {
        self.image.iter().chain([&self.rule]).map(String::as_str).collect()
    }
}
