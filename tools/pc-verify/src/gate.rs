//! `--require`: what every image must have.

use std::str::FromStr;

use records::{FindVerdict, Known, ProvenanceFind, Verdict, combine};

use crate::answer::Answer;
use crate::check::Check;
use crate::judged::Reason;
use crate::predicate::{PredicateType, PredicateTypeError, WantedTypes};

/// One demand: `signature=trusted`, `attestation:vuln=valid`, `slsa=2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// A check must come out at least so good.
    Check(Check, Verdict),
    /// The statements of these predicate types, all together, must.
    Statement(WantedTypes, Verdict),
    /// The provenance must earn at least this SLSA build level.
    Level(u8),
    /// A valid provenance must say what is expected (`--source-tag` and its siblings).
    Expectations,
}

/// Why a demand makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DemandError {
    /// It is none.
    #[error(
        "`{0}` is no demand: write CHECK=VERDICT, with signature, provenance, sbom, attestation or attestation:TYPE and trusted, valid or present, or slsa=LEVEL with 1 to 3"
    )]
    Form(String),
    /// It names a predicate type that is none. (Of a flag's error only these words are shown, and
    /// no cause.)
    #[error("`{0}` is no demand: {1}")]
    Type(String, PredicateTypeError),
    /// Signatures are no attestations, though cosign 3 writes them as statements.
    #[error("`{0}` demands a signature: write signature=VERDICT")]
    Signature(String),
}

const VERDICTS: [Verdict; 3] = [Verdict::Trusted, Verdict::Valid, Verdict::Present];

impl FromStr for Demand {
    type Err = DemandError;

    fn from_str(text: &str) -> Result<Self, DemandError> {
        let told = || records::text::shown(text);
        let refuse = || DemandError::Form(told());
        // A URI may have `=` in it, a verdict has none.
        let (what, least) = text.rsplit_once('=').ok_or_else(refuse)?;
        if what == "slsa" {
            let level = least.parse().ok().filter(|level| (1..=3).contains(level));
            return level.map(Self::Level).ok_or_else(refuse);
        }
        let least = VERDICTS.into_iter().find(|verdict| verdict.as_str() == least);
        let least = least.ok_or_else(refuse)?;
        if let Some(named) = what.strip_prefix("attestation:") {
            let named: PredicateType =
                named.parse().map_err(|source| DemandError::Type(told(), source))?;
            return match named.check() {
                Check::Signature => Err(DemandError::Signature(told())),
                _ => Ok(Self::Statement(named.into(), least)),
            };
        }
        let check = Check::ALL.into_iter().find(|check| check.as_str() == what);
        check.map(|check| Self::Check(check, least)).ok_or_else(refuse)
    }
}

impl Demand {
    /// The checks that it needs.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        match self {
            Self::Check(check, _) => vec![*check],
            Self::Statement(types, _) => types.named().iter().map(PredicateType::check).collect(),
            Self::Level(_) | Self::Expectations => vec![Check::Provenance],
        }
    }

    /// The same of these predicate types alone (`--type`), where it is about attestations and
    /// names none itself.
    ///
    /// # Errors
    /// Where one of the types is that of signatures.
    pub fn narrowed(self, types: &WantedTypes) -> Result<Self, DemandError> {
        let Self::Check(Check::Attestation, least) = self else { return Ok(self) };
        let is_signature = |one: &&PredicateType| one.check() == Check::Signature;
        match (types.named(), types.named().iter().find(is_signature)) {
            ([], _) => Ok(self),
            (_, None) => Ok(Self::Statement(types.clone(), least)),
            (_, Some(signature)) => Err(DemandError::Signature(signature.to_string())),
        }
    }

    /// Why an answer falls short of a demand on one check; none where it does not.
    fn missed(&self, answer: &Answer) -> Option<String> {
        let (what, verdict, reason, least) = match self {
            Self::Check(check, least) => {
                let (verdict, reason) = verdict_of(answer, *check);
                (check.to_string(), verdict, reason, least)
            }
            Self::Statement(types, least) => {
                (format!("the attestation {types}"), of_types(answer, types), None, least)
            }
            Self::Level(_) | Self::Expectations => return None,
        };
        let reason = reason.map_or(String::new(), |reason| format!(" ({reason})"));
        (!reaches(verdict, *least))
            .then(|| format!("{what} is {}{reason}, not {}", verdict.as_str(), least.as_str()))
    }
}

