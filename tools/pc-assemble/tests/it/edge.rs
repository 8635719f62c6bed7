//! The edge: lines that cannot be read, versions, settings.

use testkit::{Shell, pc};

use crate::{SHOP, assemble, end, records, report, stream};

#[test]
fn a_line_that_cannot_be_read_is_named() {
    let mut lines = records();
    lines.insert(4, "not JSON");
    lines.push(end());
    let ran = assemble(stream(&lines)).run().code(1).says("line 5 of the input: not a record");
    assert!(ran.stdout.is_empty());
    // Cut within a line, and the next stream behind it.
    let cut = format!("{}{SHOP}", &SHOP[..SHOP.len() - 30]);
    let number = SHOP.lines().count();
    let _ = assemble(cut).run().code(1).says(&format!("line {number} of the input"));
    let bad = SHOP.replacen(r#""pods":1"#, r#""pods":"one""#, 1);
    let _ = assemble(bad).run().code(1).says("bad `image` payload").says("of the input");
    let unknown = format!("{{\"type\":\"novel\",\"v\":1,\"a\":}}\n{SHOP}");
    let _ = assemble(unknown).run().code(1).says("line 1 of the input: not a JSON object");
}

#[test]
fn what_cannot_be_read_is_refused_where_incomplete_is_allowed_too() {
    let ran = assemble(format!("[]\n{SHOP}")).arg("--allow-incomplete").run().code(1);
    assert!(ran.stdout.is_empty());
}

#[test]
fn a_newer_version_of_a_known_type_names_both() {
    let newer = SHOP.replacen(r#""type":"digest","v":1"#, r#""type":"digest","v":4"#, 1);
    let ran = assemble(newer).run().code(1);
    let ran = ran.says("`digest` record of version 4, this tool reads up to version 1");
    assert!(ran.stdout.is_empty());
    let newer = SHOP.replacen(r#""type":"end","v":1"#, r#""type":"end","v":2"#, 1);
    let _ = assemble(newer).run().code(1).says("`end` record of version 2");
}

#[test]
fn an_unknown_type_reaches_the_report_in_any_version() {
    let note = "{\"type\":\"note\",\"v\":9,\"text\":\"kept \\u00e9\",\"b\":{\"d\":1,\"c\":[]}}";
    let tally = r#"{"type":"end","v":1,"stages":[{"stage":"x","version":"1","startedAt":"","endedAt":"","written":{"note":1}}]}"#;
    let report = report(&assemble(format!("{note}\n{SHOP}{tally}\n")).run().ok());
    let other = report["other"].as_array().expect("a list");
    let kinds: Vec<&str> = other.iter().filter_map(|record| record["type"].as_str()).collect();
    assert_eq!(kinds, ["hub", "note"]);
    assert_eq!(other[1], serde_json::from_str::<serde_json::Value>(note).expect("JSON"));
}

#[test]
fn an_unknown_record_that_is_too_deep_is_counted_and_the_report_is_made() {
    let deep =
        format!("{{\"type\":\"note\",\"v\":1,\"n\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let tally = r#"{"type":"end","v":1,"stages":[{"stage":"x","version":"1","startedAt":"","endedAt":"","written":{"note":1}}]}"#;
    let report = report(&assemble(format!("{deep}\n{SHOP}{tally}\n")).run().ok());
    assert_eq!(
        (&report["metadata"]["complete"], &report["metadata"]["otherDropped"]),
        (&true.into(), &1.into())
    );
    assert_eq!(report["other"].as_array().map(Vec::len), Some(1));
    let cut = format!("{}\n", &deep[..deep.len() - 1]);
    let _ = assemble(format!("{cut}{SHOP}{tally}\n")).run().code(1).says("line 1 of the input");
}

#[test]
fn a_line_may_be_only_so_long() {
    let ran = assemble(SHOP).args(["--max-line", "100"]).run().code(1);
    let _ = ran.says("longer than 100 bytes").says("--max-line");
}

#[test]
fn the_cluster_name_of_the_stream_gives_way() {
    let name = |run: testkit::Run| report(&run.run().ok())["metadata"]["clusterName"].clone();
    assert_eq!(name(assemble(SHOP)), "prod");
    assert_eq!(name(assemble(SHOP).args(["--cluster-name", "west"])), "west");
    assert_eq!(name(assemble(SHOP).env("PROVENANCE_CLUSTER_NAME", "east")), "east");
    assert_eq!(name(assemble(SHOP).env("PROVENANCE_CLUSTER_NAME", "")), "prod");
}

#[test]
fn settings_are_checked() {
    let _ = assemble(SHOP).args(["--format", "yaml"]).run().code(2).says("yaml");
    let _ = assemble(SHOP).env("PROVENANCE_ALLOW_INCOMPLETE", "maybe").run().code(2).says("maybe");
    let _ = assemble("").env("PROVENANCE_ALLOW_INCOMPLETE", "no").run().code(1);
    let _ = assemble("").env("PROVENANCE_ALLOW_INCOMPLETE", "on").run().ok();
    let _ = assemble(SHOP).args(["--rows", "-1"]).run().code(2);
}

#[test]
fn a_terminal_is_no_stream() {
    // `script` gives the tool a terminal of its own.
    let has = Shell::Dash.script("command -v script").run();
    if has.code != Some(0) {
        eprintln!("skipped: a_terminal_is_no_stream: `script` is not installed");
        return;
    }
    let tool = testkit::binaries().join("pc-assemble");
    let line = format!("script -qec '{}; echo status $?' /dev/null", tool.display());
    let said = Shell::Dash.script(&line).run().text();
    assert!(said.contains("standard input is a terminal"), "{said}");
    assert!(said.contains("hint: pipe a stream into it"), "{said}");
    assert!(said.contains("status 2"), "{said}");
}

#[test]
fn help_shows_examples_and_the_exit_status() {
    let help = pc("assemble").arg("--help").run().ok().text();
    for part in ["Examples:", "Exit status:", "PROVENANCE_ALLOW_INCOMPLETE", "PROVENANCE_FORMAT"] {
        assert!(help.contains(part), "{part}");
    }
}
