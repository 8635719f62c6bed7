//! One row: one thing that runs, and the answers about it in short.

use std::collections::BTreeMap;

use records::{ContainerType, Digest, Drift, How, PolicyResult, UpdateStatus, Verdict, Workload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the tag means now, against what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DriftState {
    /// The tag means what runs.
    Same,
    /// The tag means something else now.
    Moved,
    /// The reference names a digest: no tag decides.
    Pinned,
    /// Not proven either way, or nothing runs.
    Unknown,
    /// Nobody asked: pc-digest was not in the pipeline.
    Skipped,
}

impl DriftState {
    /// The word in the report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Moved => "moved",
            Self::Pinned => "pinned",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }
}

impl From<Drift> for DriftState {
    fn from(drift: Drift) -> Self {
        match drift {
            Drift::Same => Self::Same,
            Drift::Moved => Self::Moved,
            Drift::Pinned => Self::Pinned,
            Drift::Unknown => Self::Unknown,
        }
    }
}

/// Whether something newer is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateState {
    /// Nothing newer by the rule.
    Current,
    /// Something newer by the rule.
    Available,
    /// There is no version that could be compared.
    NotComparable,
    /// A rule says not to look.
    Ignored,
    /// Could not be checked.
    Unknown,
    /// Nobody asked: pc-updates was not in the pipeline, or switched off.
    Skipped,
}

impl UpdateState {
    /// The word in the report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Available => "available",
            Self::NotComparable => "not-comparable",
            Self::Ignored => "ignored",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }

    /// Whether an update is available; `None` where that is not known, or was not asked.
    #[must_use]
    pub fn is_available(self) -> Option<bool> {
        match self {
            Self::Available => Some(true),
            Self::Current => Some(false),
            Self::NotComparable | Self::Ignored | Self::Unknown | Self::Skipped => None,
        }
    }
}

impl From<UpdateStatus> for UpdateState {
    fn from(status: UpdateStatus) -> Self {
        match status {
            UpdateStatus::Current => Self::Current,
            UpdateStatus::Available => Self::Available,
            UpdateStatus::NotComparable => Self::NotComparable,
            UpdateStatus::Ignored => Self::Ignored,
            UpdateStatus::Unknown => Self::Unknown,
        }
    }
}

/// One thing that runs: an image in a container of a workload, by digest and platform.
///
/// Two digests in a roll-out, or two architectures, are two rows. What is pending or idle has no
/// `imageId`. An image that was named as an argument has no namespace, workload and container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The image reference in the pod's spec, verbatim.
    pub image: String,
    /// The digest of what runs, an index or a manifest; null where it could not be found out.
    pub digest: Option<Digest>,
    /// The namespace of the pods.
    pub namespace: Option<String>,
    /// The object that answers for the pods: the top of their chain of controllers.
    pub workload: Option<Workload>,
    /// The container's name in the pod, or the volume's.
    pub container: Option<String>,
    /// In which list of the pod it stands.
    pub container_type: Option<ContainerType>,
    /// `imageID` of the container's status, verbatim; null while pending or idle.
    pub image_id: Option<String>,
    /// `os/architecture` of the nodes that run it; null where unknown.
    pub platform: Option<String>,
    /// Whether the reference itself names a digest.
    pub pinned: bool,
    /// Whether the workload runs nothing now (scaled to zero, suspended).
    pub idle: bool,
    /// How many pods run it.
    pub pods: u64,
    /// On how many nodes.
    pub nodes: u64,
    /// The first ten pods' names, sorted.
    pub pod_names: Vec<String>,
    /// The pods' annotations below `provenance.nebari.dev/`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// How many of the annotations and pull secrets were left out, and how many texts were cut.
    #[serde(default)]
    pub dropped: u64,
    /// The repository that the reference names, normalized; null for a malformed reference.
    pub repository: Option<String>,
    /// The tag that the reference names.
    pub tag: Option<String>,
    /// The index that is known to list `manifest`.
    pub index: Option<Digest>,
    /// The platform manifest that runs. With `repository` and `index` the key into `evidence`.
    pub manifest: Option<Digest>,
    /// How `digest` is known; null with it. `tag` is no proof of what runs.
    pub how: Option<How>,
    /// Whether the repository has that manifest now; null where that could not be asked.
    pub present: Option<bool>,
    /// The repository that has it, where it is not `repository`.
    pub found_in: Option<String>,
    /// What the tag means now.
    pub tag_digest: Option<Digest>,
    /// That against what runs.
    pub drift: DriftState,
    /// Why digest, presence or drift could not be found out; null where they could.
    pub error: Option<String>,
    /// Whether it is signed, and whether that is proven.
    pub signature: SignatureAnswer,
    /// Whether there is a bill of materials.
    pub sbom: SbomAnswer,
    /// Whether there is SLSA provenance.
    pub provenance: ProvenanceAnswer,
    /// What each policy that is about it says, exceptions for its namespace applied, sorted by the
    /// policy's name; null where nobody judged it, and empty where no policy is about it.
    #[serde(default)]
    pub policies: Option<Vec<RowPolicy>>,
    /// Whether something newer is there.
    pub update: UpdateAnswer,
    /// When what runs was first seen in this cluster, RFC 3339: the time of the first of the reports
    /// without a gap that have it, each compared with the one before; null where this report was
    /// compared with none, or what runs is not proven.
    #[serde(default)]
    pub first_seen: Option<String>,
    /// When the signature of what runs was first trusted, by the same reports.
    #[serde(default)]
    pub first_trusted: Option<String>,
}

