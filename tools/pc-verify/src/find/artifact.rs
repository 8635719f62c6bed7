//! What an artifact is made of: which of its layers are evidence, and of which form.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use records::Digest;
use registry::{Descriptor, OciDescriptor, OciImageManifest};
use serde::de::IgnoredAny;

use super::StoreKind;
use crate::material::Material;

/// The most that is fetched of what is signed: the engine needs it whole in memory.
pub(crate) const MAX_SIGNED: u64 = 16 * 1024 * 1024;
/// The most that is fetched of what nobody signed.
pub(crate) const MAX_UNSIGNED: u64 = 128 * 1024 * 1024;

/// A layer that is evidence, not fetched yet.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) blob: Descriptor,
    pub(crate) form: Form,
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
}

impl Form {
    /// The most that is fetched of it, in bytes.
    pub(crate) fn limit(self) -> u64 {
        match self {
            Self::Sbom | Self::Statement => MAX_UNSIGNED,
            Self::SimpleSigning | Self::Envelope | Self::Bundle | Self::Notation => MAX_SIGNED,
        }
    }
}

/// The layers of an artifact that are evidence. A layer whose digest is none is told as an error.
pub(crate) fn pieces(
    manifest: &OciImageManifest,
    store: StoreKind,
) -> Vec<Result<Piece, records::DigestError>> {
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
            annotations: layer.annotations.clone().unwrap_or_default(),
            media_type: layer.media_type.clone(),
        }))
    };
    manifest.layers.iter().filter_map(of_layer).collect()
}

fn form(media_type: &str, artifact: &str, store: StoreKind) -> Option<Form> {
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let is = |name: &str| media_type.eq_ignore_ascii_case(name);
    let starts = |name: &str| media_type.to_ascii_lowercase().starts_with(name);
    if starts("application/vnd.dev.sigstore.bundle") {
        Some(Form::Bundle)
    } else if is("application/vnd.dev.cosign.simplesigning.v1+json") {
        Some(Form::SimpleSigning)
    } else if is("application/vnd.dsse.envelope.v1+json") {
        Some(Form::Envelope)
    } else if is("application/vnd.in-toto+json") {
        Some(Form::Statement)
    } else if is_sbom(media_type) {
        Some(Form::Sbom)
    } else if artifact == "application/vnd.cncf.notary.signature" {
        Some(Form::Notation)
    } else {
        // Under cosign's tags is what cosign keeps there, whatever the layer is called.
        match store {
            StoreKind::SigTag => Some(Form::SimpleSigning),
            StoreKind::AttTag => Some(Form::Envelope),
            StoreKind::SbomTag => Some(Form::Sbom),
            StoreKind::Referrers | StoreKind::FallbackTag | StoreKind::InIndex => None,
        }
    }
}

fn is_sbom(media_type: &str) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    ["application/spdx", "text/spdx", "application/vnd.cyclonedx", "application/vnd.syft"]
        .iter()
        .any(|family| media_type.starts_with(family))
}

impl Piece {
    /// The evidence, once its bytes are there.
    pub(crate) fn material(self, bytes: Bytes) -> Material {
        let Self { annotations, media_type, .. } = self;
        match self.form {
            Form::SimpleSigning => Material::SimpleSigning { payload: bytes, annotations },
            Form::Envelope => Material::Envelope { bytes, annotations },
            Form::Bundle => Material::Bundle { bytes },
            Form::Statement if is_envelope(&bytes) => Material::Envelope { bytes, annotations },
            Form::Statement => Material::Statement { bytes },
            Form::Sbom => Material::Sbom { media_type, bytes },
            Form::Notation => Material::Notation { media_type, bytes },
        }
    }
}

/// Whether a JSON object has the keys of a DSSE envelope.
fn is_envelope(bytes: &[u8]) -> bool {
    let Ok(object) = serde_json::from_slice::<HashMap<String, IgnoredAny>>(bytes) else {
        return false;
    };
    ["payloadType", "payload", "signatures"].into_iter().all(|key| object.contains_key(key))
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
        assert_eq!(form("application/octet-stream", StoreKind::Referrers), None);
        assert_eq!(form("application/octet-stream", StoreKind::SbomTag), Some(Form::Sbom));
        assert_eq!(form("application/octet-stream", StoreKind::AttTag), Some(Form::Envelope));
    }

    #[test]
    fn an_envelope_is_known_by_its_keys() {
        assert!(is_envelope(br#"{"payloadType":"t","payload":"","signatures":[]}"#));
        assert!(!is_envelope(br#"{"_type":"https://in-toto.io/Statement/v1","payload":1}"#));
        assert!(!is_envelope(b"[]"));
    }
}
