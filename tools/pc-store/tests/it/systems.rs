//! Full disks, read-only mounts, missing rights, other writers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;

use crate::{LOG, Store, bytes_of, report_at, report_of, skipped};

/// A file system in memory, unmounted when dropped.
struct Mount(PathBuf);

impl Mount {
    /// `None` where this process may not mount.
    fn new(test: &str, at: &Path, size: &str) -> Option<Self> {
        let options = format!("size={size}");
        let mounted = mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], at);
        if !mounted {
            skipped(test, "this process may not mount a file system");
        }
        mounted.then(|| Self(at.to_owned()))
    }

    fn make_read_only(&self) -> bool {
        mount(&["-o", "remount,ro"], &self.0)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

fn mount(args: &[&str], at: &Path) -> bool {
    let mut command = Command::new("mount");
    command.args(args).arg(at).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[test]
fn a_full_disk_leaves_the_store_as_it_was() {
    let store = Store::new();
    let Some(_mount) = Mount::new("full disk", store.path(), "256k") else {
        return;
    };
    store.keep(&report_at("2026-11-23T06:00:00Z"));
    let before = store.bytes();
    let large = report_of("2026-11-24T06:00:00Z", 2000);
    assert!(large.len() > 256 * 1024);
    let ran = store.pc(&[]).stdin(large).run().code(1);
    let _ = ran
        .says("the report was not stored: cannot write `.provenance-")
        .says("No space left on device")
        .says("hint: make room");
    assert_eq!(store.bytes(), before);
    store.keep(&report_at("2026-11-24T06:00:00Z"));
}

#[test]
fn a_read_only_store_can_be_read_and_says_so_when_written() {
    let store = Store::new();
    let Some(mount) = Mount::new("read-only store", store.path(), "1m") else {
        return;
    };
    let report = report_at("2026-11-23T06:00:00Z");
    store.keep(&report);
    if !mount.make_read_only() {
        return skipped("read-only store", "this process may not remount a file system");
    }
    let before = store.bytes();
    for args in [&[][..], &["prune"]] {
        let ran = store.pc(args).stdin(report_at("2026-11-24T06:00:00Z")).run().code(1);
        let _ = ran.says("Read-only file system").says("hint: mount the volume read-write");
    }
    assert_eq!(store.bytes(), before);
    assert_eq!(store.pc(&["get"]).run().ok().stdout, report);
    let _ = store.pc(&["list"]).run().ok();
    let _ = store.pc(&["prune", "--dry-run"]).run().ok();
}

#[test]
fn a_file_in_place_of_the_directory() {
    let store = Store::new();
    let file = store.file("reports");
    fs::write(&file, "mine").expect("written");
    for path in [file.clone(), file.join("reports")] {
        for args in [&[][..], &["list"], &["get"], &["prune"]] {
            let run = store.pc(args).env("PROVENANCE_REPORT_PATH", &path);
            let ran = run.stdin(report_at("2026-11-24T06:00:00Z")).run().code(1);
            let _ = ran.says("is not a directory").says("hint: name a directory");
        }
    }
    assert_eq!(store.read("reports"), b"mine");
}

/// pc-store as a user without rights, with the report on its standard input.
pub(crate) fn as_nobody(store: &Store, args: &[&str], report: &[u8]) -> Output {
    const NOBODY: u32 = 65534;
    // The target folder may be out of that user's reach.
    let tool = tempfile::tempdir().expect("a folder");
    open_to_all(tool.path());
    let program = tool.path().join("pc-store");
    // By a process of its own: a file that this one has open for writing could be inherited by
    // what another test starts just now, and then it is too busy to be run.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_pc-store")).arg(&program).status();
    assert!(copied.is_ok_and(|status| status.success()), "cp");
    let input = tool.path().join("report");
    fs::write(&input, report).expect("written");
    let mut command = Command::new(program);
    command.arg("--report-path").arg(store.path()).args(["--report-retention", "7d"]).args(args);
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
        .env_clear()
        .env("SOURCE_DATE_EPOCH", "1795521600")
        .stdin(fs::File::open(input).expect("opened"))
        .output()
        .expect("runs")
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("opened");
}

#[test]
fn a_store_that_may_not_be_written() {
    let store = Store::new();
    store.keep(&report_at("2026-11-23T06:00:00Z"));
    open_to_all(store.path());
    if !rustix::process::geteuid().is_root() {
        fs::set_permissions(store.path(), fs::Permissions::from_mode(0o555)).expect("closed");
    }
    fs::remove_file(store.file(".provenance.lock")).expect("removed");
    let before = store.bytes();
    let output = as_nobody(&store, &[], &report_at("2026-11-24T06:00:00Z"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot open `.provenance.lock`"), "{said}");
    assert!(said.contains("Permission denied") && said.contains("fsGroup"), "{said}");
    assert_eq!(store.bytes(), before);
}

#[test]
fn files_that_may_not_be_read_are_neither_removed_nor_replaced() {
    if !rustix::process::geteuid().is_root() {
        return skipped("files of another user", "this process is not root");
    }
    let store = Store::new();
    store.keep(&report_at("2026-11-01T06:00:00Z"));
    fs::set_permissions(store.path(), fs::Permissions::from_mode(0o777)).expect("opened");
    fs::remove_file(store.file(".provenance.lock")).expect("removed");
    let before = store.bytes();
    // Nothing is stored that could not be put into the log.
    let output = as_nobody(&store, &["--print", "none"], &report_at("2026-11-24T06:00:00Z"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let refused = "the report was not stored: cannot read `provenance-log.jsonl`";
    assert!(said.contains(refused) && said.contains("hint: let user 65534"), "{said}");
    assert_eq!(store.bytes(), before);
    fs::remove_file(store.file(LOG)).expect("removed");
    let output = as_nobody(&store, &["--print", "none"], &report_at("2026-11-24T06:00:00Z"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let stored = "the report is stored as `provenance-20261124-060000.json`, but the store is not in order: cannot read `provenance-latest.json`";
    assert!(said.contains(stored) && said.contains("hint: let user 65534"), "{said}");
    let output = as_nobody(&store, &["prune"], b"");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("left alone, by name too old: cannot read"), "{said}");
    let mut after = store.bytes();
    after.remove("provenance-20261124-060000.json").expect("stored");
    assert_eq!(after, before);
}

#[test]
fn one_writer_waits_for_the_other_and_gives_up_in_time() {
    let store = Store::new();
    let report = report_at("2026-11-24T06:00:00Z");
    let lock = fs::File::create(store.file(".provenance.lock")).expect("made");
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).expect("locked");
    for args in [&["--lock-timeout", "200ms"][..], &["prune", "--lock-timeout", "200ms"]] {
        let start = Instant::now();
        let ran = store.pc(args).stdin(&*report).run().code(1);
        let _ = ran.says("locked for 0.2 seconds").says("hint: wait for the other run");
        assert!(start.elapsed() >= Duration::from_millis(200));
    }
    assert_eq!(store.names(), [""; 0]);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| store.keep(&report));
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(store.names(), [""; 0]);
        drop(lock);
        waiting.join().expect("stored");
    });
    assert_eq!(store.read("provenance-latest.json"), report);
}

#[test]
fn many_writers_at_once_lose_nothing() {
    const WRITERS: usize = 12;
    let store = Store::new();
    let reports: Vec<Vec<u8>> =
        (0..WRITERS).map(|rows| report_of("2026-11-24T06:00:00Z", rows)).collect();
    std::thread::scope(|scope| {
        for report in &reports {
            scope.spawn(|| store.keep(report));
        }
        let last = store.file("provenance-20261124-060000-11.json");
        let start = Instant::now();
        // A reader sees the old report or the new one, never a mixture.
        while !last.exists() && start.elapsed() < Duration::from_secs(60) {
            if let Ok(latest) = fs::read(store.file("provenance-latest.json")) {
                assert!(reports.contains(&latest));
            }
        }
    });
    let mut stored = bytes_of(store.path());
    let latest = stored.remove("provenance-latest.json").expect("a latest report");
    assert_eq!(latest, stored["provenance-20261124-060000-11.json"]);
    let mut stored: Vec<Vec<u8>> = stored.into_values().collect();
    let mut reports = reports;
    stored.sort();
    reports.sort();
    assert!(stored == reports, "{} of {WRITERS} reports", stored.len());
}
