//! The scripts that people run, in the shells that they may find.

use std::fs;
use std::path::Path;

use serde_json::Value;
use testkit::{Ran, Run, Shell, binaries, root};

use crate::cut::contents;

/// 2026-11-24T09:10:15Z, which README.md shows.
const EPOCH: &str = "1795511415";

/// A minute later.
const LATER: &str = "1795511475";

/// `scripts/demo` with the tools of this build and a store below `target`.
pub(crate) fn demo(shell: Shell, target: &Path) -> Run {
    shell
        .file(root().join("scripts/demo"))
        .arg("--bin")
        .arg(binaries())
        .env("CARGO_TARGET_DIR", target)
        .env("SOURCE_DATE_EPOCH", EPOCH)
}

#[test]
fn the_demo_shows_the_example_and_keeps_its_report() {
    for shell in Shell::ALL {
        let target = tempfile::tempdir().expect("a folder");
        let store = target.path().join("demo/reports");
        let ran = demo(shell, target.path()).run().ok();
        assert!(ran.text().starts_with("example · 2026-11-24T09:10:15Z · complete\n"), "{shell:?}");
        let kept = contents(&store);
        let names: Vec<&str> = kept.keys().map(String::as_str).collect();
        let wanted = [
            ".provenance.lock",
            "provenance-20261124-091015.json",
            "provenance-latest.json",
            "provenance-log.jsonl",
        ];
        assert_eq!(names, wanted, "{shell:?}");

        let first: Value = serde_json::from_slice(&kept["provenance-latest.json"]).expect("JSON");
        assert_eq!(first["metadata"]["notCompared"], "first: there is no earlier report");
        assert_eq!(first["changes"], Value::Null);

        // A minute later, and compared with the first.
        let again = demo(shell, target.path()).arg("--json").env("SOURCE_DATE_EPOCH", LATER);
        let again = again.run().ok();
        let report: Value = serde_json::from_slice(&again.stdout).expect("a report");
        assert_eq!(report["metadata"]["complete"], true);
        assert_eq!(report["metadata"]["clusterName"], "example");
        assert_eq!(report["metadata"]["previous"]["generatedAt"], "2026-11-24T09:10:15Z");
        assert_eq!(report["changes"], Value::Array(Vec::new()));
        let rows = report["images"].as_array().expect("rows");
        assert!(rows.iter().any(|row| row["firstSeen"] == "2026-11-24T09:10:15Z"), "{shell:?}");
        let now = contents(&store);
        assert!(now["provenance-latest.json"] == again.stdout, "{shell:?}: not what is stored");
        let name = "provenance-20261124-091015.json";
        assert!(now[name] == kept[name], "{shell:?}");
    }
}

#[test]
fn the_demo_knows_its_arguments() {
    let target = tempfile::tempdir().expect("a folder");
    for shell in Shell::ALL {
        let _ = demo(shell, target.path()).arg("--jsn").run().code(2).says("`--jsn`");
        let help = demo(shell, target.path()).arg("--help").run().ok();
        assert_eq!(fs::read_dir(target.path()).expect("a folder").count(), 0, "{}", help.text());
    }
}

/// `scripts/collect` over the example cluster, with nothing in `PATH` but these folders.
fn collect(shell: Shell, path: &[&Path], store: &Path) -> Ran {
    let path = std::env::join_paths(path).expect("a path");
    shell
        .file(root().join("scripts/collect"))
        .env("PROVENANCE_FROM", root().join("testdata/cluster/dump.json"))
        .env("PATH", path)
        .env("PROVENANCE_LAYOUT", root().join("testdata/layouts"))
        .env("PROVENANCE_REPORT_PATH", store)
        .env("PROVENANCE_REPORT_RETENTION", "-1")
        .env("PROVENANCE_PRINT", "none")
        .run()
}

#[test]
fn a_collection_needs_a_shell_and_the_tools_and_no_more() {
    for shell in Shell::ALL {
        let store = tempfile::tempdir().expect("a folder");
        let _ = collect(shell, &[&binaries()], store.path()).ok();
        let kept = contents(store.path());
        let latest = kept.get("provenance-latest.json").expect("the latest");
        let report: Value = serde_json::from_slice(latest).expect("a report");
        assert_eq!(report["metadata"]["complete"], true, "{shell:?}");
        assert!(report["images"].as_array().is_some_and(|rows| rows.len() > 20));
        assert_eq!(report["helmReleases"].as_array().map(Vec::len), Some(4), "of the same dump");
    }
}

#[test]
fn a_collection_says_what_it_does_not_take() {
    for shell in Shell::ALL {
        let run = || shell.file(root().join("scripts/collect"));
        let _ = run().args(["--from", "dump.json"]).run().code(2).says("`--from`");
        let _ = run().env("PROVENANCE_FROM", "-").run().code(2).says("as a file");
    }
}

/// How a tool dies: what its place in `PATH` is taken by.
const DEATHS: [&str; 4] = [
    // At once, and quietly.
    "exit 1",
    // Killed before its first byte.
    "kill -KILL $$",
    // Killed in the middle of a line.
    "\"$REAL\" \"$@\" | head -c 3000; kill -KILL $$",
    // Gone after whole lines, as if all were well.
    "\"$REAL\" \"$@\" | head -n 4; exit 0",
];

#[test]
fn a_collection_whose_stage_dies_leaves_the_store_as_it_was() {
    let store = tempfile::tempdir().expect("a folder");
    let _ = collect(Shell::Dash, &[&binaries()], store.path()).ok();
    let before = contents(store.path());
    for tool in ["pc-discover", "pc-helm", "pc-digest", "pc-verify", "pc-assemble"] {
        for death in DEATHS {
            let folder = tempfile::tempdir().expect("a folder");
            let real = binaries().join(tool);
            let script = format!("#!/bin/sh\nREAL='{}'\n{death}\n", real.display());
            let place = folder.path().join(tool);
            write_program(&place, &script);
            // The dying tool's own helpers.
            let path = [folder.path(), &binaries(), Path::new("/usr/bin"), Path::new("/bin")];
            for shell in Shell::ALL {
                let ran = collect(shell, &path, store.path());
                let after = contents(store.path());
                assert_ne!(ran.code, Some(0), "{tool}, {death}, {shell:?}: {}", ran.stderr);
                assert!(ran.stderr.contains("pc-store: error"), "{tool}: {}", ran.stderr);
                assert_eq!(after, before, "{tool}, {death}, {shell:?}");
            }
        }
    }
}

/// Writes a program by another process: a file that this one has open for writing, in any of its
/// threads' children, cannot be run.
fn write_program(place: &Path, text: &str) {
    let script = "cat > \"$0\" && chmod 755 \"$0\"";
    let _ = Shell::Dash.script(script).arg(place).stdin(text).run().ok();
}
