//! What policies say of what was found.

use pc_verify::judged::{Judged, Reason, SignedBy};
use pc_verify::trust::{Check, Checked};
use records::{FindVerdict, Known, PolicyResult};

use super::{
    ALL, IMAGE, KEY, OTHER_KEY, RELEASE, by, check, find, found, id, image, key_authority,
    keyless_authority, outcome, policies, policy, signature, signed, statement,
};

const SPDX: &str = "https://spdx.dev/Document";
const SLSA: &str = "https://slsa.dev/provenance/v0.2";

fn judged(verdict: FindVerdict, reason: Reason) -> Judged {
    find(verdict, Some(reason), signature())
}

#[test]
fn a_signature_by_whom_a_policy_names_passes_and_everything_else_fails() {
    let keyed = || policies(&policy(&key_authority(KEY))).expect("a policy");
    let other = || signed(SignedBy::Key(id(OTHER_KEY)), signature());
    let mine = || signed(SignedBy::Key(id(KEY)), signature());
    for (finds, result, reason) in [
        (vec![], PolicyResult::Fail, "no signature was found"),
        (vec![mine()], PolicyResult::Pass, ""),
        (vec![judged(FindVerdict::Invalid, Reason::Subject), mine()], PolicyResult::Pass, ""),
        (vec![other()], PolicyResult::Fail, "signed by the key sha256:"),
        (vec![signed(by(RELEASE), signature())], PolicyResult::Fail, RELEASE),
        (
            vec![judged(FindVerdict::Present, Reason::NoKey)],
            PolicyResult::Fail,
            "it is present (no-key)",
        ),
        (
            vec![judged(FindVerdict::Present, Reason::NoRoot)],
            PolicyResult::Fail,
            "present (no-root)",
        ),
        (
            vec![judged(FindVerdict::Invalid, Reason::Signature)],
            PolicyResult::Fail,
            "invalid (signature)",
        ),
        (
            vec![judged(FindVerdict::Present, Reason::NoKey), other()],
            PolicyResult::Fail,
            "none of 2 finds",
        ),
        (
            vec![judged(FindVerdict::Unknown, Reason::TooLarge)],
            PolicyResult::Unknown,
            "could not be fetched",
        ),
        (vec![judged(FindVerdict::Unknown, Reason::TooLarge), mine()], PolicyResult::Pass, ""),
        (
            vec![judged(FindVerdict::Unknown, Reason::NotFetched), other()],
            PolicyResult::Unknown,
            "could not be fetched",
        ),
        // An attestation is no signature, whoever made it.
        (
            vec![signed(SignedBy::Key(id(KEY)), statement(SPDX))],
            PolicyResult::Fail,
            "no signature was found",
        ),
    ] {
        let trust = keyed();
        let outcome = outcome(&trust, &found(&finds, &[]));
        assert_eq!(outcome.result, result, "{finds:?} {outcome:?}");
        assert_eq!(outcome.authority.is_some(), result == PolicyResult::Pass);
        assert!(outcome.reasons.iter().all(|why| why.contains(reason)), "{reason}: {outcome:?}");
        assert_eq!(outcome.reasons.is_empty(), result == PolicyResult::Pass);
    }
}

/// What could not be asked is neither a failure nor a pass.
#[test]
fn a_policy_does_not_fail_on_what_was_not_seen() {
    let trust = policies(&policy(&key_authority(KEY))).expect("a policy");
    let mine = [signed(SignedBy::Key(id(KEY)), signature())];
    let wrong = [judged(FindVerdict::Invalid, Reason::Signature)];
    for (known, why) in [
        (None, "not checked"),
        (Some(Known { whole: false, ..ALL }), "not every store"),
        (Some(Known { present: None, ..ALL }), "whether the repository has the manifest"),
        (Some(Known { present: Some(false), ..ALL }), "does not have the manifest"),
        (Some(Known { platform: false, ..ALL }), "which platform runs"),
        (Some(Known { index: false, ..ALL }), "which index"),
    ] {
        for finds in [&[][..], &wrong] {
            let checked = Checked { signature: check(known, finds), ..found(&[], &[]) };
            let outcome = outcome(&trust, &checked);
            assert_eq!(outcome.result, PolicyResult::Unknown, "{known:?}");
            assert!(outcome.reasons[0].contains(why), "{outcome:?}");
        }
        let checked = Checked { signature: check(known, &mine), ..found(&[], &[]) };
        assert_eq!(outcome(&trust, &checked).result, PolicyResult::Pass, "{known:?}");
    }
}

#[test]
fn one_content_authority_is_enough_and_doubt_about_one_is_doubt() {
    let two = policies(&policy(&(key_authority(KEY) + &keyless_authority()))).expect("a policy");
    let mine = [signed(by(RELEASE), signature())];
    let passed = outcome(&two, &found(&mine, &[]));
    assert_eq!(
        (passed.result, passed.authority.as_deref()),
        (PolicyResult::Pass, Some("releases"))
    );
    assert_eq!(passed.reasons.len(), 1);
    let failed = outcome(&two, &found(&[], &[]));
    assert_eq!((failed.result, failed.reasons.len()), (PolicyResult::Fail, 2));

    let with_fail = policies(&policy(&(key_authority(KEY) + "  - static: {action: fail}\n")))
        .expect("a policy");
    let unasked =
        Checked { signature: check(Some(Known { whole: false, ..ALL }), &[]), ..found(&[], &[]) };
    assert_eq!(outcome(&with_fail, &unasked).result, PolicyResult::Unknown);

    let with_pass = policies(&policy(&(key_authority(KEY) + "  - static: {action: pass}\n")))
        .expect("a policy");
    let passed = outcome(&with_pass, &unasked);
    assert_eq!(
        (passed.result, passed.authority.as_deref()),
        (PolicyResult::Pass, Some("authority-1"))
    );
    let only_fail = policies(&policy("  - static: {action: fail}\n")).expect("a policy");
    assert_eq!(outcome(&only_fail, &unasked).result, PolicyResult::Fail);
}

