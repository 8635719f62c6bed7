//! Whom to trust: keys, identities, roots, policies, exceptions.
//!
//! The way of a configuration: [`TrustArgs`] are read into [`Sources`], as far as files and
//! variables go; what must be asked for is [`fetch()`]ed; both together make [`Trust`], which says
//! of each judged find whether somebody who is named for this image signed it, and of each image
//! what the policies say. Nothing here judges cryptography, and nothing here changes a verdict but
//! from `valid` to `trusted`.

mod args;
mod document;
mod error;
mod exception;
mod fetch;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod glob;
mod identity;
mod key;
mod keys;
mod note;
mod pattern;
mod pem;
mod policy;
mod root;
#[cfg(test)]
mod testing;
mod trust_root;
mod tuf;
mod yaml;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use records::text::MAX_LIST;
use records::{FindVerdict, PolicyResult};
use registry::Repository;

use self::exception::Exception;
use self::identity::{IdentityRule, SourceRepository};
use self::keys::{Keys, NoKey};
use self::policy::{Policy, Rules, Signer};
use crate::judge::LogDemand;
use crate::judged::{CertifiedIdentity, Judged, KeyId, SignedBy};

pub use self::args::{Sources, TrustArgs};
pub use self::error::TrustError;
pub use self::fetch::{FetchError, Fetched, fetch, get, read_secret};
pub use self::glob::{Glob, ImageName};
pub use self::key::{PinnedAddress, SecretKey, Wanted};
pub use self::keys::TrustedKey;
pub use self::note::{Note, NoteKind};
pub use self::pem::PemError;
pub use self::policy::{Check, CheckName, Checked, Find, PolicyOutcome};
pub use self::root::{Root, RootSource};
pub use self::tuf::{Mirror, MirrorError};
pub use self::yaml::{FileError, Place};

/// Whether a certified identity is one that any project can use.
pub type IsShared = Box<dyn Fn(&CertifiedIdentity) -> bool + Send + Sync>;

/// Whom the configuration trusts. It may be asked from many threads.
pub struct Trust {
    keys: Keys,
    roots: Vec<Root>,
    /// The names of the roots that may vouch for the identity of flags.
    root_names: Vec<String>,
    setting_keys: Vec<Counted<KeyId>>,
    log_demanded: bool,
    identity: Option<Counted<IdentityRule>>,
    sources: Vec<SourceRepository>,
    policies: Vec<Policy>,
    exceptions: Vec<Exception>,
    repositories: Vec<Repository>,
    today: Date,
    is_shared: IsShared,
}

/// Something of which it is known how often it was of use.
#[derive(Debug)]
struct Counted<T> {
    what: T,
    used: AtomicU64,
}

impl<T> Counted<T> {
    fn new(what: T) -> Self {
        Self { what, used: AtomicU64::new(0) }
    }
}

/// Who says that a signer is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedBy {
    /// A flag, or its variable.
    Setting {
        /// The flag.
        flag: &'static str,
        /// What was given: the key's name, or the identity.
        value: String,
    },
    /// An authority of a policy.
    Policy {
        /// The policy.
        policy: String,
        /// The authority.
        authority: String,
    },
}

/// `--key release.pub`, or `policy acme, authority release`.
impl fmt::Display for TrustedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { flag, value } => write!(f, "{flag} {value}"),
            Self::Policy { policy, authority } => {
                write!(f, "policy {policy}, authority {authority}")
            }
        }
    }
}

