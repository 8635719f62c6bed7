//! Whether an image met a policy: SLSA verification summaries.
//!
//! <https://slsa.dev/spec/v1.1/verification_summary>. One for each repository, manifest and policy
//! with an answer. What could not be judged has none: a summary knows passed and failed alone.

use std::collections::BTreeMap;

use records::{Digest, PolicyResult, Verdict};
use serde::Serialize;

use super::statement::{Statement, Subject};
use super::{COLLECTOR, Stated};
use crate::{Evidence, Report};

/// The kind of claim.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/verification_summary/v1";

/// What a policy's name is appended to, percent-encoded.
const POLICY: &str = "https://provenance.nebari.dev/policy/";

/// The policy that the settings are where no policy judged an image: its signer is one that they
/// trust for it. Only a signature that is contradicted fails it.
pub const TRUSTED_SIGNER: &str = "https://provenance.nebari.dev/trusted-signer/v1";

/// The version of SLSA whose words are used.
const SLSA_VERSION: &str = "1.1";

/// What is claimed.
///
/// `inputAttestations` is left out: it would have to name every attestation by the digest of its
/// bytes, and a report knows evidence by digests of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Predicate<'a> {
    /// Who verified.
    pub verifier: Verifier<'a>,
    /// When, RFC 3339: when the report was made.
    pub time_verified: &'a str,
    /// What a consumer fetches: `repository@digest`.
    pub resource_uri: String,
    /// Against what.
    pub policy: Policy,
    /// `PASSED` or `FAILED`.
    pub verification_result: &'static str,
    /// The SLSA build level, or `FAILED`: exactly one word.
    pub verified_levels: [&'static str; 1],
    /// The version of the specification.
    pub slsa_version: &'static str,
}

/// Who verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verifier<'a> {
    /// The collector.
    pub id: &'static str,
    /// Its version, by the same name.
    pub version: BTreeMap<&'static str, &'a str>,
}

/// What was verified against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Its name as a URI.
    pub uri: String,
}

/// What a policy, or the settings, say of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It is met; the build level that was verified beside.
    Passed(&'static str),
    /// It is not.
    Failed,
    /// Neither can be said, and why.
    Neither(&'static str),
}

/// What is judged: repository, manifest, and the policy's URI.
type Subjects<'a> = BTreeMap<(&'a str, &'a Digest, String), Answer>;

/// Hands every summary of `report` to `take`, sorted by repository, digest and policy.
///
/// # Errors
/// The first that `take` returns.
pub fn each<'a, E>(
    report: &'a Report,
    mut take: impl FnMut(&Statement<Predicate<'a>>) -> Result<(), E>,
) -> Result<Stated, E> {
    let (answers, mut stated) = answers(report);
    for ((repository, digest, uri), answer) in answers {
        let (verification_result, level) = match answer {
            Answer::Passed(level) => ("PASSED", level),
            Answer::Failed => ("FAILED", "FAILED"),
            Answer::Neither(why) => {
                stated.leave_out(why);
                continue;
            }
        };
        let metadata = &report.metadata;
        let version = BTreeMap::from([("provenance-collector", &*metadata.collector_version)]);
        let predicate = Predicate {
            verifier: Verifier { id: COLLECTOR, version },
            time_verified: &metadata.generated_at,
            resource_uri: format!("{repository}@{digest}"),
            policy: Policy { uri },
            verification_result,
            verified_levels: [level],
            slsa_version: SLSA_VERSION,
        };
        let subject = vec![Subject::new(repository, digest)];
        take(&Statement::new(subject, PREDICATE_TYPE, predicate))?;
        stated.statements += 1;
    }
    Ok(stated)
}

/// All answers; one manifest below two indexes has one where both agree.
fn answers(report: &Report) -> (Subjects<'_>, Stated) {
    let mut answers = Subjects::new();
    let mut stated = Stated::default();
    for evidence in &report.evidence {
        let Some(digest) = evidence.manifest.as_ref().or(evidence.index.as_ref()) else {
            stated.leave_out("its digest is not known");
            continue;
        };
        for (uri, answer) in of(evidence) {
            answers
                .entry((&evidence.repository, digest, uri))
                .and_modify(|before| *before = agreed(*before, answer))
                .or_insert(answer);
        }
    }
    (answers, stated)
}

fn agreed(one: Answer, other: Answer) -> Answer {
    if one == other { one } else { Answer::Neither("its answer differs from index to index") }
}

/// What each policy says of one manifest; the settings, where none does.
fn of(evidence: &Evidence) -> Vec<(String, Answer)> {
    let level = level(evidence);
    if evidence.policies.is_empty() {
        return vec![(TRUSTED_SIGNER.to_owned(), of_settings(evidence, level))];
    }
    let answers = evidence.policies.iter().map(|policy| {
        let answer = match policy.result {
            PolicyResult::Pass => Answer::Passed(level),
            PolicyResult::Fail | PolicyResult::Warn => Answer::Failed,
            PolicyResult::Skip => Answer::Neither("an exception holds"),
            PolicyResult::Unknown => Answer::Neither("a policy could not be judged"),
        };
        (format!("{POLICY}{}", encoded(&policy.policy)), answer)
    });
    answers.collect()
}

fn of_settings(evidence: &Evidence, level: &'static str) -> Answer {
    match evidence.signature.as_ref().map(|check| check.verdict) {
        Some(Verdict::Trusted) => Answer::Passed(level),
        Some(Verdict::Invalid) => Answer::Failed,
        Some(Verdict::Unknown) => Answer::Neither("its signature could not be checked"),
        Some(Verdict::Valid | Verdict::Present | Verdict::Absent) => {
            Answer::Neither("no policy demands a signature")
        }
        Some(Verdict::Skipped) | None => Answer::Neither("its signature was not asked for"),
    }
}

/// The build level that was verified. What was not found out is not level 0.
fn level(evidence: &Evidence) -> &'static str {
    const UNEVALUATED: &str = "SLSA_BUILD_LEVEL_UNEVALUATED";
    let Some(check) = &evidence.provenance else { return UNEVALUATED };
    match (check.verdict, check.level) {
        (Verdict::Absent | Verdict::Invalid, _) => "SLSA_BUILD_LEVEL_0",
        (Verdict::Unknown | Verdict::Skipped, _) => UNEVALUATED,
        (_, Some(0)) => "SLSA_BUILD_LEVEL_0",
        (_, Some(1)) => "SLSA_BUILD_LEVEL_1",
        (_, Some(2)) => "SLSA_BUILD_LEVEL_2",
        (_, Some(3)) => "SLSA_BUILD_LEVEL_3",
        _ => UNEVALUATED,
    }
}

/// A segment of a path (RFC 3986 §3.3): all but unreserved characters percent-encoded.
fn encoded(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policys_name_is_one_segment() {
        assert_eq!(encoded("release-signed.v1"), "release-signed.v1");
        assert_eq!(encoded("a/../b?c#é\n"), "a%2F..%2Fb%3Fc%23%C3%A9%0A");
    }

    #[test]
    fn what_differs_is_neither() {
        let passed = Answer::Passed("SLSA_BUILD_LEVEL_2");
        assert_eq!(agreed(passed, passed), passed);
        for other in [Answer::Failed, Answer::Passed("SLSA_BUILD_LEVEL_1"), Answer::Neither("x")] {
            assert!(matches!(agreed(passed, other), Answer::Neither(_)));
            assert!(matches!(agreed(other, passed), Answer::Neither(_)));
        }
    }
}
