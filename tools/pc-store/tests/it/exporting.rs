//! `export`: a report of the store in another format.

use sha2::{Digest, Sha256};

use crate::{Store, report_at, report_of};

#[test]
fn an_export_names_the_report_and_the_hash_of_its_bytes() {
    let store = Store::new();
    store.keep(&report_at("2026-11-23T06:00:00Z"));
    let newest = report_of("2026-11-24T06:00:00Z", 3);
    store.keep(&newest);
    let hash = hex::encode(Sha256::digest(&newest));
    for wanted in [&["export"][..], &["export", "provenance-20261124-060000.json"]] {
        let html = store.pc(wanted).run().ok().text();
        assert!(html.starts_with("<!doctype html>"), "{html}");
        assert!(html.contains("provenance-20261124-060000.json") && html.contains(&hash), "{html}");
    }
    let older = store.pc(&["export", "provenance-20261123-060000.json", "--format", "csv"]);
    let older = older.run().ok().text();
    assert_eq!(older.lines().count(), 3);
    assert!(older.contains("2026-11-23T06:00:00Z") && !older.contains(&hash), "{older}");
}

#[test]
fn json_is_the_report_and_every_format_can_be_had() {
    let store = Store::new();
    let report = report_at("2026-11-24T06:00:00Z");
    store.keep(&report);
    for format in report::export::Format::ALL {
        let ran = store.pc(&["export", "--format", format.as_str()]).run().ok();
        let statements = format.statements().is_some();
        // Nothing runs in it that a statement could be made about.
        assert_eq!(ran.stdout.is_empty(), statements, "{format:?}");
        if format.as_str() == "json" {
            assert!(ran.stdout == report);
        }
    }
}

#[test]
fn what_is_not_there_and_what_is_no_format_is_said() {
    let store = Store::new();
    let ran = store.pc(&["export"]).run().code(1);
    assert!(ran.stdout.is_empty(), "{}", ran.stderr);
    store.keep(&report_at("2026-11-24T06:00:00Z"));
    let code = |args: &[&str]| store.pc(args).run().code;
    assert_eq!(code(&["export", "provenance-20200101-000000.json"]), Some(1));
    assert_eq!(code(&["export", "../../etc/passwd"]), Some(2));
    let ran = store.pc(&["export", "--format", "pdf"]).run().code(2);
    assert!(ran.stderr.contains("policyreport"), "{}", ran.stderr);
}

#[test]
fn a_report_that_somebody_broke_is_not_exported() {
    let store = Store::new();
    store.keep(&report_at("2026-11-24T06:00:00Z"));
    let name = "provenance-20261124-060000.json";
    let broken = store.read(name);
    std::fs::write(store.file(name), &broken[..broken.len() / 2]).expect("written");
    let ran = store.pc(&["export", name]).run().code(1);
    assert!(ran.stdout.is_empty() && ran.stderr.contains(name), "{}", ran.stderr);
}
