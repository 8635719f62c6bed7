//! `pc-store verify`: a store that was touched is told, and how; one that was not is proven.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use pc_store::folder::Folder;
use pc_store::verify::{Grade, Proof, Word, verify};
use records::Digest;
use serde_json::Value;

use crate::{LOG, Store, report_at, report_of};

const LATEST: &str = "provenance-latest.json";
const FIRST: &str = "provenance-20261122-060000.json";
const SECOND: &str = "provenance-20261123-060000.json";
const THIRD: &str = "provenance-20261124-060000.json";

/// A store of three reports, of which one more was removed by the retention.
fn store() -> Store {
    let store = Store::new();
    for day in ["20", "22", "23"] {
        store.keep(&report_at(&format!("2026-11-{day}T06:00:00Z")));
    }
    let last = store.pc(&["--report-retention", "72h"]).stdin(report_at("2026-11-24T06:00:00Z"));
    let _ = last.run().ok();
    assert_eq!(store.names(), [FIRST, SECOND, THIRD, LATEST]);
    store
}

fn proof(store: &Store) -> Proof {
    let folder = Folder::open(store.path()).expect("opens");
    verify(&folder, None, 1 << 20).expect("verified")
}

/// What was found broken: the word and the subject.
fn broken(store: &Store) -> Vec<(Word, String)> {
    let found = proof(store).findings.into_iter();
    let broken = found.filter(|finding| finding.grade == Grade::Broken);
    broken.map(|finding| (finding.word, finding.subject)).collect()
}

fn lines(store: &Store) -> Vec<String> {
    let log = String::from_utf8(store.read(LOG)).expect("text");
    log.lines().map(|line| format!("{line}\n")).collect()
}

fn write_log(store: &Store, lines: &[String]) {
    fs::write(store.file(LOG), lines.concat()).expect("written");
}

#[test]
fn a_store_that_nobody_touched_is_proven_and_its_head_said() {
    let store = store();
    fs::write(store.file("notes.txt"), "mine").expect("written");
    fs::create_dir(store.file("sub")).expect("made");
    let ran = store.pc(&["verify"]).run().ok();
    let text = ran.text();
    assert!(text.starts_with("As stored: 3 reports and 0 signatures, "), "{text}");
    assert!(text.contains("By the log: 1 removed by retention, 0 by hand"), "{text}");
    assert!(text.contains("2 other names, not looked at"), "{text}");
    let ran = store.pc(&["verify", "--format", "json"]).run().ok();
    let json: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    assert_eq!((&json["verdict"], &json["entries"]), (&"proven".into(), &5.into()));
    assert_eq!((&json["reports"], &json["pruned"]), (&3.into(), &1.into()));
    let head = json["head"].as_str().expect("a head");
    assert!(text.ends_with(&format!("Head: {head} (entry 5; keep it elsewhere)\n")), "{text}");
    assert_eq!(store.pc(&["verify"]).run().ok().text(), text, "nothing was changed");
}

#[test]
fn a_head_that_was_kept_elsewhere_must_be_in_the_chain() {
    let store = store();
    let head = proof(&store).head.expect("a head");
    let fourth = "provenance-20261124-070000.json";
    store.keep(&report_at("2026-11-24T07:00:00Z"));
    for head in [head.as_str(), head.hex()] {
        let ran = store.pc(&["verify", "--head", head]).run().ok();
        let text = ran.text();
        assert!(text.contains("The head given is that of entry 5, 1 before the last."), "{text}");
    }
    let head = proof(&store).head.expect("a head");
    // The last report with its entry: nothing in the store shows that it was there.
    write_log(&store, &lines(&store)[..5]);
    fs::remove_file(store.file(fourth)).expect("removed");
    fs::remove_file(store.file(LATEST)).expect("removed");
    fs::copy(store.file(THIRD), store.file(LATEST)).expect("copied");
    let _ = store.pc(&["verify"]).run().ok();
    let ran = store.pc(&["verify", "--head", head.as_str()]).run().code(3);
    assert!(ran.text().starts_with(&format!("HEAD NOT FOUND: {head}: ")), "{}", ran.text());
    let _ = store.pc(&["verify", "--head", "yesterday"]).run().code(2);
}

