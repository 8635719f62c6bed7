//! From what was found to the records that answer.
//!
//! - `finds`: what is told of each find.
//! - `why`: why something is not known.

mod finds;
mod why;

use std::collections::HashMap;

use records::{
    Attestation, AttestationFind, Combined, Failure, FailureCode, FindVerdict, Known, Policy,
    Provenance, ProvenanceFind, Sbom, SbomFind, Signature, SignatureFind, StoreAnswer,
    StoreOutcome, Verdict, combine,
};

use crate::check::Check;
use crate::find::{Findings, Listing, Shown};
use crate::question::Question;
use crate::trust::{self, Trust};

pub(crate) use finds::unite;
use finds::{counted, is_inherited, told};
use why::{about_question, failure, why_unsettled};

/// The stage that answers.
const STAGE: &str = env!("CARGO_PKG_NAME");

/// The answers to a question, one per check, and what went wrong.
#[derive(Debug)]
pub struct Answer {
    /// The `signature` record.
    pub signature: Option<Signature>,
    /// The `provenance` record.
    pub provenance: Option<Provenance>,
    /// The `sbom` record.
    pub sbom: Option<Sbom>,
    /// The `attestation` record.
    pub attestation: Option<Attestation>,
    /// What each policy says that is about the image.
    pub policies: Vec<Policy>,
    /// Why something is not known.
    pub failures: Vec<Failure>,
}

/// What the records of a check have in common.
struct Frame {
    combined: Combined,
    known: Known,
    whole: bool,
    stores: Vec<StoreAnswer>,
    dropped: u64,
}

macro_rules! record {
    ($record:ident, $question:expr, $frame:expr, $finds:expr $(, $field:ident: $value:expr)*) => {
        $record {
            repository: $question.repository.clone(),
            index: $question.index.clone(),
            manifest: $question.manifest.clone(),
            platform: $question.platform.clone(),
            verdict: $frame.combined.verdict,
            seen: $frame.combined.seen,
            whole: $frame.whole,
            $($field: $value,)*
            stores: $frame.stores,
            finds: $finds,
            dropped: $frame.dropped,
        }
    };
}

