//! What is kept, under which name, and what is said of it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use crate::{Store, report, report_at, report_of, written};

const FIRST: &str = "provenance-20261124-060000.json";
const LATEST: &str = "provenance-latest.json";

#[test]
fn exactly_the_bytes_are_kept_under_the_reports_own_time() {
    let store = Store::new();
    let mut report = report_at("2026-11-24T07:00:00.75+01:00");
    // Unusual but valid: white space that another writer would not make.
    report.extend_from_slice(b"\n \n");
    let ran = store.keep(&report);
    assert_eq!((ran.text(), ran.stderr.as_str()), (String::new(), ""));
    assert_eq!(store.names(), [FIRST, LATEST]);
    assert_eq!(store.read(FIRST), report);
    assert_eq!(store.read(LATEST), report);
    let stat = fs::metadata(store.file(FIRST)).expect("there");
    assert_eq!(stat.permissions().mode() & 0o7777, 0o640);
    assert_eq!(stat.nlink(), 2, "the newest report is a second name and costs no room");
}

#[test]
fn reports_of_one_second_are_all_kept() {
    let store = Store::new();
    let reports: Vec<Vec<u8>> =
        (1..4).map(|rows| report_of("2026-11-24T06:00:00Z", rows)).collect();
    for report in &reports {
        store.keep(report);
    }
    let second = "provenance-20261124-060000-1.json";
    let third = "provenance-20261124-060000-2.json";
    assert_eq!(store.names(), [second, third, FIRST, LATEST]);
    for (name, report) in [FIRST, second, third, LATEST].iter().zip([0, 1, 2, 2]) {
        assert_eq!(store.read(name), reports[report], "{name}");
    }
}

#[test]
fn a_number_is_not_given_twice() {
    let store = Store::new();
    let time = "2026-11-24T06:00:00Z";
    store.keep(&report_of(time, 1));
    store.keep(&report_of(time, 2));
    fs::remove_file(store.file(FIRST)).expect("removed");
    store.keep(&report_of(time, 3));
    assert_eq!(store.read("provenance-20261124-060000-2.json"), report_of(time, 3));
    assert_eq!(store.read(LATEST), report_of(time, 3));
}

#[test]
fn an_incomplete_report_leaves_the_store_as_it_was() {
    let store = Store::new();
    let whole = report_of("2026-11-24T06:00:00Z", 1);
    store.keep(&whole);
    let mut partial = report("2026-12-24T06:00:00Z", 1);
    partial.metadata.complete = false;
    partial.metadata.incomplete_why = vec!["a stream was cut\u{1b}[2J".into()];
    let ran = store.pc(&["--print", "summary"]).stdin(written(&partial)).run().code(1);
    let ran = ran.says("the report is not complete: a stream was cut\u{fffd}[2J");
    assert!(ran.stdout.is_empty());
    assert_eq!(store.names(), [FIRST, LATEST]);
    assert_eq!(store.read(LATEST), whole);
}

#[test]
fn the_table_ends_with_where_the_report_lies() {
    let store = Store::new();
    let report = report_of("2026-11-24T06:00:00Z", 250);
    let ran = store.pc(&["--print", "table"]).stdin(&*report).run().ok();
    let text = ran.text();
    let rows = text.lines().filter(|line| line.contains("web-00")).count();
    assert_eq!(rows, 200, "{text}");
    assert!(text.contains("50 more"), "{text}");
    let place = format!(
        "Stored: {}/{FIRST}  {} bytes  sha256:{}\nLatest: {LATEST} is this report.\nKept: 1 report, retention for ever, 0 removed.\n",
        store.path().display(),
        report.len(),
        hex::encode(Sha256::digest(&report)),
    );
    assert!(text.ends_with(&place), "{text}");
}

#[test]
fn the_summary_has_no_rows() {
    let store = Store::new();
    let report = report_of("2026-11-24T06:00:00Z", 3);
    let text = store.pc(&["--print", "summary"]).stdin(report).run().ok().text();
    assert!(!text.contains("web-00001") && text.contains("prod"), "{text}");
    assert!(text.contains("Stored: "), "{text}");
}

#[test]
fn json_is_the_report_and_its_place_goes_to_standard_error() {
    let store = Store::new();
    let report = report_at("2026-11-24T06:00:00Z");
    let ran = store.pc(&["--print", "json"]).stdin(&*report).run().ok();
    let ran = ran.says("Stored: ").says("sha256:");
    assert_eq!(ran.stdout, report);
}

#[test]
fn a_reader_who_leaves_changes_nothing() {
    let store = Store::new();
    let report = report_of("2026-11-24T06:00:00Z", 150);
    let input = store.file("input");
    fs::write(&input, &report).expect("written");
    let (read, write) = std::io::pipe().expect("a pipe");
    drop(read);
    let status = Command::new(env!("CARGO_BIN_EXE_pc-store"))
        .arg("--report-path")
        .arg(store.path())
        .args(["--print", "table"])
        .stdin(fs::File::open(&input).expect("opened"))
        .stdout(write)
        .status()
        .expect("runs");
    assert_eq!(status.code(), Some(0));
    assert_eq!(store.read(LATEST), report);
}

#[test]
fn a_full_standard_output_is_said_after_the_report_is_kept() {
    let store = Store::new();
    let report = report_at("2026-11-24T06:00:00Z");
    let input = store.file("input");
    fs::write(&input, &report).expect("written");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("opened");
    let output = Command::new(env!("CARGO_BIN_EXE_pc-store"))
        .arg("--report-path")
        .arg(store.path())
        .stdin(fs::File::open(&input).expect("opened"))
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(store.read(LATEST), report);
    let said = String::from_utf8_lossy(&output.stderr);
    let path = store.file(FIRST);
    let wanted = format!("the report is stored as `{}`, but it could not be shown", path.display());
    assert!(said.contains(&wanted) && said.contains("No space left on device"), "{said}");
    assert!(said.contains(&format!("hint: `pc-store get {FIRST}` prints it")), "{said}");
}

#[test]
fn a_report_from_the_future_is_kept_and_said_so() {
    let store = Store::new();
    let ran = store.keep(&report_at("2026-11-24T13:00:00Z"));
    let ran = ran.says("1h later than this machine's clock (2026-11-24T12:00:00Z)");
    assert!(ran.stderr.contains("one of the two clocks is wrong"), "{}", ran.stderr);
    let ran = ran.says("`pc-store remove provenance-20261124-130000.json`");
    assert_eq!(ran.code, Some(0));
    assert_eq!(store.names(), ["provenance-20261124-130000.json", LATEST]);
}

#[test]
fn a_missing_directory_is_made_when_only_it_is_missing() {
    let store = Store::new();
    let report = report_at("2026-11-24T06:00:00Z");
    let path = store.file("reports");
    let run = |path: &std::path::Path| {
        store.pc(&[]).env("PROVENANCE_REPORT_PATH", path).stdin(&*report).run()
    };
    let ran = run(&path).ok();
    let _ = ran.says(&format!("made the directory `{}`", path.display()));
    assert_eq!(fs::read(path.join(FIRST)).expect("read"), report);
    let deep = store.file("volume/reports");
    let ran = run(&deep).code(1).says("nor one in which to make it");
    let _ = ran.says("hint: mount the volume there");
    assert!(!store.file("volume").exists());
}
