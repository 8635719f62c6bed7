//! The example cluster, from dump to report: what is known about it must be said.

use serde_json::Value;
use testkit::{Shell, root};

use crate::{assemble, digest, discover, stream};

fn report() -> Value {
    serde_json::from_slice(&assemble(stream()).run().ok().stdout).expect("a report")
}

fn rows<'a>(report: &'a Value, name: &str) -> Vec<&'a Value> {
    let images = report["images"].as_array().expect("rows");
    images.iter().filter(|row| row["workload"]["name"] == name).collect()
}

fn column<'a>(rows: &[&'a Value], key: &str) -> Vec<&'a str> {
    rows.iter().map(|row| row[key].as_str().unwrap_or("null")).collect()
}

#[test]
fn owners_are_what_people_deploy() {
    let report = report();
    let kinds: std::collections::BTreeSet<&str> = report["images"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["workload"]["kind"].as_str())
        .collect();
    for kind in
        ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Node", "Pod", "Rollout"]
    {
        assert!(kinds.contains(kind), "{kind} is not among {kinds:?}");
    }
    assert!(!kinds.contains("ReplicaSet"), "{kinds:?}");
}

#[test]
fn two_architectures_of_one_index_are_two_rows_each_with_its_manifest() {
    let report = report();
    let mut rows = rows(&report, "web");
    rows.retain(|row| row["container"] == "web");
    assert_eq!(column(&rows, "platform"), ["linux/amd64", "linux/arm64"]);
    let manifests: std::collections::BTreeSet<&str> =
        column(&rows, "manifest").into_iter().collect();
    assert_eq!(manifests.len(), 2, "{rows:#?}");
    assert!(!manifests.contains("null"));
}

#[test]
fn a_roll_out_is_two_rows() {
    let report = report();
    let digests: std::collections::BTreeSet<&str> =
        column(&rows(&report, "pay"), "digest").into_iter().collect();
    assert_eq!(digests.len(), 2);
}

#[test]
fn a_pending_pod_is_there_and_nothing_is_claimed_of_it() {
    let report = report();
    let pending =
        report["images"].as_array().expect("rows").iter().find(|row| row["imageId"].is_null());
    let row = pending.expect("the pending pod");
    assert_eq!((&row["drift"], &row["how"]), (&Value::from("unknown"), &Value::from("tag")));
}

/// Name, chart and status, what runs where that is another version, and the answer.
fn told(release: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let words = [
        text(&release["releaseName"]),
        text(&release["version"]),
        text(&release["status"]),
        text(&release["deployed"]["version"]),
        text(&release["origin"]["kind"]),
        text(&release["update"]["status"]),
        text(&release["update"]["newest"]),
    ];
    words.join(" ")
}

#[test]
fn releases_are_of_the_same_dump_and_judged_by_what_runs() {
    let script = "pc-discover | pc-helm | pc-digest | pc-updates | pc-assemble";
    let run = Shell::Bash.script(script).env("PROVENANCE_LAYOUT", root().join("testdata/layouts"));
    let ran = run.env("PROVENANCE_FROM", root().join("testdata/cluster/dump.json")).run().ok();
    let report: Value = serde_json::from_slice(&ran.stdout).expect("a report");
    let releases = report["helmReleases"].as_array().expect("releases");
    assert_eq!(
        releases.iter().map(told).collect::<Vec<_>>(),
        [
            "ledger 1.2.0 deployed - flux-helm current -",
            "pay 2.1.0 failed 2.0.0 flux-helm available 2.1.1",
            "nightly-report 0.4.0 deployed - unknown unknown -",
            "web 1.4.0 deployed - flux-oci available 1.5.0",
        ]
    );
    // What the charts name is what runs.
    let runs: std::collections::BTreeSet<&str> = report["images"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["image"].as_str())
        .collect();
    for release in releases {
        let images = release["images"].as_array().expect("images");
        assert!(
            !images.is_empty()
                && images.iter().all(|image| runs.contains(image.as_str().unwrap_or_default())),
            "{release}"
        );
    }
}

#[test]
fn what_was_not_verified_is_skipped_and_never_unsigned() {
    for row in report()["images"].as_array().expect("rows") {
        assert_eq!(row["signature"]["verdict"], "skipped");
        assert_eq!(row["signature"]["signed"], Value::Null);
        assert_eq!(row["update"]["updateAvailable"], Value::Null);
    }
}

#[test]
fn reordered_keys_change_nothing() {
    let sort = |bytes: Vec<u8>| Shell::Dash.script("jq -cS .").stdin(bytes).run().ok().stdout;
    let plain = stream();
    let sorted = digest(sort(discover().run().ok().stdout)).run().ok().stdout;
    let assembled = |bytes| assemble(bytes).run().ok().stdout;
    assert!(assembled(plain) == assembled(sort(sorted)));
}

#[test]
fn unknown_records_reach_the_report_and_a_newer_version_stops() {
    let stream = stream();
    let note = br#"{"type":"note","v":3,"text":"kept \u00e9"}"#;
    let tally = r#"{"type":"end","v":1,"stages":[{"stage":"x","version":"1","startedAt":"","endedAt":"","written":{"note":1}}]}"#;
    let with = [note.as_slice(), b"\n", &stream, tally.as_bytes(), b"\n"].concat();
    let passed = digest(with).run().ok();
    assert!(passed.stdout.starts_with(note), "not byte for byte");
    let report: Value =
        serde_json::from_slice(&assemble(passed.stdout).run().ok().stdout).expect("a report");
    assert_eq!(report["other"][0]["text"], "kept é");
    let newer = String::from_utf8(stream).expect("UTF-8").replacen(
        r#""type":"image","v":1"#,
        r#""type":"image","v":2"#,
        1,
    );
    for ran in [digest(newer.clone()).run(), assemble(newer).run()] {
        let _ = ran.code(1).says("version 2").says("version 1");
    }
}
