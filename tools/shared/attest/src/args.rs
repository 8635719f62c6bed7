//! The setting that names a key.

use std::env;
use std::fmt;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use records::text::shown;

use crate::key::{KeyError, Password, SigningKey};

/// The variable that holds the password of an encrypted key. As with every variable of this name,
/// an empty one counts as not set.
const PASSWORD: &str = "PROVENANCE_SIGN_PASSWORD";
/// cosign's variable for it, which counts otherwise. Empty it is the empty password, as for cosign.
const COSIGN_PASSWORD: &str = "COSIGN_PASSWORD";

/// Which key signs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Signing")]
pub struct SignArgs {
    /// Sign with the private key in this file: PEM of ECDSA P-256, P-384 or Ed25519, or cosign's
    /// encrypted key, whose password is in PROVENANCE_SIGN_PASSWORD or COSIGN_PASSWORD
    #[arg(long, env = "PROVENANCE_SIGN_KEY", value_name = "FILE")]
    pub sign_key: Option<KeyFile>,
}

impl SignArgs {
    /// The key; `None` where none is named.
    ///
    /// # Errors
    /// When the file holds none that can be used.
    pub fn key(&self) -> Result<Option<SigningKey>, KeyError> {
        let ours = env::var_os(PASSWORD).filter(|password| !password.is_empty());
        let password = ours.or_else(|| env::var_os(COSIGN_PASSWORD));
        let password = password.map(|password| Password::new(password.into_vec()));
        let read = |file: &KeyFile| SigningKey::read(file.path(), password.as_ref());
        self.sign_key.as_ref().map(read).transpose()
    }
}

/// The path of a key file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile(PathBuf);

impl KeyFile {
    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

/// Why a text does not name a key file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// Nothing.
    #[error("it is empty: name the file of a private key")]
    Empty,
    /// A key that lies elsewhere than in a file.
    #[error(
        "`{}` keys are not supported: only a key in a file signs here. Keys in a service or a \
         token sign with cosign itself: `cosign attest-blob --key {}… --statement …`",
        shown(.0), shown(.0)
    )]
    Scheme(String),
}

impl FromStr for KeyFile {
    type Err = KeyFileError;

    fn from_str(text: &str) -> Result<Self, KeyFileError> {
        // As cosign tells them apart; `pkcs11:` (RFC 7512) has no slashes.
        let scheme = match text.split_once("://") {
            Some((scheme, _)) => Some(format!("{scheme}://")),
            None => text.starts_with("pkcs11:").then(|| "pkcs11:".to_owned()),
        };
        match scheme {
            Some(scheme) => Err(KeyFileError::Scheme(scheme)),
            None if text.is_empty() => Err(KeyFileError::Empty),
            None => Ok(Self(text.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_path_and_no_address_of_a_service() {
        let path = |text: &str| text.parse().map(|file: KeyFile| file.path().to_owned());
        assert_eq!(path("/keys/sign.key"), Ok(PathBuf::from("/keys/sign.key")));
        assert_eq!(path("a:b"), Ok(PathBuf::from("a:b")));
        assert_eq!(path(""), Err(KeyFileError::Empty));
        for (text, scheme) in [
            ("awskms:///alias/sign", "awskms://"),
            ("gcpkms://projects/p", "gcpkms://"),
            ("azurekms://vault/key", "azurekms://"),
            ("hashivault://key", "hashivault://"),
            ("k8s://namespace/secret", "k8s://"),
            ("env://KEY", "env://"),
            ("pkcs11:token=t", "pkcs11:"),
        ] {
            assert_eq!(path(text), Err(KeyFileError::Scheme(scheme.into())));
        }
        let error = path("awskms:///alias/sign").expect_err("a service").to_string();
        assert!(error.contains("`awskms://` keys are not supported"), "{error}");
    }
}
