//! Why a file is no key that can sign, and what would mend it. Nothing here repeats the file.

use std::path::PathBuf;

use records::text::shown;

use super::file::MAX_BYTES;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The operating system refused.
    #[error("cannot read the key in `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file holds no key that can be used.
    #[error("cannot use the key in `{}`", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<Self>,
    },
    /// More than a key needs.
    #[error("it is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// Not PEM.
    #[error("it is not PEM")]
    NotPem,
    /// PEM of something else.
    #[error("it holds `{}` and no private key", shown(.0))]
    Label(String),
    /// More keys than one.
    #[error("it holds {0} private keys, and which one is meant is not known")]
    Several(usize),
    /// A private key with a password, in another form than cosign's.
    #[error("it is a private key that is encrypted otherwise than cosign does")]
    Encrypted,
    /// A key that these algorithms are not for.
    #[error("it is not a key for ECDSA P-256, ECDSA P-384 or Ed25519")]
    Kind,
    /// What is in the block is not what cosign writes.
    #[error("its encrypted key is malformed: {0}")]
    Malformed(&'static str),
    /// Opening it would need too much.
    #[error("its password needs more memory or time to check than {0}")]
    Costly(&'static str),
    /// It is encrypted, and no password is set.
    #[error("it is encrypted, and there is no password for it")]
    NoPassword,
    /// The password does not open it.
    #[error("the password does not open it")]
    WrongPassword,
}

impl KeyError {
    /// What would mend it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unfit { source, .. } => source.hint(),
            Self::Read { .. } => Some("name a file that this user may read by `--sign-key`"),
            Self::TooLarge | Self::NotPem | Self::Label(_) => Some(
                "give a private key: `cosign generate-key-pair` makes one, and so does `openssl \
                 genpkey -algorithm ed25519`",
            ),
            Self::Several(_) => Some("keep each key in a file of its own"),
            Self::Encrypted => Some(
                "`openssl pkcs8 -topk8 -nocrypt` takes the encryption off, and `cosign \
                 import-key-pair` puts cosign's on",
            ),
            Self::Kind => Some("`cosign generate-key-pair` makes one for ECDSA P-256"),
            Self::Malformed(_) | Self::Costly(_) => {
                Some("`cosign import-key-pair` writes it anew from the plain key")
            }
            Self::NoPassword => {
                Some("set `PROVENANCE_SIGN_PASSWORD`, or `COSIGN_PASSWORD`, which may be empty")
            }
            Self::WrongPassword => {
                Some("check `PROVENANCE_SIGN_PASSWORD`, which goes before `COSIGN_PASSWORD`")
            }
        }
    }
}
