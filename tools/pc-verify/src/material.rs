//! What a store handed over, before anybody has judged it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::sbom::ReadDocument;

/// Evidence as its bytes came. Nothing in it is believed: annotations and media types say where to
/// look and how to read, not what is true.
#[derive(Debug, Clone)]
pub enum Material {
    /// A layer of a `.sig` image: cosign's simple signing (containers/image,
    /// docs/containers-signature.5.md, and cosign's specs/SIGNATURE_SPEC.md).
    SimpleSigning {
        /// The payload that was signed.
        payload: Bytes,
        /// The layer's annotations: signature, certificate, chain, log entry, timestamp.
        annotations: BTreeMap<String, String>,
    },
    /// A DSSE envelope outside of a bundle: a layer of an `.att` image, or an in-toto artifact
    /// that refers to the image.
    Envelope {
        /// The envelope's JSON.
        bytes: Bytes,
        /// The layer's annotations.
        annotations: BTreeMap<String, String>,
    },
    /// A Sigstore bundle of whatever version.
    Bundle {
        /// Its JSON.
        bytes: Bytes,
    },
    /// An in-toto statement that nobody signed, as BuildKit attaches them.
    Statement {
        /// Its JSON.
        bytes: Bytes,
    },
    /// A bill of materials that nobody signed: a layer of an `.sbom` image, or an artifact that
    /// refers to the image.
    Sbom {
        /// The media type that came with it; a hint.
        media_type: String,
        /// The document.
        bytes: Bytes,
    },
    /// The same, too large to lie in memory: it was read as it came, and its digest held.
    Document {
        /// The media type that came with it; a hint.
        media_type: String,
        /// What it is.
        read: Arc<ReadDocument>,
    },
    /// A signature of the Notary Project: named, not judged.
    Notation {
        /// The envelope's media type: `application/jose+json` or `application/cose`.
        media_type: String,
        /// The envelope.
        bytes: Bytes,
    },
}

impl Material {
    /// Whether nothing in its own bytes says what it is about, so that only the artifact around it
    /// does. (A Notary signature does say it, and is not judged.)
    #[must_use]
    pub fn is_bound_by_its_artifact(&self) -> bool {
        matches!(self, Self::Sbom { .. } | Self::Document { .. } | Self::Notation { .. })
    }
}
