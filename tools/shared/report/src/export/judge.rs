//! The answers of a report in the words that results have in other tools: the one place that
//! decides what passes.
//!
//! An answer that is open is never a `pass`, and never a `fail`.

use std::borrow::Cow;
use std::fmt;

use records::{PolicyResult, Verdict};

use crate::{DriftState, HelmRelease, Row, RowPolicy, UpdateState};

use super::sentences::sentence;
use super::vocabulary::{Answer, Check, Outcome, Severity};

/// One answer, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged<'a> {
    /// What was asked.
    pub check: Check,
    /// The policy, where that is what was asked.
    pub policy: Option<&'a str>,
    /// The report's own word for the answer.
    pub answer: Answer,
    /// The result.
    pub outcome: Outcome,
    /// How grave that is.
    pub severity: Severity,
    /// Why, where the report says it. A foreign text.
    pub why: Option<Cow<'a, str>>,
}

impl fmt::Display for Judged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(sentence(self.check, self.answer))?;
        self.why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
    }
}

/// The answers of a row, in the order of [`Check::ALL`].
pub(super) fn row(row: &Row) -> impl Iterator<Item = Judged<'_>> {
    let demanded = row.policies.iter().flatten().any(|one| one.result == PolicyResult::Fail);
    let signature = &row.signature;
    let (provenance, sbom) = (&row.provenance, &row.sbom);
    let checks = [
        digest(row),
        drift(row),
        evidence(Check::Signature, signature.verdict, signature.error.as_deref(), demanded),
        // What a policy demands beside a signature is not in the report: its own result says it.
        evidence(Check::Provenance, provenance.verdict, provenance.error.as_deref(), false),
        evidence(Check::Sbom, sbom.verdict, sbom.error.as_deref(), false),
        update(row),
    ];
    checks.into_iter().chain(row.policies.iter().flatten().map(policy))
}

/// The answer of a release.
pub(super) fn release(release: &HelmRelease) -> Judged<'_> {
    let update = &release.update;
    let newest = update.latest_in_major.as_deref().or(update.newest.as_deref());
    newer(Check::ChartUpdate, update.status, newest, update.reason.as_deref())
}

fn judged<'a>(
    check: Check,
    answer: Answer,
    demanded: bool,
    why: Option<Cow<'a, str>>,
) -> Judged<'a> {
    let (outcome, severity) = answer.judged(demanded);
    Judged { check, policy: None, answer, outcome, severity, why }
}

fn digest(row: &Row) -> Judged<'_> {
    let why = row.error.as_deref().map(Cow::Borrowed);
    let answer = match row.present {
        _ if !row.runs() => Answer::NotRunning,
        Some(false) => Answer::Gone,
        _ if !row.digest_is_proven() && row.drift == DriftState::Skipped => Answer::Skipped,
        _ if !row.digest_is_proven() || row.presence_is_open() => Answer::Unknown,
        // Proven by the pod's status; nobody asked the repository.
        _ => Answer::Proven,
    };
    judged(Check::Digest, answer, false, why)
}

fn drift(row: &Row) -> Judged<'_> {
    let (answer, why) = match row.drift {
        DriftState::Moved => {
            let now = row.tag_digest.as_ref();
            (Answer::Moved, now.map(|now| Cow::Owned(format!("it means {now} now"))))
        }
        DriftState::Unknown if !row.runs() => (Answer::NotRunning, None),
        DriftState::Unknown => (Answer::Unknown, row.error.as_deref().map(Cow::Borrowed)),
        state => (state.into(), None),
    };
    judged(Check::Drift, answer, false, why)
}

fn evidence(check: Check, verdict: Verdict, why: Option<&str>, demanded: bool) -> Judged<'_> {
    judged(check, verdict.into(), demanded, why.map(Cow::Borrowed))
}

fn update(row: &Row) -> Judged<'_> {
    let update = &row.update;
    let newest = update.latest_in_major.as_deref().or(update.newest_available.as_deref());
    newer(Check::Update, update.status, newest, update.reason.as_deref())
}

fn newer<'a>(
    check: Check,
    status: UpdateState,
    newest: Option<&'a str>,
    reason: Option<&'a str>,
) -> Judged<'a> {
    let why = match status {
        UpdateState::Available => newest.or(reason),
        _ => reason,
    };
    judged(check, status.into(), false, why.map(Cow::Borrowed))
}

fn policy(policy: &RowPolicy) -> Judged<'_> {
    let answer = policy.result.into();
    let why = policy.exception.as_deref().map(Cow::Borrowed);
    Judged { policy: Some(&policy.policy), ..judged(Check::Policy, answer, false, why) }
}
