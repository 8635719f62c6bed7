//! A report as statements: about itself, about policies met, about what runs where.

use std::collections::BTreeMap;

use records::{PolicyResult, Verdict};
use report::attestation::{self, Kind, Stated, report as of_report, scai, vsa};
use report::export::Source;
use report::{PolicyAnswer, Report};
use serde_json::{Value, json};

use crate::{SHOP, assemble};

const NAME: &str = "provenance-20261124-060000.json";

fn file() -> Source<'static> {
    Source {
        name: Some(NAME),
        digest: format!("sha256:{}", "ab".repeat(32)).parse().expect("a digest"),
        size: 4711,
        version: "0.1.0",
    }
}

fn value(bytes: Result<Vec<u8>, serde_json::Error>) -> Value {
    let bytes = bytes.expect("written");
    assert!(!bytes.contains(&b'\n'), "one line");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn summaries(report: &Report) -> (Vec<Value>, Stated) {
    let mut statements = Vec::new();
    let stated = vsa::each(report, |statement| {
        statements.push(value(statement.to_json()));
        Ok::<_, ()>(())
    });
    (statements, stated.expect("taken"))
}

fn places(report: &Report) -> (Vec<Value>, Stated) {
    let mut statements = Vec::new();
    let stated = scai::each(report, &file(), |statement| {
        statements.push(value(statement.to_json()));
        Ok::<_, ()>(())
    });
    (statements, stated.expect("taken"))
}

#[test]
fn the_statements_of_the_shop() {
    let report = assemble(SHOP);
    insta::assert_json_snapshot!("statement", of_report::statement(&report, &file(), None));
    insta::assert_json_snapshot!("summaries", summaries(&report).0);
    insta::assert_json_snapshot!("places", places(&report).0);
}

#[test]
fn the_report_is_the_first_subject_and_every_proven_digest_is_one() {
    let report = assemble(SHOP);
    let file = file();
    let statement = of_report::statement(&report, &file, Some("sha256:00"));
    let statement = value(statement.to_json());
    let subjects = statement["subject"].as_array().expect("a list");
    assert_eq!(subjects[0], json!({"name": NAME, "digest": {"sha256": "ab".repeat(32)}}));
    let rest: Vec<(&str, &str)> = subjects[1..]
        .iter()
        .map(|subject| {
            let text = |value: &'static str| subject.pointer(value).and_then(Value::as_str);
            (text("/name").expect("a name"), text("/digest/sha256").expect("a digest"))
        })
        .collect();
    assert!(rest.is_sorted_by(|a, b| a < b), "sorted, each once: {rest:?}");
    for row in &report.images {
        for digest in [&row.digest, &row.manifest].into_iter().flatten() {
            let subject = (row.repository.as_deref().expect("one"), digest.hex());
            let proven = row.runs() && row.digest_is_proven();
            let elsewhere = report.images.iter().any(|other| {
                other.runs()
                    && other.digest_is_proven()
                    && other.repository == row.repository
                    && [&other.digest, &other.manifest].contains(&&Some(digest.clone()))
            });
            assert_eq!(rest.contains(&subject), proven || elsewhere, "{}", row.image);
        }
    }
    assert_eq!(statement["predicate"]["previousHead"], "sha256:00");
}

/// The report of the shop with what one policy says of the first image changed.
fn with_policy(result: PolicyResult) -> Report {
    let mut report = assemble(SHOP);
    report.evidence.retain(|evidence| !evidence.policies.is_empty());
    report.evidence.truncate(1);
    report.evidence[0].policies[0].result = result;
    report
}

#[test]
fn unknown_and_skipped_are_neither_passed_nor_failed() {
    for (result, words) in [
        (PolicyResult::Pass, Some(("PASSED", "SLSA_BUILD_LEVEL_1"))),
        (PolicyResult::Fail, Some(("FAILED", "FAILED"))),
        (PolicyResult::Warn, Some(("FAILED", "FAILED"))),
        (PolicyResult::Skip, None),
        (PolicyResult::Unknown, None),
    ] {
        let (statements, stated) = summaries(&with_policy(result));
        let Some((verdict, level)) = words else {
            assert_eq!((statements.len(), stated.statements), (0, 0), "{result:?}");
            assert_eq!(stated.left_out.values().sum::<u64>(), 1, "{result:?}");
            continue;
        };
        let predicate = &statements[0]["predicate"];
        assert_eq!(predicate["verificationResult"], verdict, "{result:?}");
        assert_eq!(predicate["verifiedLevels"], json!([level]), "{result:?}");
        assert_eq!((stated.statements, stated.left_out), (1, BTreeMap::new()));
    }
}

#[test]
fn without_a_policy_only_trusted_and_invalid_decide() {
    for (verdict, result) in [
        (Verdict::Trusted, Some("PASSED")),
        (Verdict::Invalid, Some("FAILED")),
        (Verdict::Valid, None),
        (Verdict::Present, None),
        (Verdict::Absent, None),
        (Verdict::Unknown, None),
        (Verdict::Skipped, None),
    ] {
        let mut report = with_policy(PolicyResult::Pass);
        report.evidence[0].policies.clear();
        report.evidence[0].signature.as_mut().expect("a check").verdict = verdict;
        let (statements, stated) = summaries(&report);
        assert_eq!(stated.left_out.len(), usize::from(result.is_none()), "{verdict:?}");
        let said = statements.first().map(|it| it["predicate"]["verificationResult"].clone());
        assert_eq!(said, result.map(Value::from), "{verdict:?}");
        if let Some(statement) = statements.first() {
            assert_eq!(statement["predicate"]["policy"]["uri"], vsa::TRUSTED_SIGNER);
        }
    }
    let mut report = with_policy(PolicyResult::Pass);
    report.evidence[0].policies.clear();
    report.evidence[0].signature = None;
    assert_eq!(summaries(&report).1.statements, 0);
}

#[test]
fn a_level_that_was_not_found_out_is_unevaluated_and_not_zero() {
    for (verdict, level, word) in [
        (Verdict::Trusted, Some(3), "SLSA_BUILD_LEVEL_3"),
        (Verdict::Valid, Some(2), "SLSA_BUILD_LEVEL_2"),
        (Verdict::Present, Some(1), "SLSA_BUILD_LEVEL_1"),
        (Verdict::Absent, None, "SLSA_BUILD_LEVEL_0"),
        (Verdict::Invalid, Some(3), "SLSA_BUILD_LEVEL_0"),
        (Verdict::Unknown, Some(3), "SLSA_BUILD_LEVEL_UNEVALUATED"),
        (Verdict::Skipped, None, "SLSA_BUILD_LEVEL_UNEVALUATED"),
        (Verdict::Trusted, None, "SLSA_BUILD_LEVEL_UNEVALUATED"),
        (Verdict::Trusted, Some(9), "SLSA_BUILD_LEVEL_UNEVALUATED"),
    ] {
        let mut report = with_policy(PolicyResult::Pass);
        let check = report.evidence[0].provenance.as_mut().expect("a check");
        (check.verdict, check.level) = (verdict, level);
        let (statements, _) = summaries(&report);
        assert_eq!(statements[0]["predicate"]["verifiedLevels"], json!([word]), "{verdict:?}");
    }
    let mut report = with_policy(PolicyResult::Pass);
    report.evidence[0].provenance = None;
    let (statements, _) = summaries(&report);
    assert_eq!(
        statements[0]["predicate"]["verifiedLevels"],
        json!(["SLSA_BUILD_LEVEL_UNEVALUATED"])
    );
}

#[test]
fn each_policy_has_a_summary_and_two_indexes_must_agree() {
    let mut report = with_policy(PolicyResult::Pass);
    let second = PolicyAnswer {
        policy: "sbom there/…".into(),
        result: PolicyResult::Fail,
        ..report.evidence[0].policies[0].clone()
    };
    report.evidence[0].policies.push(second);
    let (statements, _) = summaries(&report);
    let uris: Vec<&Value> = statements.iter().map(|it| &it["predicate"]["policy"]["uri"]).collect();
    assert_eq!(
        uris,
        [
            "https://provenance.nebari.dev/policy/release-signed",
            "https://provenance.nebari.dev/policy/sbom%20there%2F%E2%80%A6"
        ]
    );
    // The same manifest below another index, where the first policy is not met.
    let mut other = report.evidence[0].clone();
    other.index = None;
    other.policies[0].result = PolicyResult::Fail;
    report.evidence.push(other);
    let (statements, stated) = summaries(&report);
    assert_eq!((statements.len(), stated.statements), (1, 1));
    assert_eq!(statements[0]["predicate"]["verificationResult"], "FAILED");
    assert_eq!(stated.left_out["its answer differs from index to index"], 1);
}

#[test]
fn only_what_is_proven_to_run_has_a_place() {
    let report = assemble(SHOP);
    let (statements, stated) = places(&report);
    let attributes: usize = statements
        .iter()
        .map(|it| it["predicate"]["attributes"].as_array().map_or(0, Vec::len))
        .sum();
    let left_out: u64 = stated.left_out.values().sum();
    assert_eq!(attributes + usize::try_from(left_out).expect("few"), report.images.len());
    assert_eq!(stated.statements, statements.len() as u64);
    for statement in &statements {
        let digest = statement["subject"][0]["digest"]["sha256"].as_str().expect("a digest");
        for attribute in statement["predicate"]["attributes"].as_array().expect("a list") {
            let row = report.images.iter().find(|row| {
                row.manifest.as_ref().or(row.digest.as_ref()).is_some_and(|it| it.hex() == digest)
                    && row.container.as_deref() == attribute["conditions"]["container"].as_str()
            });
            let row = row.expect("a row");
            assert!(row.runs() && row.digest_is_proven(), "{}", row.image);
            // Nobody judged it, and no policy is about it, are two answers.
            let policies = &attribute["evidence"]["annotations"]["policies"];
            assert_eq!(policies.is_null(), row.policies.is_none(), "{}", row.image);
        }
    }
}

#[test]
fn whoever_does_not_take_a_statement_ends_it() {
    let report = assemble(SHOP);
    let mut taken = 0;
    let ended = vsa::each(&report, |_| {
        taken += 1;
        Err("full")
    });
    assert_eq!((ended, taken), (Err("full"), 1));
}

#[test]
fn a_line_for_each_statement_and_a_note_for_each_reason() {
    let report = assemble(SHOP);
    let seal = |statement: Vec<u8>| [b"<", statement.as_slice(), b">"].concat();
    for (kind, statements) in [(Kind::Vsa, summaries(&report).0), (Kind::Scai, places(&report).0)] {
        let mut bytes = Vec::new();
        let notes = attestation::write(kind, &report, &file(), &seal, &mut bytes);
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert!(text.ends_with(">\n"), "{text}");
        assert_eq!(text.lines().count(), statements.len());
        assert!(text.lines().all(|line| line.starts_with("<{\"_type\":") && line.ends_with("}>")));
        insta::assert_snapshot!(format!("notes-{kind:?}"), notes.expect("written").join("\n"));
    }
}
