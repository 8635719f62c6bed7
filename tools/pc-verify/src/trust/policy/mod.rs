//! Policies: which images they are about, and which authorities would content them.

mod accept;
mod judge;
mod read;
mod vouch;

use std::sync::atomic::AtomicU64;

use records::PolicyMode;
use registry::Repository;

use super::glob::{Glob, ImageName};
use super::identity::{IdentityRule, SourceRepository};
use super::key::Wanted;
use super::pem::PublicKey;
use super::root::Location;
use super::yaml::Place;
use crate::judge::{KeyHash, LogDemand};
use crate::judged::KeyId;

pub use accept::Find;
pub(crate) use accept::{Rules, by_key, certified_by};
pub(crate) use judge::Failure;
pub use judge::{Check, CheckName, Checked, PolicyOutcome};
pub(crate) use read::read;

/// A ClusterImagePolicy that has been checked.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) place: Place,
    pub(crate) mode: PolicyMode,
    pub(crate) images: Vec<Glob>,
    pub(crate) authorities: Vec<Authority>,
    /// The source repositories that shared builders may build from.
    pub(crate) sources: Vec<SourceRepository>,
    /// How many images it was asked about.
    pub(crate) used: AtomicU64,
}

impl Policy {
    /// Whether it is about an image.
    pub(crate) fn is_about(&self, image: &ImageName) -> bool {
        self.images.iter().any(|glob| glob.matches(image))
    }
}

/// One of those who would content a policy.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) name: String,
    pub(crate) signer: Signer,
    pub(crate) log: LogDemanded,
    pub(crate) timestamp: TimestampDemanded,
    pub(crate) format: FormatDemanded,
    /// Where signatures may lie beside the image's own repository.
    pub(crate) repositories: Vec<Repository>,
    /// The attestations that are demanded; where there are none, a signature is.
    pub(crate) attestations: Vec<DemandedAttestation>,
    /// How many finds it accepted the signer of.
    pub(crate) used: AtomicU64,
}

/// Who must have signed.
#[derive(Debug)]
pub(crate) enum Signer {
    /// The holder of one of these keys.
    Keys(Vec<KeyId>),
    /// Somebody with one of these identities, by an authority of one of these roots.
    Keyless { roots: Vec<String>, identities: Vec<IdentityRule> },
    /// Nobody: every image passes.
    Pass,
    /// Nobody: every image fails, for this reason.
    Fail(Option<String>),
}

/// Whether an entry in a transparency log is demanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LogDemanded {
    /// None, beyond what the root demands.
    No,
    /// One in one of these logs.
    In(Vec<Location>),
}

/// Whether a timestamp by an authority is demanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimestampDemanded {
    No,
    Yes,
}

/// In which format evidence must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormatDemanded {
    Any,
    /// cosign's own, before bundles.
    Legacy,
    /// A Sigstore bundle.
    Bundle,
}

/// A statement that must be there.
#[derive(Debug)]
pub(crate) struct DemandedAttestation {
    pub(crate) name: String,
    /// As it was written: a word or a URI.
    pub(crate) written: String,
    /// The URI.
    pub(crate) predicate_type: String,
}

/// A key that a policy names, before it was asked for.
#[derive(Debug)]
pub(crate) struct PolicyKey {
    /// The name for people: policy and authority.
    pub(crate) name: String,
    /// Which policy, and which authority of it, by number.
    pub(crate) of: (usize, usize),
    pub(crate) text: KeyText,
    pub(crate) hash: Option<KeyHash>,
    pub(crate) log: LogDemand,
    pub(crate) place: Place,
}

/// The text of a key, or where it is to be had.
#[derive(Debug)]
pub(crate) enum KeyText {
    Here(Vec<PublicKey>),
    Wanted(Wanted),
}
