//! The answers about what a container uses: better, worse, contradicted, lost, or not checked.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use records::{PolicyResult, Verdict};

use crate::Row;

use super::Code;
use super::gather::Gather;
use super::states::Answer;
use super::uses::Use;

/// A check, and the codes of its changes.
struct Check {
    about: &'static str,
    answer: fn(&Row) -> (Verdict, Option<&str>),
    invalid: Code,
    lost: Code,
    worse: Code,
    better: Code,
}

const CHECKS: [Check; 3] = [
    Check {
        about: "signature",
        answer: |row| (row.signature.verdict, row.signature.error.as_deref()),
        invalid: Code::SignatureInvalid,
        lost: Code::SignatureLost,
        worse: Code::SignatureWorse,
        better: Code::SignatureBetter,
    },
    Check {
        about: "provenance",
        answer: |row| (row.provenance.verdict, row.provenance.error.as_deref()),
        invalid: Code::ProvenanceInvalid,
        lost: Code::ProvenanceLost,
        worse: Code::ProvenanceWorse,
        better: Code::ProvenanceBetter,
    },
    Check {
        about: "sbom",
        answer: |row| (row.sbom.verdict, row.sbom.error.as_deref()),
        invalid: Code::SbomInvalid,
        lost: Code::SbomLost,
        worse: Code::SbomWorse,
        better: Code::SbomBetter,
    },
];

pub(super) fn compare<'a>(used: &Use<'a>, gather: &mut Gather<'a>) {
    for check in &CHECKS {
        verdict(check, used, gather);
    }
    level(used, gather);
    policies(used, gather);
}

/// The weakest answer of the rows, in the order of the summary, and why it is no better.
fn weakest<'a>(check: &Check, rows: &[&'a Row]) -> Option<(Verdict, Option<&'a str>)> {
    let grade = |(verdict, _): &(Verdict, _)| match verdict {
        Verdict::Invalid => 0,
        Verdict::Unknown => 1,
        Verdict::Skipped => 2,
        Verdict::Absent => 3,
        Verdict::Present => 4,
        Verdict::Valid => 5,
        Verdict::Trusted => 6,
    };
    rows.iter().map(|row| (check.answer)(row)).min_by_key(grade)
}

fn is_open(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Unknown | Verdict::Skipped)
}

fn verdict<'a>(check: &Check, used: &Use<'a>, gather: &mut Gather<'a>) {
    let (older, newer) = (weakest(check, &used.older.counted), weakest(check, &used.newer.counted));
    let (Some((older, older_why)), Some((newer, newer_why))) = (older, newer) else {
        return;
    };
    let Some(code) = code_of(check, older, newer) else {
        return;
    };
    let (open, why) = if is_open(newer) { (newer, newer_why) } else { (older, older_why) };
    let answer = Answer { code, about: check.about, before: older.as_str(), after: newer.as_str() };
    answer.add(used, why, open == Verdict::Skipped, gather);
}

fn code_of(check: &Check, older: Verdict, newer: Verdict) -> Option<Code> {
    let code = match (older, newer) {
        (before, after) if before == after || is_open(before) && is_open(after) => return None,
        // Also where nobody knew before: that it is contradicted is news.
        (_, Verdict::Invalid) => check.invalid,
        (_, after) if is_open(after) => Code::NotChecked,
        (before, _) if is_open(before) => Code::Checked,
        (Verdict::Invalid, _) => check.better,
        (_, Verdict::Absent) => check.lost,
        // The order of the type is from trusted to absent.
        (before, after) if after > before => check.worse,
        _ => check.better,
    };
    Some(code)
}

/// The SLSA build level, where the verdict stayed.
fn level<'a>(used: &Use<'a>, gather: &mut Gather<'a>) {
    let lowest = |rows: &[&Row]| rows.iter().map(|row| row.provenance.level).min().flatten();
    let [_, provenance, _] = &CHECKS;
    let word = |rows: &[&'a Row]| weakest(provenance, rows).map(|(verdict, _)| verdict);
    let (older, newer) = (&used.older.counted, &used.newer.counted);
    if word(older) != word(newer) {
        return;
    }
    let (Some(before), Some(after)) = (lowest(older), lowest(newer)) else {
        return;
    };
    let code = match after.cmp(&before) {
        Ordering::Less => Code::LevelLower,
        Ordering::Greater => Code::LevelHigher,
        Ordering::Equal => return,
    };
    let mut found = used.found(code).about("provenance");
    found.before = vec![format!("level {before}").into()];
    found.after = vec![format!("level {after}").into()];
    gather.add_at(used.place, found);
}

/// A policy's result in the rows, the weakest; a policy that nobody judged is skipped by no
/// exception.
type Results<'a> = BTreeMap<&'a str, (PolicyResult, Option<&'a str>)>;

fn results<'a>(rows: &[&'a Row]) -> Results<'a> {
    let mut all = Results::new();
    for answer in rows.iter().flat_map(|row| row.policies.iter().flatten()) {
        let new = (answer.result, answer.exception.as_deref());
        let known = all.entry(answer.policy.as_str()).or_insert(new);
        if grade(new.0) < grade(known.0) {
            *known = new;
        }
    }
    all
}

fn grade(result: PolicyResult) -> u8 {
    match result {
        PolicyResult::Fail => 0,
        PolicyResult::Unknown => 1,
        PolicyResult::Warn => 2,
        PolicyResult::Skip => 3,
        PolicyResult::Pass => 4,
    }
}

fn word(result: PolicyResult) -> &'static str {
    match result {
        PolicyResult::Pass => "pass",
        PolicyResult::Fail => "fail",
        PolicyResult::Warn => "warn",
        PolicyResult::Skip => "skip",
        PolicyResult::Unknown => "unknown",
    }
}

fn policies<'a>(used: &Use<'a>, gather: &mut Gather<'a>) {
    let (older, newer) = (results(&used.older.counted), results(&used.newer.counted));
    let mut names: Vec<&str> = older.keys().chain(newer.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (before, after) = (older.get(name), newer.get(name));
        let result = |side: Option<&(PolicyResult, _)>| side.map(|(result, _)| *result);
        let open = |side: Option<PolicyResult>| side.is_none_or(|r| r == PolicyResult::Unknown);
        let (was, is) = (result(before), result(after));
        let code = match (was, is) {
            (was, is) if was == is || open(was) && open(is) => continue,
            (_, Some(PolicyResult::Fail)) => Code::PolicyFailed,
            (_, is) if open(is) => Code::NotChecked,
            (was, _) if open(was) => Code::Checked,
            (was, is) if is.map(grade) < was.map(grade) => Code::PolicyWorse,
            _ => Code::PolicyBetter,
        };
        let mut found = used.found(code).about(format!("policy {name}"));
        found.before = was.map(|was| word(was).into()).into_iter().collect();
        found.after = is.map(|is| word(is).into()).into_iter().collect();
        let excused = after.or(before).and_then(|(_, exception)| *exception);
        let unjudged = was.is_none() || is.is_none();
        found.reason = match excused {
            Some(exception) => Some(Cow::Borrowed(exception)),
            None if unjudged => Some("not-asked: in one report no such policy is about it".into()),
            None => None,
        };
        gather.add_at(used.place, found);
    }
}
