//! Counts over a report.
//!
//! `totalImages` counts rows. Every other count of images counts distinct references, each once,
//! so that a count over `uniqueImages` is a true share: a reference with several digests or
//! platforms counts by the weakest of its answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The counts of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Rows: everything that runs, is pending or idle.
    pub total_images: u64,
    /// Distinct image references.
    pub unique_images: u64,
    /// Images that are signed with every digest they run as.
    pub signed_images: u64,
    /// Images whose signature is trusted with every digest they run as.
    pub verified_images: u64,
    /// Images that have a bill of materials with every digest they run as.
    #[serde(rename = "imagesWithSBOM")]
    pub images_with_sbom: u64,
    /// Images that have SLSA provenance with every digest they run as.
    pub images_with_provenance: u64,
    /// Images for which something newer is there.
    pub images_with_updates: u64,
    /// Helm releases; `stages` says whether pc-helm listed them at all.
    pub total_helm_releases: u64,
    /// Helm releases for whose chart something newer is there.
    pub helm_releases_with_updates: u64,
    /// Images by their answer about signatures.
    pub signature: VerdictCounts,
    /// Images by their answer about SLSA provenance.
    pub provenance: VerdictCounts,
    /// Images by their answer about bills of materials.
    pub sbom: VerdictCounts,
    /// Images by what their tag means now.
    pub drift: DriftCounts,
    /// Images by their answer about newer versions.
    pub updates: UpdateCounts,
    /// Helm releases by their answer about newer versions.
    pub helm_updates: UpdateCounts,
    /// How many could not be checked.
    pub unknown: UnknownCounts,
    /// Images whose reference names a digest.
    pub pinned: u64,
    /// Images that run with a digest which their repository no longer has.
    pub not_present: u64,
    /// Images that some pod waits for and does not run yet.
    pub pending: u64,
    /// Images that only idle workloads name.
    pub idle: u64,
    /// Records in `failures`.
    pub failures: u64,
    /// For each check, how much of what runs has a definite answer.
    pub coverage: Coverages,
}

/// Images by verdict; they add up to `uniqueImages`.
///
/// A reference with several digests counts by the weakest: invalid, unknown, skipped, absent,
/// present, valid, trusted, in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerdictCounts {
    /// Proven, and the signer trusted.
    pub trusted: u64,
    /// Proven; nobody said to trust the signer.
    pub valid: u64,
    /// There, with nothing to check it against.
    pub present: u64,
    /// There is none.
    pub absent: u64,
    /// Contradicted.
    pub invalid: u64,
    /// Could not be checked.
    pub unknown: u64,
    /// Not asked.
    pub skipped: u64,
}

/// Images by what their tag means now; they add up to `uniqueImages`.
///
/// A reference with several digests counts by the weakest of those that run: moved, unknown,
/// skipped, same, pinned, in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftCounts {
    /// The tag means what runs.
    pub same: u64,
    /// The tag means something else now.
    pub moved: u64,
    /// The reference names a digest.
    pub pinned: u64,
    /// Could not be found out.
    pub unknown: u64,
    /// Not asked.
    pub skipped: u64,
    /// Nothing runs that could be compared.
    pub not_running: u64,
}

/// Images or releases by the answer about newer versions.
///
/// An image that is used under several rules counts by the first of: available, unknown, skipped,
/// not comparable, ignored, current.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateCounts {
    /// Nothing newer.
    pub current: u64,
    /// Something newer.
    pub available: u64,
    /// No version that could be compared.
    pub not_comparable: u64,
    /// A rule says not to look.
    pub ignored: u64,
    /// Could not be checked.
    pub unknown: u64,
    /// Not asked.
    pub skipped: u64,
}

/// How many could not be checked: images, and releases for `helmUpdate`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnknownCounts {
    /// Which digest runs is not proven.
    pub digest: u64,
    /// The digest is known, and whether its repository still has that manifest is not.
    pub present: u64,
    /// What the tag means now against what runs.
    pub drift: u64,
    /// Signatures.
    pub signature: u64,
    /// SLSA provenance.
    pub provenance: u64,
    /// Bills of materials.
    pub sbom: u64,
    /// Newer versions.
    pub update: u64,
    /// Newer charts of Helm releases.
    pub helm_update: u64,
}

/// Coverage of each check.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Coverages {
    /// Which digest runs is proven.
    pub digest: Coverage,
    /// Which digest runs is proven, and whether its repository still has that manifest is known.
    pub present: Coverage,
    /// What the tag means now is known against what runs.
    pub drift: Coverage,
    /// Neither unknown nor skipped.
    pub signature: Coverage,
    /// Neither unknown nor skipped.
    pub provenance: Coverage,
    /// Neither unknown nor skipped.
    pub sbom: Coverage,
    /// Current or available.
    pub update: Coverage,
}

/// How much of what runs has a definite answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// Rows with a definite answer.
    pub definite: u64,
    /// Rows that run.
    pub of: u64,
    /// The share, from 0 to 1, rounded down to four places; null where nothing runs.
    pub ratio: Option<f64>,
}

impl Coverage {
    /// The coverage that `definite` of `of` rows make.
    #[must_use]
    pub fn new(definite: u64, of: u64) -> Self {
        // Rounded down in whole numbers: 1 is said of all and nothing less.
        let ratio = (u128::from(definite) * 10_000)
            .checked_div(u128::from(of))
            .and_then(|parts| u32::try_from(parts).ok())
            .map(|parts| f64::from(parts) / 10_000.0);
        Self { definite, of, ratio }
    }
}
