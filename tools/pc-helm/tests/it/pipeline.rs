//! In the middle of a pipeline: what comes is forwarded, and what is added stands behind it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::api::{FakeApi, Reply};
use testkit::{Run, pc, root};

use crate::{metadata, stored, tally};

const IMAGE: &str = "{\"type\":\"image\",\"v\":1,\"odd\" : \"kept as it is\"}\n";
const END: &str = "{\"type\":\"end\",\"v\":1,\"stages\":[{\"stage\":\"pc-discover\",\"version\":\"1\",\"startedAt\":\"\",\"endedAt\":\"\",\"written\":{\"image\":1}}]}\n";

fn one(uri: &str) -> Reply {
    match uri.split('?').next().unwrap_or_default() {
        "/api/v1/secrets" => {
            Reply::list(&[json!({"metadata": metadata("shop", "web", 1, "deployed")})], "")
        }
        "/apis" => Reply::Json(200, json!({"groups": []})),
        path if path.ends_with(".v1") => Reply::Json(200, stored("shop", "web", 1, "deployed")),
        _ => Reply::list(&[], ""),
    }
}

fn helm(api: &FakeApi) -> Run {
    pc("helm").arg("--kubeconfig").arg(api.kubeconfig())
}

#[test]
fn releases_stand_behind_the_input_and_before_the_end() {
    let api = FakeApi::start(one);
    let ran = helm(&api).stdin([IMAGE, END].concat()).run().ok();
    let text = ran.text();
    assert!(text.starts_with(IMAGE), "{text}");
    let types: Vec<Value> = ran.records().iter().map(|record| record["type"].clone()).collect();
    assert_eq!(types, ["image", "release", "end"]);
    let end = ran.records().pop().expect("an end");
    assert_eq!(end["stages"][0]["stage"], "pc-discover");
    assert_eq!(
        (&tally(&ran)["stage"], &tally(&ran)["written"]),
        (&json!("pc-helm"), &json!({"release": 1}))
    );
    // Two runs give the same bytes.
    let fixed = || {
        let run = helm(&api).env("SOURCE_DATE_EPOCH", "1795500000");
        run.stdin([IMAGE, END].concat()).run().ok().text()
    };
    assert_eq!(fixed(), fixed());
}

#[test]
fn a_cut_stream_stays_cut() {
    let api = FakeApi::start(one);
    for cut in [IMAGE.to_owned(), [IMAGE, "{\"ty"].concat()] {
        let ran = helm(&api).stdin(cut).run().code(1).says("the stream is cut");
        let types: Vec<Value> = ran.records().iter().map(|record| record["type"].clone()).collect();
        assert_eq!(types, ["image", "release"]);
    }
    let ran = helm(&api).stdin("").run().code(1).says("the input is empty").says("`-n`");
    assert!(ran.of_type("end").is_empty());
}

#[test]
fn switched_off_it_asks_nobody_and_says_so() {
    let api = FakeApi::start(one);
    for word in ["false", "0", "no", "off"] {
        let run = helm(&api).env("PROVENANCE_HELM_ENABLED", word);
        let ran = run.stdin([IMAGE, END].concat()).run().ok();
        assert!(ran.text().starts_with(IMAGE));
        assert_eq!(tally(&ran)["settings"], json!({"helmEnabled": false}));
        assert_eq!(tally(&ran)["written"], json!({}));
    }
    assert_eq!(api.asked(), Vec::<String>::new());
    // Not even a cluster is needed.
    let run = pc("helm").args(["--kubeconfig", "/nowhere", "--from", "/nowhere"]);
    let run = run.env("PROVENANCE_HELM_ENABLED", "false").stdin([IMAGE, END].concat());
    assert_eq!(run.run().ok().records().len(), 2);
    let _ = pc("helm").env("PROVENANCE_HELM_ENABLED", "maybe").run().code(2);
}

#[test]
fn sigterm_ends_without_an_end() {
    // The list of releases never comes.
    let api =
        FakeApi::start(
            |uri| {
                if uri.starts_with("/api/v1/secrets") { Reply::Silence } else { one(uri) }
            },
        );
    let mut child = Command::new(testkit::binaries().join("pc-helm"))
        .arg("--kubeconfig")
        .arg(api.kubeconfig())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all([IMAGE, END].concat().as_bytes()).expect("written");
    drop(pipe);
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let _ = out.read_line(&mut text);
        let _ = sender.send(text.clone());
        let _ = out.read_to_string(&mut text);
        let _ = sender.send(text);
    });
    let wait = Duration::from_secs(20);
    assert_eq!(receiver.recv_timeout(wait).expect("the input, at once"), IMAGE);
    let killed = Command::new("kill").arg(child.id().to_string()).status().expect("kill");
    assert!(killed.success());
    assert_eq!(child.wait().expect("ended").code(), Some(1));
    assert_eq!(receiver.recv_timeout(wait).expect("the rest"), IMAGE);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let api = FakeApi::start(one);
    let script = format!(
        "set -o pipefail; pc-helm -n --kubeconfig {} | head -1 > /dev/null",
        api.kubeconfig().display()
    );
    let ran = testkit::Shell::Bash.script(&script).run().ok();
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_report_has_the_releases_of_the_example_and_a_dump() {
    let folder = tempfile::tempdir().expect("a folder");
    let releases = folder.path().join("releases.json");
    let items = [stored("shop", "web", 1, "deployed"), stored("shop", "web", 2, "failed")];
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    std::fs::write(&releases, list.to_string()).expect("written");
    let dump = root().join("testdata/cluster/dump.json");
    let script = format!(
        "set -o pipefail; pc-discover --from {} | pc-helm --from {} | pc-assemble",
        dump.display(),
        releases.display()
    );
    let ran = testkit::Shell::Bash.script(&script).run().ok();
    let report: Value = serde_json::from_slice(&ran.stdout).expect("a report");
    let row = &report["helmReleases"][0];
    assert_eq!(
        (
            &row["releaseName"],
            &row["status"],
            &row["deployed"]["version"],
            &row["update"]["status"]
        ),
        (&json!("web"), &json!("failed"), &json!("1.1.0"), &json!("skipped"))
    );
    assert_eq!(report["metadata"]["complete"], true);
}
