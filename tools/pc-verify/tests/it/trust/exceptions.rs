//! Exceptions: what they excuse, until when, and what is wrong with them.

use pc_verify::trust::{Checked, Note, NoteKind, PolicyOutcome, Trust, TrustArgs};
use records::PolicyResult;

use super::{
    Folder, IMAGE, KEY, check, found, image, key_authority, keyless_authority, load, policy,
};

fn with(policies: &str, exceptions: &str) -> Result<Trust, String> {
    let folder = Folder::of(&[("policy.yaml", policies), ("exceptions.yaml", exceptions)]);
    load(&TrustArgs {
        trust_policy: Some(folder.path("policy.yaml")),
        exceptions: Some(folder.path("exceptions.yaml")),
        ..TrustArgs::default()
    })
}

fn entry(rest: &str) -> String {
    format!(
        "exceptions:\n- image: ghcr.io/acme/*\n  reason: the vendor does not sign 6.x\n  owner: team-data\n  {rest}\n"
    )
}

fn outcome(trust: &Trust, checked: &Checked<'_>) -> PolicyOutcome {
    trust.policies(&image(IMAGE), checked).remove(0)
}

#[test]
fn an_exception_turns_a_failure_into_a_skip_and_says_why() {
    let nothing = found(&[], &[]);
    for mode in ["enforce", "warn"] {
        let text = policy(&key_authority(KEY)) + &format!("  mode: {mode}\n");
        let trust = with(&text, &entry("policy: acme\n  until: 2027-01-15")).expect("an exception");
        let outcome = outcome(&trust, &nothing);
        assert_eq!(outcome.result, PolicyResult::Skip);
        assert_eq!(
            outcome.exception.as_deref(),
            Some("the vendor does not sign 6.x (owner: team-data, until 2027-01-15)")
        );
        assert_eq!(outcome.reasons.len(), 1, "why it would fail stays there");
    }
}

#[test]
fn it_excuses_failures_alone() {
    let trust = with(&policy(&key_authority(KEY)), &entry("policy: acme\n  until: 2027-12-31"))
        .expect("one");
    let unasked = Checked { signature: check(None, &[]), ..found(&[], &[]) };
    let unknown = outcome(&trust, &unasked);
    assert_eq!((unknown.result, unknown.exception), (PolicyResult::Unknown, None));
    assert_eq!(
        trust.report().iter().filter(|note| note.kind == NoteKind::ExceptionUnused).count(),
        1
    );
}

#[test]
fn it_holds_for_its_image_and_its_policy() {
    let nothing = found(&[], &[]);
    for (rest, result) in [
        ("policy: acme", PolicyResult::Skip),
        ("policy: acme\n  namespace: '*'", PolicyResult::Skip),
        ("policy: other", PolicyResult::Fail),
        ("policy: ac*", PolicyResult::Fail),
        ("check: signature", PolicyResult::Skip),
        ("check: sbom", PolicyResult::Fail),
    ] {
        let text = entry(&format!("{rest}\n  until: 2027-12-31"));
        let trust = with(&policy(&key_authority(KEY)), &text).expect(rest);
        assert_eq!(outcome(&trust, &nothing).result, result, "{rest}");
    }
    let elsewhere =
        entry("policy: acme\n  until: 2027-12-31").replace("ghcr.io/acme/*", "ghcr.io/acme/api*");
    let trust = with(&policy(&key_authority(KEY)), &elsewhere).expect("elsewhere");
    assert_eq!(outcome(&trust, &nothing).result, PolicyResult::Fail);
}

/// The answer is for all namespaces, so one for some of them changes no result; it is written down
/// for whoever knows where the image runs.
#[test]
fn one_for_namespaces_stands_beside_the_result() {
    let one = |namespace: &str, until: &str| {
        let rest = format!("policy: acme\n  namespace: '{namespace}'\n  until: {until}");
        entry(&rest)["exceptions:\n".len()..].to_owned()
    };
    let told = |entries: &[String]| {
        let text = format!("exceptions:\n{}", entries.concat());
        let trust = with(&policy(&key_authority(KEY)), &text).expect("exceptions");
        let outcome = outcome(&trust, &found(&[], &[]));
        let there: Vec<String> =
            outcome.exceptions.iter().map(|it| format!("{} {}", it.namespace, it.until)).collect();
        let ended = |note: &Note| note.kind != NoteKind::AuthorityUnused;
        let notes: Vec<Note> = trust.report().into_iter().filter(ended).collect();
        (outcome, there, notes)
    };
    let (two, there, notes) = told(&[one("shop-*", "2027-12-31"), one("bank", "2027-02-28")]);
    assert_eq!((two.result, &two.exception), (PolicyResult::Fail, &None));
    assert_eq!(there, ["shop-* 2027-12-31", "bank 2027-02-28"]);
    assert!(two.exceptions[0].text.starts_with("the vendor does not sign 6.x (owner: team-data"));
    assert_eq!(notes, []);

    let (ended, there, notes) = told(&[one("shop", "2027-01-14")]);
    assert_eq!((ended.result, there), (PolicyResult::Fail, vec![]));
    assert!(ended.reasons[1].contains("in `shop`) ended on 2027-01-14"), "{:?}", ended.reasons);
    assert!(notes[0].text.contains("on `ghcr.io/acme/*` in `shop`"), "{notes:?}");

    let (all, there, _) = told(&[one("shop", "2027-12-31"), one("*", "2027-06-30")]);
    assert_eq!((all.result, there), (PolicyResult::Skip, vec![]));
    assert!(all.exception.is_some_and(|text| text.contains("2027-06-30")));

    let many: Vec<String> = (0..103).map(|n| one(&format!("shop-{n}"), "2027-12-31")).collect();
    let (many, there, _) = told(&many);
    assert_eq!(there.len(), 100);
    assert!(many.reasons[1].starts_with("3 more exceptions"), "{:?}", many.reasons);
}

