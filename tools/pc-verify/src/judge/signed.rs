//! A signature with everything that came with it, whatever format it came in.

use bytes::Bytes;
use sha2::{Digest as _, Sha256, Sha512};
use sigstore_verify::crypto::{
    KeyAlgorithm, SigningScheme, verify_signature, verify_signature_prehashed,
};
use sigstore_verify::types::{
    ArtifactDigest, DerPublicKey, HashAlgorithm, MediaType, SignatureBytes, TimestampToken,
};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::certificate::Leaf;
use super::entry::Entry;
use super::fault::Fault;
use super::key;

/// A signature and its material.
pub(super) struct Signed {
    pub(super) content: Content,
    pub(super) signature: Vec<u8>,
    pub(super) voucher: Voucher,
    pub(super) entries: Vec<Entry>,
    pub(super) timestamps: Vec<TimestampToken>,
    pub(super) stamped: Stamped,
    pub(super) form: Form,
    /// Why something that came along could not be read, where that does not make all malformed.
    pub(super) unread: Option<Fault>,
    /// Why what was signed is of no kind that is judged: then it is never valid.
    pub(super) unjudged: Option<Fault>,
}

/// What was signed.
pub(super) enum Content {
    /// These bytes.
    Bytes(Bytes),
    /// An artifact of which only this digest is at hand.
    Artifact(ArtifactDigest),
    /// A DSSE envelope.
    Envelope(Envelope),
}

/// A DSSE envelope with one signature (secure-systems-lab/dsse, envelope.md).
pub(super) struct Envelope {
    pub(super) payload_type: String,
    pub(super) payload: Bytes,
    /// The pre-authentication encoding: what is signed.
    pub(super) pae: Vec<u8>,
    /// Its JSON as it was found, where that is more than a part of something.
    pub(super) raw: Option<Bytes>,
    /// A digest that its statement names and that counts.
    pub(super) subject: ArtifactDigest,
}

/// What came along to check the signature with.
pub(super) enum Voucher {
    /// A certificate.
    Certificate(Box<Leaf>),
    /// Nothing: the key must be known.
    Key,
}

/// What the timestamps are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamped {
    /// The signature.
    Signature,
    /// The whole envelope, as cosign stamps attestations.
    Envelope,
}

/// How it is shown to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As the bundle that it is; the hash that it declares for a message signature.
    Bundle(MediaType, Option<HashAlgorithm>),
    /// It is an image layer with annotations.
    Layer,
}

/// How a signature was made, or that it was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// By this key, in a scheme that the engine has.
    By(SigningScheme),
    /// By this Ed25519 key over the SHA-512 (RFC 8032, Ed25519ph), as cosign does.
    Ed25519ph,
    /// Not by this key.
    Not,
    /// The bytes that would be needed are not at hand.
    CannotTell,
}

impl Content {
    /// Whether this key made this signature of it, in one of the schemes.
    pub(super) fn made_by(
        &self,
        key: &DerPublicKey,
        schemes: impl Iterator<Item = SigningScheme>,
        signature: &[u8],
    ) -> Made {
        let bytes = SignatureBytes::from_bytes(signature);
        let mut tried = false;
        for scheme in schemes {
            let held = match self.message() {
                Ok(message) => verify_signature(key, message, &bytes, scheme).is_ok(),
                Err(artifact) if scheme.hash_algorithm() == Some(artifact.algorithm()) => {
                    verify_signature_prehashed(key, artifact.as_bytes(), &bytes, scheme).is_ok()
                }
                Err(_) => continue,
            };
            tried = true;
            if held {
                return Made::By(scheme);
            }
        }
        match self.ed25519ph(key, signature) {
            Some(true) => Made::Ed25519ph,
            None if !tried => Made::CannotTell,
            _ => Made::Not,
        }
    }

    /// Whether any key that this one may be used as made the signature.
    pub(super) fn made_by_any(&self, key: &DerPublicKey, signature: &[u8]) -> Made {
        match KeyAlgorithm::from_spki(key) {
            Ok(algorithm) => {
                self.made_by(key, key::schemes_of(algorithm).iter().copied(), signature)
            }
            Err(_) => Made::CannotTell,
        }
    }

    /// The bytes that were signed, or the digest where only that is at hand.
    fn message(&self) -> Result<&[u8], &ArtifactDigest> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Envelope(envelope) => Ok(&envelope.pae),
            Self::Artifact(artifact) => Err(artifact),
        }
    }

    /// Whether an Ed25519 key signed the SHA-512; `None` when it is another kind of key, or that
    /// hash is not at hand.
    fn ed25519ph(&self, key: &DerPublicKey, signature: &[u8]) -> Option<bool> {
        if KeyAlgorithm::from_spki(key).ok()? != KeyAlgorithm::Ed25519 {
            return None;
        }
        let info = SubjectPublicKeyInfoRef::try_from(key.as_bytes()).ok()?;
        let message = self.message().ok()?;
        let key = key::ed25519(info.subject_public_key.raw_bytes()).ok()?;
        let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else {
            return Some(false);
        };
        let hash = Sha512::new_with_prefix(message);
        Some(key.verify_prehashed_strict(hash, None, &signature).is_ok())
    }
}

impl Signed {
    /// The bytes that its timestamps are to be of.
    pub(super) fn stamped_bytes(&self) -> &[u8] {
        match (&self.content, self.stamped) {
            (Content::Envelope(Envelope { raw: Some(raw), .. }), Stamped::Envelope) => raw,
            _ => &self.signature,
        }
    }
}

/// The id of a piece of evidence: a digest over what makes it this one, wherever it is stored.
///
/// That is its signatures and what they sign; the same envelope in a bundle and in an image layer
/// has one id. Certificates, log entries and timestamps are not part of it, since they prove the
/// same signature. So two finds with one id may be judged differently (a copy may have lost its
/// log entry, or carry a broken one); the better judgement is the true one.
pub(super) fn id(signatures: &[&[u8]], kind: &str, content: &[u8]) -> String {
    let mut hash = Sha256::new();
    let mut put = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    put(b"evidence/1");
    put(kind.as_bytes());
    put(content);
    signatures.iter().for_each(|signature| put(signature));
    format!("sha256:{}", hex::encode(hash.finalize()))
}
