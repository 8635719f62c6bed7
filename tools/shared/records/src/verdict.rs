//! From finds to a verdict: the one place that combines.
//!
//! The rule that everything else serves: what could not be checked is never shown as absent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The judgement of one find, alone. The order is from worst to best evidence of a good state and
/// is not the order in which they combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FindVerdict {
    /// Contradicted by something that can be checked.
    Invalid,
    /// Seen, not fetched.
    Unknown,
    /// There, with nothing to check it against.
    Present,
    /// Cryptography, time, chain and subject hold; nobody said to trust the signer.
    Valid,
    /// Valid, and the configuration names the signer for this image.
    Trusted,
}

/// The answer of a check.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// A find is trusted.
    Trusted,
    /// A find is valid, none is trusted.
    Valid,
    /// A find is there, and nothing to check it against.
    Present,
    /// Every store was asked to the end, and there is none.
    Absent,
    /// A find is contradicted, none is trusted.
    Invalid,
    /// Could not be checked.
    Unknown,
    /// Switched off.
    Skipped,
}

impl Verdict {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Valid => "valid",
            Self::Present => "present",
            Self::Absent => "absent",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }

    /// Whether something is there at all: what a report's row shows as `signed`, `hasSBOM` and
    /// `hasProvenance`.
    ///
    /// `None` where that is not known. An invalid find is no evidence, so it counts as not there.
    #[must_use]
    pub fn is_there(self) -> Option<bool> {
        match self {
            Self::Trusted | Self::Valid | Self::Present => Some(true),
            Self::Absent | Self::Invalid => Some(false),
            Self::Unknown | Self::Skipped => None,
        }
    }
}

impl From<FindVerdict> for Verdict {
    fn from(find: FindVerdict) -> Self {
        match find {
            FindVerdict::Invalid => Self::Invalid,
            FindVerdict::Unknown => Self::Unknown,
            FindVerdict::Present => Self::Present,
            FindVerdict::Valid => Self::Valid,
            FindVerdict::Trusted => Self::Trusted,
        }
    }
}

/// What is known about the asking, beside the finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Whether every store that could hold this check's evidence was asked to the end, and
    /// nothing that was found was left out.
    pub whole: bool,
    /// Whether the repository has the manifest: `digest.present`.
    pub present: Option<bool>,
    /// Whether it is settled which index lists the manifest, or that none does.
    pub index: bool,
    /// Whether the platform that runs is known.
    pub platform: bool,
}

/// A combined answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Combined {
    /// The answer.
    pub verdict: Verdict,
    /// The best of what was seen, where the answer is `unknown`; else the answer itself.
    pub seen: Verdict,
    /// Why it is `unknown` although every store answered: `index-unknown`, `platform-unknown`,
    /// `not-present` or `present-unknown`.
    pub reason: Option<&'static str>,
}

/// Combines the finds of one check on index and manifest.
///
/// Any trusted makes it trusted; else any invalid, invalid; else an asking that was not whole, or
/// a find that was not fetched, unknown; else valid, present, absent, in this order. Absent needs
/// more: the repository shows the manifest, and index and platform are settled.
#[must_use]
pub fn combine(finds: &[FindVerdict], known: Known) -> Combined {
    let any = |wanted: FindVerdict| finds.contains(&wanted);
    let best = [FindVerdict::Valid, FindVerdict::Present].into_iter().find(|v| any(*v));
    let seen = best.map_or(Verdict::Absent, Verdict::from);
    let settled = |verdict| Combined { verdict, seen: verdict, reason: None };
    if any(FindVerdict::Trusted) {
        return settled(Verdict::Trusted);
    }
    if any(FindVerdict::Invalid) {
        return settled(Verdict::Invalid);
    }
    if !known.whole || any(FindVerdict::Unknown) {
        return Combined { verdict: Verdict::Unknown, seen, reason: None };
    }
    match (seen, why_not_absent(known)) {
        (Verdict::Absent, Some(reason)) => {
            Combined { verdict: Verdict::Unknown, seen, reason: Some(reason) }
        }
        _ => settled(seen),
    }
}

/// What stands between "nothing found" and "there is none".
fn why_not_absent(known: Known) -> Option<&'static str> {
    match known {
        Known { present: None, .. } => Some("present-unknown"),
        Known { present: Some(false), .. } => Some("not-present"),
        Known { platform: false, .. } => Some("platform-unknown"),
        Known { index: false, .. } => Some("index-unknown"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Known = Known { whole: true, present: Some(true), index: true, platform: true };

    fn verdict(finds: &[FindVerdict], known: Known) -> Verdict {
        combine(finds, known).verdict
    }

    #[test]
    fn the_order_of_combination() {
        use FindVerdict as F;
        assert_eq!(verdict(&[F::Invalid, F::Trusted, F::Unknown], ALL), Verdict::Trusted);
        assert_eq!(verdict(&[F::Invalid, F::Valid, F::Unknown], ALL), Verdict::Invalid);
        assert_eq!(verdict(&[F::Unknown, F::Valid], ALL), Verdict::Unknown);
        assert_eq!(verdict(&[F::Present, F::Valid], ALL), Verdict::Valid);
        assert_eq!(verdict(&[F::Present], ALL), Verdict::Present);
        assert_eq!(verdict(&[], ALL), Verdict::Absent);
    }

    #[test]
    fn what_was_not_asked_to_the_end_is_unknown_and_says_what_was_seen() {
        let known = Known { whole: false, ..ALL };
        let combined = combine(&[FindVerdict::Present, FindVerdict::Valid], known);
        assert_eq!((combined.verdict, combined.seen), (Verdict::Unknown, Verdict::Valid));
        assert_eq!(combine(&[], known).seen, Verdict::Absent);
        assert_eq!(verdict(&[FindVerdict::Trusted], known), Verdict::Trusted);
    }

    #[test]
    fn absent_needs_a_repository_that_shows_the_manifest() {
        for (known, reason) in [
            (Known { present: None, ..ALL }, "present-unknown"),
            (Known { present: Some(false), ..ALL }, "not-present"),
            (Known { platform: false, ..ALL }, "platform-unknown"),
            (Known { index: false, ..ALL }, "index-unknown"),
        ] {
            let combined = combine(&[], known);
            assert_eq!((combined.verdict, combined.reason), (Verdict::Unknown, Some(reason)));
            assert_eq!(verdict(&[FindVerdict::Present], known), Verdict::Present);
        }
    }

    /// Over every combination of up to three finds and every state of knowledge: absent is never
    /// said unless all was asked and answered.
    #[test]
    fn absent_is_never_said_without_proof() {
        use FindVerdict as F;
        let finds = [
            None,
            Some(F::Invalid),
            Some(F::Unknown),
            Some(F::Present),
            Some(F::Valid),
            Some(F::Trusted),
        ];
        for a in finds {
            for b in finds {
                for c in finds {
                    let list: Vec<F> = [a, b, c].into_iter().flatten().collect();
                    for bits in 0..8 {
                        for present in [None, Some(false), Some(true)] {
                            let known = Known {
                                whole: bits & 1 != 0,
                                index: bits & 2 != 0,
                                platform: bits & 4 != 0,
                                present,
                            };
                            if verdict(&list, known) == Verdict::Absent {
                                assert_eq!((known, list.len()), (ALL, 0));
                            }
                        }
                    }
                }
            }
        }
    }
}