#[test]
fn every_changed_byte_of_every_file_is_found() {
    let store = store();
    for name in [FIRST, SECOND, THIRD] {
        let bytes = store.read(name);
        // The newest has two names.
        fs::remove_file(store.file(name)).expect("removed");
        for at in (0..bytes.len()).step_by(37).chain([bytes.len() - 1]) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(store.file(name), changed).expect("written");
            assert_eq!(broken(&store), [(Word::Altered, name.to_owned())], "byte {at}");
        }
        fs::write(store.file(name), &bytes[..bytes.len() - 1]).expect("written");
        assert_eq!(broken(&store), [(Word::Altered, name.to_owned())]);
        fs::write(store.file(name), [&bytes[..], b"\n"].concat()).expect("written");
        assert_eq!(broken(&store), [(Word::Altered, name.to_owned())]);
        fs::write(store.file(name), &bytes).expect("written");
    }
    let latest = store.read(LATEST);
    fs::remove_file(store.file(LATEST)).expect("removed");
    assert_eq!(broken(&store), [(Word::Latest, LATEST.to_owned())]);
    for at in (0..latest.len()).step_by(17) {
        let mut changed = latest.clone();
        changed[at] ^= 1;
        fs::write(store.file(LATEST), changed).expect("written");
        assert_eq!(broken(&store), [(Word::Latest, LATEST.to_owned())], "byte {at}");
    }
    fs::copy(store.file(SECOND), store.file(LATEST)).expect("copied");
    assert_eq!(broken(&store), [(Word::Latest, LATEST.to_owned())]);
    fs::write(store.file(LATEST), latest).expect("written");
    assert_eq!(broken(&store), []);
}

#[test]
fn every_changed_byte_of_the_log_is_found_and_its_entry_named() {
    let store = store();
    let log = store.read(LOG);
    let mut entry = 1;
    for at in 0..log.len() {
        let mut changed = log.clone();
        changed[at] ^= 1 << (at % 7);
        fs::write(store.file(LOG), changed).expect("written");
        let found = broken(&store);
        let subject = format!("entry {entry}");
        // The end of the last line is all that makes its entry one, and its report is there.
        let torn = at == log.len() - 1;
        let named = found.iter().any(|(_, what)| *what == subject);
        assert!(!found.is_empty() && (named || torn), "byte {at}: {found:?}");
        entry += usize::from(log[at] == b'\n');
    }
}

#[test]
fn a_report_that_is_gone_or_exchanged_is_named() {
    let store = store();
    for name in [FIRST, SECOND, THIRD] {
        let bytes = store.read(name);
        fs::remove_file(store.file(name)).expect("removed");
        assert_eq!(broken(&store), [(Word::Missing, name.to_owned())]);
        let ran = store.pc(&["verify"]).run().code(3);
        let _ = ran.says("gate not met: the store is not as it was written: 1 found");
        symlink("elsewhere", store.file(name)).expect("linked");
        assert_eq!(broken(&store), [(Word::Altered, name.to_owned())]);
        fs::remove_file(store.file(name)).expect("removed");
        fs::create_dir(store.file(name)).expect("made");
        assert_eq!(broken(&store), [(Word::Altered, name.to_owned())]);
        fs::remove_dir(store.file(name)).expect("removed");
        fs::write(store.file(name), bytes).expect("written");
    }
    let (first, second) = (store.read(FIRST), store.read(SECOND));
    fs::write(store.file(FIRST), &second).expect("written");
    fs::write(store.file(SECOND), &first).expect("written");
    let both = [(Word::Altered, FIRST.to_owned()), (Word::Altered, SECOND.to_owned())];
    assert_eq!(broken(&store), both);
    // Another report as valid as it was.
    fs::write(store.file(FIRST), report_of("2026-11-22T06:00:00Z", 9)).expect("written");
    fs::write(store.file(SECOND), &second).expect("written");
    assert_eq!(broken(&store), both[..1]);
}

