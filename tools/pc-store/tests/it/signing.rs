//! The signature beside a report: what is signed, that cosign agrees, and that no report is lost
//! for want of one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use records::How;
use serde_json::{Value, json};
use testkit::{Ran, Run, Testbed};

use crate::{Store, report, report_at, skipped, written};

const REPORT: &str = "provenance-20261124-060000.json";
const SIGNATURE: &str = "provenance-20261124-060000.sigstore.json";
const LATEST: &str = "provenance-latest.json";
const NOW: &str = "2026-11-24T06:00:00Z";
const OLD: &str = "2026-11-10T06:00:00Z";
const PREDICATE: &str = "https://provenance.nebari.dev/attestation/report/v1";

/// A key of the crate that signs: its tests say how it was made.
fn key(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/attest/testdata").join(name)
}

/// The bytes of a report in which one image is proven to run.
fn running() -> Vec<u8> {
    let mut report = report(NOW, 2);
    let row = &mut report.images[0];
    let digest = |byte: &str| format!("sha256:{}", byte.repeat(32)).parse().expect("a digest");
    row.image_id = Some(format!("ghcr.io/acme/web@sha256:{}", "1a".repeat(32)));
    row.repository = Some("ghcr.io/acme/web".into());
    (row.digest, row.manifest) = (Some(digest("1a")), Some(digest("2b")));
    row.how = Some(How::Status);
    written(&report)
}

/// Stores a report with a key.
fn signed(store: &Store, report: &[u8], name: &str) -> Run {
    store.pc(&[]).env("PROVENANCE_SIGN_KEY", key(name)).stdin(report)
}

/// The statement in a bundle.
fn statement(bundle: &[u8]) -> Value {
    use base64::Engine as _;
    let bundle: Value = serde_json::from_slice(bundle).expect("JSON");
    let payload = bundle["dsseEnvelope"]["payload"].as_str().expect("a payload");
    let payload = base64::engine::general_purpose::STANDARD.decode(payload).expect("base64");
    serde_json::from_slice(&payload).expect("a statement")
}

#[test]
fn the_report_and_all_that_runs_are_signed_and_the_signature_lies_beside() {
    let store = Store::new();
    let report = running();
    let ran = signed(&store, &report, "ed25519.pem").env("PROVENANCE_PRINT", "summary").run().ok();
    let line = format!("\nSigned: {SIGNATURE}  Ed25519\n");
    assert!(ran.text().contains(&line), "{}", ran.text());
    assert_eq!(store.names(), [REPORT, SIGNATURE, LATEST]);
    let bundle = store.read(SIGNATURE);
    let statement = statement(&bundle);
    let sha256 = sha256_of(&report);
    assert_eq!(
        statement["subject"],
        json!([
            {"name": REPORT, "digest": {"sha256": sha256}},
            {"name": "ghcr.io/acme/web", "digest": {"sha256": "1a".repeat(32)}},
            {"name": "ghcr.io/acme/web", "digest": {"sha256": "2b".repeat(32)}},
        ])
    );
    assert_eq!(statement["predicateType"], PREDICATE);
    let predicate = &statement["predicate"];
    assert_eq!(predicate["report"]["digest"]["sha256"], *sha256);
    assert_eq!(predicate["report"]["bytes"], report.len());
    assert_eq!(predicate["clusterName"], "prod");
    let stored: Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(predicate["summary"], stored["summary"]);
    // The same report and key give the same bytes.
    let again = Store::new();
    let _ = signed(&again, &report, "ed25519.pem").run().ok();
    assert_eq!(again.read(SIGNATURE), bundle);
    // The list and the newest are of reports alone.
    let list = store.pc(&["list", "--format", "json"]).run().ok().text();
    assert_eq!(list.matches("filename").count(), 1, "{list}");
    assert_eq!(store.pc(&["get", "latest"]).run().ok().stdout, report);
}

fn sha256_of(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    hex::encode(Sha256::digest(bytes))
}

#[test]
fn a_signature_goes_with_its_report_and_what_others_put_there_stays() {
    let store = Store::new();
    let _ = signed(&store, &report_at(OLD), "p256.pem").run().ok();
    let _ = signed(&store, &report_at("2026-11-11T06:00:00Z"), "p256.pem").run().ok();
    let _ = signed(&store, &report_at(NOW), "p256.pem").run().ok();
    let foreign = "provenance-20261111-060000.sigstore.json";
    fs::write(store.file(foreign), "mine").expect("written");
    let stray = "provenance-20261109-060000.sigstore.json";
    fs::write(store.file(stray), "mine").expect("written");
    let _ = store.pc(&["prune", "--report-retention", "7d"]).run().ok();
    // A signature that somebody changed is evidence of that, and so is its report.
    let changed = "provenance-20261111-060000.json";
    assert_eq!(store.names(), [stray, changed, foreign, REPORT, SIGNATURE, LATEST]);
    assert_eq!(store.read(foreign), b"mine");
}

