//! What is too old goes; what only looks so stays.

use std::fs;

use crate::{Store, report_at};

/// A store with a report at six o'clock of each of these days.
fn store_of(days: &[&str]) -> Store {
    let store = Store::new();
    for day in days {
        store.keep(&report_at(&format!("{day}T06:00:00Z")));
    }
    store
}

fn name(day: &str) -> String {
    format!("provenance-{}-060000.json", day.replace('-', ""))
}

/// The days of the reports in the store.
fn days(store: &Store) -> Vec<String> {
    let day = |name: &String| {
        Some(name.strip_prefix("provenance-")?.strip_suffix("-060000.json")?.to_owned())
    };
    store.names().iter().filter_map(day).collect()
}

#[test]
fn storing_removes_what_is_older_than_the_retention() {
    let store = store_of(&["2026-11-14", "2026-11-16", "2026-11-17", "2026-11-23"]);
    let ran = store
        .pc(&["--report-retention", "7d", "--print", "summary"])
        .stdin(report_at("2026-11-24T06:00:00Z"))
        .run()
        .ok();
    assert!(ran.text().contains("Kept: 3 reports, retention 168h, 2 removed."), "{}", ran.text());
    assert_eq!(days(&store), ["20261117", "20261123", "20261124"]);
    assert_eq!(store.read("provenance-latest.json"), report_at("2026-11-24T06:00:00Z"));
}

#[test]
fn the_default_is_a_week_and_minus_one_is_for_ever() {
    let store = store_of(&["2026-11-16", "2026-11-24"]);
    let prune = |retention: &str| {
        let _ = store.pc(&["prune"]).env("PROVENANCE_REPORT_RETENTION", retention).run().ok();
        days(&store)
    };
    assert_eq!(prune("-1").len(), 2);
    assert_eq!(prune("").len(), 1);
}

#[test]
fn a_retention_of_nothing_keeps_the_newest() {
    let store = store_of(&["2026-11-22", "2026-11-23", "2026-11-24"]);
    let _ = store.pc(&["prune", "--report-retention", "0"]).run().ok();
    assert_eq!(days(&store), ["20261124"]);
    let ran = store.pc(&["prune", "--report-retention", "0"]).run().ok();
    assert!(ran.text().starts_with("removed 0 reports, 1 left"), "{}", ran.text());
}

#[test]
fn a_dry_run_says_what_and_touches_nothing() {
    let store = store_of(&["2026-11-01", "2026-11-24"]);
    fs::remove_file(store.file(".provenance.lock")).expect("removed");
    let before = store.bytes();
    let ran = store.pc(&["prune", "--dry-run", "--report-retention", "7d"]).run().ok();
    assert_eq!(
        ran.text(),
        "would remove provenance-20261101-060000.json\n\
         would remove 1 report, 1 left, retention 168h, counted back from provenance-20261124-060000.json\n"
    );
    assert_eq!(store.bytes(), before);
    assert!(!store.file(".provenance.lock").exists());
    let ran = store.pc(&["prune", "--report-retention", "7d"]).run().ok();
    assert!(ran.text().starts_with("removed provenance-20261101-060000.json\n"), "{}", ran.text());
    assert_eq!(days(&store), ["20261124"]);
}

#[test]
fn a_clock_that_is_far_ahead_removes_nothing() {
    let all = ["2026-11-22", "2026-11-23", "2026-11-24"];
    let store = store_of(&all);
    // 2036-01-01.
    let run = store.pc(&["prune", "--report-retention", "7d"]);
    let _ = run.env("SOURCE_DATE_EPOCH", "2082758400").run().ok();
    assert_eq!(days(&store).len(), all.len());
}

