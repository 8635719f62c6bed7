//! The writer killed, and the file system failing, at each call in turn: a report is there whole or
//! not at all, and the next run puts all in order.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::{LOG, Store, report_at, report_of, skipped};

const OLD: &str = "2026-11-10T06:00:00Z";
const BEFORE: &str = "2026-11-23T06:00:00Z";
const NOW: &str = "2026-11-24T06:00:00Z";
const NEXT: &str = "2026-11-24T07:00:00Z";
const LATEST: &str = "provenance-latest.json";

/// The calls by which a store is changed, and those around them.
const CALLS: [&str; 11] = [
    "openat",
    "flock",
    "write",
    "ftruncate",
    "lseek",
    "fsync",
    "renameat2",
    "renameat",
    "linkat",
    "unlinkat",
    "exit_group",
];

/// Whether strace can be used, which needs the right to trace.
fn can_trace(test: &str) -> bool {
    let traced = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !traced {
        skipped(test, "strace is not there, or may not trace");
    }
    traced
}

/// A store with a report that is too old and one that is not.
fn store() -> Store {
    let store = Store::new();
    store.keep(&report_at(OLD));
    store.keep(&report_at(BEFORE));
    store
}

/// Stores the report of [`NOW`] under strace with these injections; the old one is too old.
fn inject(store: &Store, injections: &[&str]) -> Output {
    inject_with(store, injections, &[])
}

/// The same, with further arguments of pc-store.
fn inject_with(store: &Store, injections: &[&str], args: &[&str]) -> Output {
    let injections = injections.iter().map(|injection| format!("inject={injection}"));
    trace(store, Path::new("/dev/null"), injections, args)
}

/// The same, with what strace is to do, and to where.
fn trace(
    store: &Store,
    to: &Path,
    what: impl IntoIterator<Item = String>,
    args: &[&str],
) -> Output {
    let input = tempfile::NamedTempFile::new().expect("a file");
    fs::write(input.path(), report_at(NOW)).expect("written");
    let mut command = Command::new("strace");
    command.arg("-f").arg("-o").arg(to);
    for what in what {
        command.arg("-e").arg(what);
    }
    command
        .arg(env!("CARGO_BIN_EXE_pc-store"))
        .arg("--report-path")
        .arg(store.path())
        .args(["--report-retention", "7d", "--print", "none"])
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("SOURCE_DATE_EPOCH", "1795521600")
        .stdin(fs::File::open(input.path()).expect("opened"))
        .output()
        .expect("strace runs")
}

/// Demands that every file with a report's name is one of the reports, whole.
#[track_caller]
fn whole(store: &Store, at: &str) {
    let reports = [OLD, BEFORE, NOW, NEXT].map(report_at);
    for (name, bytes) in store.bytes() {
        let temporary = name.starts_with(".provenance-") && name.ends_with(".tmp");
        assert!(temporary || reports.contains(&bytes), "{at}: `{name}` is no whole report");
    }
    let latest = store.read(LATEST);
    assert!([BEFORE, NOW, NEXT].map(report_at).contains(&latest), "{at}: latest went back");
    assert!(store.file("provenance-20261123-060000.json").exists(), "{at}: a report is lost");
}

/// How often a run makes each call.
fn calls(store: &Store, args: &[&str]) -> Vec<(&'static str, usize)> {
    let to = tempfile::NamedTempFile::new().expect("a file");
    let output = trace(store, to.path(), [format!("trace={}", CALLS.join(","))], args);
    assert!(output.status.success(), "{output:?}");
    let lines = fs::read_to_string(to.path()).expect("read");
    let made =
        |call: &str| lines.lines().filter(|line| line.contains(&format!(" {call}("))).count();
    CALLS.into_iter().map(|call| (call, made(call))).collect()
}

/// What the store says of itself, which must be good; whether something is pending.
#[track_caller]
fn proven(store: &Store, at: &str) -> bool {
    let ran = store.pc(&["verify"]).run();
    // Where nothing was begun there is nothing to prove, and that is no proof.
    let nothing = ran.code == Some(1) && ran.text().contains("nothing was stored yet");
    assert!(nothing || ran.code == Some(0), "{at}: {}", ran.text());
    ran.text().contains("PENDING")
}