/// Demands that a report was stored and not signed, and that the run says so.
#[track_caller]
fn unsigned(store: &Store, ran: Ran, words: &str) {
    let _ =
        ran.code(1).says("the report is stored as `provenance-20261124-060000.json`").says(words);
    assert_eq!(store.read(REPORT), running());
    assert_eq!(store.read(LATEST), running());
}

#[test]
fn a_report_whose_signing_fails_is_stored_and_the_run_says_so() {
    for (name, password, words) in [
        ("cosign.key", None, "it is encrypted, and there is no password for it"),
        ("cosign.key", Some("wrong"), "the password does not open it"),
        ("rsa.pem", None, "it is not a key for ECDSA P-256, ECDSA P-384 or Ed25519"),
        ("p256.pub", None, "it holds `PUBLIC KEY` and no private key"),
        ("none.pem", None, "cannot read the key in"),
    ] {
        let store = Store::new();
        let run = signed(&store, &running(), name);
        let run = match password {
            Some(password) => run.env("PROVENANCE_SIGN_PASSWORD", password),
            None => run,
        };
        unsigned(&store, run.run(), words);
        assert_eq!(store.names(), [REPORT, LATEST], "{name}");
    }
    let store = Store::new();
    fs::write(store.file(SIGNATURE), "mine").expect("written");
    let ran = signed(&store, &running(), "ed25519.pem").run();
    unsigned(&store, ran, "`provenance-20261124-060000.sigstore.json` is something else");
    assert_eq!(store.read(SIGNATURE), b"mine");
}

#[test]
fn a_key_elsewhere_than_in_a_file_is_a_mistake_of_usage_and_nothing_is_stored() {
    let store = Store::new();
    let ran = store.pc(&["--sign-key", "awskms:///alias/sign"]).stdin(running()).run().code(2);
    let _ = ran.says("`awskms://` keys are not supported");
    assert_eq!(store.names(), Vec::<String>::new());
}

/// Who holds a signature can tell which log the report followed.
#[test]
fn the_statement_names_the_logs_head_before_the_report() {
    let store = Store::new();
    let _ = signed(&store, &report_at(OLD), "ed25519.pem").run().ok();
    let _ = signed(&store, &running(), "ed25519.pem").run().ok();
    let heads = ["provenance-20261110-060000", "provenance-20261124-060000"].map(|name| {
        let statement = statement(&store.read(&format!("{name}.sigstore.json")));
        statement["predicate"]["previousHead"].clone()
    });
    let log = store.log();
    let events: Vec<&str> = log.iter().filter_map(|entry| entry["event"].as_str()).collect();
    assert_eq!(events, ["stored", "signed", "stored", "signed"]);
    let lines = String::from_utf8(store.read("provenance-log.jsonl")).expect("text");
    let second = lines.lines().nth(1).expect("a line");
    assert_eq!(heads, [Value::Null, format!("sha256:{}", sha256_of(second.as_bytes())).into()]);
    assert_eq!(log[2]["previous"], heads[1]);
}

#[test]
fn passwords_are_taken_from_the_environment_and_ours_goes_first() {
    for (ours, cosigns, code) in [
        (Some("correct horse"), Some("wrong"), 0),
        (Some(""), Some("correct horse"), 0),
        (None, Some("correct horse"), 0),
        (Some("wrong"), Some("correct horse"), 1),
        (None, Some(""), 1),
    ] {
        let store = Store::new();
        let mut run = signed(&store, &running(), "cosign.key");
        for (name, value) in [("PROVENANCE_SIGN_PASSWORD", ours), ("COSIGN_PASSWORD", cosigns)] {
            if let Some(value) = value {
                run = run.env(name, value);
            }
        }
        let ran = run.run().code(code);
        assert!(!ran.stderr.contains("horse"), "{}", ran.stderr);
    }
}

