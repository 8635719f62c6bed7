//! `--require`: what every image must have.

use std::str::FromStr;

use records::{ProvenanceFind, Verdict};

use crate::answer::Answer;
use crate::check::Check;

/// One demand: `signature=trusted`, `slsa=2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// A check must come out at least so good.
    Check(Check, Verdict),
    /// The provenance must earn at least this SLSA build level.
    Level(u8),
    /// A valid provenance must say what is expected (`--source-tag` and its siblings).
    Expectations,
}

/// Why a demand makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no demand: write CHECK=VERDICT, with signature, provenance, sbom or attestation and trusted, valid or present, or slsa=LEVEL with 1 to 3"
)]
pub struct DemandError(String);

impl FromStr for Demand {
    type Err = DemandError;

    fn from_str(text: &str) -> Result<Self, DemandError> {
        let refuse = || DemandError(records::text::shown(text));
        let (what, least) = text.split_once('=').ok_or_else(refuse)?;
        if what == "slsa" {
            let level = least.parse().ok().filter(|level| (1..=3).contains(level));
            return level.map(Self::Level).ok_or_else(refuse);
        }
        let check = Check::ALL.into_iter().find(|check| check.as_str() == what);
        let least = [Verdict::Trusted, Verdict::Valid, Verdict::Present]
            .into_iter()
            .find(|verdict| verdict.as_str() == least);
        check.zip(least).map(|(check, least)| Self::Check(check, least)).ok_or_else(refuse)
    }
}

impl Demand {
    /// The check that it needs.
    #[must_use]
    pub fn check(self) -> Check {
        match self {
            Self::Check(check, _) => check,
            Self::Level(_) | Self::Expectations => Check::Provenance,
        }
    }

    /// Why an answer falls short of a demand on one check; none where it does not.
    fn missed(self, answer: &Answer) -> Option<String> {
        let Self::Check(check, least) = self else { return None };
        let (verdict, reason) = verdict_of(answer, check);
        let reason = reason.map_or(String::new(), |reason| format!(" ({reason})"));
        (!reaches(verdict, least))
            .then(|| format!("{check} is {}{reason}, not {}", verdict.as_str(), least.as_str()))
    }
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
                Demand::Check(..) => {}
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
        for bad in ["signature", "signature=absent", "slsa=4", "slsa=0", "sbom=valid,", "x=valid"] {
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