/// Stores killed at each call of a run on the store that `make` makes; how many, and how many of
/// them left something pending.
fn kill_at_each_call(what: &str, args: &[&str], make: impl Fn() -> Store) -> (usize, usize) {
    let (mut killed, mut pending) = (0, 0);
    for (call, times) in calls(&make(), args) {
        for when in 1..=times {
            let store = make();
            let before = store.bytes();
            let kill = format!("{call}:signal=KILL:when={when}");
            let output = inject_with(&store, &[&kill], args);
            let at = format!("{what}, killed at {call} {when} of {times}");
            assert!(!output.status.success(), "{at}");
            killed += 1;
            let reports = [OLD, BEFORE, NOW, NEXT].map(report_at);
            for (name, bytes) in store.bytes() {
                let temporary = name.starts_with(".provenance-") && name.ends_with(".tmp");
                let whole = if name.ends_with(".sigstore.json") {
                    serde_json::from_slice::<serde_json::Value>(&bytes).is_ok()
                } else {
                    reports.contains(&bytes)
                };
                assert!(temporary || whole, "{at}: `{name}` is not whole");
            }
            for name in [LATEST, "provenance-20261123-060000.json"] {
                let there = store.file(name).exists();
                assert!(there || !before.contains_key(name), "{at}: `{name}` is lost");
            }
            pending += usize::from(proven(&store, &at));
            store.keep(&report_at(NEXT));
            assert_eq!(store.read(LATEST), report_at(NEXT), "{at}");
            assert!(!proven(&store, &at), "{at}: still pending after the next run");
        }
    }
    (killed, pending)
}

#[test]
fn killed_at_each_call_the_store_stays_whole_and_proven() {
    if !can_trace("killed at each call") {
        return;
    }
    let (killed, pending) = kill_at_each_call("a store", &[], store);
    // Between the entry and the name, between the name and the newest, between the entry and the
    // removal, and everything beside these.
    assert!(killed >= 30 && pending >= 4, "{killed} calls were hit, {pending} left something");
}

#[test]
fn killed_in_its_first_run_a_store_stays_whole_and_proven() {
    if !can_trace("killed in its first run") {
        return;
    }
    let (killed, pending) = kill_at_each_call("an empty store", &[], Store::new);
    assert!(killed >= 25 && pending >= 2, "{killed} calls were hit, {pending} left something");
}

#[test]
fn killed_while_it_signs_the_store_stays_whole_and_proven() {
    if !can_trace("killed while signing") {
        return;
    }
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/attest/testdata/p256.pem");
    let (killed, pending) =
        kill_at_each_call("a store that signs", &["--sign-key", key], Store::new);
    assert!(killed >= 35 && pending >= 3, "{killed} calls were hit, {pending} left something");
}

#[test]
fn killed_while_it_finishes_what_another_began() {
    if !can_trace("killed while finishing") {
        return;
    }
    for (what, injection, torn) in [
        ("a report without its name", "renameat2:signal=KILL:when=1", ""),
        ("a report without its name and a torn entry", "renameat2:signal=KILL:when=1", "{\"seq"),
        ("a removal", "unlinkat:signal=KILL:when=1", ""),
    ] {
        let (killed, _) = kill_at_each_call(what, &[], || {
            let store = store();
            let _ = inject(&store, &[injection]);
            let log = [store.read(LOG), torn.as_bytes().to_vec()].concat();
            fs::write(store.file(LOG), log).expect("written");
            assert!(proven(&store, what), "{what}");
            store
        });
        assert!(killed >= 30, "{what}: {killed} calls were hit");
    }
}

#[test]
fn killed_while_it_adopts_reports_it_goes_on_in_the_next_run() {
    if !can_trace("killed while adopting") {
        return;
    }
    let make = || {
        let store = store();
        fs::remove_file(store.file(LOG)).expect("removed");
        store
    };
    for when in 1..=12 {
        let store = make();
        let _ = inject(&store, &[&format!("fsync:signal=KILL:when={when}")]);
        let at = format!("killed at fsync {when}");
        // Until all are adopted, it says that the log does not have them.
        let ran = store.pc(&["verify"]).run();
        let open = ran.text().contains("NO LOG") || ran.text().contains("NOT IN THE LOG");
        assert!(ran.code == Some(0) || open, "{at}: {}", ran.text());
        store.keep(&report_at(NEXT));
        assert_eq!(store.read(LATEST), report_at(NEXT), "{at}");
        assert!(!proven(&store, &at), "{at}");
    }
}

