//! `provenance-latest.json` is the newest report, whatever the order of storing.

use std::fs;

use crate::{Store, report_at, report_of};

const LATEST: &str = "provenance-latest.json";

#[test]
fn an_older_report_does_not_become_the_latest() {
    let store = Store::new();
    let newer = report_at("2026-11-24T06:00:00Z");
    let older = report_at("2026-11-23T06:00:00Z");
    store.keep(&newer);
    let ran = store.pc(&["--print", "summary"]).stdin(&*older).run().ok();
    let ran = ran.says("stays the report of 2026-11-24T06:00:00Z: the one stored is of 2026-11-23");
    assert!(ran.text().contains("stays the report of 2026-11-24T06:00:00Z."), "{}", ran.text());
    assert_eq!(store.read(LATEST), newer);
    assert_eq!(store.read("provenance-20261123-060000.json"), older);
}

#[test]
fn within_one_second_the_fraction_decides() {
    let store = Store::new();
    let later = report_of("2026-11-24T06:00:00.9Z", 1);
    store.keep(&later);
    store.keep(&report_of("2026-11-24T06:00:00.1Z", 2));
    assert_eq!(store.read(LATEST), later);
    assert_eq!(store.names().len(), 3);
}

#[test]
fn what_a_dead_run_had_not_made_the_latest_is_mended() {
    let store = Store::new();
    let newest = report_at("2026-11-24T06:00:00Z");
    store.keep(&report_at("2026-11-22T06:00:00Z"));
    fs::write(store.file("provenance-20261124-060000.json"), &newest).expect("written");
    let ran = store.pc(&["--print", "summary"]).stdin(report_at("2026-11-23T06:00:00Z")).run().ok();
    assert!(ran.text().contains("is provenance-20261124-060000.json."), "{}", ran.text());
    assert_eq!(store.read(LATEST), newest);
}

#[test]
fn a_missing_latest_is_made_again() {
    let store = Store::new();
    store.keep(&report_at("2026-11-24T06:00:00Z"));
    fs::remove_file(store.file(LATEST)).expect("removed");
    store.keep(&report_at("2026-11-23T06:00:00Z"));
    assert_eq!(store.read(LATEST), report_at("2026-11-24T06:00:00Z"));
}

#[test]
fn a_latest_without_a_report_of_its_own_is_not_replaced_by_an_older_one() {
    let store = Store::new();
    store.keep(&report_at("2026-11-24T06:00:00Z"));
    fs::remove_file(store.file("provenance-20261124-060000.json")).expect("removed");
    store.keep(&report_at("2026-11-23T06:00:00Z"));
    assert_eq!(store.read(LATEST), report_at("2026-11-24T06:00:00Z"));
}

#[test]
fn a_latest_from_the_future_stays_and_the_way_out_is_said() {
    let store = Store::new();
    store.keep(&report_at("2036-01-01T06:00:00Z"));
    let ran = store.keep(&report_at("2026-11-24T06:00:00Z"));
    let name = "provenance-20360101-060000.json";
    let ran = ran.says("later than this machine's clock").says("stays the report of 2036-01-01");
    let _ = ran.says(&format!("`pc-store remove {name}` makes the newest"));
    assert_eq!(store.read(LATEST), report_at("2036-01-01T06:00:00Z"));
    // The list marks it, and the way out is one.
    let ran = store.pc(&["list"]).run().ok().says(&format!("remove {name}`"));
    let text = ran.text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].ends_with("prod  (latest)  (IN THE FUTURE)"), "{text}");
    assert!(lines[2].ends_with("prod"), "{text}");
    let ran = store.pc(&["list", "--format", "json"]).run().ok();
    let list: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    assert_eq!((&list[0]["future"], &list[1]["future"]), (&true.into(), &false.into()));
    let _ = store.pc(&["remove", name]).run().ok();
    assert!(!store.file(name).exists());
    assert_eq!(store.read(LATEST), report_at("2026-11-24T06:00:00Z"));
    let newest = report_at("2026-11-24T07:00:00Z");
    let ran = store.keep(&newest);
    assert!(!ran.stderr.contains("clock"), "{}", ran.stderr);
    assert_eq!(store.read(LATEST), newest);
}

#[test]
fn a_latest_from_the_future_without_a_report_of_its_own_is_named_alone() {
    let store = Store::new();
    store.keep(&report_at("2036-01-01T06:00:00Z"));
    fs::remove_file(store.file("provenance-20360101-060000.json")).expect("removed");
    let ran = store.keep(&report_at("2026-11-24T06:00:00Z"));
    let _ = ran.says(&format!("if that time is wrong, remove `{LATEST}` by hand"));
}

#[test]
fn a_file_with_a_later_name_that_is_no_report_is_not_the_latest() {
    let store = Store::new();
    fs::write(store.file("provenance-20261124-110000.json"), "{}").expect("written");
    // A report under another time's name.
    let other = report_at("2026-11-20T06:00:00Z");
    fs::write(store.file("provenance-20261124-100000.json"), other).expect("written");
    let report = report_at("2026-11-24T06:00:00Z");
    store.keep(&report);
    assert_eq!(store.read(LATEST), report);
}
