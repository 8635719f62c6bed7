//! The log of a store: what is in it, and what the next writer makes of what it finds.

use std::fs;

use sha2::{Digest, Sha256};

use crate::{LOG, Store, report_at, report_of};

const FIRST: &str = "provenance-20261123-060000.json";
const SECOND: &str = "provenance-20261124-060000.json";

fn hash(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// A store of two reports.
fn store() -> Store {
    let store = Store::new();
    store.keep(&report_at("2026-11-23T06:00:00Z"));
    store.keep(&report_at("2026-11-24T06:00:00Z"));
    store
}

#[test]
fn each_report_has_an_entry_that_holds_the_one_before() {
    let store = store();
    let log = store.log();
    let text = String::from_utf8(store.read(LOG)).expect("text");
    let first = text.lines().next().expect("a line");
    let report = report_at("2026-11-24T06:00:00Z");
    assert_eq!(log.len(), 2);
    let entry = &log[1];
    assert_eq!((&entry["sequence"], &entry["event"]), (&2.into(), &"stored".into()));
    assert_eq!((&entry["name"], &entry["size"]), (&SECOND.into(), &report.len().into()));
    assert_eq!(entry["digest"], hash(&report));
    assert_eq!(entry["generatedAt"], "2026-11-24T06:00:00Z");
    assert_eq!(entry["at"], "2026-11-24T12:00:00Z");
    assert_eq!(entry["by"], concat!("pc-store ", env!("CARGO_PKG_VERSION")));
    assert_eq!(entry["previous"], hash(first.as_bytes()));
    assert_eq!(log[0].get("previous"), None);
    let (body, _) = first.rsplit_once(",\"sum\":").expect("a sum");
    assert_eq!(log[0]["sum"], hash(body.as_bytes()));
}

#[test]
fn reports_from_before_the_log_are_adopted_oldest_first_and_said() {
    let store = store();
    fs::remove_file(store.file(LOG)).expect("removed");
    fs::write(store.file("provenance-20261120-060000.json"), "{}").expect("written");
    let before = store.bytes();
    let ran = store.keep(&report_at("2026-11-24T07:00:00Z"));
    let _ = ran.says(&format!("`{FIRST}` was not in the log, and is from now on"));
    assert_eq!(
        store.events(),
        [
            format!("adopted {FIRST}"),
            format!("adopted {SECOND}"),
            "stored provenance-20261124-070000.json".into(),
        ]
    );
    let after = store.bytes();
    for name in [FIRST, SECOND, "provenance-20261120-060000.json"] {
        assert_eq!(after[name], before[name], "{name}");
    }
}

#[test]
fn the_retention_is_in_the_log() {
    let store = store();
    let _ = store.pc(&["prune", "--report-retention", "1h"]).run().ok();
    let pruned = format!("pruned {FIRST}");
    assert_eq!(store.events(), [format!("stored {FIRST}"), format!("stored {SECOND}"), pruned]);
    assert_eq!(store.log()[2]["digest"], hash(&report_at("2026-11-23T06:00:00Z")));
    // What is dry leaves no trace.
    let _ = store.pc(&["prune", "--dry-run", "--report-retention", "0"]).run().ok();
    assert_eq!(store.log().len(), 3);
}

#[test]
fn a_torn_line_is_healed_and_said() {
    let store = store();
    let mut log = store.read(LOG);
    let whole = log.clone();
    log.extend_from_slice(b"{\"sequence\":3,\"ev");
    fs::write(store.file(LOG), &log).expect("written");
    let ran = store.keep(&report_at("2026-11-24T07:00:00Z"));
    let _ = ran.says("the log ended in the middle of an entry");
    assert!(store.read(LOG).starts_with(&whole));
    let log = store.log();
    assert_eq!((&log[2]["event"], &log[2]["size"]), (&"healed".into(), &17.into()));
    assert_eq!(log[2]["digest"], hash(b"{\"sequence\":3,\"ev"));
    assert_eq!(log[3]["event"], "stored");
}

#[test]
fn a_damaged_log_takes_further_entries_and_loses_no_report() {
    let store = store();
    let mut log = store.read(LOG);
    // The first digit of the first report's hash.
    let text = String::from_utf8_lossy(&log).into_owned();
    let at = text.find("sha256:").expect("a hash") + "sha256:".len();
    log[at] = if log[at] == b'0' { b'1' } else { b'0' };
    fs::write(store.file(LOG), &log).expect("written");
    store.keep(&report_at("2026-11-24T07:00:00Z"));
    assert!(store.read(LOG).starts_with(&log), "nothing of it is rewritten");
    let events: Vec<String> = store.events().split_off(2);
    // By what can be believed of the log it has only the second.
    assert_eq!(
        events,
        [format!("adopted {FIRST}"), "stored provenance-20261124-070000.json".into()]
    );
}

#[test]
fn a_clock_that_goes_backwards_changes_no_order() {
    let store = Store::new();
    for (time, epoch) in [("2026-11-24T06:00:00Z", "1795521600"), ("2026-11-23T06:00:00Z", "86400")]
    {
        let run = store.pc(&[]).env("SOURCE_DATE_EPOCH", epoch);
        let _ = run.stdin(report_at(time)).run().ok();
    }
    let log = store.log();
    assert_eq!((&log[0]["sequence"], &log[1]["sequence"]), (&1.into(), &2.into()));
    assert_eq!(log[1]["at"], "1970-01-02T00:00:00Z");
}

#[test]
fn an_altered_report_is_not_for_the_retention_to_remove() {
    let store = store();
    // As valid as it was, and another.
    fs::write(store.file(FIRST), report_of("2026-11-23T06:00:00Z", 3)).expect("written");
    let ran = store.pc(&["prune", "--report-retention", "1h"]).run().ok();
    let _ = ran.says(&format!("`{FIRST}` is not what was stored"));
    assert!(store.file(FIRST).exists());
}

#[test]
fn a_log_that_is_a_link_is_not_followed() {
    let store = Store::new();
    let outside = Store::new();
    fs::write(outside.file("log"), "mine\n").expect("written");
    std::os::unix::fs::symlink(outside.file("log"), store.file(LOG)).expect("linked");
    let ran = store.pc(&[]).stdin(report_at("2026-11-24T06:00:00Z")).run().code(1);
    let _ = ran.says(&format!("the report was not stored: `{LOG}` in")).says("not a regular file");
    assert_eq!(outside.read("log"), b"mine\n");
    assert_eq!(store.names(), [""; 0]);
}