impl Trust {
    /// A whole configuration: what the flags name, what was fetched for it, the time of this run,
    /// and which identities any project can use.
    ///
    /// # Errors
    /// [`TrustError`] for a key that cannot be used or was not fetched.
    pub fn new(
        sources: Sources,
        fetched: &Fetched,
        now: jiff::Timestamp,
        is_shared: IsShared,
    ) -> Result<Self, TrustError> {
        let mut keys = Keys::default();
        let mut setting_keys = Vec::new();
        for key in &sources.keys {
            let ids =
                keys.add(&key.name, &key.text, fetched, (None, sources.log)).map_err(|error| {
                    let name = key.name.clone();
                    match error {
                        NoKey::Pem(source) => TrustError::Key { name, source },
                        NoKey::NotFetched(what) => TrustError::NotFetched(what),
                    }
                })?;
            setting_keys.extend(ids.into_iter().map(Counted::new));
        }
        let mut policies = sources.policies;
        for key in sources.policy_keys {
            let ids =
                keys.add(&key.name, &key.text, fetched, (key.hash, key.log)).map_err(|error| {
                    match error {
                        NoKey::Pem(source) => TrustError::PolicyKey {
                            place: key.place,
                            name: key.name.clone(),
                            source,
                        },
                        NoKey::NotFetched(what) => TrustError::NotFetched(what),
                    }
                })?;
            let (policy, authority) = key.of;
            let authority = policies.get_mut(policy).and_then(|p| p.authorities.get_mut(authority));
            if let Some(authority) = authority {
                authority.signer = Signer::Keys(ids);
            }
        }
        Ok(Self {
            keys,
            roots: sources.roots,
            root_names: sources.root_names,
            setting_keys,
            log_demanded: sources.log == LogDemand::Demanded,
            identity: sources.identity.map(Counted::new),
            sources: sources.sources,
            policies,
            exceptions: sources.exceptions,
            repositories: sources.repositories,
            today: now.to_zoned(TimeZone::UTC).date(),
            is_shared,
        })
    }

    /// The keys that signatures are checked with, each once.
    #[must_use]
    pub fn keys(&self) -> &[TrustedKey] {
        self.keys.all()
    }

    /// The roots that certificates, logs and timestamps are checked with.
    #[must_use]
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// The repositories that may hold evidence for an image beside its own: the configured ones,
    /// and those of the policies that are about it.
    #[must_use]
    pub fn signature_repositories(&self, image: &ImageName) -> Vec<Repository> {
        let about = self.policies.iter().filter(|policy| policy.is_about(image));
        let named = about.flat_map(|policy| &policy.authorities).flat_map(|a| &a.repositories);
        let mut repositories: Vec<Repository> =
            self.repositories.iter().chain(named).cloned().collect();
        repositories.sort();
        repositories.dedup();
        repositories
    }

    /// Who says that the signer of a find is trusted for this image: the settings first, then the
    /// policies in their order. Only a valid find can be trusted. `source_repository` is what its
    /// statement names, if it is provenance.
    pub fn trusted_by(
        &self,
        image: &ImageName,
        judged: &Judged,
        source_repository: Option<&str>,
    ) -> Option<TrustedBy> {
        if !matches!(judged.verdict, FindVerdict::Valid | FindVerdict::Trusted) {
            return None;
        }
        let find = Find { judged, source_repository };
        // All are asked, so that the report knows which were of use.
        let setting = self.by_key(judged).or_else(|| self.by_identity(&find));
        let mut trusted = setting;
        for policy in self.policies.iter().filter(|policy| policy.is_about(image)) {
            let how = self.rules(&policy.sources);
            let speaking = policy.authorities.iter().filter(|a| a.speaks_of(&judged.content));
            for authority in speaking {
                if authority.accepts(&find, &how).is_ok() {
                    trusted = trusted.or_else(|| {
                        let (policy, authority) = (policy.name.clone(), authority.name.clone());
                        Some(TrustedBy::Policy { policy, authority })
                    });
                }
            }
        }
        trusted
    }

    /// Whether there are any policies.
    pub(crate) fn has_policies(&self) -> bool {
        !self.policies.is_empty()
    }

    /// The policies that are about an image, by their numbers.
    #[must_use]
    pub fn about(&self, image: &ImageName) -> Vec<usize> {
        let all = self.policies.iter().enumerate();
        all.filter(|(_, policy)| policy.is_about(image)).map(|(at, _)| at).collect()
    }

