//! What is wrong with a configuration. All of it is a fault of usage.

use std::path::PathBuf;

use records::text::shown;

use super::pem::PemError;
use super::yaml::{FileError, Place};

/// Why a configuration of trust cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A setting that does not make sense, alone or beside others.
    #[error("`{flag}`: {why}")]
    Setting {
        /// The flag.
        flag: &'static str,
        /// What is wrong, and what would be right.
        why: String,
    },
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file of `--tuf-root`.
    #[error("`--tuf-root`: `{}` is no root of TUF (`root.json`) that signs itself", shown(&path.to_string_lossy()))]
    TufRoot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<sigstore_tuf::Error>,
    },
    /// A key of `--key`.
    #[error("the key `{}`", shown(.name))]
    Key {
        /// What it is called.
        name: String,
        /// What is wrong with it.
        #[source]
        source: PemError,
    },
    /// A key of a policy that lies elsewhere.
    #[error("{place}: the key of {}", shown(.name))]
    PolicyKey {
        /// Where the policy names it.
        place: Place,
        /// Policy and authority.
        name: String,
        /// What is wrong with it.
        #[source]
        source: PemError,
    },
    /// A key that lies elsewhere and was not asked for.
    #[error("the key `{}` was not fetched", shown(.0))]
    NotFetched(String),
}

impl TrustError {
    /// A setting that does not make sense.
    pub(crate) fn setting(flag: &'static str, why: impl Into<String>) -> Self {
        Self::Setting { flag, why: why.into() }
    }
}
