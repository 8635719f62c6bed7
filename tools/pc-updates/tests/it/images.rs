//! Images: what is answered, and what is asked for that.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::registry::{Canned, FakeRegistry};

use crate::{ask, codes, digest, image, shelf, stream, update, updates, web};

const LIST: &str = "/v2/shop/web/tags/list";

fn word<'v>(record: &'v Value, key: &str) -> &'v str {
    record[key].as_str().unwrap_or("-")
}

#[test]
fn an_image_has_its_lines_and_what_was_left_out() {
    let registry = shelf(&[
        "1.27-alpine",
        "1.27.3",
        "1.27.5",
        "1.28.0",
        "1.29.1",
        "1.29.1-alpine",
        "1.30.0-rc1",
        "2.0.0",
        "2.1.0",
        "20240101",
        "latest",
    ]);
    let (record, ran) = ask(&registry, "1.27.3");
    assert_eq!(word(&record, "status"), "available");
    assert_eq!((word(&record, "current"), word(&record, "currentVersion")), ("1.27.3", "1.27.3"));
    assert_eq!(word(&record, "latestInPatch"), "1.27.5");
    assert_eq!(word(&record, "latestInMinor"), "1.29.1");
    assert_eq!(word(&record, "latestInMajor"), "1.29.1");
    assert_eq!((word(&record, "newest"), &record["behind"]), ("2.1.0", &json!(5)));
    let left_out = [
        "a pre-release: 1.30.0-rc1",
        "another variant: 1.29.1-alpine",
        "a date and no version: 20240101",
    ];
    assert_eq!(record["leftOut"], json!(left_out));
    assert_eq!((word(&record, "rule"), word(&record, "ruleFrom")), ("", "default"));
    assert_eq!(record.get("imageId"), None, "what runs does not bear on it");
    assert_eq!(codes(&ran), Vec::<String>::new());
}

#[test]
fn the_newest_one_is_current() {
    let registry = shelf(&["1.27-alpine", "1.29-alpine", "1.29", "1.29.1"]);
    let (record, _) = ask(&registry, "1.29-alpine");
    assert_eq!((word(&record, "status"), &record["newest"]), ("current", &Value::Null));
    assert_eq!(
        (word(&record, "current"), word(&record, "currentVersion")),
        ("1.29-alpine", "1.29")
    );
    let (record, _) = ask(&registry, "1.27-alpine");
    assert_eq!((word(&record, "status"), word(&record, "newest")), ("available", "1.29-alpine"));
}

#[test]
fn each_repository_is_listed_once_and_told_once() {
    let registry = shelf(&["1.0.0", "1.1.0", "1.2.0"]);
    registry.push_image("shop/other", Some("1.0.0"), "x");
    let signature = format!("sha256-{}.sig", "a".repeat(64));
    registry.push_image("shop/web", Some(&signature), "signature");
    let mut records = Vec::new();
    for workload in 0..50 {
        for tag in ["1.0.0", "1.1.0", "1.2.0"] {
            let digest = digest(&web(&registry, tag), "same", "a");
            records.push(image(&digest, &format!("w{workload}"), &json!({})));
            records.push(digest);
        }
    }
    records.push(digest(&format!("{}/shop/other:1.0.0", registry.host()), "same", "b"));
    let ran = updates(&registry).stdin(stream(&records)).run().ok();
    let answers = ran.of_type("update");
    let answers: Vec<_> = answers.iter().map(|u| (word(u, "current"), word(u, "status"))).collect();
    let available = "available";
    assert_eq!(
        answers,
        [("1.0.0", available), ("1.1.0", available), ("1.2.0", "current"), ("1.0.0", "current")]
    );
    assert_eq!((registry.count("GET", LIST), registry.log().len()), (1, 2), "{:?}", registry.log());
    let told = ran.of_type("repository");
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["repository"], format!("{}/shop/web", registry.host()));
    assert_eq!((&told[0]["tags"], &told[0]["evidence"]), (&json!(4), &json!([signature])));
    assert_eq!(told[0]["dropped"], 0);
    let tally = &ran.of_type("end")[0]["stages"][0];
    assert_eq!(tally["written"], json!({"repository": 2, "update": 4}));
    assert_eq!(tally["requests"][registry.host()], json!({"tags": 2}));
}

