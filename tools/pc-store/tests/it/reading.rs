//! `list` and `get`.

use std::fs;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Store, report, report_at, report_of, written};

fn list(store: &Store) -> Vec<Value> {
    let ran = store.pc(&["list", "--format", "json"]).run().ok();
    serde_json::from_slice(&ran.stdout).expect("a JSON array")
}

#[test]
fn a_list_is_newest_first_with_size_hash_and_totals() {
    let store = Store::new();
    let mut partial = report("2026-11-23T06:00:00Z", 1);
    partial.metadata.complete = false;
    partial.metadata.incomplete_why = vec!["a stream was cut".into()];
    // As an earlier version, or a person, may have put it there.
    fs::write(store.file("provenance-20261123-060000.json"), written(&partial)).expect("written");
    let whole = report_of("2026-11-24T06:00:00Z", 3);
    store.keep(&whole);
    let list = list(&store);
    let names: Vec<&Value> = list.iter().map(|entry| &entry["filename"]).collect();
    assert_eq!(names, ["provenance-20261124-060000.json", "provenance-20261123-060000.json"]);
    assert_eq!(list[0]["generatedAt"], "2026-11-24T06:00:00Z");
    assert_eq!(list[0]["clusterName"], "prod");
    assert_eq!(list[0]["size"], whole.len());
    assert_eq!(list[0]["sha256"], hex::encode(Sha256::digest(&whole)));
    assert_eq!(list[0]["summary"]["totalImages"], 3);
    assert_eq!(list[0]["error"], json!(null));
    let flags = |name: &str| list.iter().map(|entry| entry[name].clone()).collect::<Vec<_>>();
    assert_eq!(
        (flags("complete"), flags("latest")),
        (vec![json!(true), json!(false)], vec![json!(true), json!(false)])
    );
}

#[test]
fn a_list_leaves_nothing_out_that_has_a_reports_name() {
    let store = Store::new();
    store.keep(&report_at("2026-11-24T06:00:00Z"));
    fs::write(store.file("provenance-20261123-060000.json"), "{}").expect("written");
    fs::write(store.file("notes.json"), "{}").expect("written");
    let list = list(&store);
    assert_eq!(list.len(), 2);
    assert_eq!((&list[1]["generatedAt"], &list[1]["latest"]), (&json!(null), &json!(false)));
    let error = list[1]["error"].as_str().expect("a reason");
    assert!(error.contains("missing field"), "{error}");
    let text = store.pc(&["list"]).run().ok().text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1].contains("yes") && lines[1].ends_with("prod  (latest)"), "{text}");
    assert!(lines[2].contains("NOT A REPORT"), "{text}");
}

#[test]
fn an_empty_store_is_an_empty_list() {
    let store = Store::new();
    assert_eq!(list(&store), Vec::<Value>::new());
    let ran = store.pc(&["list"]).run().ok();
    assert_eq!((ran.text().as_str(), ran.stderr.as_str()), ("no reports\n", ""));
    let _ = store.pc(&["get"]).run().code(1).says("there is no `provenance-latest.json`");
}

#[test]
fn a_latest_that_is_not_known_is_said() {
    let store = Store::new();
    store.keep(&report_at("2026-11-24T06:00:00Z"));
    fs::remove_file(store.file("provenance-latest.json")).expect("removed");
    let _ = store.pc(&["list"]).run().ok().says("the newest report is not known");
}

#[test]
fn get_gives_exactly_the_bytes() {
    let store = Store::new();
    let older = report_at("2026-11-23T06:00:00Z");
    let mut newer = report_at("2026-11-24T06:00:00Z");
    newer.extend_from_slice(b"\n\n");
    store.keep(&older);
    store.keep(&newer);
    let get = |args: &[&str]| store.pc(args).run().ok().stdout;
    assert_eq!(get(&["get"]), newer);
    assert_eq!(get(&["get", "latest"]), newer);
    assert_eq!(get(&["get", "provenance-latest.json"]), newer);
    assert_eq!(get(&["get", "provenance-20261123-060000.json"]), older);
}

#[test]
fn get_takes_names_of_reports_and_nothing_else() {
    let store = Store::new();
    let outside = Store::new();
    let report = report_at("2026-11-24T06:00:00Z");
    store.keep(&report);
    fs::write(outside.file("provenance-20261101-060000.json"), &report).expect("written");
    let path = outside.file("provenance-20261101-060000.json").display().to_string();
    for name in [
        "../provenance-20261124-060000.json",
        "./provenance-20261124-060000.json",
        "..",
        "",
        ".provenance.lock",
        "provenance-20261124-060000",
        "provenance-20261124-060000.json\n",
        "provenance-20261124-060000.json/..",
        &path,
    ] {
        let ran = store.pc(&["get", name]).run().code(2).says("is not the name of a report");
        assert_eq!(ran.text(), "", "{name}");
    }
    let missing = store.pc(&["get", "provenance-20261124-060001.json"]).run().code(1);
    let _ =
        missing.says("there is no `provenance-20261124-060001.json`").says("hint: `pc-store list`");
}

#[test]
fn get_hands_out_reports_and_nothing_else() {
    let store = Store::new();
    let outside = Store::new();
    fs::write(outside.file("r"), report_at("2026-11-24T06:00:00Z")).expect("written");
    let link = "provenance-20261124-060000.json";
    std::os::unix::fs::symlink(outside.file("r"), store.file(link)).expect("linked");
    let ran = store.pc(&["get", link]).run().code(1).says("is not a regular file");
    assert_eq!(ran.text(), "");
    let cut = "provenance-20261123-060000.json";
    let report = report_at("2026-11-23T06:00:00Z");
    fs::write(store.file(cut), &report[..report.len() / 2]).expect("written");
    let ran = store.pc(&["get", cut]).run().code(1).says("stops in the middle");
    assert_eq!(ran.text(), "");
}

#[test]
fn a_hostile_cluster_name_is_cleaned_in_the_table() {
    let store = Store::new();
    let mut hostile = report("2026-11-24T06:00:00Z", 1);
    hostile.metadata.cluster_name = Some("a\u{1b}]0;x\u{7}\u{202e}b\nc".into());
    store.keep(&written(&hostile));
    let text = store.pc(&["list"]).run().ok().text();
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    assert_eq!(text.lines().count(), 2, "{text:?}");
    assert_eq!(list(&store)[0]["clusterName"], "a\u{1b}]0;x\u{7}\u{202e}b\nc");
}

#[test]
fn a_missing_store_is_not_an_empty_one() {
    let store = Store::new();
    let path = store.file("reports");
    for action in ["list", "get", "prune"] {
        let run = store.pc(&[action]).env("PROVENANCE_REPORT_PATH", &path);
        let _ = run.run().code(1).says("there is no directory").says("hint: name the store's");
    }
    assert!(!path.exists());
}

#[test]
fn flags_may_stand_before_or_behind_the_command() {
    let store = Store::new();
    store.keep(&report_at("2026-11-24T06:00:00Z"));
    let path = store.path().display().to_string();
    for args in [["--report-path", &path, "list"], ["list", "--report-path", &path]] {
        let text = testkit::pc("store").args(args).run().ok().text();
        assert!(text.contains("provenance-20261124-060000.json"), "{text}");
    }
}
