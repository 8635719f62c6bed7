//! Trusted roots: the authorities, logs and timestamp authorities of one Sigstore instance.

use std::collections::{HashMap, HashSet};
use std::fmt;

use jiff::Timestamp;
use records::Digest;
use sha2::{Digest as _, Sha256};
use sigstore_verify::Verifier;
use sigstore_verify::crypto::VerificationKey;
use sigstore_verify::trust_root::{
    SIGSTORE_GITHUB_TRUSTED_ROOT, SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot,
};
use sigstore_verify::types::TimeRange;

use super::certificate::Authority;
use super::notary::Notary;
use super::timestamp::Stamper;

/// What a root demands of evidence beside a chain to one of its authorities and a proven time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demands {
    /// An entry in one of its transparency logs.
    pub log: bool,
    /// A signed certificate timestamp by one of its certificate transparency logs (RFC 6962).
    pub sct: bool,
}

/// A transparency log of a root.
pub(super) struct Log {
    pub(super) url: String,
    pub(super) key: VerificationKey,
    pub(super) window: Option<TimeRange>,
}

/// A trusted root: a Sigstore `trusted_root.json` (protobuf-specs, sigstore_trustroot.proto) under
/// a name, made ready once.
pub struct Root {
    name: String,
    digest: Digest,
    demands: Demands,
    newest: Option<Timestamp>,
    pub(super) verifier: Verifier,
    pub(super) notary: Notary,
    pub(super) logs: HashMap<Vec<u8>, Log>,
    pub(super) ct_logs: HashSet<Vec<u8>>,
    pub(super) authorities: Vec<Authority>,
    pub(super) stampers: Vec<Stamper>,
}

/// Why a trusted root cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// The text is not a trusted root.
    #[error("trusted root `{name}` is not a Sigstore trusted root in JSON")]
    Json {
        /// The root's name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: Box<sigstore_verify::trust_root::Error>,
    },
    /// A key, certificate or window in it cannot be used.
    #[error("trusted root `{name}` cannot be used")]
    Unusable {
        /// The root's name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: Box<sigstore_verify::Error>,
    },
    /// It names no authority, log or timestamp authority.
    #[error("trusted root `{name}` is empty: it has no authority, log or timestamp authority")]
    Empty {
        /// The root's name.
        name: String,
    },
}

impl Root {
    /// The root of the public-good instance of Sigstore, as the engine ships it.
    ///
    /// # Errors
    ///
    /// When the engine cannot read its own root.
    pub fn public_good() -> Result<Self, RootError> {
        Self::from_json("public-good", SIGSTORE_PRODUCTION_TRUSTED_ROOT)
    }

    /// The root of GitHub's own instance, as the engine ships it. It signs for private
    /// repositories: no log, no certificate transparency, the time by its timestamp authority.
    ///
    /// # Errors
    ///
    /// When the engine cannot read its own root.
    pub fn github() -> Result<Self, RootError> {
        Self::from_json("github", SIGSTORE_GITHUB_TRUSTED_ROOT)
    }

    /// A root from its JSON. It demands a log entry when it has a log, and a signed certificate
    /// timestamp when it has a certificate transparency log; see [`Self::demanding`].
    ///
    /// # Errors
    ///
    /// When it is not a trusted root, or something in it cannot be used.
    pub fn from_json(name: impl Into<String>, json: &str) -> Result<Self, RootError> {
        let name = name.into();
        let trusted = TrustedRoot::from_json(json)
            .map_err(|source| RootError::Json { name: name.clone(), source: Box::new(source) })?;
        if trusted.tlogs.is_empty()
            && trusted.certificate_authorities.is_empty()
            && trusted.timestamp_authorities.is_empty()
        {
            return Err(RootError::Empty { name });
        }
        let unusable = |source| RootError::Unusable { name: name.clone(), source };
        let verifier = Verifier::new(&trusted).map_err(|e| unusable(Box::new(e)))?;
        let notary = Notary::new(&trusted).map_err(|e| unusable(Box::new(e)))?;
        Ok(Self {
            digest: digest_of(json),
            demands: Demands { log: !trusted.tlogs.is_empty(), sct: !trusted.ctlogs.is_empty() },
            newest: newest(&trusted),
            verifier,
            notary,
            logs: logs(&trusted),
            ct_logs: trusted
                .ctlogs
                .iter()
                .map(|log| log.log_id.key_id.as_bytes().to_vec())
                .collect(),
            authorities: Authority::all(&trusted),
            stampers: Stamper::all(&trusted),
            name,
        })
    }

    /// The same root with other demands, where the configuration says so.
    #[must_use]
    pub fn demanding(mut self, demands: Demands) -> Self {
        self.demands = demands;
        self
    }

    /// Its name: `public-good`, `github`, or what the configuration calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SHA-256 of its JSON.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// What it demands.
    #[must_use]
    pub fn demands(&self) -> Demands {
        self.demands
    }

    /// When the newest thing in it came into use. The JSON has no date of its own; nothing that
    /// came into use after this is known to it.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Root")
            .field("name", &self.name)
            .field("digest", &self.digest)
            .field("demands", &self.demands)
            .finish_non_exhaustive()
    }
}

fn digest_of(json: &str) -> Digest {
    format!("sha256:{}", hex::encode(Sha256::digest(json)))
        .parse()
        .expect("64 lower-case hexadecimal digits")
}

/// The logs by id. One whose key is of a kind that the engine does not know is left out there and
/// here: its entries count as those of an unknown log.
fn logs(trusted: &TrustedRoot) -> HashMap<Vec<u8>, Log> {
    let log = |log: &sigstore_verify::trust_root::TransparencyLog| {
        let key = VerificationKey::from_spki(&log.public_key.raw_bytes).ok()?;
        let window = log.public_key.valid_for;
        let known = Log { url: log.base_url.clone(), key, window };
        Some((log.log_id.key_id.as_bytes().to_vec(), known))
    };
    trusted.tlogs.iter().filter_map(log).collect()
}

fn newest(trusted: &TrustedRoot) -> Option<Timestamp> {
    let keys = trusted.tlogs.iter().map(|log| log.public_key.valid_for);
    let ct_keys = trusted.ctlogs.iter().map(|log| log.public_key.valid_for);
    let authorities = trusted.certificate_authorities.iter().map(|ca| ca.valid_for);
    let stampers = trusted.timestamp_authorities.iter().map(|tsa| tsa.valid_for);
    keys.chain(ct_keys)
        .chain(authorities)
        .chain(stampers)
        .flatten()
        .map(|window| window.start)
        .max()
}