#[test]
fn killed_at_each_call_a_signature_is_whole_or_not_there() {
    let traced = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !traced {
        skipped("killed at each call", "strace is not there, or may not trace");
        return;
    }
    let subject = json!({"name": REPORT, "digest": {"sha256": sha256_of(&running())}});
    let whole =
        |bytes: &Vec<u8>| bytes.ends_with(b"\n") && statement(bytes)["subject"][0] == subject;
    let input = tempfile::NamedTempFile::new().expect("a file");
    fs::write(input.path(), running()).expect("written");
    let (mut killed, mut unsigned, mut both) = (0, 0, 0);
    for call in ["write", "fsync", "renameat2", "renameat", "linkat", "unlinkat"] {
        for when in 1.. {
            let store = Store::new();
            let _ = signed(&store, &report_at(OLD), "ed25519.pem").run().ok();
            let status = Command::new("strace")
                .args(["-f", "-o", "/dev/null", "-e"])
                .arg(format!("inject={call}:signal=KILL:when={when}"))
                .arg(env!("CARGO_BIN_EXE_pc-store"))
                .arg("--report-path")
                .arg(store.path())
                .args(["--report-retention", "7d", "--print", "none", "--sign-key"])
                .arg(key("ed25519.pem"))
                .env("SOURCE_DATE_EPOCH", "1795521600")
                .stdin(fs::File::open(input.path()).expect("opened"))
                .stderr(Stdio::null())
                .status()
                .expect("strace runs");
            if status.success() {
                break;
            }
            killed += 1;
            let at = format!("killed at {call} {when}");
            let files = store.bytes();
            let (report, signature) = (files.get(REPORT), files.get(SIGNATURE));
            assert!(report.is_none_or(|bytes| *bytes == running()), "{at}");
            assert!(signature.is_none_or(whole), "{at}: half a signature");
            assert!(signature.is_none() || report.is_some(), "{at}: of no report");
            unsigned += usize::from(report.is_some() && signature.is_none());
            both += usize::from(signature.is_some());
            // No signature outlives its report.
            let old = "provenance-20261110-060000";
            let left = |suffix: &str| files.contains_key(&format!("{old}{suffix}"));
            assert!(left(".json") || !left(".sigstore.json"), "{at}");
            // The next run removes what is left of the old one.
            let next = report_at("2026-11-24T07:00:00Z");
            let _ = signed(&store, &next, "ed25519.pem").arg("--report-retention=7d").run().ok();
            assert!(!store.names().iter().any(|name| name.starts_with(old)), "{at}");
        }
    }
    assert!(killed >= 12 && unsigned >= 2 && both >= 3, "{killed} {unsigned} {both}");
}

/// Both versions of cosign, which are to check without any service.
fn cosigns(testbed: &Testbed, home: &Path) -> [(&'static str, Run); 2] {
    let run = |name: &'static str, more: &[&str]| {
        let run =
            testbed.tool(name, home).args(["verify-blob-attestation", "--insecure-ignore-tlog"]);
        (name, run.args(more))
    };
    let root = testbed.var("TRUSTED_ROOT");
    [run("cosign", &[]), run("cosign2", &["--new-bundle-format", "--trusted-root", &root])]
}

/// What cosign says of a file and its signature under a key.
fn verified(
    testbed: &Testbed,
    store: &Store,
    public: &str,
    file: &str,
) -> Vec<(&'static str, Ran)> {
    let home = tempfile::tempdir().expect("a folder");
    let check = |(name, run): (&'static str, Run)| {
        let run = run.arg("--key").arg(key(public)).arg("--bundle").arg(store.file(SIGNATURE));
        (name, run.args(["--type", PREDICATE]).arg(store.file(file)).run())
    };
    cosigns(testbed, home.path()).map(check).into()
}

#[test]
fn cosign_checks_a_report_against_its_signature() {
    let Some(testbed) = Testbed::from_env("cosign checks a report against its signature") else {
        return;
    };
    for (private, public) in [
        ("cosign.key", "cosign.pub"),
        ("p256.pem", "p256.pub"),
        ("p256-sec1.pem", "p256.pub"),
        ("p384.pem", "p384.pub"),
        ("ed25519.pem", "ed25519.pub"),
    ] {
        let store = Store::new();
        let run = signed(&store, &running(), private);
        let _ = run.env("COSIGN_PASSWORD", "correct horse").run().ok();
        for (_, ran) in verified(&testbed, &store, public, REPORT) {
            let _ = ran.ok().says("Verified OK");
        }
        // The newest report is the same bytes under another name.
        for (_, ran) in verified(&testbed, &store, public, LATEST) {
            let _ = ran.ok();
        }
        let other = if public == "p256.pub" { "cosign.pub" } else { "p256.pub" };
        for (name, ran) in verified(&testbed, &store, other, REPORT) {
            assert_ne!(ran.code, Some(0), "{name} took another key");
        }
        let mut changed = running();
        let at = changed.iter().position(|byte| *byte == b'2').expect("a digit");
        changed[at] = b'3';
        fs::write(store.file("changed.json"), changed).expect("written");
        for (name, ran) in verified(&testbed, &store, public, "changed.json") {
            assert_ne!(ran.code, Some(0), "{name} took a changed report");
        }
    }
}
