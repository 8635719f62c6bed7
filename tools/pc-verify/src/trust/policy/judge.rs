//! What a policy says of an image, given what was found on it.

use std::fmt;

use records::text::cut;
use records::{Digest, FindVerdict, Known, NamespaceException, PolicyMode, PolicyResult};

use super::accept::{Find, Refusal, Rules, predicate_type};
use super::{Authority, DemandedAttestation, Policy, Signer};
use crate::judged::Content;
use crate::statement::Kind;

/// What was found on an image, check by check.
#[derive(Debug, Clone, Default)]
pub struct Checked<'a> {
    /// Signatures.
    pub signature: Check<'a>,
    /// SLSA provenance.
    pub provenance: Check<'a>,
    /// Bills of materials.
    pub sbom: Check<'a>,
    /// All other statements.
    pub attestation: Check<'a>,
}

/// The finds of one check, and how well they are known.
#[derive(Debug, Clone, Default)]
pub struct Check<'a> {
    /// What is known of the asking; none where the check is switched off.
    pub known: Option<Known>,
    /// What was found.
    pub finds: Vec<Find<'a>>,
}

/// A check by its name on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckName {
    /// `signature`.
    Signature,
    /// `provenance`.
    Provenance,
    /// `sbom`.
    Sbom,
    /// `attestation`.
    Attestation,
}

/// What a policy says of an image: the facts of a `policy` record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyOutcome {
    /// The policy's name.
    pub policy: String,
    /// Whether it enforces or warns.
    pub mode: PolicyMode,
    /// The result.
    pub result: PolicyResult,
    /// The authority that was content.
    pub authority: Option<String>,
    /// One reason for each authority that was not.
    pub reasons: Vec<String>,
    /// The exception that made it `skip`.
    pub exception: Option<String>,
    /// What excuses a `fail` or `warn` in some namespaces.
    pub exceptions: Vec<NamespaceException>,
}

impl PolicyOutcome {
    /// The record of it, for what runs, which a pod calls `image`.
    #[must_use]
    pub fn into_record(
        self,
        (repository, index, manifest): (String, Option<Digest>, Option<Digest>),
        image: &str,
    ) -> records::Policy {
        let Self { policy, mode, result, authority, reasons, exception, exceptions } = self;
        records::Policy {
            repository,
            index,
            manifest,
            policy,
            image: Some(cut(image).into_owned()),
            mode,
            result,
            authority,
            reasons,
            exception,
            exceptions,
        }
    }
}

/// A policy's answer before exceptions.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) result: PolicyResult,
    pub(crate) authority: Option<String>,
    pub(crate) reasons: Vec<String>,
    /// The authorities that are certainly not content.
    pub(crate) failures: Vec<Failure>,
}

/// What an authority misses: in which checks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Empty where it would fail whatever was found.
    pub(crate) checks: Vec<CheckName>,
}

/// Whether a demand is met.
enum Met {
    Yes,
    No(String),
    Unknown(String),
}

impl CheckName {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Provenance => "provenance",
            Self::Sbom => "sbom",
            Self::Attestation => "attestation",
        }
    }

    /// The check of this name.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let all = [Self::Signature, Self::Provenance, Self::Sbom, Self::Attestation];
        all.into_iter().find(|check| check.as_str() == word)
    }

    /// The check that statements of a predicate type belong to.
    fn of(predicate_type: &str) -> Self {
        match Kind::of(predicate_type) {
            Kind::Signature => Self::Signature,
            Kind::Provenance => Self::Provenance,
            Kind::Sbom => Self::Sbom,
            Kind::Other => Self::Attestation,
        }
    }
}

impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'a> Checked<'a> {
    fn of(&self, name: CheckName) -> &Check<'a> {
        match name {
            CheckName::Signature => &self.signature,
            CheckName::Provenance => &self.provenance,
            CheckName::Sbom => &self.sbom,
            CheckName::Attestation => &self.attestation,
        }
    }

    /// Every find that is, or may turn out to be, a statement.
    fn statements(&self) -> impl Iterator<Item = &Find<'a>> {
        [&self.provenance, &self.sbom, &self.attestation].into_iter().flat_map(|check| &check.finds)
    }
}

impl Check<'_> {
    /// Why more may be there than was found. A policy fails because of *all* that is there, so it
    /// needs what `absent` needs.
    fn doubt(&self) -> Option<&'static str> {
        match self.known {
            None => Some("this is not checked"),
            Some(Known { whole: false, .. }) => Some("not every store could be asked to the end"),
            Some(Known { present: None, .. }) => {
                Some("it is not known whether the repository has the manifest")
            }
            Some(Known { present: Some(false), .. }) => {
                Some("the repository does not have the manifest")
            }
            Some(Known { platform: false, .. }) => Some("it is not known which platform runs"),
            Some(Known { index: false, .. }) => {
                Some("it is not known which index lists the manifest")
            }
            Some(Known { whole: true, present: Some(true), platform: true, index: true }) => None,
        }
    }
}

