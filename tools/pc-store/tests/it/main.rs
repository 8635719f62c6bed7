//! pc-store as a process, on real directories and real file systems.

mod chain;
mod config_maps;
mod crashes;
mod diff;
mod exporting;
mod foreign;
mod latest;
mod reading;
mod refusing;
mod retention;
mod signing;
mod stdout;
mod storing;
mod systems;
mod uploads;
mod verify;
mod versions;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use records::Image;
use report::Report;
use report::join::{Gathered, Run};
use serde_json::json;
use tempfile::TempDir;
use testkit::{Ran, pc};

const LOG: &str = "provenance-log.jsonl";

/// The bytes of a report of `rows` rows, generated at `time`.
fn report_of(time: &str, rows: usize) -> Vec<u8> {
    written(&report(time, rows))
}

/// The bytes of a small report, generated at `time`.
fn report_at(time: &str) -> Vec<u8> {
    report_of(time, 2)
}

fn written(report: &Report) -> Vec<u8> {
    let mut bytes = Vec::new();
    report.write_to(&mut bytes).expect("written");
    bytes
}

fn report(time: &str, rows: usize) -> Report {
    let mut gathered = Gathered::new();
    for row in 0..rows {
        gathered.image(image(row));
    }
    gathered_at(gathered, time)
}

fn gathered_at(gathered: Gathered, time: &str) -> Report {
    let run = Run {
        generated_at: time.into(),
        collector_version: "0.1.0".into(),
        cluster_name: Some("prod".into()),
        truncation: None,
    };
    let mut report = gathered.finish(run);
    report.metadata.complete = true;
    report.metadata.incomplete_why.clear();
    report
}

/// The bytes of the report of what was gathered.
fn finished(gathered: Gathered, time: &str) -> Vec<u8> {
    written(&gathered_at(gathered, time))
}

fn image(row: usize) -> Image {
    let value = json!({
        "namespace": "shop",
        "workload": {"apiVersion": "apps/v1", "kind": "Deployment", "name": format!("web-{row:05}")},
        "container": "main", "containerType": "container",
        "image": format!("ghcr.io/acme/web-{row}:1.4"), "imageId": null, "platform": null,
        "runningDigest": null, "pinned": false, "pods": 1, "nodes": 1, "podNames": [],
        "pullSecrets": [], "annotations": {}, "idle": false,
    });
    serde_json::from_value(value).expect("an image record")
}

/// A store in a folder of its own.
struct Store {
    dir: TempDir,
}

impl Store {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.file(name)).expect(name)
    }

    /// pc-store on this store, printing nothing and removing nothing unless `args` say so; the
    /// clock stands at noon of 2026-11-24.
    fn pc(&self, args: &[&str]) -> testkit::Run {
        pc("store")
            .env("PROVENANCE_REPORT_PATH", self.path())
            .env("PROVENANCE_PRINT", "none")
            .env("PROVENANCE_REPORT_RETENTION", "-1")
            .env("SOURCE_DATE_EPOCH", "1795521600")
            .args(args)
    }

    /// Stores a report that must be taken.
    #[track_caller]
    fn keep(&self, report: &[u8]) -> Ran {
        self.pc(&[]).stdin(report).run().ok()
    }

    /// The entries of the log.
    fn log(&self) -> Vec<serde_json::Value> {
        let log = String::from_utf8(self.read(LOG)).expect("text");
        log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// What happened, by the log: the event and the name.
    fn events(&self) -> Vec<String> {
        let name = |entry: &serde_json::Value| entry["name"].as_str().unwrap_or("-").to_owned();
        let event = |entry: &serde_json::Value| entry["event"].as_str().expect("a word").to_owned();
        self.log().iter().map(|entry| format!("{} {}", event(entry), name(entry))).collect()
    }

    /// The names in the store, sorted, without the lock and the log.
    fn names(&self) -> Vec<String> {
        self.bytes().into_keys().collect()
    }

    /// Every file of the store but the lock and the log, byte for byte; of links the target's name.
    fn bytes(&self) -> BTreeMap<String, Vec<u8>> {
        bytes_of(self.path())
    }
}

fn bytes_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == ".provenance.lock" || name == LOG {
            continue;
        }
        let kind = entry.file_type().expect("a type");
        let bytes = if kind.is_symlink() {
            let target = fs::read_link(entry.path()).expect("a target");
            target.to_string_lossy().into_owned().into_bytes()
        } else if kind.is_dir() {
            b"a folder".to_vec()
        } else {
            fs::read(entry.path()).expect("read")
        };
        files.insert(name, bytes);
    }
    files
}

/// Says on standard error why a test did nothing.
#[expect(clippy::print_stderr, reason = "a test that was skipped must say so")]
fn skipped(test: &str, why: &str) {
    eprintln!("skipped: {test}: {why}");
}

#[test]
fn every_command_has_its_manual_page_and_its_completions() {
    for (command, about) in [
        ("list", "List the reports"),
        ("get", "Write a report to standard output"),
        ("verify", "Prove that the store is as it was written"),
        ("remove", "Remove single reports by name"),
        ("diff", "Say what changed"),
        ("prune", "Remove the reports that are older"),
    ] {
        // Settings are no other arguments.
        let run = pc("store").env("PROVENANCE_REPORT_PATH", "/reports").args([command, "--man"]);
        let page = run.run().ok().text();
        assert!(page.contains(&format!(".TH pc-store-{command} 1")), "{page}");
        assert!(page.contains(about) && page.contains("report\\-path"), "{page}");
        assert!(page.contains("Exit status"), "{page}");
        let whole = pc("store").args(["--completions", "bash"]).run().ok().text();
        assert!(
            whole.contains(&format!("pc__store__{command}"))
                || whole.contains(&format!("pc__store__subcmd__{command}")),
            "{whole}"
        );
        assert_eq!(pc("store").args([command, "--completions", "bash"]).run().ok().text(), whole);
        assert!(pc("store").args([command, "--help"]).run().ok().text().contains("Exit status"));
    }
    let page = pc("store").arg("--man").run().ok().text();
    assert!(page.contains(".TH pc-store 1") && page.contains("pc\\-store\\-list(1)"), "{page}");
}

#[test]
fn the_flag_reference_is_that_of_the_parser() {
    let command = stage::cli::command::<pc_store::Cli>();
    assert_eq!(stage::reference::faults(&command), Vec::<String>::new());
    testkit::generated("docs/tools/pc-store.md", &stage::reference::page(&command));
}
