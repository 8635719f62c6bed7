//! Public keys that the configuration names.

use std::fmt;

use aws_lc_rs::signature as aws;
use sha2::{Digest as _, Sha256};
use sigstore_verify::crypto::{KeyAlgorithm, SigningScheme, validate_raw_public_key};
use sigstore_verify::types::{DerPublicKey, HashAlgorithm};
use x509_cert::der::asn1::{BitString, Null, ObjectIdentifier};
use x509_cert::der::{Any, Encode as _};
use x509_cert::spki::{
    AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef,
};

use super::pem::{self, PemError};
use crate::judged::KeyId;

/// rsaEncryption (RFC 8017, appendix A.1).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A public key that the configuration names: P-256, P-384, Ed25519, or RSA of 2048 to 8192 bits.
#[derive(Clone)]
pub struct Key {
    name: String,
    id: KeyId,
    der: DerPublicKey,
    algorithm: KeyAlgorithm,
    hash: Option<HashAlgorithm>,
    log: LogDemand,
}

/// Whether evidence counts without an entry in a transparency log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogDemand {
    /// It does not: cosign's own rule.
    Demanded,
    /// It does (`--insecure-ignore-tlog`, as in cosign; a `ClusterImagePolicy` key without `ctlog`).
    /// When a key made it is then not proven.
    NotDemanded,
}

/// The hash that a key signs with, where the configuration says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Why a text is not a key that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not PEM.
    #[error("key `{name}` is not PEM: {why}")]
    Pem {
        /// The key's name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// The PEM holds something else than one public key.
    #[error(
        "key `{name}` holds a block `{label}`: one block `PUBLIC KEY` or `RSA PUBLIC KEY` is \
         needed{}", hint(.label)
    )]
    Label {
        /// The key's name.
        name: String,
        /// The label of the block that is there.
        label: String,
    },
    /// The PEM holds several blocks.
    #[error("key `{name}` holds {count} blocks: give each key a name of its own")]
    Several {
        /// The key's name.
        name: String,
        /// How many.
        count: usize,
    },
    /// The bytes are not a key, or of a kind that is not supported.
    #[error(
        "key `{name}` cannot be used: {why}; supported are ECDSA P-256 and P-384, Ed25519, and \
         RSA of 2048 to 8192 bits"
    )]
    Unsupported {
        /// The key's name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

/// What to do about a block of another kind.
fn hint(label: &str) -> &'static str {
    if label.contains("PRIVATE") {
        "; this is a private key, which should not lie here at all"
    } else if label == "CERTIFICATE" {
        "; `openssl x509 -pubkey -noout` prints that of a certificate"
    } else {
        ""
    }
}

impl Key {
    /// Reads a key in PEM, as `PUBLIC KEY` (RFC 5280, SubjectPublicKeyInfo) or `RSA PUBLIC KEY`
    /// (RFC 8017, RSAPublicKey). An entry in a transparency log is demanded.
    ///
    /// # Errors
    ///
    /// When it is not one public key of a supported kind.
    pub fn from_pem(name: impl Into<String>, text: &str) -> Result<Self, KeyError> {
        let name = name.into();
        let mut blocks = pem::blocks(text)
            .map_err(|why: PemError| KeyError::Pem { name: name.clone(), why: why.to_string() })?;
        let count = blocks.len();
        let (Some(block), true) = (blocks.pop(), count == 1) else {
            return Err(KeyError::Several { name, count });
        };
        let unsupported = |why: String| KeyError::Unsupported { name: name.clone(), why };
        let der = match block.label.as_str() {
            "PUBLIC KEY" => block.der,
            "RSA PUBLIC KEY" => rsa_info(&block.der).map_err(unsupported)?,
            label => return Err(KeyError::Label { label: records::text::shown(label), name }),
        };
        let der = DerPublicKey::new(der);
        let algorithm = usable(&der).map_err(unsupported)?;
        let id = id_of(&der);
        Ok(Self { name, id, der, algorithm, hash: None, log: LogDemand::Demanded })
    }

    /// The same key, whose signatures count without an entry in a transparency log.
    #[must_use]
    pub fn without_log(mut self) -> Self {
        self.log = LogDemand::NotDemanded;
        self
    }