#[test]
fn a_whole_run_whose_clock_is_far_ahead_removes_nothing_either() {
    let all = ["2026-11-22", "2026-11-23", "2026-11-24"];
    let store = store_of(&all);
    for time in ["2036-01-01T06:00:00Z", "2036-01-02T06:00:00Z", "2036-01-03T06:00:00Z"] {
        let run = store.pc(&["--report-retention", "24h"]).env("SOURCE_DATE_EPOCH", "2083017600");
        let ran = run.stdin(report_at(time)).run().ok();
        let _ = ran.says(
            "3 reports older than the retention not removed: before a gap of more than 32 days",
        );
    }
    assert_eq!(days(&store), ["20261122", "20261123", "20261124", "20360102", "20360103"]);
    let run = store.pc(&["prune", "--past-gap", "--report-retention", "24h"]);
    let _ = run.env("SOURCE_DATE_EPOCH", "2083017600").run().ok();
    assert_eq!(days(&store), ["20360102", "20360103"]);
}

#[test]
fn a_report_from_the_future_ages_no_other() {
    let store = store_of(&["2026-11-22", "2026-11-24", "2036-01-01"]);
    let ran = store.pc(&["prune", "--past-gap", "--report-retention", "7d"]).run().ok();
    let ran = ran.says("1 report later than this machine's clock");
    assert!(ran.text().contains("counted back from provenance-20261124"), "{}", ran.text());
    assert_eq!(days(&store).len(), 3);
}

#[test]
fn a_clock_that_is_behind_removes_nothing() {
    let store = store_of(&["2026-11-01", "2026-11-24"]);
    let run = store.pc(&["--report-retention", "1h"]).env("SOURCE_DATE_EPOCH", "86400");
    let ran = run.stdin(report_at("1970-01-02T00:00:00Z")).run().ok();
    let _ = ran.says("2 reports later than this machine's clock (1970-01-02T00:00:00Z)");
    assert_eq!(days(&store).len(), 2);
    assert_eq!(store.read("provenance-latest.json"), report_at("2026-11-24T06:00:00Z"));
    let ran = store
        .pc(&["prune"])
        .env("SOURCE_DATE_EPOCH", "86400")
        .env("PROVENANCE_REPORT_RETENTION", "1h")
        .run();
    assert!(ran.ok().text().contains("counted back from provenance-19700102"));
}

#[test]
fn the_report_just_stored_survives_its_own_run() {
    let store = store_of(&["2026-11-24"]);
    let run = || store.pc(&["--report-retention", "1h"]);
    let _ = run().stdin(report_at("2026-11-20T06:00:00Z")).run().ok();
    assert_eq!(days(&store), ["20261120", "20261124"]);
    let _ = run().stdin(report_at("2026-11-24T06:30:00Z")).run().ok();
    assert_eq!(days(&store), ["20261124"]);
}

#[test]
fn only_reports_under_their_own_names_are_removed() {
    let store = store_of(&["2026-11-02", "2026-11-24"]);
    let foreign: [(&str, Vec<u8>); 6] = [
        ("provenance-20261101-060000.json", b"{}".to_vec()),
        ("provenance-20261103-060000.json", b"not JSON".to_vec()),
        ("provenance-20261104-060000.json", report_at("2026-11-23T06:00:00Z")),
        ("provenance-20261105-060000.json.bak", report_at("2026-11-05T06:00:00Z")),
        ("provenance-old.json", report_at("2026-11-05T06:00:00Z")),
        ("notes.txt", b"mine".to_vec()),
    ];
    for (name, bytes) in &foreign {
        fs::write(store.file(name), bytes).expect("written");
    }
    let link = "provenance-20261106-060000.json";
    std::os::unix::fs::symlink("notes.txt", store.file(link)).expect("linked");
    fs::create_dir(store.file("provenance-20261107-060000.json")).expect("made");
    let mut expected = store.bytes();
    expected.remove(&name("2026-11-02"));
    let ran = store.pc(&["prune", "--report-retention", "7d"]).run().ok();
    let _ = ran
        .says("left alone, by name too old")
        .says("`provenance-20261101-060000.json` is not a report")
        .says("`provenance-20261104-060000.json` holds the report of 2026-11-23T06:00:00Z")
        .says("`provenance-20261106-060000.json` in");
    assert_eq!(store.bytes(), expected);
}