#[test]
fn a_policy_that_warns_does_not_fail() {
    let trust = policies(&(policy(&key_authority(KEY)) + "  mode: warn\n")).expect("a policy");
    assert_eq!(outcome(&trust, &found(&[], &[])).result, PolicyResult::Warn);
    let unasked = Checked { signature: check(None, &[]), ..found(&[], &[]) };
    assert_eq!(outcome(&trust, &unasked).result, PolicyResult::Unknown);
    let mine = [signed(SignedBy::Key(id(KEY)), signature())];
    assert_eq!(outcome(&trust, &found(&mine, &[])).result, PolicyResult::Pass);
}

#[test]
fn every_attestation_that_an_authority_demands_must_be_there() {
    let demanding = keyless_authority()
        + "    attestations:\n    - name: sbom\n      predicateType: spdxjson\n    - name: build\n      predicateType: slsaprovenance\n";
    let trust = policies(&policy(&demanding)).expect("a policy");
    let sbom = [signed(by(RELEASE), statement(SPDX))];
    let build = [signed(by(RELEASE), statement(SLSA))];
    let newer = [signed(by(RELEASE), statement("https://slsa.dev/provenance/v1"))];
    let evil = [signed(by("https://github.com/evil/web"), statement(SLSA))];
    let unfetched = [find(
        FindVerdict::Unknown,
        Some(Reason::TooLarge),
        pc_verify::judged::Content::Unreadable,
    )];
    let signature = [signed(by(RELEASE), signature())];
    let partly = Some(Known { whole: false, ..ALL });
    let all = Some(ALL);
    let checked = |sbom, provenance, attestation| Checked {
        signature: check(Some(ALL), &signature),
        sbom,
        provenance,
        attestation,
    };
    let none = || check(all, &[]);
    for (checked, result, why) in [
        (checked(check(all, &sbom), check(all, &build), none()), PolicyResult::Pass, ""),
        (
            checked(check(partly, &sbom), check(partly, &build), check(None, &[])),
            PolicyResult::Pass,
            "",
        ),
        (
            checked(check(all, &sbom), none(), none()),
            PolicyResult::Fail,
            "no attestation `build` (slsaprovenance)",
        ),
        (checked(check(all, &sbom), check(all, &newer), none()), PolicyResult::Fail, "`build`"),
        (checked(check(all, &sbom), check(all, &evil), none()), PolicyResult::Fail, "evil"),
        (
            checked(check(all, &sbom), check(partly, &[]), none()),
            PolicyResult::Unknown,
            "not every store",
        ),
        (
            checked(check(all, &sbom), check(None, &[]), none()),
            PolicyResult::Unknown,
            "not checked",
        ),
        (
            checked(check(all, &sbom), none(), check(all, &unfetched)),
            PolicyResult::Unknown,
            "could not be fetched",
        ),
        // What is certainly missing decides, though another may be there.
        (checked(check(partly, &[]), none(), none()), PolicyResult::Fail, "`build`"),
        // The other checks are of no matter to it.
        (checked(none(), check(all, &build), check(partly, &[])), PolicyResult::Fail, "`sbom`"),
    ] {
        let outcome = outcome(&trust, &checked);
        assert_eq!(outcome.result, result, "{why} {outcome:?}");
        assert!(outcome.reasons.iter().all(|reason| reason.contains(why)), "{why} {outcome:?}");
    }
}

#[test]
fn a_shared_builder_for_another_source_does_not_content_a_policy() {
    let authority = keyless_authority().replace("acme/.*", "slsa-framework/.*")
        + "    attestations:\n    - name: build\n      predicateType: slsaprovenance\n";
    let text = policy(&authority).replace(
        "  name: acme\n",
        "  name: acme\n  annotations:\n    provenance.nebari.dev/source-repository: github.com/acme/web\n",
    );
    let trust = policies(&text).expect("a policy");
    let build = signed(by(super::GENERATOR), statement(SLSA));
    for (source, result) in [
        (Some("git+https://github.com/acme/web@refs/tags/v1"), PolicyResult::Pass),
        (Some("git+https://github.com/evil/web@refs/tags/v1"), PolicyResult::Fail),
        (None, PolicyResult::Fail),
    ] {
        let find = pc_verify::trust::Find { judged: &build, source_repository: source };
        let provenance = Check { known: Some(ALL), finds: vec![find] };
        let checked = Checked { provenance, ..found(&[], &[]) };
        assert_eq!(outcome(&trust, &checked).result, result, "{source:?}");
    }
}

#[test]
fn policies_are_about_their_images_alone() {
    let trust = policies(&policy(&key_authority(KEY))).expect("a policy");
    let checked = found(&[], &[]);
    assert_eq!(trust.policies(&image(IMAGE), &checked).len(), 1);
    for other in ["nginx", "ghcr.io/acme", "ghcr.io/acmeevil/web", "sha256:0", ""] {
        assert_eq!(trust.policies(&image(other), &checked).len(), 0, "{other}");
    }
}
