//! A private key that signs.

mod cosign;
mod error;
mod file;
#[cfg(test)]
mod tests;

use std::fmt;

use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use sha2::{Digest as _, Sha256};

pub use error::KeyError;
pub use file::Password;

/// What a key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on the curve P-256 over SHA-256.
    EcdsaP256,
    /// ECDSA on the curve P-384, over SHA-256 too: that is how `cosign --key` checks it, where
    /// Sigstore's own list of algorithms has SHA-384.
    EcdsaP384,
    /// Ed25519 over the bytes themselves.
    Ed25519,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaP256 => "ECDSA P-256",
            Self::EcdsaP384 => "ECDSA P-384",
            Self::Ed25519 => "Ed25519",
        })
    }
}

/// A private key. It is erased from memory when dropped, and never shown.
pub struct SigningKey {
    secret: Secret,
    /// The SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) of its public half, in DER.
    public: Vec<u8>,
}

enum Secret {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl SigningKey {
    /// The key in a PKCS#8 document (RFC 5208, RFC 5958).
    fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(key) = p256::SecretKey::from_pkcs8_der(der) {
            return Self::new(Secret::P256(key.into()));
        }
        if let Ok(key) = p384::SecretKey::from_pkcs8_der(der) {
            return Self::new(Secret::P384(key.into()));
        }
        match ed25519_dalek::SigningKey::from_pkcs8_der(der) {
            Ok(key) => Self::new(Secret::Ed25519(key)),
            Err(_) => Err(KeyError::Kind),
        }
    }

    /// The key in an ECPrivateKey (RFC 5915), which SEC 1 has first.
    fn from_sec1(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(key) = p256::SecretKey::from_sec1_der(der) {
            return Self::new(Secret::P256(key.into()));
        }
        match p384::SecretKey::from_sec1_der(der) {
            Ok(key) => Self::new(Secret::P384(key.into())),
            Err(_) => Err(KeyError::Kind),
        }
    }

    fn new(secret: Secret) -> Result<Self, KeyError> {
        let public = match &secret {
            Secret::P256(key) => key.verifying_key().to_public_key_der(),
            Secret::P384(key) => key.verifying_key().to_public_key_der(),
            Secret::Ed25519(key) => key.verifying_key().to_public_key_der(),
        };
        let public = public.map_err(|_| KeyError::Kind)?.into_vec();
        Ok(Self { secret, public })
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.secret {
            Secret::P256(_) => Algorithm::EcdsaP256,
            Secret::P384(_) => Algorithm::EcdsaP384,
            Secret::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// Its public half as PEM (`PUBLIC KEY`, RFC 7468 §13), which verifiers take.
    #[must_use]
    pub fn public_pem(&self) -> String {
        let unix = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new("PUBLIC KEY", self.public.as_slice()), unix)
    }

    pub(crate) fn public_der(&self) -> &[u8] {
        &self.public
    }

    /// The signature over `message`; of ECDSA in DER (RFC 3279 §2.2.3).
    pub(crate) fn signature(&self, message: &[u8]) -> Vec<u8> {
        // Neither curve refuses a hash of 32 bytes.
        const FITS: &str = "SHA-256 is at least half as long as the curve's field";
        let hash = || Sha256::digest(message);
        match &self.secret {
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(&hash()).expect(FITS);
                signature.to_der().as_bytes().to_vec()
            }
            Secret::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(&hash()).expect(FITS);
                signature.to_der().as_bytes().to_vec()
            }
            Secret::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}