impl Row {
    /// Whether there is something that runs (or an image was named as an argument), so that an
    /// answer about it is wanted. Pending and idle things run nothing.
    #[must_use]
    pub fn runs(&self) -> bool {
        !self.idle && !self.is_pending()
    }

    /// Whether pods are there that do not run it yet.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        // The status of a pod names no digest for an image volume, mounted or not.
        let volume = self.container_type == Some(ContainerType::ImageVolume);
        !self.idle && self.workload.is_some() && self.image_id.is_none() && !volume
    }

    /// Whether it is proven which digest runs: not where the tag's digest has to stand for it.
    ///
    /// Where nothing runs, or an image was named as an argument, the tag's digest is the answer.
    #[must_use]
    pub fn digest_is_proven(&self) -> bool {
        let runs = self.image_id.is_some() || (self.workload.is_some() && self.runs());
        let stands_in = runs && self.how == Some(How::Tag);
        self.digest.is_some() && !stands_in
    }

    /// Whether the repository was to be asked for the digest that is known here, and did not answer
    /// whether it still has that manifest.
    #[must_use]
    pub fn presence_is_open(&self) -> bool {
        self.digest.is_some() && self.present.is_none() && self.drift != DriftState::Skipped
    }
}

/// The answer about signatures, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignatureAnswer {
    /// Whether a signature is there: true for present, valid and trusted, false for absent and
    /// invalid, null where that is not known.
    pub signed: Option<bool>,
    /// Whether a signature is proven and its signer trusted.
    pub verified: bool,
    /// Why it is signed and not verified, contradicted, or unknown; null otherwise.
    pub error: Option<String>,
    /// The answer in one word.
    pub verdict: Verdict,
}

/// The answer about bills of materials, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SbomAnswer {
    /// Whether one is there; null where that is not known.
    #[serde(rename = "hasSBOM")]
    pub has_sbom: Option<bool>,
    /// The format of the best one: `spdx` or `cyclonedx`.
    pub format: Option<String>,
    /// The version of that format, `2.3` for example.
    #[serde(rename = "formatVersion")]
    pub format_version: Option<String>,
    /// Why it is contradicted or unknown; null otherwise.
    pub error: Option<String>,
    /// The answer in one word.
    pub verdict: Verdict,
}

/// The answer about SLSA provenance, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProvenanceAnswer {
    /// Whether a statement is there; null where that is not known.
    pub has_provenance: Option<bool>,
    /// The predicate type of the best one.
    pub predicate_type: Option<String>,
    /// The best SLSA build level that is earned.
    pub level: Option<u8>,
    /// Why it is contradicted or unknown; null otherwise.
    pub error: Option<String>,
    /// The answer in one word.
    pub verdict: Verdict,
}

/// The answer of a policy about what runs here, in short: what is missing stands in `evidence`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RowPolicy {
    /// The policy's name.
    pub policy: String,
    /// The result here.
    pub result: PolicyResult,
    /// The exception that made it `skip`: reason, owner and end date as one text.
    pub exception: Option<String>,
}

/// The answer about newer versions of an image, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateAnswer {
    /// The version that is used now.
    pub current_tag: Option<String>,
    /// The newest of the same major version.
    pub latest_in_major: Option<String>,
    /// The newest of all.
    pub newest_available: Option<String>,
    /// Whether something newer is there; null unless the status is `current` or `available`.
    pub update_available: Option<bool>,
    /// The answer in one word.
    pub status: UpdateState,
    /// Why the status is what it is, where that is not plain.
    pub reason: Option<String>,
    /// The rule that gave this answer, empty for the default; with `image`, and for a floating name
    /// with `imageId` and `platform`, the key into `updates`.
    pub rule: Option<String>,
}
