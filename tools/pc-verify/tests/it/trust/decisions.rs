//! Who trusts a find.

use pc_verify::judged::{CertifiedIdentity, Judged, Reason, SignedBy, TimeFrom};
use pc_verify::trust::{NoteKind, Trust, TrustArgs};
use records::FindVerdict;

use super::{
    Folder, GENERATOR, IMAGE, ISSUER, KEY, OTHER_KEY, RELEASE, by, certified, find, id, image,
    key_authority, keyless_authority, load, policies, policy, signature, signed, statement,
};

fn trusted(trust: &Trust, judged: &Judged) -> Option<String> {
    trust.trusted_by(&image(IMAGE), judged, None).map(|by| by.to_string())
}

fn identity(regexp: &str, issuer: &str) -> TrustArgs {
    TrustArgs {
        certificate_identity_regexp: Some(regexp.into()),
        certificate_oidc_issuer: Some(issuer.into()),
        ..TrustArgs::default()
    }
}

#[test]
fn settings_name_keys_and_identities_for_every_image() {
    let key = load(&TrustArgs { key: vec![KEY.into()], ..TrustArgs::default() }).expect("a key");
    let by_key = |key: &str| signed(SignedBy::Key(id(key)), signature());
    assert_eq!(trusted(&key, &by_key(KEY)).as_deref(), Some("--key key 1"));
    assert_eq!(trusted(&key, &by_key(OTHER_KEY)), None);
    assert_eq!(trusted(&key, &signed(by(RELEASE), signature())), None);

    let releases = load(&identity(r"https://github\.com/acme/.*", ISSUER)).expect("an identity");
    let expected = Some(r"--certificate-identity https://github\.com/acme/.*".to_owned());
    assert_eq!(trusted(&releases, &signed(by(RELEASE), signature())), expected);
    for other in
        ["https://github.com/acme", "https://evil.example/https://github.com/acme/web", "x"]
    {
        assert_eq!(trusted(&releases, &signed(by(other), signature())), None, "{other}");
    }
    let elsewhere =
        CertifiedIdentity { issuer: Some("https://evil.example".into()), ..certified(RELEASE) };
    assert_eq!(trusted(&releases, &signed(SignedBy::Certificate(elsewhere), signature())), None);
    assert_eq!(trusted(&releases, &by_key(KEY)), None);
}

#[test]
fn only_a_valid_find_can_be_trusted() {
    let trust = load(&identity(".*", ISSUER)).expect("an identity");
    for (verdict, reason) in [
        (FindVerdict::Present, Some(Reason::NoTime)),
        (FindVerdict::Invalid, Some(Reason::Subject)),
        (FindVerdict::Unknown, Some(Reason::TooLarge)),
    ] {
        let judged = Judged { signed_by: Some(by(RELEASE)), ..find(verdict, reason, signature()) };
        assert_eq!(trusted(&trust, &judged), None, "{verdict:?}");
    }
    assert_eq!(trusted(&trust, &find(FindVerdict::Valid, None, signature())), None);
}

#[test]
fn an_identity_of_nobody_fits_no_rule() {
    let anybody = load(&TrustArgs {
        certificate_identity_regexp: Some(".*".into()),
        certificate_oidc_issuer_regexp: Some(".*".into()),
        ..TrustArgs::default()
    })
    .expect("anybody");
    let nobody = CertifiedIdentity { identity: None, ..certified(RELEASE) };
    assert_eq!(trusted(&anybody, &signed(SignedBy::Certificate(nobody), signature())), None);
    let unissued = CertifiedIdentity { issuer: None, ..certified(RELEASE) };
    assert_eq!(trusted(&anybody, &signed(SignedBy::Certificate(unissued), signature())), None);
}