/// What the statements of some predicate types come to: the rule of the checks, over these alone.
fn of_types(answer: &Answer, types: &WantedTypes) -> Verdict {
    let mut finds: Vec<FindVerdict> = Vec::new();
    let mut whole = true;
    let mut settled = true;
    for check in types.named().iter().map(PredicateType::check) {
        let (verdict, is_whole) = match check {
            Check::Signature => (Verdict::Skipped, false),
            Check::Provenance => state(answer.provenance.as_ref().map(|r| (r.verdict, r.whole))),
            Check::Sbom => state(answer.sbom.as_ref().map(|r| (r.verdict, r.whole))),
            Check::Attestation => state(answer.attestation.as_ref().map(|r| (r.verdict, r.whole))),
        };
        whole &= is_whole;
        settled &= verdict != Verdict::Unknown;
    }
    macro_rules! add {
        ($record:expr) => {
            let of = $record.iter().flat_map(|record| &record.finds);
            let of = of.filter(|find| types.take(find.predicate_type.as_deref()));
            finds.extend(of.map(|find| find.verdict));
        };
    }
    add!(answer.provenance);
    add!(answer.sbom);
    add!(answer.attestation);
    // What was not fetched, or cannot be read, may be of any type; it stands in the record of every
    // check that is on.
    macro_rules! unread {
        ($record:expr) => {
            let of = $record.iter().flat_map(|record| &record.finds);
            let is_unread = |reason: Option<&str>, predicate_type: Option<&str>| {
                predicate_type.is_none() && reason != Some(Reason::Unsigned.as_str())
            };
            let of =
                of.filter(|find| is_unread(find.reason.as_deref(), find.predicate_type.as_deref()));
            finds.extend(of.map(|_| FindVerdict::Unknown));
        };
    }
    unread!(answer.provenance);
    unread!(answer.sbom);
    unread!(answer.attestation);
    let known = Known { whole, present: Some(true), index: settled, platform: true };
    combine(&finds, known).verdict
}

/// The verdict of a record and whether it is whole; of a check that is off neither is known.
fn state(record: Option<(Verdict, bool)>) -> (Verdict, bool) {
    record.unwrap_or((Verdict::Skipped, false))
}

/// What is demanded of the provenance, all of which one find has to meet: a level that one builder
/// earns says nothing of what another signed.
#[derive(Debug, Clone, Copy, Default)]
struct OfProvenance {
    least: Option<Verdict>,
    level: u8,
    expectations: bool,
}

impl OfProvenance {
    fn of(demands: &[Demand]) -> Self {
        let mut all = Self::default();
        for demand in demands {
            match *demand {
                Demand::Check(Check::Provenance, least) => {
                    all.least = Some(all.least.map_or(least, |known| known.min(least)));
                }
                Demand::Check(..) | Demand::Statement(..) => {}
                Demand::Level(level) => all.level = all.level.max(level),
                Demand::Expectations => all.expectations = true,
            }
        }
        all
    }

    /// Why no find meets all of it; none where one does.
    fn missed(self, answer: &Answer) -> Option<String> {
        if self.level == 0 && !self.expectations {
            return None;
        }
        let verdict = verdict_of(answer, Check::Provenance).0;
        let least = if self.expectations { Verdict::Valid } else { Verdict::Present };
        let least = self.least.map_or(least, |known| known.min(least));
        if !reaches(verdict, least) {
            return Some(format!("the provenance is {}", verdict.as_str()));
        }
        let finds = answer.provenance.iter().flat_map(|record| &record.finds);
        let good = finds.filter(|find| reaches(find.verdict.into(), least));
        let mut closest: Option<Vec<String>> = None;
        for find in good {
            let short = self.short(find);
            if short.is_empty() {
                return None;
            }
            if closest.as_ref().is_none_or(|closest| short.len() < closest.len()) {
                closest = Some(short);
            }
        }
        let none = || vec!["no provenance is good enough to say so".to_owned()];
        Some(closest.unwrap_or_else(none).join("; "))
    }

