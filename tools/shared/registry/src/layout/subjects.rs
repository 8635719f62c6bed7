//! What refers to what in a layout.
//!
//! `index.json` need not list it: `cosign save` keeps bundles as blobs alone. So every blob that may
//! be a manifest is looked at, once.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use http_asking::Kind;
use oci_client::manifest::{ImageIndexEntry, OCI_IMAGE_MEDIA_TYPE};
use records::Digest;
use serde::Deserialize;

use super::{Layout, LayoutError};

/// By the digest of the subject, each list in the order of digests.
#[derive(Debug, Default)]
pub(super) struct Subjects(HashMap<Digest, Vec<ImageIndexEntry>>);

/// Enough of a manifest to tell what it refers to (OCI image specification, manifest.md).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Referrer {
    media_type: Option<String>,
    artifact_type: Option<String>,
    annotations: Option<BTreeMap<String, String>>,
    config: Option<Config>,
    subject: Option<Subject>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    media_type: Option<String>,
}

#[derive(Deserialize)]
struct Subject {
    digest: String,
}

impl Subjects {
    /// Looks at every blob of a layout.
    pub(super) fn read(layout: &Layout, folder: &Path) -> Result<Self, LayoutError> {
        let mut subjects = Self::default();
        for algorithm in ["sha256", "sha512"] {
            let mut digests = digests(&folder.join("blobs"), algorithm)?;
            digests.sort_unstable();
            for digest in digests {
                if let Some((subject, entry)) = referrer(layout, folder, &digest)? {
                    subjects.0.entry(subject).or_default().push(entry);
                }
            }
        }
        Ok(subjects)
    }

    /// What refers to a digest.
    pub(super) fn of(&self, digest: &Digest) -> Vec<ImageIndexEntry> {
        self.0.get(digest).cloned().unwrap_or_default()
    }
}

/// The names of the blobs of an algorithm that are digests of it.
fn digests(blobs: &Path, algorithm: &str) -> Result<Vec<Digest>, LayoutError> {
    let folder = blobs.join(algorithm);
    if !super::is_there(&folder)? {
        return Ok(Vec::new());
    }
    let unreadable = |error| LayoutError::unreadable(&folder, error);
    let mut digests = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let digest = name.to_str().and_then(|hex| format!("{algorithm}:{hex}").parse().ok());
        digests.extend(digest);
    }
    Ok(digests)
}

/// What a blob refers to, and its entry in a list of referrers; nothing if it is no manifest that
/// refers to anything.
fn referrer(
    layout: &Layout,
    folder: &Path,
    digest: &Digest,
) -> Result<Option<(Digest, ImageIndexEntry)>, LayoutError> {
    let path = folder.join("blobs").join(digest.algorithm()).join(digest.hex());
    if !may_be_manifest(&layout.inside(&path)?)
        .map_err(|error| LayoutError::unreadable(&path, error))?
    {
        return Ok(None);
    }
    let bytes = layout.read(&path, Kind::Manifest.limit())?;
    let Ok(Referrer { media_type, artifact_type, annotations, config, subject: Some(subject) }) =
        serde_json::from_slice(&bytes)
    else {
        return Ok(None);
    };
    let Ok(subject) = subject.digest.parse() else { return Ok(None) };
    // From here on it is evidence, and must be what its name says.
    layout.content(folder, digest, Kind::Manifest.limit())?;
    let of_config = || config.and_then(|config| config.media_type);
    let entry = ImageIndexEntry {
        media_type: media_type.unwrap_or_else(|| OCI_IMAGE_MEDIA_TYPE.to_owned()),
        digest: digest.to_string(),
        size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        platform: None,
        annotations,
        // As the distribution specification has it, "Listing Referrers".
        artifact_type: artifact_type.or_else(of_config),
    };
    Ok(Some((subject, entry)))
}

/// Layers are not read whole: they are larger than any manifest, or do not begin like one.
fn may_be_manifest(path: &Path) -> std::io::Result<bool> {
    let file = fs::metadata(path)?;
    if !file.is_file() || file.len() > Kind::Manifest.limit() {
        return Ok(false);
    }
    let mut start = [0; 64];
    let read = File::open(path)?.read(&mut start)?;
    let first = start[..read].iter().find(|byte| !byte.is_ascii_whitespace());
    Ok(first.is_none_or(|first| *first == b'{') && read > 0)
}
