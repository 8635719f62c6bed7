//! Files of others in the folder: left alone, and never followed.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use crate::{Store, report_at};

const LATEST: &str = "provenance-latest.json";

/// The predecessor's report: no version, no word on completeness.
const PEER: &str = r#"{"metadata":{"generatedAt":"2026-11-20T06:00:00Z"},"images":[]}"#;

#[test]
fn a_latest_of_somebody_else_is_set_aside() {
    let store = Store::new();
    fs::write(store.file(LATEST), PEER).expect("written");
    fs::write(store.file("provenance-latest.json.aside"), "taken").expect("written");
    let report = report_at("2026-11-24T06:00:00Z");
    let ran = store.keep(&report);
    let _ = ran.says("was not ours and is now `provenance-latest.json.aside-1`");
    assert_eq!(store.read(LATEST), report);
    assert_eq!(store.read("provenance-latest.json.aside"), b"taken");
    assert_eq!(store.read("provenance-latest.json.aside-1"), PEER.as_bytes());
}

#[test]
fn a_link_in_place_of_the_latest_is_not_followed() {
    let store = Store::new();
    let outside = Store::new();
    fs::write(outside.file("secret"), "secret").expect("written");
    symlink(outside.file("secret"), store.file(LATEST)).expect("linked");
    let report = report_at("2026-11-24T06:00:00Z");
    store.keep(&report);
    assert_eq!(store.read(LATEST), report);
    assert!(fs::symlink_metadata(store.file(LATEST)).expect("there").is_file());
    assert_eq!(outside.read("secret"), b"secret");
}

#[test]
fn a_folder_in_place_of_the_latest_is_set_aside() {
    let store = Store::new();
    fs::create_dir(store.file(LATEST)).expect("made");
    fs::write(store.file("provenance-latest.json/mine"), "mine").expect("written");
    let report = report_at("2026-11-24T06:00:00Z");
    store.keep(&report);
    assert_eq!(store.read(LATEST), report);
    assert_eq!(store.read("provenance-latest.json.aside/mine"), b"mine");
}

#[test]
fn a_name_that_is_taken_by_anything_is_not_overwritten() {
    let store = Store::new();
    let outside = Store::new();
    symlink(outside.file("nowhere"), store.file("provenance-20261124-060000.json"))
        .expect("linked");
    fs::create_dir(store.file("provenance-20261124-060000-1.json")).expect("made");
    let report = report_at("2026-11-24T06:00:00Z");
    store.keep(&report);
    assert_eq!(store.read("provenance-20261124-060000-2.json"), report);
    assert_eq!(outside.names(), [""; 0]);
}

#[test]
fn a_lock_that_is_a_link_is_refused() {
    let store = Store::new();
    let outside = Store::new();
    symlink(outside.file("made"), store.file(".provenance.lock")).expect("linked");
    let ran = store.pc(&[]).stdin(report_at("2026-11-24T06:00:00Z")).run().code(1);
    let _ = ran.says("cannot open `.provenance.lock`");
    assert_eq!((store.names(), outside.names()), (vec![], vec![]));
}

#[test]
fn temporary_files_of_dead_runs_are_removed_and_nothing_like_them() {
    let store = Store::new();
    let old = SystemTime::now() - Duration::from_secs(2 * 60 * 60);
    for name in
        [".provenance-7-100.tmp", ".provenance-7-x.tmp", "provenance-7-100.tmp", ".other.tmp"]
    {
        let file = fs::File::create(store.file(name)).expect("made");
        file.set_modified(old).expect("aged");
    }
    fs::write(store.file(".provenance-8-100.tmp"), "of a run that may live").expect("written");
    fs::create_dir(store.file(".provenance-9-100.tmp")).expect("made");
    store.keep(&report_at("2026-11-24T06:00:00Z"));
    let left: Vec<String> =
        store.names().into_iter().filter(|name| name.ends_with(".tmp")).collect();
    assert_eq!(
        left,
        [
            ".other.tmp",
            ".provenance-7-x.tmp",
            ".provenance-8-100.tmp",
            ".provenance-9-100.tmp",
            "provenance-7-100.tmp"
        ]
    );
}
