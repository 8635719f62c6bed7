//! What a reference means and what runs: the `digest` record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Digest, Record};

/// How the digest of what runs is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum How {
    /// The container's status names the manifest digest.
    Status,
    /// The status names an image id, and a manifest of the tag has that image's config.
    Config,
    /// From what the tag means now: nothing runs yet, or what runs could not be compared.
    Tag,
    /// The reference itself names the digest, and nothing runs yet.
    Reference,
}

/// What the tag means now, against what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Drift {
    /// The tag means what runs: the same digest, the same platform manifest, or the same image config.
    Same,
    /// The tag means something else now.
    Moved,
    /// The reference names a digest: no tag decides.
    Pinned,
    /// Not proven either way, or nothing runs.
    Unknown,
}

impl Drift {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Moved => "moved",
            Self::Pinned => "pinned",
            Self::Unknown => "unknown",
        }
    }
}

/// A platform of an index, and its manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlatformManifest {
    /// `os/architecture[/variant]`.
    pub platform: String,
    /// The digest of that platform's manifest.
    pub digest: Digest,
}

/// `digest`: what an image reference is, what runs, and what the tag means now.
///
/// Subject: image, imageId, platform, as the `image` record has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DigestRecord {
    /// The reference, verbatim.
    pub image: String,
    /// The status's imageID, verbatim.
    pub image_id: Option<String>,
    /// The platform that runs it.
    pub platform: Option<String>,
    /// The reference's repository, normalized (`docker.io/library/nginx`); null for a malformed reference.
    pub repository: Option<String>,
    /// The reference's tag; `latest` where it has neither tag nor digest.
    pub tag: Option<String>,
    /// The digest of what runs: an index or a manifest; null where it could not be found out.
    pub digest: Option<Digest>,
    /// How that digest is known; null with it.
    pub how: Option<How>,
    /// Whether the repository has that manifest now; null where that could not be asked.
    pub present: Option<bool>,
    /// The repository that has it, where it is not `repository` (a mirror, a shared image).
    #[serde(default)]
    pub found_in: Option<String>,
    /// The media type of `digest`.
    pub media_type: Option<String>,
    /// The index that is known to list `manifest`.
    pub index: Option<Digest>,
    /// The platform manifest that runs.
    pub manifest: Option<Digest>,
    /// What the tag means now.
    pub tag_digest: Option<Digest>,
    /// That against what runs.
    pub drift: Drift,
    /// The platforms of the index that runs.
    pub platforms: Vec<PlatformManifest>,
    /// How many platforms were left out of that list, and how many texts of this record were cut.
    #[serde(default)]
    pub dropped: u64,
}

impl Record for DigestRecord {
    const TYPE: &'static str = "digest";
    const VERSION: u32 = 1;

    fn verbatim(&self) -> Vec<&str> {
        let Self { image, image_id, platform, .. } = self;
        [Some(image), image_id.as_ref(), platform.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect()
    }
}
