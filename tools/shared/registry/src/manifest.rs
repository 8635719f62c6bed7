//! Manifests and indexes: telling one from the other, and reading them.

use std::sync::Arc;

use oci_client::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE, OciImageIndex, OciImageManifest,
};
use records::text::shown;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// What is accepted in answer to a question for a manifest. A registry that misses one of these
/// may answer that there is no manifest, though there is.
pub(crate) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// The annotations of an index's entries that anybody reads; the others (dozens in some indexes)
/// are not kept.
const KEPT_ANNOTATIONS: [&str; 5] = [
    "vnd.docker.reference.",
    "dev.sigstore.",
    "dev.cosignproject.",
    "in-toto.io/",
    "org.opencontainers.image.created",
];

/// What a digest of a repository stands for. `mediaType` is always filled in.
#[derive(Debug, Clone)]
pub enum Manifest {
    /// One image (or artifact).
    Image(Box<OciImageManifest>),
    /// A list of manifests, in Docker's words a manifest list. Of its entries' annotations only
    /// those are kept that say what an entry is evidence of.
    Index(OciImageIndex),
}

/// Why bytes are no manifest.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or not with the fields that its media type demands.
    #[error("not well-formed")]
    Malformed(#[source] Arc<serde_json::Error>),
    /// Both an image and an index, which readers would take for different things.
    #[error("it is an image and an index at the same time")]
    Ambiguous,
    /// Of a kind that is not read: Docker's schema 1 for example.
    #[error("its media type `{}` is not one that is read here", shown(.0))]
    Unsupported(String),
    /// Nothing says what it is.
    #[error("nothing in it says whether it is an image or an index")]
    Unknown,
}

/// Enough of a manifest to tell what it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: Option<u64>,
    media_type: Option<String>,
    manifests: Option<IgnoredAny>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Image,
    Index,
}

impl Manifest {
    /// Reads a manifest. What it is, its own media type says, else the one that came with it,
    /// else its fields (OCI image specification, manifest.md; CVE-2021-41190 for why not both).
    ///
    /// # Errors
    /// When it is no manifest that is read here.
    pub fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Self, ManifestError> {
        let shape: Shape = read(bytes)?;
        let (kind, media_type) = shape.kind(content_type)?;
        let media_type = Some(media_type);
        match kind {
            Kind::Image => {
                let image: OciImageManifest = read(bytes)?;
                Ok(Self::Image(Box::new(OciImageManifest { media_type, ..image })))
            }
            Kind::Index => {
                let mut index: OciImageIndex = read(bytes)?;
                for entry in &mut index.manifests {
                    let annotations = entry.annotations.take().unwrap_or_default();
                    let kept: std::collections::BTreeMap<_, _> =
                        annotations.into_iter().filter(|(key, _)| is_kept(key)).collect();
                    entry.annotations = (!kept.is_empty()).then_some(kept);
                }
                index.manifests.shrink_to_fit();
                Ok(Self::Index(OciImageIndex { media_type, ..index }))
            }
        }
    }

