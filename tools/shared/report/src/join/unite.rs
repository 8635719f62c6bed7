//! Evidence: from records to checks, and two answers about one manifest into one.

use records::{
    Attestation, AttestationFind, FindVerdict, Known, Policy, PolicyResult, Provenance,
    ProvenanceFind, Sbom, Signature, SignatureFind, StoreAnswer, StoreOutcome, Verdict, combine,
};

use crate::{Check, PolicyAnswer, SbomFind};

use super::Triple;

/// What of a find bears on how it is united with others.
pub(crate) trait Find {
    /// What makes two finds the same.
    fn id(&self) -> &str;
    /// The judgement of this find alone.
    fn verdict(&self) -> FindVerdict;
    /// Why, in a stable word.
    fn reason(&self) -> Option<&str>;
}

macro_rules! find {
    ($($name:ident),*) => {$(
        impl Find for $name {
            fn id(&self) -> &str {
                &self.id
            }

            fn verdict(&self) -> FindVerdict {
                self.verdict
            }

            fn reason(&self) -> Option<&str> {
                self.reason.as_deref()
            }
        }
    )*};
}
find!(SignatureFind, ProvenanceFind, SbomFind, AttestationFind);

/// Takes a record apart: what it hangs on, the platform, and the check.
macro_rules! take_apart {
    ($record:ident, $level:expr) => {{
        let check = Check {
            verdict: $record.verdict,
            seen: $record.seen,
            whole: $record.whole,
            level: $level,
            stores: $record.stores,
            finds: $record.finds.into_iter().map(Into::into).collect(),
            dropped: $record.dropped,
        };
        let at = ($record.repository, $record.index, $record.manifest);
        (at, $record.platform, check)
    }};
}

impl Check<SignatureFind> {
    pub(super) fn of_signature(record: Signature) -> (Triple, Option<String>, Self) {
        take_apart!(record, None)
    }
}

impl Check<ProvenanceFind> {
    pub(super) fn of_provenance(record: Provenance) -> (Triple, Option<String>, Self) {
        take_apart!(record, record.level)
    }
}

impl Check<SbomFind> {
    pub(super) fn of_sbom(record: Sbom) -> (Triple, Option<String>, Self) {
        take_apart!(record, None)
    }
}

impl Check<AttestationFind> {
    pub(super) fn of_attestation(record: Attestation) -> (Triple, Option<String>, Self) {
        take_apart!(record, None)
    }
}

/// Takes a further answer about the same manifest in.
pub(crate) fn absorb<F: Find + PartialEq>(slot: &mut Option<Check<F>>, later: Check<F>) {
    match slot {
        None => *slot = Some(later),
        Some(first) if *first == later || later.verdict == Verdict::Skipped => {}
        Some(first) if first.verdict == Verdict::Skipped => *first = later,
        Some(first) => unite(first, later),
    }
}

/// Unites two answers find by find, and judges again.
fn unite<F: Find>(first: &mut Check<F>, later: Check<F>) {
    let answers = [first.verdict, later.verdict];
    let whole = first.whole || later.whole;
    for find in later.finds {
        match first.finds.iter_mut().find(|f| f.id() == find.id()) {
            None => first.finds.push(find),
            Some(same) if same.verdict() == FindVerdict::Unknown => *same = find,
            Some(_) => {}
        }
    }
    for answer in later.stores {
        unite_store(&mut first.stores, answer);
    }
    first.level = first.level.max(later.level);
    first.dropped = first.dropped.max(later.dropped);
    // One asking that was whole is enough, unless more was found than could be kept.
    first.whole = whole && first.dropped == 0;
    // Only an answer that had all of this settled says absent; where neither does, nothing here
    // can settle it.
    let settled = answers.contains(&Verdict::Absent);
    let finds: Vec<FindVerdict> = first.finds.iter().map(Find::verdict).collect();
    let combined = combine(
        &finds,
        Known {
            whole: first.whole,
            present: settled.then_some(true),
            index: settled,
            platform: settled,
        },
    );
    (first.verdict, first.seen) = (combined.verdict, combined.seen);
}

/// A store that answered beats one that failed, and having something beats having nothing.
fn unite_store(stores: &mut Vec<StoreAnswer>, later: StoreAnswer) {
    let same = |store: &&mut StoreAnswer| store.store == later.store && store.on == later.on;
    match stores.iter_mut().find(same) {
        None => stores.push(later),
        Some(first) if weight(later.outcome) > weight(first.outcome) => {
            first.outcome = later.outcome;
        }
        Some(_) => {}
    }
}

fn weight(outcome: StoreOutcome) -> u8 {
    match outcome {
        StoreOutcome::Failed => 0,
        StoreOutcome::NoApi | StoreOutcome::None => 1,
        StoreOutcome::Found => 2,
    }
}

/// Takes a policy record apart: what it hangs on, and the answer.
pub(crate) fn policy(record: Policy) -> (Triple, PolicyAnswer) {
    let answer = PolicyAnswer {
        policy: record.policy,
        mode: record.mode,
        result: record.result,
        authority: record.authority,
        reasons: record.reasons,
        exception: record.exception,
        exceptions: record.exceptions,
    };
    ((record.repository, record.index, record.manifest), answer)
}

