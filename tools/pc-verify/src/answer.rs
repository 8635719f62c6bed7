//! From what was found to the records that answer.

use std::collections::{HashMap, HashSet};

use records::{
    Attestation, AttestationFind, Combined, Failure, FailureCode, FindVerdict, Known, Policy,
    Provenance, ProvenanceFind, Sbom, SbomFind, Signature, SignatureFind, StoreAnswer,
    StoreOutcome, Verdict, combine,
};

use crate::check::Check;
use crate::examine::Says;
use crate::find::{Find, Findings, Listing, Role, Shown, Trouble};
use crate::question::Question;
use crate::trust::{self, Trust};

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

macro_rules! find {
    ($name:ident, $question:expr, $find:expr $(, $field:ident: $value:expr)*) => {{
        let judged = &$find.finding.judged;
        $name {
            id: judged.id.clone(),
            store: $find.store.name(),
            on: $find.on.clone(),
            inherited: is_inherited($question, $find),
            format: judged.format.clone(),
            verdict: $find.finding.verdict(),
            reason: judged.reason.map(|reason| reason.as_str().to_owned()),
            detail: judged.detail.clone(),
            signer: judged.signer.clone(),
            log: judged.log.clone(),
            time: judged.time.map(|time| time.to_string()),
            time_from: judged.time_from.map(|from| from.as_str().to_owned()),
            trusted_by: $find.finding.trusted_by.clone(),
            $($field: $value,)*
        }
    }};
}