    /// The media type.
    #[must_use]
    pub fn media_type(&self) -> &str {
        match self {
            Self::Image(image) => image.media_type.as_deref().unwrap_or(OCI_IMAGE_MEDIA_TYPE),
            Self::Index(index) => index.media_type.as_deref().unwrap_or(OCI_IMAGE_INDEX_MEDIA_TYPE),
        }
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ManifestError> {
    serde_json::from_slice(bytes).map_err(|error| ManifestError::Malformed(Arc::new(error)))
}

fn is_kept(annotation: &str) -> bool {
    KEPT_ANNOTATIONS.iter().any(|prefix| annotation.starts_with(prefix))
}

/// What a media type stands for; nothing for those that say nothing (`application/json`).
fn kind_of(media_type: &str) -> Option<Kind> {
    match media_type {
        OCI_IMAGE_INDEX_MEDIA_TYPE | IMAGE_MANIFEST_LIST_MEDIA_TYPE => Some(Kind::Index),
        OCI_IMAGE_MEDIA_TYPE | IMAGE_MANIFEST_MEDIA_TYPE => Some(Kind::Image),
        _ => None,
    }
}

impl Shape {
    fn kind(self, content_type: Option<&str>) -> Result<(Kind, String), ManifestError> {
        let lists = self.manifests.is_some();
        let holds = self.config.is_some() || self.layers.is_some();
        if lists && holds {
            return Err(ManifestError::Ambiguous);
        }
        if let Some(own) = self.media_type.filter(|own| !own.is_empty()) {
            return kind_of(&own)
                .map(|kind| (kind, own.clone()))
                .ok_or(ManifestError::Unsupported(own));
        }
        if self.schema_version == Some(1) {
            let schema1 = "application/vnd.docker.distribution.manifest.v1+json";
            return Err(ManifestError::Unsupported(schema1.to_owned()));
        }
        if let Some(kind) = content_type.and_then(kind_of) {
            return Ok((kind, content_type.unwrap_or_default().to_owned()));
        }
        match (lists, holds) {
            (true, _) => Ok((Kind::Index, OCI_IMAGE_INDEX_MEDIA_TYPE.to_owned())),
            (_, true) => Ok((Kind::Image, OCI_IMAGE_MEDIA_TYPE.to_owned())),
            _ => Err(ManifestError::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIPTOR: &str = r#"{"mediaType":"m","digest":"sha256:aa","size":1}"#;

    fn image(media_type: &str) -> String {
        format!(
            r#"{{"schemaVersion":2,{media_type}"config":{DESCRIPTOR},"layers":[{DESCRIPTOR}]}}"#
        )
    }

    fn index(media_type: &str) -> String {
        format!(r#"{{"schemaVersion":2,{media_type}"manifests":[{DESCRIPTOR}]}}"#)
    }

    fn parse(text: &str, content_type: Option<&str>) -> Result<(bool, String), ManifestError> {
        let manifest = Manifest::parse(text.as_bytes(), content_type)?;
        Ok((matches!(manifest, Manifest::Index(_)), manifest.media_type().to_owned()))
    }

    #[test]
    fn media_type_then_content_type_then_shape() {
        let docker = format!(r#""mediaType":"{IMAGE_MANIFEST_MEDIA_TYPE}","#);
        let own = parse(&image(&docker), Some("application/json")).expect("an image");
        assert_eq!(own, (false, IMAGE_MANIFEST_MEDIA_TYPE.to_owned()));
        let came = parse(&index(""), Some(IMAGE_MANIFEST_LIST_MEDIA_TYPE)).expect("an index");
        assert_eq!(came, (true, IMAGE_MANIFEST_LIST_MEDIA_TYPE.to_owned()));
        let shape = parse(&index(""), Some("text/plain")).expect("an index");
        assert_eq!(shape, (true, OCI_IMAGE_INDEX_MEDIA_TYPE.to_owned()));
        assert!(!parse(&image(""), None).expect("an image").0);
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let both =
            format!(r#"{{"schemaVersion":2,"config":{DESCRIPTOR},"layers":[],"manifests":[]}}"#);
        assert!(matches!(parse(&both, None), Err(ManifestError::Ambiguous)));
        let artifact = r#""mediaType":"application/vnd.oci.artifact.manifest.v1+json","#;
        assert!(matches!(parse(&image(artifact), None), Err(ManifestError::Unsupported(_))));
        let schema1 = r#"{"schemaVersion":1,"fsLayers":[]}"#;
        assert!(matches!(parse(schema1, None), Err(ManifestError::Unsupported(_))));
        assert!(matches!(parse("{}", None), Err(ManifestError::Unknown)));
        for bad in [
            "",
            "<html>",
            "[]",
            r#"{"manifests":3}"#,
            &image("").replace("\"size\":1", "\"size\":-0.5"),
        ] {
            assert!(matches!(parse(bad, None), Err(ManifestError::Malformed(_))), "{bad}");
        }
        let lie = parse(&index(""), Some(OCI_IMAGE_MEDIA_TYPE));
        assert!(matches!(lie, Err(ManifestError::Malformed(_))), "an index is no image");
    }

    #[test]
    fn of_annotations_only_the_telling_ones_are_kept() {
        let text = r#"{"schemaVersion":2,"manifests":[{"mediaType":"m","digest":"sha256:aa","size":1,
            "annotations":{"vnd.docker.reference.type":"attestation-manifest","org.opencontainers.image.url":"x"}},
            {"mediaType":"m","digest":"sha256:bb","size":1,"annotations":{"a":"b"}}]}"#;
        let Ok(Manifest::Index(index)) = Manifest::parse(text.as_bytes(), None) else {
            panic!("no index")
        };
        let kept = index.manifests[0].annotations.as_ref().expect("annotations");
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["vnd.docker.reference.type"]);
        assert_eq!(index.manifests[1].annotations, None);
    }
}