#[test]
fn a_call_that_fails_is_said_and_the_store_stays_whole() {
    if !can_trace("a call that fails") {
        return;
    }
    for (call, error, times) in [
        ("fsync", "EIO", 4),
        ("ftruncate", "EIO", 1),
        ("write", "ENOSPC", 2),
        ("renameat2", "EIO", 1),
        ("renameat", "EACCES", 1),
        ("linkat", "EDQUOT", 1),
    ] {
        for when in 1..=times {
            let store = store();
            let before = store.bytes();
            let output = inject(&store, &[&format!("{call}:error={error}:when={when}")]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let at = format!("{call} {when} {error}: {said}");
            assert_eq!(output.status.code(), Some(1), "{at}");
            whole(&store, &at);
            proven(&store, &at);
            if said.contains("was not stored") {
                assert_eq!(store.bytes(), before, "{at}");
            } else {
                assert!(said.contains("the report is stored as `provenance-20261124"), "{at}");
            }
        }
    }
}

#[test]
fn an_old_report_that_cannot_be_removed_fails_nothing() {
    if !can_trace("an old report that cannot be removed") {
        return;
    }
    let store = store();
    let output = inject(&store, &["unlinkat:error=EPERM"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("an old report was not removed: cannot remove"), "{said}");
    assert_eq!(store.read(LATEST), report_at(NOW));
    assert!(store.file("provenance-20261110-060000.json").exists());
}

#[test]
fn file_systems_that_lack_a_call_are_served_by_another() {
    if !can_trace("file systems that lack a call") {
        return;
    }
    for injections in [
        &["renameat2:error=EINVAL"][..],
        &["renameat2:error=ENOSYS"],
        &["linkat:error=EPERM"],
        &["linkat:error=EOPNOTSUPP"],
        // Directories that cannot be synced; the others of a run are those of files.
        &["fsync:error=EINVAL:when=3..4"],
        &["fsync:error=EINVAL:when=6"],
        &["flock:error=ENOLCK"],
    ] {
        let store = store();
        let output = inject(&store, injections);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{injections:?}: {said}");
        assert_eq!(
            store.names(),
            ["provenance-20261123-060000.json", "provenance-20261124-060000.json", LATEST],
            "{injections:?}"
        );
        assert_eq!(store.read(LATEST), report_at(NOW), "{injections:?}");
        let locks = said.contains("has no locks");
        assert_eq!(locks, injections[0].starts_with("flock"), "{injections:?}: {said}");
    }
}

#[test]
fn a_file_system_that_cannot_claim_a_name_stores_nothing() {
    if !can_trace("a file system that cannot claim a name") {
        return;
    }
    let store = store();
    let before = store.bytes();
    let output = inject(&store, &["renameat2:error=EINVAL", "linkat:error=EPERM"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("was not stored: cannot write `provenance-20261124"), "{said}");
    assert_eq!(store.bytes(), before);
}

/// Starts pc-store on the report in the file `input`.
fn start(store: &Store, input: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_pc-store"))
        .arg("--report-path")
        .arg(store.path())
        .args(["--print", "none"])
        .stdin(fs::File::open(input).expect("opened"))
        .stderr(Stdio::null())
        .spawn()
        .expect("runs")
}

/// Numbers that look random, the same for the same seed: Knuth's generator (MMIX).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Waits until the store is being changed: most of a run is reading the report, and a kill then
/// shows nothing.
fn await_change(store: &Store, child: &mut Child) {
    let entries = || fs::read_dir(store.path()).expect("a folder").count();
    let before = entries();
    while entries() == before && child.try_wait().expect("asked").is_none() {}
}

#[test]
fn killed_at_any_time_the_store_stays_whole() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let kills: u64 = number("PC_KILLS").unwrap_or(200);
    let mut state: u64 = number("PC_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    eprintln!("PC_SEED={state}");
    let (before, report) = (report_at(BEFORE), report_of(NOW, 200));
    let input = tempfile::NamedTempFile::new().expect("a file");
    fs::write(input.path(), &report).expect("written");
    let (mut stored, mut pending) = (0, 0);
    for kill in 0..kills {
        let store = Store::new();
        store.keep(&before);
        let mut child = start(&store, input.path());
        await_change(&store, &mut child);
        std::thread::sleep(Duration::from_micros(next(&mut state) % 4000));
        child.kill().expect("killed");
        child.wait().expect("ended");
        for (name, bytes) in store.bytes() {
            let temporary = name.starts_with(".provenance-") && name.ends_with(".tmp");
            assert!(temporary || bytes == before || bytes == report, "`{name}` is no whole report");
            stored += u64::from(bytes == report && name != LATEST && !temporary);
        }
        assert!(store.names().iter().any(|name| name == LATEST));
        let at = format!("kill {kill}");
        pending += u64::from(proven(&store, &at));
        store.keep(&report_at(NEXT));
        assert_eq!(store.read(LATEST), report_at(NEXT));
        assert!(!proven(&store, &at), "{at}");
    }
    eprintln!(
        "{pending} of {kills} kills left something pending, {stored} of the runs had stored their report before the end"
    );
}
