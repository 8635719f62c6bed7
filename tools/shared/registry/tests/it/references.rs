//! Every case with Go's own answers agrees.

use registry::{AnyReference, Reference, ReferenceError};
use serde::Deserialize;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    input: String,
    #[serde(alias = "form")]
    origin: String,
    domain: Option<String>,
    path: Option<String>,
    tag: Option<String>,
    digest: Option<String>,
    docker_ref: Option<String>,
    familiar: Option<String>,
    #[serde(default)]
    tag_defaulted: bool,
    err: Option<String>,
    any_digest: Option<String>,
}

#[test]
fn every_form_agrees_with_go() {
    let path = testkit::root().join("testdata/references.ndjson");
    let cases = std::fs::read_to_string(&path).expect("the cases");
    let cases: Vec<Case> =
        cases.lines().map(|line| serde_json::from_str(line).expect("a case")).collect();
    let forms: std::collections::BTreeSet<&str> =
        cases.iter().map(|case| case.origin.as_str()).collect();
    assert!(cases.len() > 250 && forms.len() >= 15, "{} cases, {forms:?}", cases.len());
    for case in &cases {
        // Go's runtimes know it; the OCI image specification (descriptor.md) does not register it.
        if case.input.contains("@sha384:") {
            let error = case.input.parse::<Reference>().expect_err("refused");
            assert!(matches!(error, ReferenceError::Digest { .. }), "{error}");
            continue;
        }
        agrees(case);
    }
}

#[test]
fn all_cases_agree_with_go() {
    let Some(folder) = testkit::shared_data("all_cases_agree_with_go") else {
        return;
    };
    let path = folder.join("reference-cases.ndjson");
    let cases = std::fs::read_to_string(&path).expect("the cases");
    let cases = cases.lines().map(|line| serde_json::from_str(line).expect("a case"));
    let cases: Vec<Case> = cases.collect();
    assert!(cases.len() > 100, "only {} cases", cases.len());
    for case in &cases {
        agrees(case);
    }
}

fn agrees(case: &Case) {
    match (case.input.parse::<Reference>(), &case.err) {
        // What looks like a host and is none: Go says that there is no registry to ask, by an empty
        // domain.
        (Err(ReferenceError::NoRegistry { .. }), None) => {
            assert_eq!((&case.domain, case.path.as_ref()), (&None, Some(&case.input)), "{case:?}");
        }
        (Err(error), Some(go)) => assert!(same_fault(&error, go), "{case:?}: {error}"),
        (Ok(reference), None) => {
            let found = Case {
                input: case.input.clone(),
                origin: case.origin.clone(),
                domain: Some(reference.repository().domain().to_owned()),
                path: Some(reference.repository().path().to_owned()),
                tag: reference.tag().map(ToString::to_string),
                digest: reference.digest().map(ToString::to_string),
                docker_ref: Some(reference.to_string()),
                familiar: Some(reference.familiar()),
                tag_defaulted: reference.tag_defaulted(),
                err: None,
                any_digest: case.any_digest.clone(),
            };
            assert_eq!(found, *case);
        }
        (here, go) => {
            assert_eq!(here.is_err(), go.is_some(), "{}: {here:?}, but Go says {go:?}", case.input);
        }
    }
    let any = Reference::parse_any(&case.input);
    let digest = match &any {
        Ok(AnyReference::Digest(digest)) => Some(digest.to_string()),
        _ => None,
    };
    assert_eq!(digest, case.any_digest, "{}", case.input);
}

/// Whether the fault is of the kind that Go names.
fn same_fault(error: &ReferenceError, go: &str) -> bool {
    match error {
        ReferenceError::Empty | ReferenceError::Format(_) => go == "invalid reference format",
        ReferenceError::Uppercase { .. } => go.ends_with("must be lowercase"),
        ReferenceError::ImageId(_) => go.contains("cannot specify 64-byte hexadecimal strings"),
        ReferenceError::TooLong(_) => go.starts_with("repository name must not be more than 255"),
        // Go takes an algorithm in upper case for a part of the name.
        ReferenceError::Digest { .. } => {
            go.starts_with("invalid checksum digest")
                || go == "unsupported digest algorithm"
                || go.ends_with("@SHA256) must be lowercase")
        }
        ReferenceError::NoRegistry { .. } => false,
    }
}
