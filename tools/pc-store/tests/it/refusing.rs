//! What is not one whole report of ours leaves the store as it was, byte for byte.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::{Store, report_at};

/// Demands that `input` is refused with this message, by a store that has a report and by one
/// whose directory is not there.
#[track_caller]
fn refused(input: &[u8], message: &str) {
    let store = Store::new();
    store.keep(&report_at("2026-11-23T06:00:00Z"));
    let before = store.bytes();
    let _ = store.pc(&[]).stdin(input).run().code(1).says(message).says("hint: ");
    assert_eq!(store.bytes(), before);
    let missing = store.file("reports");
    let run = store.pc(&[]).env("PROVENANCE_REPORT_PATH", &missing).stdin(input);
    let _ = run.run().code(1).says(message);
    assert!(!missing.exists());
}

fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let report = report_at("2026-11-24T06:00:00Z");
    let mut value = serde_json::from_slice(&report).expect("JSON");
    change(&mut value);
    value.to_string().into_bytes()
}

#[test]
fn empty_input() {
    refused(b"", "nothing was stored: the report is empty");
    refused(b" \n", "nothing was stored: the report is empty");
}

#[test]
fn cut_input() {
    let report = report_at("2026-11-24T06:00:00Z");
    for length in [1, report.len() / 2, report.len() - 3] {
        refused(
            &report[..length],
            &format!("the report stops in the middle, after {length} bytes"),
        );
    }
}

#[test]
fn foreign_json() {
    refused(b"{}", "not a report of this collector: missing field `schemaVersion`");
    refused(b"[]", "no JSON object");
    refused(b"apiVersion: v1\n", "the report is not one JSON document");
    refused(br#"{"apiVersion":"v1","kind":"List","items":[]}"#, "missing field `schemaVersion`");
    // What the tool's predecessor wrote: a report, but not one of this form.
    let peer = changed(|report| {
        let report = report.as_object_mut().expect("an object");
        report.remove("schemaVersion");
    });
    refused(&peer, "missing field `schemaVersion`");
}

#[test]
fn two_reports_at_once() {
    let mut two = report_at("2026-11-24T06:00:00Z");
    two.extend(report_at("2026-11-24T06:00:01Z"));
    refused(&two, "the report is not one JSON document: trailing characters");
}

#[test]
fn a_stream_instead_of_a_report() {
    refused(b"{\"type\":\"end\",\"v\":1,\"stages\":[]}\n", "missing field `schemaVersion`");
}

#[test]
fn a_report_with_parts_of_the_wrong_form() {
    let time = changed(|report| report["metadata"]["generatedAt"] = json!("yesterday"));
    refused(&time, "`metadata.generatedAt` is `yesterday`");
    let images = changed(|report| report["images"] = json!({}));
    refused(&images, "invalid type: map, expected a sequence");
    let unsaid = changed(|report| {
        report["metadata"].as_object_mut().expect("an object").remove("complete");
    });
    refused(&unsaid, "missing field `complete`");
    let filtered = changed(|report| report["images"] = json!([]));
    refused(&filtered, "`summary.totalImages` is 2, but there are 0 `images`");
    let row = changed(|report| report["images"][0]["image"] = json!(7));
    refused(&row, "nothing was stored: a report that cannot be read");
}

#[test]
fn a_report_of_a_newer_version_names_both() {
    let newer = changed(|report| {
        report["schemaVersion"] = json!("2.0");
        report["images"] = json!({"compressed": ""});
    });
    refused(&newer, "the report has schema version 2.0, this tool reads up to 1.0");
}

#[test]
fn more_than_may_be_read() {
    let store = Store::new();
    let report = report_at("2026-11-24T06:00:00Z");
    let limit = (report.len() - 1).to_string();
    let run = |limit: &str| store.pc(&["--max-bytes", limit]).stdin(&*report).run();
    let ran = run(&limit).code(1);
    let _ = ran.says(&format!("larger than {limit} bytes")).says("hint: raise `--max-bytes`");
    assert_eq!(store.names(), [""; 0]);
    assert!(!store.file(".provenance.lock").exists());
    let _ = run(&report.len().to_string()).ok();
}

#[test]
fn a_writer_that_is_killed_in_the_middle() {
    let store = Store::new();
    store.keep(&report_at("2026-11-23T06:00:00Z"));
    let before = store.bytes();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pc-store"))
        .arg("--report-path")
        .arg(store.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let report = report_at("2026-11-24T06:00:00Z");
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all(&report[..report.len() / 2]).expect("written");
    drop(pipe);
    assert_eq!(child.wait_with_output().expect("ends").status.code(), Some(1));
    assert_eq!(store.bytes(), before);
}

#[test]
fn settings_that_make_no_sense_are_usage() {
    let store = Store::new();
    let report = report_at("2026-11-24T06:00:00Z");
    let run = |args: &[&str]| store.pc(args).stdin(&*report).run();
    let _ = run(&["--report-output", "tape"]).code(2).says("possible values: pvc");
    let _ = run(&["--report-retention", "soon"]).code(2).says("`soon` is not a duration");
    let _ = run(&["--report-retention=-2"]).code(2).says("`-2` is not a duration");
    let _ = run(&["--lock-timeout", "1w"]).code(2).says("not a duration");
    let _ = run(&["--print", "pdf"]).code(2).says("table, summary, json, none");
    let ran = store.pc(&[]).env("PROVENANCE_REPORT_OUTPUT", "http").stdin(&*report).run();
    let _ = ran.code(2).says("PROVENANCE_REPORT_UPLOAD_URL");
    assert_eq!(store.names(), [""; 0]);
}
