//! A key file: which of the forms it is.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::{KeyError, SigningKey, cosign};

/// The largest file that is read. A key needs less than one KiB.
pub(super) const MAX_BYTES: u64 = 64 * 1024;

/// Labels of keys that are encrypted as cosign does it; the second is of versions before 2.0.
const COSIGN: [&str; 2] = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];
/// PKCS#8 (RFC 7468 §10).
const PKCS8: &str = "PRIVATE KEY";
/// Encrypted PKCS#8 (RFC 7468 §11).
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
/// SEC 1 (RFC 5915 §4).
const SEC1: &str = "EC PRIVATE KEY";

/// A password: bytes that are erased when dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// The password that `bytes` are, all of them: a line feed at the end belongs to it.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl SigningKey {
    /// Reads the key in a file. `password` opens a key that is encrypted, and is not looked at
    /// otherwise.
    ///
    /// # Errors
    /// When the file cannot be read, or does not hold exactly one private key that can be used.
    pub fn read(path: &Path, password: Option<&Password>) -> Result<Self, KeyError> {
        let unread = |source| KeyError::Read { path: path.to_owned(), source };
        let mut text = Zeroizing::new(Vec::new());
        let file = File::open(path).map_err(unread)?;
        file.take(MAX_BYTES + 1).read_to_end(&mut text).map_err(unread)?;
        Self::from_pem(&text, password)
            .map_err(|source| KeyError::Unfit { path: path.to_owned(), source: Box::new(source) })
    }

    /// The key in a text.
    ///
    /// # Errors
    /// When it does not hold exactly one private key that can be used.
    pub fn from_pem(text: &[u8], password: Option<&Password>) -> Result<Self, KeyError> {
        if text.len() as u64 > MAX_BYTES {
            return Err(KeyError::TooLarge);
        }
        let blocks = pem::parse_many(text).map_err(|_| KeyError::NotPem)?;
        let first = blocks.first().ok_or(KeyError::NotPem)?;
        let keys: Vec<_> = blocks.iter().filter(|block| is_private(block.tag())).collect();
        let key = match keys.as_slice() {
            [] => return Err(KeyError::Label(first.tag().to_owned())),
            [key] => *key,
            several => return Err(KeyError::Several(several.len())),
        };
        // RFC 1421 headers: OpenSSL's own encryption of before PKCS#8.
        if key.headers().iter().next().is_some() {
            return Err(KeyError::Encrypted);
        }
        match key.tag() {
            PKCS8 => Self::from_pkcs8(key.contents()),
            SEC1 => Self::from_sec1(key.contents()),
            ENCRYPTED => Err(KeyError::Encrypted),
            tag if COSIGN.contains(&tag) => {
                let password = password.ok_or(KeyError::NoPassword)?;
                Self::from_pkcs8(&cosign::open(key.contents(), password)?)
            }
            _ => Err(KeyError::Kind),
        }
    }
}

/// Whether a label names a private key of any kind.
fn is_private(label: &str) -> bool {
    label.ends_with("PRIVATE KEY")
}