impl Policy {
    /// What this policy says: one content authority is enough.
    pub(crate) fn judge(&self, checked: &Checked<'_>, how: &Rules<'_>) -> Judgement {
        let mut judgement = Judgement {
            result: match self.mode {
                PolicyMode::Enforce => PolicyResult::Fail,
                PolicyMode::Warn => PolicyResult::Warn,
            },
            authority: None,
            reasons: Vec::new(),
            failures: Vec::new(),
        };
        for authority in &self.authorities {
            let (met, checks) = authority.judge(checked, how);
            let reason = |why: &str| cut(&format!("{}: {why}", authority.name)).into_owned();
            match met {
                // All are asked, so that each is known to be of use.
                Met::Yes if judgement.authority.is_none() => {
                    judgement.authority = Some(authority.name.clone());
                }
                Met::Yes => {}
                Met::No(why) => {
                    judgement.reasons.push(reason(&why));
                    judgement.failures.push(Failure { checks });
                }
                Met::Unknown(why) => {
                    judgement.reasons.push(reason(&why));
                    judgement.result = PolicyResult::Unknown;
                }
            }
        }
        if judgement.authority.is_some() {
            judgement.result = PolicyResult::Pass;
        }
        judgement
    }
}

impl Authority {
    /// Whether it is content, and in which checks it certainly misses something.
    fn judge(&self, checked: &Checked<'_>, how: &Rules<'_>) -> (Met, Vec<CheckName>) {
        match &self.signer {
            Signer::Pass => return (Met::Yes, Vec::new()),
            Signer::Fail(message) => {
                let why = message.as_deref().unwrap_or("every image fails");
                return (Met::No(records::text::shown(why)), Vec::new());
            }
            Signer::Keys(_) | Signer::Keyless { .. } => {}
        }
        if self.attestations.is_empty() {
            return match self.signature(checked, how) {
                Met::No(why) => (Met::No(why), vec![CheckName::Signature]),
                met => (met, Vec::new()),
            };
        }
        let (mut missing, mut doubts, mut checks) = (Vec::new(), Vec::new(), Vec::new());
        for demanded in &self.attestations {
            match self.attestation(demanded, checked, how) {
                Met::Yes => {}
                Met::No(why) => {
                    missing.push(why);
                    checks.push(CheckName::of(&demanded.predicate_type));
                }
                Met::Unknown(why) => doubts.push(why),
            }
        }
        // What is certainly missing decides, whatever else is in doubt.
        match (missing.is_empty(), doubts.is_empty()) {
            (false, _) => (Met::No(missing.join("; ")), checks),
            (true, false) => (Met::Unknown(doubts.join("; ")), Vec::new()),
            (true, true) => (Met::Yes, Vec::new()),
        }
    }

    fn signature(&self, checked: &Checked<'_>, how: &Rules<'_>) -> Met {
        let check = &checked.signature;
        let wanted = |find: &&Find<'_>| matches!(find.judged.content, Content::Signature { .. });
        let refusals = match self.first(check.finds.iter().filter(wanted), how) {
            Ok(()) => return Met::Yes,
            Err(refusals) => refusals,
        };
        let doubt = check.doubt().or_else(|| doubt_of(check.finds.iter()));
        unmet("signature", &refusals, doubt)
    }

    fn attestation(
        &self,
        demanded: &DemandedAttestation,
        checked: &Checked<'_>,
        how: &Rules<'_>,
    ) -> Met {
        let wanted = |find: &&Find<'_>| {
            predicate_type(&find.judged.content) == Some(&*demanded.predicate_type)
        };
        let refusals = match self.first(checked.statements().filter(wanted), how) {
            Ok(()) => return Met::Yes,
            Err(refusals) => refusals,
        };
        let check = checked.of(CheckName::of(&demanded.predicate_type));
        let doubt = check.doubt().or_else(|| doubt_of(checked.statements()));
        let what = format!("attestation `{}` ({})", demanded.name, demanded.written);
        unmet(&records::text::shown(&what), &refusals, doubt)
    }

    /// Whether one of the finds is accepted; else why each is not.
    fn first<'f, 'a: 'f>(
        &self,
        finds: impl Iterator<Item = &'f Find<'a>>,
        how: &Rules<'_>,
    ) -> Result<(), Vec<Refusal>> {
        let mut refusals = Vec::new();
        for find in finds {
            match self.accepts(find, how) {
                Ok(()) => return Ok(()),
                Err(refusal) => refusals.push(refusal),
            }
        }
        Err(refusals)
    }
}

/// A find that was seen and not fetched may be what is demanded.
fn doubt_of<'f, 'a: 'f>(mut finds: impl Iterator<Item = &'f Find<'a>>) -> Option<&'static str> {
    let unknown = finds.any(|find| find.judged.verdict == FindVerdict::Unknown);
    unknown.then_some("something that was seen could not be fetched")
}

fn unmet(what: &str, refusals: &[Refusal], doubt: Option<&str>) -> Met {
    let best = refusals.iter().max();
    let seen = match (refusals.len(), best) {
        (1, Some(best)) => format!("the {what} does not count: {best}"),
        (count, Some(best)) => {
            format!("none of {count} finds counts as {what}; of the closest, {best}")
        }
        (_, None) => format!("no {what} was found"),
    };
    match doubt {
        Some(doubt) => Met::Unknown(format!("{seen}, but {doubt}")),
        None => Met::No(seen),
    }
}
