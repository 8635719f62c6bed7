//! Guesses where charts may be from, from a catalogue that answers as Artifact Hub does.
//!
//! The real one cannot be had in a test; the form of its answers is that of its published API.

use serde_json::{Value, json};
use testkit::registry::{Canned, FakeRegistry};

use crate::charts::release;
use crate::{codes, stream, update, updates};

const SEARCH: &str = "/api/v1/packages/search";

fn word<'v>(record: &'v Value, key: &str) -> &'v str {
    record[key].as_str().unwrap_or("-")
}

/// A chart in the answer to a search.
fn package(repository: &str, name: &str, stars: u64, verified: bool, official: bool) -> Value {
    json!({
        "package_id": "00000000-0000-0000-0000-000000000000", "name": name,
        "normalized_name": name, "logo_image_id": "x", "stars": stars, "official": false,
        "display_name": name, "description": "…", "version": "2.1.0", "app_version": "9.0",
        "deprecated": false, "has_values_schema": false, "signed": false, "ts": 1_700_000_000,
        "repository": {
            "url": format!("https://{repository}.example.com/charts"), "kind": 0,
            "name": repository, "official": official, "display_name": "…",
            "repository_id": "00000000-0000-0000-0000-000000000000",
            "verified_publisher": verified, "organization_name": repository,
        },
    })
}

fn json_answer(value: &Value) -> Canned {
    Canned::status(200).header("content-type", "application/json").body(value.to_string().as_str())
}

/// A catalogue with these charts, and these versions of each.
fn catalogue(packages: &[Value], versions: &[(&str, &[&str])]) -> FakeRegistry {
    let hub = FakeRegistry::start();
    hub.can(SEARCH, json_answer(&json!({"packages": packages})));
    for (page, versions) in versions {
        let available: Vec<Value> = versions
            .iter()
            .map(|version| json!({"version": version, "ts": 1, "prerelease": false}))
            .collect();
        let details = json!({"name": "web", "version": "2.1.0", "available_versions": available});
        hub.can(&format!("/api/v1/packages/helm/{page}"), json_answer(&details));
    }
    hub
}

fn ask(hub: &FakeRegistry, records: &[Value]) -> testkit::Ran {
    let url = format!("http://{}", hub.host());
    let run = updates(hub).args(["--max-tries", "1"]).env("PROVENANCE_ARTIFACT_HUB", url);
    run.stdin(stream(records)).run().ok()
}

#[test]
fn a_guess_is_shown_with_its_evidence_and_is_no_answer() {
    let hub = catalogue(
        &[
            package("mirror", "web", 900, false, false),
            package("acme", "web", 3, true, false),
            package("acme", "web-extra", 3, true, true),
        ],
        &[("acme/web", &["2.1.0", "1.2.4", "1.2.3", "3.0.0-rc.1"]), ("mirror/web", &["1.2.3"])],
    );
    let records: Vec<Value> =
        (0..20).map(|n| release(&format!("web-{n}"), "web", "1.2.3", None)).collect();
    let ran = ask(&hub, &records);
    let answers = ran.of_type("update");
    assert_eq!(answers.len(), 20);
    for answer in &answers {
        assert_eq!((word(answer, "status"), &answer["newest"]), ("unknown", &Value::Null));
        assert_eq!((&answer["behind"], &answer["latestInMajor"]), (&Value::Null, &Value::Null));
    }
    let guess = &answers[0]["guess"];
    assert_eq!((word(guess, "repository"), word(guess, "newest")), ("acme", "2.1.0"));
    assert_eq!(word(guess, "page"), format!("http://{}/packages/helm/acme/web", hub.host()));
    assert_eq!(word(guess, "url"), "https://acme.example.com/charts");
    assert_eq!((&guess["verifiedPublisher"], &guess["official"]), (&json!(true), &json!(false)));
    assert_eq!((&guess["others"], word(guess, "newestAppVersion")), (&json!(1), "9.0"));
    let why = "it has the name and lists the version that is used, and its publisher is verified";
    assert_eq!(word(guess, "why"), why);
    let reason = word(&answers[0], "reason");
    assert!(reason.starts_with("origin-unknown: "), "{reason}");
    assert!(reason.contains("; a guess and no more: ") && reason.contains("--chart-origins"));
    // One search and one question about the chart, for all releases.
    assert_eq!(hub.log().len(), 2, "{:?}", hub.log());
    assert_eq!(hub.log()[0].query, "kind=0&ts_query_web=web&limit=60");
    let tally = &ran.of_type("end")[0]["stages"][0];
    assert_eq!(tally["requests"][hub.host()], json!({"charts": 2}));
    assert_eq!(tally["settings"]["artifactHub"], format!("http://{}", hub.host()));
}

#[test]
fn nobody_is_asked_unless_guesses_are_asked_for() {
    let hub = catalogue(&[package("acme", "web", 3, true, false)], &[("acme/web", &["1.2.3"])]);
    let record = release("web", "web", "1.2.3", None);
    let ran = updates(&hub).stdin(stream(std::slice::from_ref(&record))).run().ok();
    assert_eq!(update(&ran).get("guess"), None);
    let mut elsewhere = record;
    elsewhere["origin"]["kind"] = "argo-cd".into();
    let known = release("web", "web", "1.2.3", Some("http://127.0.0.1:1/charts"));
    let ran = ask(&hub, &[elsewhere, known]);
    assert!(ran.of_type("update").iter().all(|answer| answer.get("guess").is_none()));
    assert!(hub.log().is_empty());
}

#[test]
fn a_chart_that_does_not_list_the_version_is_no_guess() {
    let hub = catalogue(
        &[package("acme", "web", 3, true, true), package("other", "web", 1, false, false)],
        &[("acme/web", &["2.1.0"]), ("other/web", &["1.2.3", "0.1.0"])],
    );
    let answer = update(&ask(&hub, &[release("web", "web", "1.2.3", None)]));
    let guess = &answer["guess"];
    assert_eq!((word(guess, "repository"), &guess["newest"]), ("other", &Value::Null));
    assert!(word(&answer, "reason").contains("of a publisher whom nobody has verified"));
    let answer = update(&ask(&hub, &[release("web", "web", "7.7.7", None)]));
    assert_eq!((word(&answer, "status"), answer.get("guess")), ("unknown", None));
    assert!(word(&answer, "reason").contains("no guess either"), "{answer}");
    hub.clear_log();
    let ran = ask(&hub, &[release("web", "../../x", "1.0.0", None)]);
    assert_eq!((update(&ran).get("guess"), hub.log().len()), (None, 0));
}

#[test]
fn a_catalogue_that_fails_is_told_and_changes_nothing() {
    for (answer, code) in [
        (Canned::status(429), "rate-limited"),
        (Canned::status(500), "server-error"),
        (Canned::status(200).body("<html>"), "bad-response"),
    ] {
        let hub = FakeRegistry::start();
        hub.can(SEARCH, answer);
        let ran = ask(&hub, &[release("web", "web", "1.2.3", None)]);
        let record = update(&ran);
        assert_eq!((word(&record, "status"), codes(&ran)), ("unknown", vec![code.to_owned()]));
        assert!(word(&record, "reason").starts_with("origin-unknown: "), "{record}");
    }
    // Names that would lead elsewhere are no charts.
    let hub = catalogue(&[package("../x", "web", 3, true, true)], &[]);
    let ran = ask(&hub, &[release("web", "web", "1.2.3", None)]);
    assert_eq!((update(&ran).get("guess"), hub.log().len()), (None, 1));
    let _ = updates(&hub).args(["-n", "--artifact-hub=ftp://x"]).run().code(2).says("no http");
}
