//! What comes out: the same bytes, a table, and what happens when nobody takes them.

use testkit::Shell;

use crate::{EPOCH, SHOP, assemble, report};

#[test]
fn two_runs_have_the_same_bytes() {
    let run = || assemble(SHOP).run().ok().stdout;
    assert!(run() == run());
    assert_eq!(
        report(&assemble(SHOP).run().ok())["metadata"]["generatedAt"],
        "2026-11-24T06:00:00Z"
    );
}

#[test]
fn reordered_keys_and_records_change_nothing() {
    let sorted = Shell::Dash.script("jq -cS .").stdin(SHOP).run().ok().stdout;
    assert!(sorted != SHOP.as_bytes());
    let plain = assemble(SHOP).run().ok().stdout;
    assert!(plain == assemble(sorted).run().ok().stdout);
    let mut lines: Vec<&str> = crate::records();
    lines.reverse();
    lines.push(crate::end());
    assert!(plain == assemble(crate::stream(&lines)).run().ok().stdout);
}

#[test]
fn the_report_is_one_that_can_be_read_again() {
    let ran = assemble(SHOP).run().ok();
    let (_, read) = report::Report::read(&ran.stdout).expect("a report");
    let mut again = Vec::new();
    read.write_to(&mut again).expect("written");
    assert!(again == ran.stdout);
    // A row stands on a line of its own, so that `grep` and `diff` work on reports.
    let rows = ran.text().lines().filter(|line| line.starts_with("    {\"image\":")).count();
    assert_eq!(rows, read.images.len() + read.updates.iter().filter(|u| u.image.is_some()).count());
}

#[test]
fn a_table_has_no_colour_away_from_a_terminal() {
    let table = assemble(SHOP).args(["--format", "table"]).run().ok().text();
    assert!(table.starts_with("prod · 2026-11-24T06:00:00Z · complete\n"), "{table}");
    assert!(table.contains("Could not be found out") && !table.contains('\u{1b}'));
    let few =
        assemble(SHOP).env("PROVENANCE_FORMAT", "table").args(["--rows", "3"]).run().ok().text();
    assert!(few.contains("… and 11 more"), "{few}");
}

#[test]
fn a_table_on_a_terminal_is_coloured_unless_nobody_wants_that() {
    let has = Shell::Dash.script("command -v script").run();
    if has.code != Some(0) {
        eprintln!("skipped: a_table_on_a_terminal: `script` is not installed");
        return;
    }
    let folder = testkit::root().join("tools/shared/report/tests/data");
    let on_terminal = |setting: &str| {
        let tool = testkit::binaries().join("pc-assemble");
        let line = format!(
            "script -qec '{setting} {} --progress never --format table < shop.ndjson' /dev/null",
            tool.display()
        );
        Shell::Dash.script(&line).dir(&folder).env("TERM", "xterm").run().ok().text()
    };
    assert!(on_terminal("").contains("\u{1b}[1;31minvalid"));
    assert!(!on_terminal("NO_COLOR=1").contains('\u{1b}'));
    assert!(!on_terminal("TERM=dumb").contains('\u{1b}'));
}

#[test]
fn a_reader_that_leaves_is_quiet_and_a_full_disk_is_not() {
    let run = |command: &str| {
        let script = format!("{command}; echo \"${{PIPESTATUS[0]}}\" >&2");
        Shell::Bash.script(&script).env("SOURCE_DATE_EPOCH", EPOCH).stdin(SHOP).run()
    };
    for format in ["json", "table"] {
        // The reader is gone before the first byte comes.
        let left = "{ exec <&-; sleep 0.3; }";
        let ran = run(&format!("{{ sleep 0.1; pc-assemble --format {format}; }} | {left}"));
        assert_eq!(ran.stderr, "0\n");
        let ran = run(&format!("pc-assemble --format {format} > /dev/full"));
        assert!(ran.stderr.contains("cannot write standard output"), "{}", ran.stderr);
        assert!(ran.stderr.ends_with("1\n"), "{}", ran.stderr);
    }
}