/// Answers a question, with what the policies of these numbers say.
#[must_use]
pub fn answer(
    question: &Question,
    checks: &[Check],
    (trust, which): (&Trust, &[usize]),
    mut findings: Findings,
) -> Answer {
    settle_listing(question, &mut findings);
    let mut failures = Vec::new();
    for trouble in &findings.troubles {
        failures.extend(failure(question, checks, trouble));
    }
    let mut unsettled: Vec<(&'static str, Check)> = Vec::new();
    let mut known: HashMap<Check, Known> = HashMap::new();
    let mut frame = |check: Check, left_out: u64| {
        let frame = frame(question, check, &findings, left_out);
        unsettled.extend(frame.combined.reason.map(|reason| (reason, check)));
        known.insert(check, frame.known);
        frame
    };
    let on = |check: Check| checks.contains(&check);
    let signature = on(Check::Signature).then(|| {
        let (finds, left_out) = told::<SignatureFind>(question, &findings, Check::Signature);
        let frame = frame(Check::Signature, left_out);
        record!(Signature, question, frame, finds)
    });
    let provenance = on(Check::Provenance).then(|| {
        let (finds, left_out) = told(question, &findings, Check::Provenance);
        let frame = frame(Check::Provenance, left_out);
        let level = level(frame.combined.verdict, &finds);
        record!(Provenance, question, frame, finds, level: level)
    });
    let sbom = on(Check::Sbom).then(|| {
        let (finds, left_out) = told::<SbomFind>(question, &findings, Check::Sbom);
        let frame = frame(Check::Sbom, left_out);
        record!(Sbom, question, frame, finds)
    });
    let attestation = on(Check::Attestation).then(|| {
        let (finds, left_out) = told::<AttestationFind>(question, &findings, Check::Attestation);
        let frame = frame(Check::Attestation, left_out);
        record!(Attestation, question, frame, finds)
    });
    failures.extend(why_unsettled(question, &unsettled));
    let policies = policies(question, &known, (trust, which), &findings);
    Answer { policies, signature, provenance, sbom, attestation, failures }
}

/// What the policies say of what was found.
fn policies(
    question: &Question,
    known: &HashMap<Check, Known>,
    (trust, which): (&Trust, &[usize]),
    findings: &Findings,
) -> Vec<Policy> {
    let checked = |check: Check| trust::Check {
        known: known.get(&check).copied(),
        finds: counted(findings, check)
            .map(|find| trust::Find {
                judged: &find.finding.judged,
                source_repository: find.finding.source_repository(),
            })
            .collect(),
    };
    let checked = trust::Checked {
        signature: checked(Check::Signature),
        provenance: checked(Check::Provenance),
        sbom: checked(Check::Sbom),
        attestation: checked(Check::Attestation),
    };
    let record =
        |outcome: trust::PolicyOutcome| outcome.into_record(question.key(), &question.image);
    trust.say(which, &question.name(), &checked).into_iter().map(record).collect()
}

/// What is inherited through an index counts only where the index's own bytes list the manifest.
fn settle_listing(question: &Question, findings: &mut Findings) {
    match findings.listing {
        Listing::Holds => {}
        Listing::Denied => {
            findings.finds.retain(|find| !is_inherited(question, find));
        }
        Listing::Unknown => {
            for find in findings.finds.iter_mut().filter(|find| is_inherited(question, find)) {
                find.finding.cannot_be_counted();
            }
        }
    }
}

/// What the records of a check have in common, where some finds are left out.
fn frame(question: &Question, check: Check, findings: &Findings, left_out: u64) -> Frame {
    let asked = || findings.stores.iter().filter(|asked| asked.store.kind.holds(check));
    let stores: Vec<StoreAnswer> = asked()
        .map(|asked| StoreAnswer {
            store: asked.store.name(),
            on: asked.store.on.into(),
            outcome: asked.outcome,
        })
        .collect();
    let verdicts: Vec<FindVerdict> = counted(findings, check)
        .map(|find| find.finding.verdict_for(check, find.store.kind))
        .collect();
    let dropped = asked().map(|asked| asked.dropped).sum::<u64>() + left_out;
    let to_the_end = asked().all(|asked| asked.outcome != StoreOutcome::Failed);
    let whole = to_the_end && dropped == 0 && !stores.is_empty();
    let mut known = question.known(whole);
    known.index &= findings.listing == Listing::Holds;
    known.present = match findings.shown {
        Shown::Yes => Some(true),
        Shown::No => Some(false),
        Shown::Unknown => None,
        Shown::NotAsked => question.present,
    };
    Frame { combined: combine(&verdicts, known), known, whole, stores, dropped }
}

/// The best level of those finds that the verdict rests on; none where it is no good one.
fn level(verdict: Verdict, finds: &[ProvenanceFind]) -> Option<u8> {
    verdict.is_there().filter(|there| *there)?;
    let rests_on = |find: &&ProvenanceFind| Verdict::from(find.verdict) == verdict;
    finds.iter().filter(rests_on).filter_map(|find| find.level).max()
}

/// The answer to a question whose repository is no name that can be asked.
#[must_use]
pub fn unaskable(
    question: &Question,
    checks: &[Check],
    trust: (&Trust, &[usize]),
    error: &registry::ReferenceError,
) -> Answer {
    let findings = Findings {
        stores: Vec::new(),
        finds: Vec::new(),
        troubles: Vec::new(),
        shown: Shown::NotAsked,
        listing: Listing::Holds,
    };
    let mut answer = answer(question, checks, trust, findings);
    let about: Vec<&str> = checks.iter().map(|check| check.as_str()).collect();
    answer.failures =
        vec![about_question(question, &about, FailureCode::BadReference, &error.to_string())];
    answer
}