/// Answers a question.
#[must_use]
pub fn answer(
    question: &Question,
    checks: &[Check],
    trust: &Trust,
    mut findings: Findings,
) -> Answer {
    settle_listing(question, &mut findings);
    let mut failures = Vec::new();
    for trouble in &findings.troubles {
        failures.extend(failure(question, checks, trouble));
    }
    let mut unsettled: Vec<(&'static str, Check)> = Vec::new();
    let mut frame = |check: Check| {
        let frame = frame(question, check, &findings);
        unsettled.extend(frame.combined.reason.map(|reason| (reason, check)));
        frame
    };
    let on = |check: Check| checks.contains(&check);
    let signature = on(Check::Signature).then(|| {
        let frame = frame(Check::Signature);
        let finds =
            kept(&findings, Check::Signature).map(|find| find!(SignatureFind, question, find));
        record!(Signature, question, frame, finds.collect())
    });
    let provenance = on(Check::Provenance).then(|| {
        let frame = frame(Check::Provenance);
        let finds: Vec<_> = kept(&findings, Check::Provenance)
            .map(|find| provenance_find(question, find))
            .collect();
        let level = level(frame.combined.verdict, &finds);
        record!(Provenance, question, frame, finds, level: level)
    });
    let sbom = on(Check::Sbom).then(|| {
        let frame = frame(Check::Sbom);
        let finds = kept(&findings, Check::Sbom).map(|find| sbom_find(question, find));
        record!(Sbom, question, frame, finds.collect())
    });
    let attestation = on(Check::Attestation).then(|| {
        let frame = frame(Check::Attestation);
        let finds = kept(&findings, Check::Attestation).map(|find| {
            find!(AttestationFind, question, find,
                predicate_type: find.finding.predicate_type.clone())
        });
        record!(Attestation, question, frame, finds.collect())
    });
    failures.extend(why_unsettled(question, &unsettled));
    let policies = policies(question, checks, trust, &findings);
    Answer { policies, signature, provenance, sbom, attestation, failures }
}

/// What the policies say of what was found.
fn policies(
    question: &Question,
    checks: &[Check],
    trust: &Trust,
    findings: &Findings,
) -> Vec<Policy> {
    let checked = |check: Check| trust::Check {
        known: checks.contains(&check).then(|| frame(question, check, findings).known),
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
    let (repository, index, manifest) = question.key();
    let record = |outcome: trust::PolicyOutcome| {
        outcome.into_record(repository.clone(), index.clone(), manifest.clone())
    };
    trust.policies(&question.name(), &checked).into_iter().map(record).collect()
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

/// The same evidence in two stores is one find. A copy may have lost its log entry or timestamp,
/// or have got a wrong one, so the copy that proves most is kept, and of equals the first.
pub(crate) fn unite(finds: &mut Vec<Find>) {
    let mut best: HashMap<String, (usize, u8)> = HashMap::new();
    for (at, find) in finds.iter().enumerate() {
        let one = (at, proves(find));
        let kept = best.entry(find.finding.judged.id.clone()).or_insert(one);
        if one.1 > kept.1 {
            *kept = one;
        }
    }
    let kept: HashSet<usize> = best.into_values().map(|(at, _)| at).collect();
    let mut at = 0;
    finds.retain(|_| {
        at += 1;
        kept.contains(&(at - 1))
    });
}

/// How much a find proves, for or against.
fn proves(find: &Find) -> u8 {
    match find.finding.verdict() {
        FindVerdict::Unknown => 0,
        FindVerdict::Present => 1,
        FindVerdict::Invalid => 2,
        FindVerdict::Valid => 3,
        FindVerdict::Trusted => 4,
    }
}

/// Whether a find counts through the index, and not because it names the manifest.
fn is_inherited(question: &Question, find: &Find) -> bool {
    let names = &find.finding.judged.names;
    // What names nothing (an unsigned bill of materials) is about what it lies on.
    let is_of_index = find.store.on == Role::Index || !names.is_empty();
    is_of_index && question.manifest.as_ref().is_some_and(|manifest| !names.contains(manifest))
}

fn counted(findings: &Findings, check: Check) -> impl Iterator<Item = &Find> {
    findings.finds.iter().filter(move |find| find.finding.counts_for(check, find.store.kind))
}

/// The finds that go into the record: all, or of too many those that prove most.
fn kept(findings: &Findings, check: Check) -> impl Iterator<Item = &Find> {
    let mut finds: Vec<&Find> = counted(findings, check).collect();
    if finds.len() > records::text::MAX_LIST {
        finds.sort_by_key(|find| std::cmp::Reverse(proves(find)));
        finds.truncate(records::text::MAX_LIST);
    }
    finds.into_iter()
}

fn frame(question: &Question, check: Check, findings: &Findings) -> Frame {
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
    let too_many = verdicts.len().saturating_sub(records::text::MAX_LIST) as u64;
    let dropped = asked().map(|asked| asked.dropped).sum::<u64>() + too_many;
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

fn provenance_find(question: &Question, find: &Find) -> ProvenanceFind {
    let facts = match &find.finding.says {
        Says::Provenance(facts) => (**facts).clone(),
        _ => crate::examine::BuildFacts::default(),
    };
    find!(ProvenanceFind, question, find,
        predicate_type: find.finding.predicate_type.clone(),
        build_type: facts.build_type,
        builder_id: facts.builder_id,
        builder_proven: facts.builder_proven,
        source_repository: facts.source_repository,
        commit: facts.commit,
        git_ref: facts.git_ref,
        entry_point: facts.entry_point,
        invocation: facts.invocation,
        started_on: facts.started_on,
        finished_on: facts.finished_on,
        runner: facts.runner,
        trigger: facts.trigger,
        initiator: facts.initiator,
        reproducible: facts.reproducible,
        materials: facts.materials,
        materials_without_digest: facts.materials_without_digest,
        flags: facts.flags,
        unmet: facts.unmet,
        level: facts.level,
        level_rule: facts.level_rule)
}

fn sbom_find(question: &Question, find: &Find) -> SbomFind {
    let facts = match &find.finding.says {
        Says::Sbom(facts) => facts.as_deref(),
        _ => None,
    };
    let mut found = find!(SbomFind, question, find,
        predicate_type: find.finding.predicate_type.clone(),
        tool: facts.and_then(|facts| facts.tool.clone()),
        packages: facts.map(|facts| facts.packages),
        bytes: facts.map(|facts| facts.bytes));
    if let Some(facts) = facts {
        found.format = facts.format_word();
    }
    found
}

/// The best level of those finds that the verdict rests on; none where it is no good one.
fn level(verdict: Verdict, finds: &[ProvenanceFind]) -> Option<u8> {
    verdict.is_there().filter(|there| *there)?;
    let rests_on = |find: &&ProvenanceFind| Verdict::from(find.verdict) == verdict;
    finds.iter().filter(rests_on).filter_map(|find| find.level).max()
}

/// The failure record of a trouble; none where it bears on no check that is on.
fn failure(question: &Question, checks: &[Check], trouble: &Trouble) -> Option<Failure> {
    let about: Vec<&str> = checks
        .iter()
        .filter(|check| trouble.store.kind.holds(**check))
        .map(|check| check.as_str())
        .collect();
    if about.is_empty() {
        return None;
    }
    let mut failure = about_question(question, &about, trouble.code, &trouble.message);
    failure.store = Some(trouble.store.name());
    failure.host.clone_from(&trouble.host);
    failure.status = trouble.status;
    Some(failure)
}

fn about_question(
    question: &Question,
    about: &[&str],
    code: FailureCode,
    message: &str,
) -> Failure {
    Failure {
        repository: Some(Some(question.repository.clone())),
        index: Some(question.index.clone()),
        manifest: Some(question.manifest.clone()),
        ..Failure::new(STAGE, about, code, message)
    }
}

/// Why nothing may be called absent although every store answered: one failure per reason.
fn why_unsettled(question: &Question, unsettled: &[(&'static str, Check)]) -> Vec<Failure> {
    let mut failures: Vec<(&str, Failure)> = Vec::new();
    for (reason, check) in unsettled {
        if let Some((_, failure)) = failures.iter_mut().find(|(known, _)| known == reason) {
            failure.about.push(check.as_str().to_owned());
            continue;
        }
        let (code, message) = match *reason {
            "not-present" => (
                FailureCode::NotFound,
                "the repository does not have the manifest any more, so its stores say nothing about it",
            ),
            "platform-unknown" => (
                FailureCode::PlatformUnknown,
                "which manifest of the index runs is not known, so its stores could not be asked",
            ),
            "index-unknown" => (
                FailureCode::IndexUnknown,
                "it is not settled which index lists the manifest, and evidence may be on that index",
            ),
            _ => (
                FailureCode::PresentUnknown,
                "whether the repository has the manifest was not answered, and an empty answer about one that it lacks says nothing",
            ),
        };
        failures.push((reason, about_question(question, &[check.as_str()], code, message)));
    }
    failures.into_iter().map(|(_, failure)| failure).collect()
}

/// The answer to a question whose repository is no name that can be asked.
#[must_use]
pub fn unaskable(
    question: &Question,
    checks: &[Check],
    trust: &Trust,
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