    /// What a find lacks.
    fn short(self, find: &ProvenanceFind) -> Vec<String> {
        let earned = find.level.unwrap_or(0);
        let level = (earned < self.level)
            .then(|| format!("the SLSA build level is {earned}, not {}", self.level));
        let unmet = if self.expectations { &find.unmet[..] } else { &[] };
        level.into_iter().chain(unmet.iter().cloned()).collect()
    }
}

/// Whether a verdict is at least as good as another.
fn reaches(verdict: Verdict, least: Verdict) -> bool {
    match verdict {
        Verdict::Trusted | Verdict::Valid | Verdict::Present => verdict <= least,
        Verdict::Absent | Verdict::Invalid | Verdict::Unknown | Verdict::Skipped => false,
    }
}

/// A check's verdict, and why it is no better.
fn verdict_of(answer: &Answer, check: Check) -> (Verdict, Option<String>) {
    macro_rules! of {
        ($record:expr) => {
            $record.as_ref().map_or((Verdict::Skipped, None), |record| {
                let reason = record.finds.iter().find_map(|find| find.reason.clone());
                (record.verdict, reason)
            })
        };
    }
    let (verdict, reason) = match check {
        Check::Signature => of!(answer.signature),
        Check::Provenance => of!(answer.provenance),
        Check::Sbom => of!(answer.sbom),
        Check::Attestation => of!(answer.attestation),
    };
    let failure = answer.failures.iter().find(|failure| {
        verdict == Verdict::Unknown && failure.about.iter().any(|about| about == check.as_str())
    });
    (verdict, failure.map(|failure| failure.code.clone()).or(reason))
}

/// Why an answer does not meet the demands, in one line; none where it does.
#[must_use]
pub fn missed(demands: &[Demand], subject: &str, answer: &Answer) -> Option<String> {
    let of_checks = demands.iter().filter_map(|demand| demand.missed(answer));
    let missed: Vec<String> = of_checks.chain(OfProvenance::of(demands).missed(answer)).collect();
    (!missed.is_empty()).then(|| format!("{subject}: {}", missed.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demands_are_read_and_nonsense_is_named() {
        assert_eq!(
            "signature=trusted".parse(),
            Ok(Demand::Check(Check::Signature, Verdict::Trusted))
        );
        assert_eq!("slsa=2".parse(), Ok(Demand::Level(2)));
        let vuln = "vuln".parse::<PredicateType>().expect("a word");
        assert_eq!(
            "attestation:vuln=valid".parse(),
            Ok(Demand::Statement(vuln.into(), Verdict::Valid))
        );
        let uri = "attestation:https://acme.example/t?v=1=present".parse::<Demand>();
        let uri = uri.expect("a demand");
        assert!(matches!(&uri, Demand::Statement(types, Verdict::Present)
            if types.to_string() == "https://acme.example/t?v=1"));
        assert_eq!(uri.checks(), [Check::Attestation]);
        let signature = "attestation:https://sigstore.dev/cosign/sign/v1=valid".parse::<Demand>();
        assert!(matches!(signature, Err(DemandError::Signature(_))));
        assert!(matches!("attestation:x=valid".parse::<Demand>(), Err(DemandError::Type(..))));
        for bad in [
            "signature",
            "signature=absent",
            "slsa=4",
            "slsa=0",
            "sbom=valid,",
            "x=valid",
            "attestation:vuln",
        ] {
            assert!(bad.parse::<Demand>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_better_verdict_reaches_and_none_of_the_rest_does() {
        use Verdict as V;
        for (verdict, least, wanted) in [
            (V::Trusted, V::Present, true),
            (V::Trusted, V::Trusted, true),
            (V::Valid, V::Trusted, false),
            (V::Present, V::Valid, false),
            (V::Absent, V::Present, false),
            (V::Invalid, V::Present, false),
            (V::Unknown, V::Present, false),
            (V::Skipped, V::Present, false),
        ] {
            assert_eq!(reaches(verdict, least), wanted, "{verdict:?} {least:?}");
        }
    }
}
