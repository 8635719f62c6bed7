//! What an artifact is made of: which of its layers are evidence, and of which form.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use records::Digest;
use registry::{Descriptor, OciDescriptor, OciImageManifest};
use serde::de::IgnoredAny;

use super::{Place, StoreKind};
use crate::material::Material;
use crate::sbom::ReadDocument;

/// The most that is fetched of what is signed: the engine needs it whole in memory.
pub(crate) const MAX_SIGNED: u64 = 16 * 1024 * 1024;
/// The most that is fetched of what nobody signed.
pub(crate) const MAX_UNSIGNED: u64 = 128 * 1024 * 1024;

/// A layer that is evidence, not fetched yet.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) blob: Descriptor,
    pub(crate) form: Form,
    /// Whether the artifact says that it is about what it was found on. Only what binds itself to
    /// nothing depends on it.
    pub(crate) is_about: bool,
    annotations: BTreeMap<String, String>,
    media_type: String,
}

/// How a layer's bytes are to be read. The media type is only a hint: it chooses the reader, and
/// the reader judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    SimpleSigning,
    Envelope,
    Bundle,
    /// A statement, or an envelope around one under the statement's media type.
    Statement,
    Sbom,
    Notation,
    /// Any of these, told by its members: nothing else says what it is.
    Told,
}

impl Form {
    /// The most that is fetched of it, in bytes.
    pub(crate) fn limit(self) -> u64 {
        match self {
            Self::Sbom | Self::Statement => MAX_UNSIGNED,
            Self::SimpleSigning | Self::Envelope | Self::Bundle | Self::Notation | Self::Told => {
                MAX_SIGNED
            }
        }
    }
}

/// The layers of an artifact that are evidence. A layer whose digest is none is told as an error.
pub(crate) fn pieces(
    manifest: &OciImageManifest,
    place: &Place,
) -> Vec<Result<Piece, records::DigestError>> {
    let store = place.store.kind;
    let subject = manifest.subject.as_ref().map(|subject| subject.digest.as_str());
    let is_about = match store {
        StoreKind::Referrers | StoreKind::FallbackTag => subject == Some(place.on.as_str()),
        // These are found by a name that has the digest, or beside it.
        _ => true,
    };
    let artifact = manifest.artifact_type.as_deref().unwrap_or(&manifest.config.media_type);
    let of_layer = |layer: &OciDescriptor| {
        let form = form(&layer.media_type, artifact, store)?;
        Some(layer.digest.parse::<Digest>().map(|digest| Piece {
            blob: Descriptor {
                digest,
                media_type: Some(layer.media_type.clone()),
                size: u64::try_from(layer.size).ok(),
            },
            form,
            is_about,
            annotations: layer.annotations.clone().unwrap_or_default(),
            media_type: layer.media_type.clone(),
        }))
    };
    manifest.layers.iter().filter_map(of_layer).collect()
}

/// How a layer is to be read. Under cosign's tags is what cosign keeps there, whatever the layer is
/// called; elsewhere the layer's type says it, else the artifact's, else what is in it.
fn form(media_type: &str, artifact: &str, store: StoreKind) -> Option<Form> {
    let by_type = of_type(media_type);
    match store {
        StoreKind::SigTag if by_type != Some(Form::Bundle) => Some(Form::SimpleSigning),
        StoreKind::AttTag if !matches!(by_type, Some(Form::Bundle | Form::Statement)) => {
            Some(Form::Envelope)
        }
        StoreKind::SbomTag if by_type != Some(Form::Bundle) => Some(Form::Sbom),
        _ => by_type.or_else(|| of_type(artifact)).or_else(|| {
            if artifact == "application/vnd.cncf.notary.signature" {
                return Some(Form::Notation);
            }
            let media_type = media_type.to_ascii_lowercase();
            let says_nothing = media_type.ends_with("json")
                || ["application/octet-stream", "text/plain", ""].contains(&&*media_type);
            says_nothing.then_some(Form::Told)
        }),
    }
}