#[test]
fn half_a_list_is_no_list() {
    for (status, code) in [(429, "rate-limited"), (500, "server-error"), (403, "forbidden")] {
        let registry = shelf(&["1.0.0", "1.1.0", "1.2.0", "1.3.0"]);
        registry.switch(|switches| switches.tags_per_page = 2);
        // The first page goes to another address, so that the second can fail alone.
        let page = Canned::status(200)
            .header("content-type", "application/json")
            .header("link", "</v2/shop/web/tags/second>; rel=\"next\"")
            .body(r#"{"name":"shop/web","tags":["1.0.0","1.1.0"]}"#);
        registry.can(LIST, page);
        registry.can("/v2/shop/web/tags/second", Canned::status(status));
        for tag in ["1.2.0", "1.1.0", "1.0.0"] {
            let record = digest(&web(&registry, tag), "same", "a");
            let ran =
                updates(&registry).args(["--max-tries", "1"]).stdin(stream(&[record])).run().ok();
            let record = update(&ran);
            assert_eq!((word(&record, "status"), &record["newest"]), ("unknown", &Value::Null));
            assert_eq!(record["behind"], Value::Null);
            assert_eq!(codes(&ran), [code]);
            assert!(ran.of_type("repository").is_empty(), "the list was not whole");
            let failure = &ran.of_type("failure")[0];
            assert_eq!((&failure["image"], &failure["rule"]), (&record["image"], &record["rule"]));
        }
    }
}

#[test]
fn lists_that_are_none_are_unknown() {
    let list =
        |body: &str| Canned::status(200).header("content-type", "application/json").body(body);
    for (answer, code) in [
        (Canned::status(404), "not-found"),
        (Canned::status(401), "unauthorized"),
        (list("<html>"), "bad-response"),
        (list(r#"{"name":"shop/web"}"#), "bad-response"),
        (list(r#"{"tags":["1.0.0",null]}"#), "bad-response"),
        (
            list(r#"{"tags":["1.0.0","9.9.9"]}"#)
                .header("link", "<https://evil.example/x>; rel=next"),
            "bad-response",
        ),
        (
            list(r#"{"tags":["1.0.0","9.9.9"]}"#)
                .header("link", "</v2/shop/web/tags/list>; rel=next"),
            "bad-response",
        ),
        // Nobody has taken the tag that is used away, as far as is known; so the list is not all.
        (list(r#"{"tags":null}"#), "not-found"),
        (list(r#"{"tags":["0.9.0"]}"#), "not-found"),
    ] {
        let registry = FakeRegistry::start();
        registry.can(LIST, answer);
        let (record, ran) = ask(&registry, "1.0.0");
        assert_eq!((word(&record, "status"), codes(&ran)), ("unknown", vec![code.to_owned()]));
        assert!(word(&record, "reason").starts_with(code), "{record}");
    }
}

#[test]
fn a_removed_tag_has_what_is_newer_all_the_same() {
    let registry = shelf(&["1.1.0"]);
    let (record, _) = ask(&registry, "1.0.0");
    assert_eq!((word(&record, "status"), word(&record, "newest")), ("available", "1.1.0"));
}

#[test]
fn a_series_that_has_ended_is_not_called_current() {
    let registry = shelf(&["9.6.24", "16.4", "17.6"]);
    let (record, _) = ask(&registry, "9.6.24");
    assert_eq!(word(&record, "status"), "not-comparable");
    let reason = "`9.6.24` has no newer tag of its shape, and `17.6` is ahead of it by its numbers";
    assert_eq!(word(&record, "reason"), reason);
}

#[test]
fn names_are_judged_by_what_they_mean_where_they_run() {
    let registry = FakeRegistry::start();
    let latest = web(&registry, "latest");
    let records = [
        digest(&latest, "same", "a"),
        digest(&latest, "moved", "b"),
        digest(&latest, "unknown", "c"),
        digest(&latest, "unknown", ""),
        digest(&latest, "same", "a"),
    ];
    let ran = updates(&registry).stdin(stream(&records)).run().ok();
    let answers = ran.of_type("update");
    let statuses: Vec<_> = answers.iter().map(|update| word(update, "status")).collect();
    assert_eq!(statuses, ["current", "available", "unknown", "not-comparable"]);
    for (answer, record) in answers.iter().zip(&records) {
        assert_eq!(answer["imageId"], record["imageId"]);
        assert_eq!(answer["platform"], record["platform"]);
        assert_eq!((word(answer, "current"), &answer["newest"]), ("latest", &Value::Null));
        assert!(word(answer, "reason").starts_with("`latest` is a name"), "{answer}");
    }
    assert!(registry.log().is_empty(), "the digest records say it all");
}

#[test]
fn what_has_no_version_costs_no_request() {
    let registry = FakeRegistry::start();
    for (tag, why) in [
        ("3f2a91c", "it is a commit"),
        ("pr-12", "it is the number of a build or branch"),
        ("608111629", "it is the number of a build or branch"),
    ] {
        let (record, _) = ask(&registry, tag);
        assert_eq!(word(&record, "status"), "not-comparable");
        assert!(word(&record, "reason").ends_with(why), "{record}");
    }
    assert!(registry.log().is_empty());
}

#[test]
fn a_malformed_reference_is_unknown() {
    let registry = FakeRegistry::start();
    let mut record = digest("UPPER/x:1", "unknown", "");
    record["repository"] = Value::Null;
    record["tag"] = Value::Null;
    let ran = updates(&registry).stdin(stream(&[record])).run().ok();
    let record = update(&ran);
    assert_eq!((word(&record, "status"), codes(&ran)), ("unknown", vec!["bad-reference".into()]));
}

#[test]
fn a_dead_registry_holds_nobody_up() {
    let (dead, registry) = (FakeRegistry::start(), shelf(&["1.0.0", "1.1.0"]));
    dead.switch(|switches| switches.delay = Duration::from_secs(60));
    let records =
        [digest(&web(&dead, "1.0.0"), "same", "a"), digest(&web(&registry, "1.0.0"), "same", "b")];
    let ran = updates(&registry)
        .args(["--plain-http", &dead.host(), "--registry-timeout", "300ms", "--max-tries", "1"])
        .stdin(stream(&records))
        .run()
        .ok();
    let answers = ran.of_type("update");
    let statuses: Vec<_> = answers.iter().map(|update| word(update, "status")).collect();
    assert_eq!(statuses, ["unknown", "available"]);
    assert_eq!(codes(&ran), ["timeout"]);
}

#[test]
fn switched_off_the_stream_goes_through_and_nothing_is_asked() {
    let registry = shelf(&["1.0.0", "1.1.0"]);
    let input = stream(&[digest(&web(&registry, "1.0.0"), "same", "a")]);
    let ran = updates(&registry).env("PROVENANCE_CHECK_UPDATES", "false").stdin(input).run().ok();
    assert!(ran.of_type("update").is_empty() && registry.log().is_empty());
    let tally = &ran.of_type("end")[0]["stages"][0];
    assert_eq!(tally["settings"]["checkUpdates"], false);
    let ran = updates(&registry).args(["--check-updates=false", "--fail-on", "available"]).run();
    let _ = ran.code(2).says("`--fail-on` judges what `--check-updates=false` switches off");
}

#[test]
fn a_gate_is_not_met_by_what_could_not_be_checked() {
    let registry = shelf(&["1.0.0", "1.1.0"]);
    let gate = |tag: &str, words: &str| {
        let input = stream(&[digest(&web(&registry, tag), "same", "a")]);
        updates(&registry).args(["--fail-on", words]).stdin(input).run()
    };
    let _ = gate("1.1.0", "available").ok();
    let _ = gate("1.0.0", "available").code(3).says("has 1.1.0");
    let _ = gate("2.0.0", "available").code(3).says("could not be checked");
    let _ = gate("3f2a91c", "available").ok();
    let _ = gate("3f2a91c", "not-comparable").code(3).says("has no version to compare");
}

#[test]
fn two_runs_give_the_same_bytes() {
    let registry = shelf(&["1.0.0", "1.1.0", "1.1.0-rc1", "2.0.0-beta1", "1.2"]);
    let input = stream(&[
        digest(&web(&registry, "1.0.0"), "same", "a"),
        digest(&web(&registry, "latest"), "moved", "b"),
    ]);
    let run = || {
        let run = updates(&registry).env("SOURCE_DATE_EPOCH", "1795500000");
        run.stdin(input.clone()).run().ok().stdout
    };
    assert_eq!(run(), run());
}