#[test]
fn one_for_a_check_excuses_an_authority_that_misses_nothing_else() {
    let both = keyless_authority()
        + "    attestations:\n    - name: sbom\n      predicateType: spdx\n    - name: build\n      predicateType: slsaprovenance\n";
    let sbom_alone =
        keyless_authority() + "    attestations:\n    - name: sbom\n      predicateType: spdx\n";
    let fixed = "  - static: {action: fail}\n".to_owned();
    for (authorities, result) in [
        (both.clone(), PolicyResult::Fail),
        (sbom_alone.clone(), PolicyResult::Skip),
        (both + &sbom_alone, PolicyResult::Skip),
        (fixed, PolicyResult::Fail),
    ] {
        let text = entry("check: sbom\n  until: 2027-12-31");
        let trust = with(&policy(&authorities), &text).expect("an exception");
        assert_eq!(outcome(&trust, &found(&[], &[])).result, result, "{authorities}");
    }
}

#[test]
fn it_ends_and_that_is_said() {
    let trust = with(&policy(&key_authority(KEY)), &entry("policy: acme\n  until: 2027-01-14"))
        .expect("ended");
    let outcome = outcome(&trust, &found(&[], &[]));
    assert_eq!((outcome.result, outcome.exception.as_deref()), (PolicyResult::Fail, None));
    assert!(outcome.reasons[1].contains("ended on 2027-01-14"), "{outcome:?}");
    let notes = trust.report();
    let expired =
        notes.iter().find(|note| note.kind == NoteKind::ExceptionExpired).expect("a note");
    assert!(expired.text.contains("policy `acme` on `ghcr.io/acme/*`"), "{}", expired.text);
    assert!(expired.text.contains("exceptions.yaml`, line 2"), "{}", expired.text);
}

#[test]
fn what_is_of_no_use_is_said() {
    let text = format!(
        "{}{}",
        entry("policy: acme\n  until: 2027-12-31"),
        &entry("policy: akme\n  until: 2027-12-31")["exceptions:\n".len()..]
    );
    let trust = with(&policy(&key_authority(KEY)), &text).expect("two");
    let notes: Vec<String> = trust
        .report()
        .into_iter()
        .filter(|note| note.kind == NoteKind::ExceptionUnused)
        .map(|note| note.text)
        .collect();
    assert_eq!(notes.len(), 2);
    assert!(
        notes[0].contains("excused nothing") && notes[1].contains("no such policy"),
        "{notes:?}"
    );
}

#[test]
fn what_is_wrong_is_refused_with_its_line() {
    let right = entry("policy: acme\n  until: 2027-12-31");
    for (text, line, why) in [
        (right.replace("  until: 2027-12-31\n", ""), 5, "missing field `until`"),
        (right.replace("2027-12-31", "never"), 6, "`until` must be a day"),
        (right.replace("2027-12-31", "2027-02-30"), 6, "`until` must be a day"),
        (right.replace("team-data", "''"), 4, "`owner` is empty"),
        (right.replace("the vendor does not sign 6.x", "' '"), 3, "`reason` is empty"),
        (right.replace("  policy: acme\n", ""), 2, "one of `policy` and `check`"),
        (
            right.replace("policy: acme", "policy: acme\n  check: sbom"),
            2,
            "one of `policy` and `check`",
        ),
        (right.replace("policy: acme", "check: vulnerabilities"), 5, "`check` must be"),
        (right.replace("ghcr.io/acme/*", "'[a]'"), 2, "is no glob"),
        (
            right.replace("policy: acme", "policy: acme\n  namespace: 'A b'"),
            6,
            "`namespace`: `A b` is no pattern of namespaces",
        ),
        (right.replace("owner", "Owner"), 4, "unknown field `Owner`"),
        ("exceptions: 1\n".to_owned(), 1, ""),
    ] {
        let error = with(&policy(&key_authority(KEY)), &text).map(|_| ()).expect_err("refused");
        assert!(error.contains(why) && error.contains(&format!("line {line}")), "{text}{error}");
    }
}