fn of_type(media_type: &str) -> Option<Form> {
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let media_type = media_type.to_ascii_lowercase();
    match &*media_type {
        "application/vnd.dev.cosign.simplesigning.v1+json" => Some(Form::SimpleSigning),
        "application/vnd.dsse.envelope.v1+json" => Some(Form::Envelope),
        "application/vnd.in-toto+json" => Some(Form::Statement),
        bundle if bundle.starts_with("application/vnd.dev.sigstore.bundle") => Some(Form::Bundle),
        sbom if is_sbom(sbom) => Some(Form::Sbom),
        _ => None,
    }
}

fn is_sbom(media_type: &str) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    ["application/spdx", "text/spdx", "application/vnd.cyclonedx", "application/vnd.syft"]
        .iter()
        .any(|family| media_type.starts_with(family))
}

impl Piece {
    /// The evidence that was read as it came.
    pub(crate) fn document(self, read: Arc<ReadDocument>) -> Material {
        Material::Document { media_type: self.media_type, read }
    }

    /// The evidence, once its bytes are there; none of what says nothing of what it is, and is
    /// nothing of what is known here.
    pub(crate) fn material(self, bytes: Bytes) -> Option<Material> {
        let Self { annotations, media_type, .. } = self;
        let form = match self.form {
            Form::Told => told(&bytes)?,
            Form::Statement if has(&bytes, &ENVELOPE) => Form::Envelope,
            form => form,
        };
        Some(match form {
            Form::SimpleSigning => Material::SimpleSigning { payload: bytes, annotations },
            Form::Envelope => Material::Envelope { bytes, annotations },
            Form::Bundle | Form::Told => Material::Bundle { bytes },
            Form::Statement => Material::Statement { bytes },
            Form::Sbom => Material::Sbom { media_type, bytes },
            Form::Notation => Material::Notation { media_type, bytes },
        })
    }
}

/// The members of a DSSE envelope.
const ENVELOPE: [&str; 3] = ["payloadType", "payload", "signatures"];

/// What a JSON document is, by its members.
fn told(bytes: &[u8]) -> Option<Form> {
    [
        (Form::Envelope, &ENVELOPE[..]),
        (Form::Bundle, &["mediaType", "verificationMaterial"]),
        (Form::Statement, &["_type", "predicateType"]),
        (Form::Sbom, &["spdxVersion"]),
        (Form::Sbom, &["bomFormat"]),
        (Form::Sbom, &["@context", "@graph"]),
    ]
    .into_iter()
    .find(|(_, members)| has(bytes, members))
    .map(|(form, _)| form)
}

/// Whether a JSON object has these members.
fn has(bytes: &[u8], members: &[&str]) -> bool {
    let Ok(object) = serde_json::from_slice::<HashMap<String, IgnoredAny>>(bytes) else {
        return false;
    };
    members.iter().all(|member| object.contains_key(*member))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_read_by_its_type_and_else_by_its_store() {
        let form = |media_type, store| form(media_type, "application/vnd.oci.empty.v1+json", store);
        let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
        assert_eq!(form(bundle, StoreKind::Referrers), Some(Form::Bundle));
        let old = "application/vnd.dev.sigstore.bundle+json;version=0.1";
        assert_eq!(form(old, StoreKind::Referrers), Some(Form::Bundle));
        assert_eq!(form("text/spdx+json", StoreKind::Referrers), Some(Form::Sbom));
        assert_eq!(form("application/octet-stream", StoreKind::Referrers), Some(Form::Told));
        assert_eq!(form("application/vnd.oci.image.layer.v1.tar", StoreKind::Referrers), None);
        assert_eq!(form("text/spdx", StoreKind::SigTag), Some(Form::SimpleSigning));
        assert_eq!(form("application/octet-stream", StoreKind::SbomTag), Some(Form::Sbom));
        assert_eq!(form("application/octet-stream", StoreKind::AttTag), Some(Form::Envelope));
    }

    #[test]
    fn what_nothing_names_is_told_by_its_members() {
        let envelope = br#"{"payloadType":"t","payload":"","signatures":[]}"#;
        assert_eq!(told(envelope), Some(Form::Envelope));
        let statement = br#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"p"}"#;
        assert_eq!(told(statement), Some(Form::Statement));
        assert_eq!(told(br#"{"bomFormat":"CycloneDX"}"#), Some(Form::Sbom));
        assert_eq!(told(b"[]"), None);
        assert_eq!(told(br#"{"hello":1}"#), None);
    }
}
