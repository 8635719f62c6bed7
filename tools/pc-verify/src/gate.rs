//! `--require`: what every image must have.

use std::str::FromStr;

use records::{FindVerdict, ProvenanceFind, Verdict};

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

    /// Why an answer falls short; none where it does not.
    fn missed(self, answer: &Answer) -> Option<String> {
        match self {
            Self::Check(check, least) => {
                let (verdict, reason) = verdict_of(answer, check);
                let reason = reason.map_or(String::new(), |reason| format!(" ({reason})"));
                (!reaches(verdict, least)).then(|| {
                    format!("{check} is {}{reason}, not {}", verdict.as_str(), least.as_str())
                })
            }
            Self::Level(least) => {
                let level = answer.provenance.as_ref().and_then(|record| record.level);
                let verdict = verdict_of(answer, Check::Provenance).0;
                // What is contradicted or unknown earns no level, whatever a find beside it says.
                let earned = level.filter(|_| verdict.is_there() == Some(true)).unwrap_or(0);
                (earned < least).then(|| format!("the SLSA build level is {earned}, not {least}"))
            }
            Self::Expectations => unmet(answer),
        }
    }
}

/// Why no valid provenance says what is expected; none where one does.
fn unmet(answer: &Answer) -> Option<String> {
    let finds = answer.provenance.iter().flat_map(|record| &record.finds);
    let holds =
        |find: &&ProvenanceFind| matches!(find.verdict, FindVerdict::Valid | FindVerdict::Trusted);
    let mut closest: Option<&ProvenanceFind> = None;
    for find in finds.filter(holds) {
        if closest.is_none_or(|closest| find.unmet.len() < closest.unmet.len()) {
            closest = Some(find);
        }
    }
    match closest {
        None => Some("no provenance is valid, so none says what is expected".to_owned()),
        Some(find) if find.unmet.is_empty() => None,
        Some(find) => Some(find.unmet.join("; ")),
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
    let missed: Vec<String> = demands.iter().filter_map(|demand| demand.missed(answer)).collect();
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