#[test]
fn a_report_that_the_log_does_not_have_is_named() {
    let store = store();
    let other = "provenance-20261121-060000.json";
    fs::write(store.file(other), report_at("2026-11-21T06:00:00Z")).expect("written");
    assert_eq!(broken(&store), [(Word::NotInLog, other.to_owned())]);
    // One that the retention removed, brought back.
    fs::remove_file(store.file(other)).expect("removed");
    let pruned = "provenance-20261120-060000.json";
    // The last entry is not done where exactly these bytes are there.
    store.keep(&report_at("2026-11-24T07:00:00Z"));
    fs::write(store.file(pruned), report_at("2026-11-20T06:00:00Z")).expect("written");
    let ran = store.pc(&["verify"]).run().code(3);
    let text = ran.text();
    let told = format!("NOT IN THE LOG: {pruned}: the log has it, but removed by the retention");
    assert!(text.starts_with(&told), "{text}");
    // What only looks like a report is nobody's business.
    fs::write(store.file(pruned), "{}").expect("written");
    assert_eq!(broken(&store), []);
}

#[test]
fn an_entry_that_is_gone_is_named() {
    let store = store();
    let all = lines(&store);
    for gone in 0..all.len() {
        let mut lines = all.clone();
        lines.remove(gone);
        write_log(&store, &lines);
        let found = broken(&store);
        if gone + 1 == all.len() {
            // Nothing in the log shows that its last entry is gone; what lies there does.
            assert_eq!(found, [(Word::Missing, "provenance-20261120-060000.json".into())]);
        } else {
            let entry = (Word::EntryMissing, format!("entry {}", gone + 1));
            assert!(found.contains(&entry), "{gone}: {found:?}");
        }
    }
    write_log(&store, &all[..3]);
    assert!(broken(&store).contains(&(Word::NotInLog, THIRD.to_owned())));
}

#[test]
fn entries_that_changed_places_are_named() {
    let store = store();
    let all = lines(&store);
    for one in 0..all.len() {
        for other in one + 1..all.len() {
            let mut lines = all.clone();
            lines.swap(one, other);
            write_log(&store, &lines);
            let found = broken(&store);
            let entry = (Word::EntryMissing, format!("entry {}", one + 1));
            assert!(found.contains(&entry), "{one} and {other}: {found:?}");
        }
        let mut lines = all.clone();
        lines.insert(one, all[one].clone());
        write_log(&store, &lines);
        assert!(!broken(&store).is_empty(), "{one} twice");
    }
}

/// `line` with `from` replaced by `to`, and a sum that fits: by somebody who knows the form.
fn forged(line: &str, from: &str, to: &str) -> String {
    let (body, _) = line.rsplit_once(",\"sum\":").expect("a sum");
    assert!(body.contains(from), "{body}");
    let body = body.replace(from, to);
    let sum = pc_store::document::digest(body.as_bytes());
    format!("{body},\"sum\":\"{sum}\"}}\n")
}

#[test]
fn an_entry_that_was_replaced_is_named() {
    let store = store();
    let all = lines(&store);
    let version = env!("CARGO_PKG_VERSION");
    for at in 0..all.len() - 1 {
        let mut lines = all.clone();
        lines[at] = forged(&all[at], &format!("pc-store {version}"), "pc-store 9.9.9");
        write_log(&store, &lines);
        let replaced = (Word::EntryReplaced, format!("entry {}", at + 1));
        assert_eq!(broken(&store), [replaced], "{at}");
    }
    // The last one, to fit what somebody put there: who kept the head knows.
    let head = proof_of(&all).head.expect("a head");
    let mut lines = all.clone();
    lines[4] = forged(&all[4], "pruned", "removed");
    write_log(&store, &lines);
    let ran = store.pc(&["verify", "--head", head.as_str()]).run().code(3);
    assert!(ran.text().starts_with("HEAD NOT FOUND"), "{}", ran.text());
    // One of a later version: not broken, not proven.
    lines[4] = forged(&all[4], "pruned", "blessed");
    write_log(&store, &lines);
    let ran = store.pc(&["verify"]).run().code(1).says("not all could be checked");
    assert!(ran.text().contains("LOG ENTRY NOT KNOWN: entry 5"), "{}", ran.text());
}