/// Takes a further answer in: a definite result beats `unknown`, then the first counts.
pub(crate) fn absorb_policy(answers: &mut Vec<PolicyAnswer>, later: PolicyAnswer) {
    match answers.binary_search_by(|first| first.policy.cmp(&later.policy)) {
        Err(at) => answers.insert(at, later),
        Ok(at) if answers[at].result == PolicyResult::Unknown => answers[at] = later,
        Ok(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn find(id: &str, verdict: &str) -> Value {
        json!({
            "id": id, "store": "sigTag", "on": format!("sha256:{}", "a".repeat(64)),
            "inherited": false, "format": "cosign/simple", "verdict": verdict, "reason": null,
            "signer": null, "log": null, "time": null, "timeFrom": null, "trustedBy": null,
        })
    }

    fn check(
        verdict: &str,
        whole: bool,
        store: &str,
        outcome: &str,
        finds: &[Value],
    ) -> Check<SignatureFind> {
        serde_json::from_value(json!({
            "verdict": verdict, "seen": verdict, "whole": whole, "dropped": 0, "finds": finds,
            "stores": [{ "store": store, "on": "manifest", "outcome": outcome }],
        }))
        .expect("a check")
    }

    fn united(checks: &[Check<SignatureFind>]) -> Check<SignatureFind> {
        let mut slot = None;
        for check in checks {
            absorb(&mut slot, check.clone());
        }
        slot.expect("a check")
    }

    #[test]
    fn equal_answers_collapse() {
        let one = check("valid", true, "sigTag", "found", &[find("1", "valid")]);
        assert_eq!(united(&[one.clone(), one.clone(), one.clone()]), one);
    }

    #[test]
    fn finds_are_united_and_judged_again() {
        let failed = check("unknown", false, "sigTag", "failed", &[find("1", "present")]);
        let found = check("unknown", false, "sigTag", "found", &[find("2", "trusted")]);
        let both = united(&[failed, found]);
        assert_eq!(both.verdict, Verdict::Trusted);
        assert_eq!(both.finds.len(), 2);
        assert_eq!(both.stores.len(), 1);
        assert_eq!(both.stores[0].outcome, StoreOutcome::Found);
    }

    #[test]
    fn two_askings_that_were_not_whole_never_make_absent() {
        let a = check("unknown", false, "sigTag", "failed", &[]);
        let b = check("unknown", false, "referrers", "failed", &[]);
        let c = check("unknown", false, "sigTag", "none", &[]);
        let all = united(&[a, b, c]);
        assert_eq!((all.verdict, all.seen), (Verdict::Unknown, Verdict::Absent));
        assert!(!all.whole);
    }

    #[test]
    fn a_definite_absent_beats_unknown_in_either_order() {
        let unknown = check("unknown", false, "sigTag", "failed", &[]);
        let absent = check("absent", true, "sigTag", "none", &[]);
        for pair in [[unknown.clone(), absent.clone()], [absent, unknown]] {
            let both = united(&pair);
            assert_eq!((both.verdict, both.whole), (Verdict::Absent, true));
        }
    }

    #[test]
    fn a_find_that_was_only_seen_forbids_absent() {
        let absent = check("absent", true, "sigTag", "none", &[]);
        let seen = check("unknown", true, "sigTag", "found", &[find("1", "unknown")]);
        let fetched = check("invalid", true, "sigTag", "found", &[find("1", "invalid")]);
        assert_eq!(united(&[absent.clone(), seen.clone()]).verdict, Verdict::Unknown);
        assert_eq!(united(&[absent, seen, fetched]).verdict, Verdict::Invalid);
    }

    #[test]
    fn an_answer_that_is_whole_but_not_settled_stays_unknown() {
        // Every store answered, and the index is not known: absent is not proven by asking twice.
        let a = check("unknown", true, "sigTag", "none", &[]);
        let b = check("unknown", true, "referrers", "none", &[]);
        assert_eq!(united(&[a, b]).verdict, Verdict::Unknown);
    }

    #[test]
    fn skipped_gives_way() {
        let skipped = check("skipped", false, "sigTag", "failed", &[]);
        let valid = check("valid", true, "sigTag", "found", &[find("1", "valid")]);
        assert_eq!(united(&[skipped.clone(), valid.clone()]), valid);
        assert_eq!(united(&[valid.clone(), skipped]), valid);
    }

    #[test]
    fn a_format_is_split_from_its_version() {
        let split = |format: &str| {
            let mut value = find("1", "present");
            value["format"] = json!(format);
            value["predicateType"] = json!(null);
            let record: records::SbomFind = serde_json::from_value(value).expect("a find");
            let find = SbomFind::from(record);
            (find.format, find.format_version)
        };
        assert_eq!(split("cyclonedx/1.6+json"), ("cyclonedx".into(), Some("1.6".into())));
        assert_eq!(split("spdx/2.3"), ("spdx".into(), Some("2.3".into())));
        assert_eq!(split("spdx"), ("spdx".into(), None));
        assert_eq!(split("spdx/+json"), ("spdx".into(), None));
    }

    #[test]
    fn a_definite_policy_result_beats_unknown() {
        let answer = |policy: &str, result: &str| {
            serde_json::from_value::<PolicyAnswer>(json!({
                "policy": policy, "mode": "enforce", "result": result, "authority": null,
            }))
            .expect("an answer")
        };
        let mut answers = Vec::new();
        for (policy, result) in [("b", "unknown"), ("a", "pass"), ("b", "fail"), ("b", "pass")] {
            absorb_policy(&mut answers, answer(policy, result));
        }
        assert_eq!(answers, [answer("a", "pass"), answer("b", "fail")]);
    }
}
