//! What the registry holds, and putting it there.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::FakeRegistry;

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";
const IN_TOTO: &str = "application/vnd.in-toto+json";
const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// One repository.
#[derive(Debug, Default)]
pub(super) struct Repository {
    pub(super) tags: BTreeMap<String, String>,
    pub(super) manifests: BTreeMap<String, Manifest>,
    pub(super) blobs: BTreeMap<String, Bytes>,
}

/// A manifest as it is served.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    pub(super) media_type: String,
    pub(super) bytes: Bytes,
}

/// What a push gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The digest of the manifest.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// Its size in bytes.
    pub size: usize,
    /// The digest of the image's configuration; empty for an index.
    pub config: String,
}

/// `sha256:` and the hash of `bytes`.
#[must_use]
pub(super) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

impl FakeRegistry {
    /// Puts an image with a configuration and one layer there; different `seed`s make different
    /// images.
    pub fn push_image(&self, repository: &str, tag: Option<&str>, seed: &str) -> Pushed {
        let config = json!({"os": "linux", "architecture": seed, "rootfs": {"type": "layers"}});
        let config = config.to_string();
        let config_digest = self.push_blob(repository, config.as_bytes());
        let layer = format!("layer of {seed}");
        let layer_digest = self.push_blob(repository, layer.as_bytes());
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "digest": config_digest, "size": config.len()},
            "layers": [{"mediaType": OCI_LAYER, "digest": layer_digest, "size": layer.len()}],
        });
        let pushed = self.push_json(repository, tag, OCI_MANIFEST, &manifest);
        Pushed { config: config_digest, ..pushed }
    }

    /// Puts an index there that lists `children` by platform (`linux/arm64/v8`).
    pub fn push_index(
        &self,
        repository: &str,
        tag: Option<&str>,
        children: &[(&str, &Pushed)],
    ) -> Pushed {
        let manifests: Vec<Value> = children.iter().map(|(at, child)| entry(at, child)).collect();
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests});
        self.push_json(repository, tag, OCI_INDEX, &index)
    }

    /// Puts any JSON there as a manifest.
    pub fn push_json(
        &self,
        repository: &str,
        tag: Option<&str>,
        media_type: &str,
        manifest: &Value,
    ) -> Pushed {
        self.push_manifest(repository, tag, media_type, manifest.to_string().as_bytes())
    }

    /// Puts any bytes there as a manifest.
    pub fn push_manifest(
        &self,
        repository: &str,
        tag: Option<&str>,
        media_type: &str,
        bytes: &[u8],
    ) -> Pushed {
        let (digest, bytes) = (digest(bytes), Bytes::copy_from_slice(bytes));
        let size = bytes.len();
        let mut state = self.state();
        let repository = state.repositories.entry(repository.to_owned()).or_default();
        let manifest = Manifest { media_type: media_type.to_owned(), bytes };
        repository.manifests.insert(digest.clone(), manifest);
        if let Some(tag) = tag {
            repository.tags.insert(tag.to_owned(), digest.clone());
        }
        Pushed { digest, media_type: media_type.to_owned(), size, config: String::new() }
    }

    /// Puts a statement about an image there that names no builder, and gives what holds it.
    pub fn push_provenance(&self, repository: &str, image: &Pushed) -> Pushed {
        let hex = image.digest.trim_start_matches("sha256:");
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": repository, "digest": {"sha256": hex}}],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {},
        });
        let statement = statement.to_string();
        let config = self.push_blob(repository, b"{}");
        let layer = self.push_blob(repository, statement.as_bytes());
        let artifact = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": IN_TOTO,
            "config": {"mediaType": OCI_EMPTY, "digest": config, "size": 2},
            "layers": [{"mediaType": IN_TOTO, "digest": layer, "size": statement.len()}],
            "subject": {"mediaType": image.media_type, "digest": image.digest, "size": image.size},
        });
        self.push_json(repository, None, OCI_MANIFEST, &artifact)
    }

    /// Puts a blob there and gives its digest.
    pub fn push_blob(&self, repository: &str, bytes: &[u8]) -> String {
        let digest = digest(bytes);
        let mut state = self.state();
        let repository = state.repositories.entry(repository.to_owned()).or_default();
        repository.blobs.insert(digest.clone(), Bytes::copy_from_slice(bytes));
        digest
    }

    /// Takes a manifest and the tags that point to it away.
    pub fn delete_manifest(&self, repository: &str, digest: &str) {
        if let Some(repository) = self.state().repositories.get_mut(repository) {
            repository.manifests.remove(digest);
            repository.tags.retain(|_, tagged| tagged != digest);
        }
    }
}

impl Repository {
    /// The manifest that a tag or a digest names, with its digest.
    pub(super) fn manifest(&self, reference: &str) -> Option<(&str, &Manifest)> {
        let digest = self.tags.get(reference).map_or(reference, String::as_str);
        self.manifests.get_key_value(digest).map(|(digest, found)| (digest.as_str(), found))
    }

    /// The answer of the referrers API: every manifest whose `subject` is `digest`.
    pub(super) fn referrers(&self, digest: &str) -> Value {
        let refers = |(own, manifest): (&String, &Manifest)| {
            let parsed: Value = serde_json::from_slice(&manifest.bytes).ok()?;
            (parsed["subject"]["digest"] == digest).then(|| {
                json!({
                    "mediaType": manifest.media_type,
                    "digest": own,
                    "size": manifest.bytes.len(),
                    "artifactType": parsed["artifactType"],
                    "annotations": parsed["annotations"],
                })
            })
        };
        let manifests: Vec<Value> = self.manifests.iter().filter_map(refers).collect();
        json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})
    }

    /// The tags behind `last`, at most `limit` of them (0: all), and whether more follow.
    pub(super) fn tags(&self, last: &str, limit: usize) -> (BTreeSet<&str>, bool) {
        let limit = if limit == 0 { usize::MAX } else { limit };
        let mut behind = self.tags.keys().map(String::as_str).filter(|tag| *tag > last);
        let page = behind.by_ref().take(limit).collect();
        (page, behind.next().is_some())
    }
}

/// An entry of an index.
fn entry(platform: &str, child: &Pushed) -> Value {
    let mut parts = platform.split('/');
    let mut part = || parts.next().unwrap_or_default();
    let mut described = json!({"os": part(), "architecture": part()});
    let variant = part();
    if !variant.is_empty() {
        described["variant"] = variant.into();
    }
    json!({
        "mediaType": child.media_type,
        "digest": child.digest,
        "size": child.size,
        "platform": described,
    })
}
