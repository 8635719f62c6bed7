//! `--previous`: what changed since an earlier report, and that there was none.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;
use testkit::Run;

use crate::{SHOP, assemble, report};

/// An earlier report in a folder of its own.
struct Earlier {
    dir: TempDir,
}

impl Earlier {
    fn of(bytes: &[u8]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("older.json"), bytes).expect("written");
        Self { dir }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_string_lossy().into_owned()
    }

    fn run(&self, stream: &str) -> Run {
        assemble(stream).env("PROVENANCE_PREVIOUS", self.path("older.json"))
    }
}

/// The example's report, made a day before.
fn yesterday() -> Vec<u8> {
    assemble(SHOP).env("SOURCE_DATE_EPOCH", "1795413600").run().ok().stdout
}

/// The example with a signature that is contradicted now.
fn broken() -> String {
    let line = |line: &str| {
        let mut record: Value = serde_json::from_str(line).expect("JSON");
        if record["type"] == "signature" && record["repository"] == "ghcr.io/acme/web" {
            for key in ["verdict", "seen"] {
                record[key] = "invalid".into();
            }
            record["finds"][0]["verdict"] = "invalid".into();
        }
        record.to_string() + "\n"
    };
    SHOP.lines().map(line).collect()
}

#[test]
fn without_an_earlier_report_nothing_is_compared_and_that_is_not_no_change() {
    let alone = report(&assemble(SHOP).run().ok());
    assert_eq!((&alone["changes"], &alone["metadata"]["previous"]), (&Value::Null, &Value::Null));
    let why = alone["metadata"]["notCompared"].as_str().expect("a reason");
    assert!(why.starts_with("not-asked: "), "{why}");
    assert_eq!(alone["images"][0]["firstSeen"], Value::Null);
    let table = assemble(SHOP).args(["--format", "table"]).run().ok().text();
    assert!(!table.contains("Since ") && !table.contains("Not compared"), "{table}");
}

#[test]
fn the_same_again_is_no_change_and_the_first_times_are_carried() {
    let earlier = Earlier::of(&yesterday());
    let ran = earlier.run(SHOP).run().ok();
    let again = report(&ran);
    assert_eq!(again["changes"], serde_json::json!([]));
    assert_eq!(again["metadata"]["notCompared"], Value::Null);
    let previous = &again["metadata"]["previous"];
    assert_eq!(previous["generatedAt"], "2026-11-23T06:00:00Z");
    let sum = testkit::Shell::Dash.script("sha256sum < older.json").dir(earlier.dir.path()).run();
    let sum = sum.ok().text();
    let sum = sum.split(' ').next().expect("a hash");
    assert_eq!(previous["digest"].as_str(), Some(format!("sha256:{sum}").as_str()));
    let web =
        &again["images"].as_array().expect("rows").iter().find(|row| row["container"] == "web");
    let web = web.expect("the web");
    assert_eq!(
        (&web["firstSeen"], &web["firstTrusted"]),
        (&"2026-11-23T06:00:00Z".into(), &"2026-11-23T06:00:00Z".into())
    );
    // And once more, from the report that carries them.
    let second = Earlier::of(&ran.stdout);
    let third = report(&second.run(SHOP).env("SOURCE_DATE_EPOCH", "1795586400").run().ok());
    let rows = third["images"].as_array().expect("rows");
    assert!(rows.iter().any(|row| row["firstSeen"] == "2026-11-23T06:00:00Z"));
    assert!(rows.iter().all(|row| row["firstSeen"] != "2026-11-25T06:00:00Z"));
}

#[test]
fn a_change_is_in_the_report_and_in_the_table() {
    let earlier = Earlier::of(&yesterday());
    let changed = report(&earlier.run(&broken()).run().ok());
    let changes = changed["changes"].as_array().expect("changes");
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_eq!(
        (&changes[0]["code"], &changes[0]["uses"]),
        (&"signature-invalid".into(), &1.into())
    );
    let table = earlier.run(&broken()).args(["--format", "table"]).run().ok().text();
    assert!(table.contains("Since 2026-11-23T06:00:00Z  1 change: 1 high"), "{table}");
    assert!(table.contains("signature-invalid"), "{table}");
}

#[test]
fn an_earlier_report_that_is_missing_is_a_fault_unless_it_may_be() {
    let earlier = Earlier::of(&yesterday());
    let missing = || assemble(SHOP).env("PROVENANCE_PREVIOUS", earlier.path("none.json"));
    let ran = missing().run().code(1).says("none.json").says("--previous-optional");
    assert!(ran.stdout.is_empty());
    let first = report(&missing().arg("--previous-optional").run().ok());
    assert_eq!(first["changes"], Value::Null);
    assert_eq!(first["metadata"]["notCompared"], "first: there is no earlier report");
    // It is the first report, so what it sees is seen for the first time.
    let rows = first["images"].as_array().expect("rows");
    assert!(rows.iter().any(|row| row["firstSeen"] == "2026-11-24T06:00:00Z"));
    let run = missing().arg("--previous-optional").args(["--format", "table"]);
    assert!(run.run().ok().text().contains("Not compared: there is no earlier report"));
}

#[test]
fn an_earlier_report_that_is_none_never_costs_the_new_one() {
    for (bytes, why) in [
        (&b""[..], "the report is empty"),
        (b"{}", "not a report"),
        (&yesterday()[..1000], "stops in the middle"),
    ] {
        let earlier = Earlier::of(bytes);
        let ran = earlier.run(SHOP).run().code(1).says("older.json").says(why);
        assert!(ran.stdout.is_empty());
        let ran =
            earlier.run(SHOP).arg("--previous-optional").run().ok().says("compared with none");
        let made = report(&ran);
        let said = made["metadata"]["notCompared"].as_str().expect("a reason");
        assert!(said.starts_with("unreadable: ") && said.contains(why), "{said}");
        assert_eq!((&made["changes"], &made["metadata"]["complete"]), (&Value::Null, &true.into()));
    }
    let ran = assemble(SHOP).args(["--previous", "-"]).run().code(2).says("is the stream");
    assert!(ran.stdout.is_empty());
}

#[test]
fn a_report_of_another_cluster_is_no_earlier_one() {
    let other = assemble(SHOP).args(["--cluster-name", "west"]).run().ok().stdout;
    let made = report(&Earlier::of(&other).run(SHOP).run().ok().says("`west`"));
    let why = made["metadata"]["notCompared"].as_str().expect("a reason");
    assert!(why.starts_with("other-cluster: "), "{why}");
    assert_eq!((&made["changes"], &made["images"][0]["firstSeen"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_clock_that_went_backwards_is_told() {
    let later = assemble(SHOP).env("SOURCE_DATE_EPOCH", "1795586400").run().ok().stdout;
    let made = report(&Earlier::of(&later).run(SHOP).run().ok().says("the clock went backwards"));
    assert_eq!(made["changes"], serde_json::json!([]));
    let rows = made["images"].as_array().expect("rows");
    assert!(rows.iter().any(|row| row["firstSeen"] == "2026-11-24T06:00:00Z"));
}
