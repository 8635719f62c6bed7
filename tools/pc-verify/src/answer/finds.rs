//! The finds of a record: which, in which order, and what is told of each.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use records::text::MAX_LIST;
use records::wire::MAX_RECORD;
use records::{AttestationFind, FindVerdict, ProvenanceFind, SbomFind, SignatureFind};
use serde::Serialize;

use crate::check::Check;
use crate::examine::{BuildFacts, Says};
use crate::find::{Find, Findings, Role};
use crate::question::Question;

/// How large the finds of one record may be, in bytes of JSON; the rest is for its stores.
const MAX_FINDS: usize = MAX_RECORD - 64 * 1024;

/// What is told of a find, in the form of one kind of record.
pub(super) trait Tell: Serialize {
    fn tell(question: &Question, find: &Find) -> Self;

    /// Leaves out what is long and not needed to judge, where not all fits.
    fn shed(&mut self) {}
}

/// The finds that go into a record: all, or of too many those that prove most; and how many are
/// left out.
pub(super) fn told<F: Tell>(
    question: &Question,
    findings: &Findings,
    check: Check,
) -> (Vec<F>, u64) {
    let mut finds: Vec<&Find> = counted(findings, check).collect();
    let all = finds.len();
    if all > MAX_LIST {
        finds.sort_by_key(|find| Reverse(proves(find)));
        finds.truncate(MAX_LIST);
    }
    let mut told: Vec<(u8, F)> =
        finds.into_iter().map(|find| (proves(find), F::tell(question, find))).collect();
    if sizes(&told).sum::<usize>() > MAX_FINDS {
        told.iter_mut().for_each(|(_, find)| find.shed());
    }
    if sizes(&told).sum::<usize>() > MAX_FINDS {
        told.sort_by_key(|(proves, _)| Reverse(*proves));
        let mut room = MAX_FINDS;
        let fitting = sizes(&told).take_while(|size| {
            let left = room.checked_sub(*size);
            room = left.unwrap_or(room);
            left.is_some()
        });
        let fitting = fitting.count();
        told.truncate(fitting);
    }
    let left_out = (all - told.len()) as u64;
    (told.into_iter().map(|(_, find)| find).collect(), left_out)
}

/// How long each is in a record, with the comma behind it.
fn sizes<F: Tell>(told: &[(u8, F)]) -> impl Iterator<Item = usize> {
    // What is only text, numbers and maps of these can always be written.
    told.iter().map(|(_, find)| {
        serde_json::to_string(find).map_or(usize::MAX / 256, |json| json.len() + 1)
    })
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
pub(super) fn is_inherited(question: &Question, find: &Find) -> bool {
    let names = &find.finding.judged.names;
    // What names nothing (an unsigned bill of materials) is about what it lies on.
    let is_of_index = find.store.on == Role::Index || !names.is_empty();
    is_of_index && question.manifest.as_ref().is_some_and(|manifest| !names.contains(manifest))
}

pub(super) fn counted(findings: &Findings, check: Check) -> impl Iterator<Item = &Find> {
    findings.finds.iter().filter(move |find| find.finding.counts_for(check, find.store.kind))
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

impl Tell for SignatureFind {
    fn tell(question: &Question, find: &Find) -> Self {
        find!(SignatureFind, question, find)
    }
}

impl Tell for AttestationFind {
    fn tell(question: &Question, find: &Find) -> Self {
        find!(AttestationFind, question, find,
            predicate_type: find.finding.predicate_type.clone())
    }
}

impl Tell for ProvenanceFind {
    fn tell(question: &Question, find: &Find) -> Self {
        provenance_find(question, find)
    }

    fn shed(&mut self) {
        let values = [self.parameters.take(), self.environment.take()];
        self.dropped += values.into_iter().flatten().map(|list| list.len() as u64).sum::<u64>();
    }
}

impl Tell for SbomFind {
    fn tell(question: &Question, find: &Find) -> Self {
        sbom_find(question, find)
    }
}

fn provenance_find(question: &Question, find: &Find) -> ProvenanceFind {
    let facts = match &find.finding.says {
        Says::Provenance(facts) => (**facts).clone(),
        _ => BuildFacts::default(),
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
        parameters: facts.parameters,
        environment: facts.environment,
        dropped: facts.dropped,
        completeness: facts.completeness,
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
