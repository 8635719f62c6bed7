//! Content and its digests.

use records::Digest;
use sha2::{Digest as _, Sha256, Sha512};

/// What is known of content without having it (OCI image specification, descriptor.md).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The digest.
    pub digest: Digest,
    /// The media type, where it was said.
    pub media_type: Option<String>,
    /// The size in bytes, where it was said.
    pub size: Option<u64>,
}

/// The digest of `bytes` by sha256.
#[must_use]
pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    digest("sha256", &Sha256::digest(bytes))
}

/// Checks that `bytes` have this digest.
///
/// # Errors
/// The digest that they do have.
pub(crate) fn verify(bytes: &[u8], expected: &Digest) -> Result<(), Digest> {
    let mut hash = Hasher::like(expected);
    hash.update(bytes);
    hash.verify(expected)
}

/// A digest of bytes that come one after the other.
#[derive(Debug, Clone)]
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// By the algorithm of this digest.
    pub(crate) fn like(digest: &Digest) -> Self {
        match digest.algorithm() {
            "sha512" => Self::Sha512(Sha512::new()),
            _ => Self::Sha256(Sha256::new()),
        }
    }

    /// The next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    /// Checks that all of them have this digest.
    ///
    /// # Errors
    /// The digest that they do have.
    pub(crate) fn verify(self, expected: &Digest) -> Result<(), Digest> {
        let found = match self {
            Self::Sha256(hash) => digest("sha256", &hash.finalize()),
            Self::Sha512(hash) => digest("sha512", &hash.finalize()),
        };
        if found == *expected { Ok(()) } else { Err(found) }
    }
}

fn digest(algorithm: &str, hash: &[u8]) -> Digest {
    let text = format!("{algorithm}:{}", hex::encode(hash));
    text.parse().expect("a hash in hexadecimal has the length of its algorithm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_algorithms_are_checked() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let empty: Digest = empty.parse().expect("a digest");
        assert_eq!(verify(b"", &empty), Ok(()));
        assert_eq!(verify(b"x", &empty), Err(sha256(b"x")));
        let long = digest("sha512", &Sha512::digest(b"x"));
        assert_eq!(verify(b"x", &long), Ok(()));
        assert!(verify(b"", &long).is_err_and(|found| found.algorithm() == "sha512"));
    }
}
