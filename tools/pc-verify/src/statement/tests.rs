use super::*;

const HEX: &str = "94e5ba6a1e5a5d3b9a1e0c3f1f0d8d6c5b4a39281706f5e4d3c2b1a098765432";

fn statement(json: &str) -> Result<Statement, StatementError> {
    Statement::parse(json.as_bytes())
}

fn minimal(extra: &str) -> String {
    format!(
        r#"{{"_type": "{STATEMENT_V1}", "subject": [{{"name": "x", "digest": {{"sha256": "{HEX}"}}}}],
 "predicateType": "https://slsa.dev/provenance/v1"{extra}}}"#
    )
}

#[test]
fn reads_both_versions() {
    let v1 = statement(&minimal(r#", "predicate": {"a": 1}, "extension": []"#)).expect("v1");
    assert_eq!(v1.subjects[0].digests, [("sha256".to_owned(), HEX.to_owned())]);
    assert_eq!((v1.predicate.get(), v1.kind()), (r#"{"a": 1}"#, Kind::Provenance));
    assert!(v1.names(&format!("sha256:{HEX}").parse().expect("a digest")));
    let old = minimal("").replace(STATEMENT_V1, STATEMENT_V0_1);
    let old = statement(&old).expect("v0.1");
    assert_eq!(old.predicate.get(), "null", "unset is the same as empty");
}

#[test]
fn keeps_every_digest_of_every_subject() {
    let found = statement(&format!(
        r#"{{"_type": "{STATEMENT_V1}", "predicateType": "t", "subject": [
            {{"uri": "u"}}, {{"digest": {{"sha512": "ab", "gitCommit": "cd"}}}}, {{"name": "n", "digest": null}}]}}"#
    ))
    .expect("a statement");
    let digests: Vec<_> = found.subjects.iter().map(|subject| subject.digests.len()).collect();
    assert_eq!(digests, [0, 2, 0]);
    assert!(!found.names(&format!("sha256:{HEX}").parse().expect("a digest")));
}

#[test]
fn refuses_what_two_readers_see_differently() {
    let cases = [
        (r#", "subject": []"#, "`subject` is there twice"),
        (r#", "predicateType": "https://spdx.dev/Document""#, "`predicateType` is there twice"),
        (r#", "predicate": {}, "predicate": null"#, "`predicate` is there twice"),
        (r#", "_type": "x""#, "`_type` is there twice"),
        (r#", "Subject": []"#, "`Subject` is no field"),
        (r#", "PREDICATE": {}"#, "`PREDICATE` is no field"),
        (r#", "predicate_type": "x""#, "`predicate_type` is no field"),
        (r#", "type": "x""#, "`type` is no field"),
        (r#", "\u017fubject": []"#, "is no field"),
    ];
    for (extra, wanted) in cases {
        let error = statement(&minimal(extra)).expect_err(extra).to_string();
        assert!(error.contains(wanted), "{extra}: {error}");
    }
    let twice = format!(r#""sha256": "{HEX}", "sha256": "00""#);
    let inner = minimal("").replace(&format!(r#""sha256": "{HEX}""#), &twice);
    assert_eq!(statement(&inner).expect_err("twice"), StatementError::Twice("sha256".into()));
    let names = minimal("").replace(r#""name": "x""#, r#""name": "x", "Digest": {}"#);
    assert_eq!(statement(&names).expect_err("case"), StatementError::Spelling("Digest".into()));
}

#[test]
fn says_what_is_wrong_and_where() {
    let cases = [
        ("", "no JSON (line 1, column 1)"),
        ("[]", "must be an object"),
        ("{}", "`_type` must be a string (line 1, column 1)"),
        (r#"{"_type": 1}"#, "`_type` must be a string (line 1, column 11)"),
        (
            r#"{"_type": "https://in-toto.io/Statement/v2"}"#,
            "Statement/v2`, which is not read here",
        ),
        (r#"{"_type": "a\u001b[31m"}"#, "type `a\u{fffd}[31m`"),
    ];
    for (json, wanted) in cases {
        let error = statement(json).expect_err(json).to_string();
        assert!(error.contains(wanted), "{json}: {error}");
    }
    for (from, to, wanted) in [
        (r#"[{"name""#, r#"{"name""#, "no JSON"),
        (r#""subject""#, r#""subjects""#, "`subject` must be a list"),
        (r#"{"sha256""#, r#"{"sha1": 5, "sha256""#, "`digest` must be an object of strings"),
        (r#""predicateType": ""#, r#""predicateType": "", "x": ""#, "`predicateType` must be"),
        (r#""name": "x""#, r#""name": ["x"]"#, "`name` must be a string"),
    ] {
        let error = statement(&minimal("").replacen(from, to, 1)).expect_err(to).to_string();
        assert!(error.contains(wanted), "{to}: {error}");
    }
    assert!(statement(&format!("{} x", minimal(""))).is_err(), "something behind it");
    assert!(Statement::parse(&[minimal("").as_bytes(), b"\xff"].concat()).is_err());
}

#[test]
fn a_cut_statement_is_none() {
    let whole = minimal(r#", "predicate": {"a": ["b", {"c": "\u00e9"}]}"#);
    for end in 0..whole.len() {
        assert!(Statement::parse(&whole.as_bytes()[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn bears_deep_and_wide_predicates() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let found = statement(&minimal(&format!(r#", "predicate": {deep}"#))).expect("a statement");
    assert_eq!(found.predicate.get().len(), deep.len());
}

#[test]
fn keeps_many_subjects_but_not_any_number() {
    let with = |count: usize| minimal("").replacen('[', &format!("[{}", "{},".repeat(count)), 1);
    assert_eq!(statement(&with(50_000)).expect("a release").subjects.len(), 50_001);
    let error = statement(&with(200_000)).expect_err("too many").to_string();
    assert_eq!(error, "a statement with more than 100000 subjects");
}

#[test]
fn knows_kinds_in_all_spellings() {
    use Kind::{Other, Provenance, Sbom, Signature};
    for (predicate_type, kind) in [
        ("https://sigstore.dev/cosign/sign/v1", Signature),
        ("https://slsa.dev/provenance/v0.1", Provenance),
        ("https://slsa.dev/provenance/v0.2", Provenance),
        ("https://slsa.dev/provenance/v1", Provenance),
        ("https://slsa.dev/provenance/v1.0", Provenance),
        ("https://slsa.dev/provenance/v1/", Provenance),
        ("slsa.dev/provenance/v0.2", Provenance),
        ("https://in-toto.io/Provenance/v0.1", Provenance),
        ("https://slsa.dev/provenance/v9", Provenance),
        ("https://slsa.dev/verification_summary/v1", Other),
        ("https://slsa.dev/provenance/v1/evil", Other),
        ("https://slsa.dev.example.com/provenance/v1", Other),
        ("https://spdx.dev/Document", Sbom),
        ("https://spdx.dev/Document/v2.3", Sbom),
        ("https://spdx.dev/Document/v3", Sbom),
        ("https://cyclonedx.org/bom", Sbom),
        ("https://cyclonedx.org/BOM", Sbom),
        ("https://cyclonedx.org/bom/v1.4", Sbom),
        ("https://cyclonedx.org/bom/1.6", Sbom),
        ("https://cyclonedx.org/schema", Sbom),
        ("https://syft.dev/bom", Sbom),
        ("https://cosign.sigstore.dev/attestation/v1", Other),
        ("https://cosign.sigstore.dev/attestation/vuln/v1", Other),
        ("https://openvex.dev/ns/v0.2.0", Other),
        ("https://in-toto.io/Link/v1", Other),
        ("", Other),
        ("v1", Other),
    ] {
        assert_eq!(Kind::of(predicate_type), kind, "{predicate_type}");
    }
}
