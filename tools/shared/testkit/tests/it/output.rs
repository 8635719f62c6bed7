//! Standard output that is closed, full, or asked for help.

use testkit::{Shell, pc, root};

use crate::{EPOCH, stream};

/// The tools, in the order of the pipeline.
pub(crate) const TOOLS: [&str; 8] =
    ["discover", "helm", "digest", "updates", "verify", "assemble", "store", "web"];

#[test]
fn a_reader_that_leaves_is_quiet() {
    let script = "set -o pipefail; pc-discover --from testdata/cluster/dump.json | head -1; \
                  echo \"${PIPESTATUS[0]}\"; \
                  pc-discover --from testdata/cluster/dump.json | pc-digest --layout testdata/layouts | head -1; \
                  echo \"${PIPESTATUS[*]}\"; \
                  pc-discover --from testdata/cluster/dump.json | pc-digest --layout testdata/layouts | pc-verify --layout testdata/layouts | head -1; \
                  echo \"${PIPESTATUS[*]}\"";
    let ran = Shell::Bash.script(script).dir(root()).run();
    let text = ran.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 6, "{text}");
    assert_eq!((lines[1], lines[3], lines[5]), ("0", "0 0 0", "0 0 0 0"), "{text}");
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("stream"), stream()).expect("written");
    for command in [
        "pc-discover --from testdata/cluster/dump.json",
        "pc-digest --layout testdata/layouts < $F/stream",
        "pc-verify --layout testdata/layouts < $F/stream",
        "pc-assemble < $F/stream",
        "pc-digest --help",
    ] {
        let script = format!("{command} > /dev/full");
        let _ = Shell::Dash
            .script(&script)
            .dir(root())
            .env("F", folder.path())
            .run()
            .code(1)
            .says("standard output");
    }
}

#[test]
fn every_tool_tells_of_itself() {
    for tool in TOOLS {
        let help = pc(tool).arg("--help").run().ok().text();
        for part in ["Usage:", "Examples:", "Exit status:", "PROVENANCE_LOG_LEVEL", "--completions"]
        {
            assert!(help.contains(part), "{part} is not in the help of {tool}");
        }
        assert!(pc(tool).arg("--version").run().ok().text().starts_with(&format!("pc-{tool} ")));
        assert!(
            pc(tool)
                .args(["--completions", "bash"])
                .run()
                .ok()
                .text()
                .contains(&format!("pc-{tool}"))
        );
        assert!(pc(tool).arg("--man").run().ok().text().contains(".TH"));
        let _ = pc(tool).arg("--no-such-flag").run().code(2).says("--no-such-flag");
    }
}

#[test]
fn bad_settings_are_usage_errors_and_empty_ones_are_none() {
    let _ =
        pc("digest").arg("-n").env("PROVENANCE_MAX_IN_FLIGHT", "many").run().code(2).says("many");
    let _ = pc("digest").arg("-n").env("PROVENANCE_MAX_IN_FLIGHT", "").run().ok();
    let _ = pc("digest")
        .arg("-n")
        .env("SOURCE_DATE_EPOCH", "noon")
        .run()
        .code(2)
        .says("SOURCE_DATE_EPOCH");
    let ran = pc("digest").arg("-n").env("SOURCE_DATE_EPOCH", EPOCH).run().ok();
    assert_eq!(ran.records().len(), 1);
    assert_eq!(ran.records()[0]["stages"][0]["startedAt"], "2026-11-24T06:00:00Z");
}

#[test]
fn logs_are_json_when_asked_for() {
    let ran = pc("digest")
        .args(["--log-level", "trace", "--log-format", "json", "no-such.invalid/app:1"])
        .env("PROVENANCE_REGISTRY_TIMEOUT", "2s")
        .run();
    for line in ran.stderr.lines() {
        let _: serde_json::Value = serde_json::from_str(line).expect("a JSON line");
    }
}
