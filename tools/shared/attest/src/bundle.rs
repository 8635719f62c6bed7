//! A Sigstore bundle, version 0.3, whose verification material is a public key.
//!
//! <https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::envelope::{Envelope, IN_TOTO, pae};
use crate::key::SigningKey;

/// The media type of a bundle as it is written here.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A signed statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    media_type: &'static str,
    verification_material: Material,
    dsse_envelope: Envelope,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Hint,
}

/// Which key: as cosign writes it, the SHA-256 of the key's SubjectPublicKeyInfo, in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Hint {
    hint: String,
}

impl Bundle {
    /// The bundle as JSON on one line, without a line feed.
    ///
    /// # Panics
    /// Never: everything in it is text.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a bundle is objects, a list and texts")
    }
}

impl SigningKey {
    /// Signs an in-toto statement, exactly these bytes of it.
    #[must_use]
    pub fn sign(&self, statement: &[u8]) -> Bundle {
        let signature = self.signature(&pae(IN_TOTO, statement));
        Bundle {
            media_type: MEDIA_TYPE,
            verification_material: Material {
                public_key: Hint { hint: STANDARD.encode(Sha256::digest(self.public_der())) },
            },
            dsse_envelope: Envelope::new(statement, &signature),
        }
    }
}
