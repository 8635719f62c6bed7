//! What README.md claims, compared with what is.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use testkit::{Shell, generated_part, pc, root};

use crate::output::TOOLS;
use crate::scripts::demo;

/// The uses of the example that README.md shows; it says that there are more.
const USES: [&str; 5] =
    ["deploy/fraud", "deploy/pay", "cj/nightly-report report", "deploy/search", "deploy/web"];

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("the page")
}

#[test]
fn the_demo_prints_what_it_shows() {
    let target = tempfile::tempdir().expect("a folder");
    let output = demo(Shell::Dash, target.path()).run().ok().text();
    let wanted = format!("\n```text\n{}\n```\n\n", shown(&output).join("\n"));
    generated_part("README.md", "demo", &wanted);
}

/// The lines that are shown: all but those of other uses, and of where the report was stored.
fn shown(output: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let head = output.lines().find(|line| line.starts_with("  USED BY")).expect("a table");
    let image = head.find("IMAGE").expect("a column");
    let (mut space, mut keep) = (None, false);
    let mut in_table = false;
    for line in output.lines().take_while(|line| !line.starts_with("Stored: ")) {
        let used_by = line.get(..image).unwrap_or(line).trim_end();
        match (in_table, line.starts_with("  "), line.starts_with(' ') || line.is_empty()) {
            (false, ..) => {
                in_table = line == head;
                lines.push(line);
            }
            // A row, or the next line of one.
            (true, true, _) => {
                if !used_by.is_empty() {
                    keep = USES.contains(&used_by.trim());
                }
                if keep {
                    lines.extend(space.take());
                    lines.push(line);
                }
            }
            // A namespace: a word on a line of its own.
            (true, false, false) if line.split(' ').count() == 1 => space = Some(line),
            // What follows the table.
            (true, ..) => {
                in_table = false;
                lines.push(line);
            }
        }
        if line.starts_with("Summary") {
            in_table = false;
        }
    }
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}

#[test]
fn the_table_of_tools_is_what_they_say() {
    let mut table = String::from(
        "\n| tool | what it does | records that it adds | flags |\n|---|---|---|---|\n",
    );
    let end = Shell::Bash
        .script("pc-discover | pc-helm | pc-digest | pc-updates | pc-verify")
        .env("PROVENANCE_FROM", root().join("testdata/cluster/dump.json"))
        .env("PROVENANCE_LAYOUT", root().join("testdata/layouts"));
    let end = end.run().ok().text();
    let end: Value = serde_json::from_str(end.lines().last().expect("an end")).expect("JSON");
    for tool in TOOLS {
        let help = pc(tool).arg("--help").run().ok().text();
        let lines: Vec<&str> = help.lines().take_while(|line| !line.is_empty()).collect();
        let does = lines.join(" ");
        let does = does.trim_end_matches('.');
        let stage = end["stages"].as_array().expect("tallies").iter();
        let stage = stage.into_iter().find(|tally| tally["stage"] == format!("pc-{tool}"));
        let adds: Vec<String> = stage
            .and_then(|tally| tally["written"].as_object())
            .map(|written| written.keys().map(|kind| format!("`{kind}`")).collect())
            .unwrap_or_default();
        let adds = if adds.is_empty() { "–".to_owned() } else { adds.join(", ") };
        let page = format!("docs/tools/pc-{tool}.md");
        assert!(root().join(&page).exists(), "{page}");
        table.push_str(&format!("| `pc-{tool}` | {does} | {adds} | [reference]({page}) |\n"));
    }
    generated_part("README.md", "tools", &format!("{table}\n"));
    let folders = fs::read_dir(root().join("tools")).expect("a folder").flatten();
    let names = folders.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let there: BTreeSet<String> = names.filter(|name| name.starts_with("pc-")).collect();
    let told: BTreeSet<String> = TOOLS.iter().map(|tool| format!("pc-{tool}")).collect();
    assert_eq!(there, told);
}

#[test]
fn the_commands_that_it_shows_do_what_it_says() {
    // In place of a cluster and registries stand a dump and layouts.
    let run = |command: &str| {
        Shell::Bash
            .script(command)
            .dir(root())
            .env("PROVENANCE_FROM", "testdata/cluster/dump.json")
            .env("PROVENANCE_LAYOUT", "testdata/layouts")
            .run()
            .ok()
    };
    let page = readme();
    let mut ran = 0;
    for block in page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        for line in block.lines() {
            match line.split(' ').next() {
                Some(script) if script.starts_with("scripts/") => {
                    assert!(root().join(script).exists(), "{script}");
                }
                Some("export") => assert!(line.contains("$PWD/target/release"), "{line}"),
                _ => {
                    assert!(!run(line).stdout.is_empty(), "nothing printed by {line}");
                    ran += 1;
                }
            }
        }
    }
    assert!(ran >= 3, "{ran} commands");
    assert_eq!(
        run("pc-discover | pc-digest --fail-on moved,missing 2>/dev/null > /dev/null || echo look")
            .text(),
        "look\n"
    );
    // `scripts/build` builds what the path of the next line has.
    let build = fs::read_to_string(root().join("scripts/build")).expect("the script");
    assert!(build.contains("\nprofile=release\n"));
}

#[test]
fn the_exit_status_is_that_of_the_help() {
    let page = readme();
    let told = page.split("Exit status, the same everywhere: ").nth(1).expect("the sentence");
    let told = told.lines().next().expect("a line").trim_end_matches('.');
    let told: Vec<&str> = told.split(" · ").collect();
    assert_eq!(told.len(), 4, "{told:?}");
    for tool in TOOLS {
        let help = pc(tool).arg("--help").run().ok().text();
        for status in &told {
            let (number, meaning) = status.split_once(' ').expect("a number and a meaning");
            let line = format!("\n  {number}  {meaning}");
            assert!(help.contains(&line), "`{status}` is not in the help of pc-{tool}");
        }
    }
}

#[test]
fn versions_and_licence_are_those_of_the_project() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("a file");
    let manifest = read("Cargo.toml");
    let version =
        manifest.split("rust-version = \"").nth(1).and_then(|rest| rest.split('"').next());
    let version = version.expect("a version");
    assert!(readme().contains(&format!("Rust ({version} or later)")), "{version}");
    assert!(read("docs/CONTRIBUTING.md").contains(&format!("Rust {version}")), "{version}");
    assert!(read("Dockerfile").contains(&format!("FROM rust:{version}")), "{version}");
    assert!(manifest.contains("license = \"BSD-3-Clause\""));
    assert!(read("LICENSE").contains("Neither the name of the copyright holder"));
}

#[test]
fn every_script_is_told_of_and_there() {
    let page = fs::read_to_string(root().join("docs/CONTRIBUTING.md")).expect("the page");
    let told: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `scripts/")?.split('`').next())
        .collect();
    let scripts = fs::read_dir(root().join("scripts")).expect("a folder").flatten();
    let files = scripts.filter(|entry| entry.path().is_file());
    let there: BTreeSet<String> =
        files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(there.iter().map(String::as_str).collect::<BTreeSet<&str>>(), told);
}