#[test]
fn a_key_counts_without_a_log_only_where_that_is_said() {
    let unlogged = Judged { log: None, ..signed(SignedBy::Key(id(KEY)), signature()) };
    for (ignore, expected) in [(false, None), (true, Some("--key key 1".to_owned()))] {
        let args = TrustArgs {
            key: vec![KEY.into()],
            insecure_ignore_tlog: ignore,
            ..TrustArgs::default()
        };
        assert_eq!(trusted(&load(&args).expect("a key"), &unlogged), expected);
    }
    // A policy that demands no log makes the same key valid without one, not trusted by `--key`.
    let folder = Folder::of(&[("policy.yaml", &policy(&key_authority(KEY)))]);
    let both = load(&TrustArgs {
        key: vec![KEY.into()],
        trust_policy: Some(folder.path("policy.yaml")),
        ..TrustArgs::default()
    })
    .expect("both");
    assert_eq!(both.keys().len(), 1);
    assert_eq!(both.keys()[0].log, pc_verify::judge::LogDemand::NotDemanded);
    assert_eq!(trusted(&both, &unlogged).as_deref(), Some("policy acme, authority authority-0"));
    let other = both.trusted_by(&image("ghcr.io/other/web"), &unlogged, None);
    assert_eq!(other, None);
}

/// A builder that anybody can use proves who built, not for whom.
#[test]
fn a_shared_builder_is_trusted_only_for_a_source_that_is_named() {
    let provenance = || statement("https://slsa.dev/provenance/v0.2");
    let generator = |source: Option<&str>| {
        let source_repository = source.map(str::to_owned);
        let certified = CertifiedIdentity { source_repository, ..certified(GENERATOR) };
        signed(SignedBy::Certificate(certified), provenance())
    };
    let acme = Some("https://github.com/acme/web");
    let evil = Some("https://github.com/evil/web");
    let rule = identity(r"https://github\.com/slsa-framework/slsa-github-generator/.*", ISSUER);
    let named = TrustArgs { source_uri: vec!["github.com/acme/web".into()], ..rule.clone() };
    for (args, certificate, statement, expected) in [
        (&rule, acme, acme, false),
        (&rule, None, None, false),
        (&named, acme, None, true),
        (&named, None, acme, true),
        (&named, acme, acme, true),
        (&named, None, None, false),
        (&named, evil, None, false),
        (&named, evil, acme, false),
        (&named, acme, evil, false),
    ] {
        let trust = load(args).expect("an identity");
        let by = trust.trusted_by(&image(IMAGE), &generator(certificate), statement);
        assert_eq!(by.is_some(), expected, "{certificate:?} {statement:?}");
    }
    // The same in a policy, which names sources by an annotation.
    let text = policy(&keyless_authority().replace("acme/.*", "slsa-framework/.*"));
    let annotated = text.replace(
        "  name: acme\n",
        "  name: acme\n  annotations:\n    provenance.nebari.dev/source-repository: github.com/acme/api, https://github.com/acme/web\n",
    );
    assert_eq!(trusted(&policies(&text).expect("a policy"), &generator(acme)), None);
    let trust = policies(&annotated).expect("a policy");
    assert!(trusted(&trust, &generator(acme)).is_some());
    assert_eq!(trusted(&trust, &generator(evil)), None);
    // Somebody's own workflow needs no such thing.
    let own = load(&identity(r"https://github\.com/acme/.*", ISSUER)).expect("an identity");
    assert!(trusted(&own, &signed(by(RELEASE), provenance())).is_some());
}

