//! Standard output as a sink.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::{Command, Stdio};

use testkit::pc;

use crate::{Store, report_at};

#[test]
fn the_report_and_nothing_else() {
    let store = Store::new();
    let report = report_at("2026-11-24T06:00:00Z");
    for print in ["table", "summary", "json", "none"] {
        let args = ["--report-output", "stdout", "--print", print];
        let ran = pc("store").args(args).stdin(report.clone()).run().ok();
        assert!(ran.stdout == report, "{print}");
        assert_eq!(ran.stderr.contains("Summary"), ["table", "summary"].contains(&print));
    }
    let args = ["--report-output", "stdout,pvc", "--print", "table"];
    let ran = store.pc(&args).stdin(report.clone()).run().ok().says("Stored: ");
    assert!(ran.stdout == report);
    assert_eq!(store.names().len(), 2);
    let _ = store.pc(&["list", "--report-output", "stdout"]).run().code(2);
}

#[test]
fn a_report_that_does_not_get_out_is_a_failure() {
    let store = Store::new();
    let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let mut child = Command::new(testkit::binaries().join("pc-store"))
        .args(["--report-output", "stdout,pvc", "--print", "none", "--report-path"])
        .arg(store.path())
        .stdin(Stdio::piped())
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let report = report_at("2026-11-24T06:00:00Z");
    child.stdin.take().expect("a pipe").write_all(&report).expect("written");
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("1 of 2 sinks do not have the report as they should: stdout"), "{said}");
    assert_eq!(store.names().len(), 2);
}