    /// What each policy that is about this image says, in their order. An exception for some
    /// namespaces changes no result, since the answer is for all of them: it stands beside it.
    #[must_use]
    pub fn policies(&self, image: &ImageName, checked: &Checked<'_>) -> Vec<PolicyOutcome> {
        self.say(&self.about(image), image, checked)
    }

    /// The same of the policies with these numbers.
    pub(crate) fn say(
        &self,
        which: &[usize],
        image: &ImageName,
        checked: &Checked<'_>,
    ) -> Vec<PolicyOutcome> {
        let which = which.iter().filter_map(|at| self.policies.get(*at));
        which.map(|policy| self.outcome(policy, image, checked)).collect()
    }

    fn outcome(&self, policy: &Policy, image: &ImageName, checked: &Checked<'_>) -> PolicyOutcome {
        policy.used.fetch_add(1, Relaxed);
        let judgement = policy.judge(checked, &self.rules(&policy.sources));
        let mut outcome = PolicyOutcome {
            policy: policy.name.clone(),
            mode: policy.mode,
            result: judgement.result,
            authority: judgement.authority,
            reasons: judgement.reasons,
            exception: None,
            exceptions: Vec::new(),
        };
        if matches!(outcome.result, PolicyResult::Fail | PolicyResult::Warn) {
            let about = |e: &&Exception| e.covers(&policy.name, &judgement.failures, image);
            self.excuse(&mut outcome, self.exceptions.iter().filter(about));
        }
        outcome
    }

    /// Applies the exceptions that are about a failure. The first that holds everywhere decides.
    fn excuse<'e>(
        &self,
        outcome: &mut PolicyOutcome,
        exceptions: impl Iterator<Item = &'e Exception>,
    ) {
        for exception in exceptions {
            exception.use_it();
            match exception.in_namespaces() {
                there if !exception.holds_on(self.today) => {
                    let there =
                        there.map_or(String::new(), |it| format!(" (in `{}`)", it.namespace));
                    outcome.reasons.push(format!(
                        "an exception{there} ended on {}: {}",
                        exception.until(),
                        exception.text()
                    ));
                }
                Some(there) => outcome.exceptions.push(there),
                None => {
                    outcome.result = PolicyResult::Skip;
                    outcome.exception = Some(exception.text());
                    outcome.exceptions.clear();
                    return;
                }
            }
        }
        let more = outcome.exceptions.len().saturating_sub(MAX_LIST);
        if more > 0 {
            outcome.exceptions.truncate(MAX_LIST);
            outcome.reasons.push(format!("{more} more exceptions for namespaces are left out"));
        }
    }

    fn by_key(&self, judged: &Judged) -> Option<TrustedBy> {
        let key = self
            .setting_keys
            .iter()
            .find(|key| policy::by_key(judged, &key.what, self.log_demanded))?;
        key.used.fetch_add(1, Relaxed);
        let value = self.keys.name_of(&key.what).unwrap_or(&key.what.0).to_owned();
        Some(TrustedBy::Setting { flag: "--key", value })
    }

    fn by_identity(&self, find: &Find<'_>) -> Option<TrustedBy> {
        let rule = self.identity.as_ref()?;
        let SignedBy::Certificate(certified) = find.judged.signed_by.as_ref()? else { return None };
        if !self.root_names.contains(&certified.root) {
            return None;
        }
        policy::certified_by([&rule.what], certified, find, &self.rules(&[])).ok()?;
        rule.used.fetch_add(1, Relaxed);
        let value = rule.what.identity.as_str().to_owned();
        Some(TrustedBy::Setting { flag: "--certificate-identity", value })
    }

    fn rules<'a>(&'a self, of_policy: &'a [SourceRepository]) -> Rules<'a> {
        let sources = self.sources.iter().chain(of_policy).collect();
        Rules { is_shared: &*self.is_shared, sources }
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("keys", &self.keys)
            .field("roots", &self.roots)
            .field("policies", &self.policies)
            .field("exceptions", &self.exceptions)
            .finish_non_exhaustive()
    }
}