#[test]
fn a_policy_names_signers_for_its_images_by_its_roots_logs_and_formats() {
    let mine = || signed(by(RELEASE), signature());
    let github = || {
        let certified = CertifiedIdentity { root: "github".into(), ..certified(RELEASE) };
        let by = SignedBy::Certificate(certified);
        Judged { log: None, time_from: Some(TimeFrom::Authority), ..signed(by, signature()) }
    };
    let unlogged = || Judged { log: None, time_from: Some(TimeFrom::Authority), ..mine() };
    let shard =
        || Judged { log: Some(super::logged("https://log2025-1.rekor.sigstore.dev")), ..mine() };
    let foreign = || Judged { log: Some(super::logged("https://rekor.evil.example")), ..mine() };
    let legacy = || Judged { format: "cosign/simple".into(), ..mine() };
    let plain = keyless_authority();
    let at =
        |url: &str| plain.replace("    keyless:\n", &format!("    keyless:\n      url: {url}\n"));
    for (authority, judged, expected) in [
        (plain.clone(), mine(), true),
        (plain.clone(), legacy(), true),
        (plain.clone(), shard(), true),
        (plain.clone(), github(), false),
        (plain.clone(), unlogged(), false),
        (plain.clone(), foreign(), false),
        (at("https://fulcio.sigstore.dev/"), mine(), true),
        (at("https://fulcio.githubapp.com"), github(), true),
        (at("https://fulcio.githubapp.com"), mine(), false),
        (plain.clone() + "    ctlog: {}\n", unlogged(), true),
        (plain.clone() + "    ctlog:\n      url: https://rekor.sigstore.dev\n", mine(), true),
        (plain.clone() + "    signatureFormat: bundle\n", mine(), true),
        (plain.clone() + "    signatureFormat: bundle\n", legacy(), false),
        (plain.clone() + "    signatureFormat: legacy\n", legacy(), true),
        (plain.clone() + "    signatureFormat: legacy\n", mine(), false),
    ] {
        let trust = policies(&policy(&authority)).expect("a policy");
        assert_eq!(trusted(&trust, &judged).is_some(), expected, "{authority}\n{judged:?}");
        let elsewhere = trust.trusted_by(&image("ghcr.io/other/web"), &judged, None);
        assert_eq!(elsewhere, None);
    }
}

#[test]
fn an_authority_that_demands_attestations_speaks_of_these_alone() {
    let demanding =
        keyless_authority() + "    attestations:\n    - name: sbom\n      predicateType: spdx\n";
    let trust = policies(&policy(&demanding)).expect("a policy");
    for (content, expected) in [
        (statement("https://spdx.dev/Document"), true),
        (statement("https://slsa.dev/provenance/v1"), false),
        (signature(), false),
    ] {
        assert_eq!(trusted(&trust, &signed(by(RELEASE), content)).is_some(), expected);
    }
    let trust = policies(&policy(&keyless_authority())).expect("a policy");
    assert!(
        trusted(&trust, &signed(by(RELEASE), statement("https://slsa.dev/provenance/v1")))
            .is_some()
    );
}

#[test]
fn static_authorities_trust_nobody() {
    for action in ["pass", "fail"] {
        let trust =
            policies(&policy(&format!("  - static: {{action: {action}}}\n"))).expect("a policy");
        assert_eq!(trusted(&trust, &signed(by(RELEASE), signature())), None);
    }
}

#[test]
fn what_was_of_no_use_is_reported() {
    let text = policy(&(key_authority(KEY) + &keyless_authority()))
        + "---\n"
        + &policy(&key_authority(KEY))
            .replace("name: acme", "name: hub")
            .replace("ghcr.io/acme/**", "docker.io/library/*");
    let folder = Folder::of(&[("policy.yaml", &text)]);
    let trust = load(&TrustArgs {
        key: vec![OTHER_KEY.into()],
        trust_policy: Some(folder.path("policy.yaml")),
        ..identity("https://github.com/acme/", ISSUER)
    })
    .expect("trust");
    let checked = super::found(&[], &[]);
    let _ = trust.policies(&image(IMAGE), &checked);
    assert!(trusted(&trust, &signed(by(RELEASE), signature())).is_some());
    let notes: Vec<_> = trust.report().into_iter().map(|note| (note.kind, note.text)).collect();
    let kinds: Vec<NoteKind> = notes.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(
        kinds,
        [
            NoteKind::KeyUnused,
            NoteKind::IdentityUnused,
            NoteKind::AuthorityUnused,
            NoteKind::PolicyUnused
        ]
    );
    assert!(
        notes[1].1.contains("from end to end") && notes[2].1.contains("`authority-0`"),
        "{notes:?}"
    );
    assert!(notes[3].1.contains("index.docker.io"), "{notes:?}");
}