/// What a store with this log and nothing else proves.
fn proof_of(lines: &[String]) -> Proof {
    let store = Store::new();
    write_log(&store, lines);
    proof(&store)
}

#[test]
fn without_a_log_nothing_is_proven() {
    let store = store();
    fs::remove_file(store.file(LOG)).expect("removed");
    let ran = store.pc(&["verify"]).run().code(1);
    assert!(ran.text().starts_with("NO LOG: "), "{}", ran.text());
    // The next run begins one, and says what it took in.
    store.keep(&report_at("2026-11-24T07:00:00Z"));
    let ran = store.pc(&["verify"]).run().ok();
    assert!(ran.text().contains(" 3 adopted"), "{}", ran.text());
    let empty = Store::new();
    let ran = empty.pc(&["verify"]).run().code(1);
    assert!(ran.text().contains("Log: none"), "{}", ran.text());
    let none = format!("sha256:{:064}", 0);
    let _ = empty.pc(&["verify", "--head", &none]).run().code(1);
}

#[test]
fn what_cannot_be_read_is_not_proven_and_not_broken() {
    if rustix::process::geteuid().is_root() {
        let nobody = std::process::Command::new("setpriv")
            .args(["--reuid=65534", "--clear-groups", "true"])
            .status();
        if !nobody.is_ok_and(|status| status.success()) {
            return crate::skipped("what cannot be read", "setpriv is not there");
        }
    }
    let store = store();
    let all = fs::Permissions::from_mode(0o755);
    fs::set_permissions(store.path(), all).expect("opened");
    for name in [FIRST, THIRD, LATEST, LOG] {
        fs::set_permissions(store.file(name), fs::Permissions::from_mode(0o644)).expect("opened");
    }
    fs::set_permissions(store.file(SECOND), fs::Permissions::from_mode(0o600)).expect("closed");
    let verify = |store: &Store| {
        let output = crate::systems::as_nobody(store, &["verify"], b"");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, text) = verify(&store);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with(&format!("NOT CHECKED: {SECOND}: cannot read")), "{text}");
    // What could not be checked goes before what is broken; both are told.
    fs::remove_file(store.file(FIRST)).expect("removed");
    let (code, text) = verify(&store);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with(&format!("MISSING: {FIRST}")), "{text}");
    fs::set_permissions(store.file(LOG), fs::Permissions::from_mode(0o600)).expect("closed");
    assert_eq!(verify(&store).0, Some(1));
}

#[test]
fn reports_are_removed_by_name_and_losses_acknowledged() {
    let store = store();
    let ran = store.pc(&["remove", THIRD]).run().ok();
    assert_eq!(ran.text(), format!("removed {THIRD}\n"));
    assert_eq!(store.read(LATEST), report_at("2026-11-23T06:00:00Z"));
    let _ = store.pc(&["verify"]).run().ok();
    fs::remove_file(store.file(SECOND)).expect("removed");
    let _ = store.pc(&["verify"]).run().code(3);
    let ran = store.pc(&["remove", SECOND]).run().ok();
    assert_eq!(ran.text(), format!("{SECOND} is lost, and the log says so\n"));
    let ran = store.pc(&["verify"]).run().ok();
    let text = ran.text();
    assert!(text.contains("1 by hand, 1 known to be lost"), "{text}");
    assert_eq!(store.names(), [FIRST, LATEST]);
    // What is not the store's is not removed.
    fs::write(store.file(FIRST), report_of("2026-11-22T06:00:00Z", 9)).expect("written");
    let before = store.bytes();
    let ran = store.pc(&["remove", FIRST]).run().code(1);
    let _ = ran.says("or its signature is not what was stored").says("hint: move it away by hand");
    let ran = store.pc(&["remove", "provenance-20261101-060000.json"]).run().code(1);
    let _ = ran.says("is no report of the store");
    let _ = store.pc(&["remove", "../x"]).run().code(2);
    assert_eq!(store.bytes(), before);
    let _ = store.pc(&["remove"]).run().code(2);
}