    /// The same key, which signs with this hash alone. Ed25519 has its own, so it is not asked.
    #[must_use]
    pub fn with_hash(mut self, hash: KeyHash) -> Self {
        self.hash = Some(match hash {
            KeyHash::Sha256 => HashAlgorithm::Sha2256,
            KeyHash::Sha384 => HashAlgorithm::Sha2384,
            KeyHash::Sha512 => HashAlgorithm::Sha2512,
        });
        self
    }

    /// The name that the configuration gives it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SHA-256 of its SubjectPublicKeyInfo.
    #[must_use]
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// Whether its signatures count without a log.
    #[must_use]
    pub fn log(&self) -> LogDemand {
        self.log
    }

    pub(super) fn der(&self) -> &DerPublicKey {
        &self.der
    }

    /// The schemes that it may sign with.
    pub(super) fn schemes(&self) -> impl Iterator<Item = SigningScheme> {
        let hash = self.hash;
        schemes_of(self.algorithm)
            .iter()
            .copied()
            .filter(move |s| hash.is_none() || s.hash_algorithm().is_none_or(|h| Some(h) == hash))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("name", &self.name)
            .field("id", &self.id.0)
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

/// The id of a key: the SHA-256 of its SubjectPublicKeyInfo.
pub(super) fn id_of(der: &DerPublicKey) -> KeyId {
    KeyId(format!("sha256:{}", hex::encode(Sha256::digest(der.as_bytes()))))
}

/// The schemes of an algorithm, the usual one first.
pub(super) fn schemes_of(algorithm: KeyAlgorithm) -> &'static [SigningScheme] {
    use SigningScheme as S;
    match algorithm {
        KeyAlgorithm::EcdsaP256 => &[S::EcdsaP256Sha256, S::EcdsaP256Sha384],
        KeyAlgorithm::EcdsaP384 => &[S::EcdsaP384Sha384, S::EcdsaP384Sha256],
        KeyAlgorithm::Ed25519 => &[S::Ed25519],
        KeyAlgorithm::Rsa => &[
            S::RsaPkcs1Sha256,
            S::RsaPkcs1Sha384,
            S::RsaPkcs1Sha512,
            S::RsaPssSha256,
            S::RsaPssSha384,
            S::RsaPssSha512,
        ],
        _ => &[],
    }
}

/// Wraps an RSAPublicKey as a SubjectPublicKeyInfo.
pub(super) fn rsa_info(key: &[u8]) -> Result<Vec<u8>, String> {
    let info = SubjectPublicKeyInfoOwned {
        algorithm: AlgorithmIdentifierOwned {
            oid: RSA_ENCRYPTION,
            parameters: Some(Any::from(Null)),
        },
        subject_public_key: BitString::from_bytes(key).map_err(|error| error.to_string())?,
    };
    info.to_der().map_err(|error| error.to_string())
}

/// Whether signatures can be checked under a key at all, and by which algorithm.
fn usable(der: &DerPublicKey) -> Result<KeyAlgorithm, String> {
    let algorithm = KeyAlgorithm::from_spki(der).map_err(|error| error.to_string())?;
    let info =
        SubjectPublicKeyInfoRef::try_from(der.as_bytes()).map_err(|error| error.to_string())?;
    let raw = info.subject_public_key.raw_bytes();
    let Some(scheme) = schemes_of(algorithm).first() else {
        return Err(format!("{algorithm:?} is not judged here"));
    };
    validate_raw_public_key(*scheme, raw).map_err(|error| error.to_string())?;
    let parsed = match algorithm {
        KeyAlgorithm::EcdsaP256 => aws::ParsedPublicKey::new(&aws::ECDSA_P256_SHA256_ASN1, raw),
        KeyAlgorithm::EcdsaP384 => aws::ParsedPublicKey::new(&aws::ECDSA_P384_SHA384_ASN1, raw),
        KeyAlgorithm::Rsa => aws::ParsedPublicKey::new(&aws::RSA_PKCS1_2048_8192_SHA256, raw),
        _ => return ed25519(raw).map(|_| algorithm),
    };
    parsed.map_err(|error| error.to_string())?;
    Ok(algorithm)
}

/// An Ed25519 key; one of the few whose signatures anybody can make is refused.
pub(super) fn ed25519(raw: &[u8]) -> Result<ed25519_dalek::VerifyingKey, String> {
    let bytes = raw.try_into().map_err(|_| "an Ed25519 key has 32 bytes".to_owned())?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|e| e.to_string())?;
    if key.is_weak() { Err("the key is weak".to_owned()) } else { Ok(key) }
}