#[test]
fn what_a_dead_run_left_is_pending_and_neither_hidden_nor_broken() {
    let store = store();
    let before = lines(&store);
    let names: BTreeMap<String, Vec<u8>> = store.bytes();
    store.keep(&report_at("2026-11-24T07:00:00Z"));
    let entry: Value = serde_json::from_str(&lines(&store)[5]).expect("JSON");
    let staged = entry["staged"].as_str().expect("a name");
    let fourth = "provenance-20261124-070000.json";
    // As if it had died before the name.
    fs::rename(store.file(fourth), store.file(staged)).expect("renamed");
    fs::remove_file(store.file(LATEST)).expect("removed");
    fs::write(store.file(LATEST), &names[LATEST]).expect("written");
    let ran = store.pc(&["verify"]).run().ok();
    let told = format!("PENDING: {fourth}: entry 6: written, and not in its place yet");
    assert!(ran.text().starts_with(&told), "{}", ran.text());
    // A run that only looks changes nothing; the next that writes finishes it.
    let ran = store.pc(&["prune"]).run().ok();
    let _ = ran.says(&format!("finished what a dead run began: `{fourth}` is stored"));
    assert_eq!(store.read(fourth), report_at("2026-11-24T07:00:00Z"));
    assert_eq!(store.read(LATEST), report_at("2026-11-24T07:00:00Z"));
    let ran = store.pc(&["verify"]).run().ok();
    assert!(!ran.text().contains("PENDING"), "{}", ran.text());
    // Bytes that are not those of the entry are no report of it.
    fs::remove_file(store.file(fourth)).expect("removed");
    fs::write(store.file(staged), "{}").expect("written");
    let found: Vec<Word> = broken(&store).into_iter().map(|(word, _)| word).collect();
    assert_eq!(found, [Word::Missing]);
    let mut torn = before;
    torn.push("{\"torn".to_owned());
    fs::write(store.file(LATEST), &names[LATEST]).expect("written");
    write_log(&store, &torn);
    let ran = store.pc(&["verify"]).run().ok();
    assert!(ran.text().starts_with("PENDING: LOG TORN: entry 6: 6 bytes"), "{}", ran.text());
}

#[test]
fn a_head_reads_with_and_without_its_algorithm() {
    let digest: Digest = format!("sha256:{:064}", 7).parse().expect("a digest");
    let store = store();
    let ran = store.pc(&["verify", "--head", digest.hex()]).run().code(3);
    assert!(ran.text().contains(digest.as_str()), "{}", ran.text());
}

#[test]
fn verify_beside_a_writer_finds_nothing() {
    let store = Store::new();
    store.keep(&report_at("2026-11-01T06:00:00Z"));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for minute in 0..25 {
                let report = report_at(&format!("2026-11-24T06:{minute:02}:00Z"));
                let _ = store.pc(&["--report-retention", "5m"]).stdin(report).run().ok();
            }
        });
        while !writer.is_finished() {
            assert_eq!(broken(&store), []);
        }
    });
    assert_eq!(proof(&store).findings.len(), 0);
}

#[test]
fn a_newest_report_that_was_put_back_or_taken_away_is_no_dead_run() {
    for change in ["older", "gone"] {
        let store = Store::new();
        for day in 20..23 {
            store.keep(&report_at(&format!("2026-11-{day}T06:00:00Z")));
        }
        match change {
            "older" => {
                let older = store.read("provenance-20261120-060000.json");
                fs::write(store.file(LATEST), older).expect("written");
            }
            _ => fs::remove_file(store.file(LATEST)).expect("removed"),
        }
        let ran = store.pc(&["verify"]).run().code(3);
        assert!(ran.text().contains("NOT THE LATEST"), "{change}: {}", ran.text());
    }
}
