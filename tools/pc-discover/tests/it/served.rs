//! Over HTTP, from an API server that this test plays.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;
use testkit::api::{FakeApi, Reply};
use testkit::{Run, pc};

use crate::tally;

/// A hundred namespaces of one pod each.
fn pods(uri: &str) -> Reply {
    let pod = |number: usize| json!({"metadata": {"namespace": format!("ns-{number:03}"), "name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    match uri.split('?').next().unwrap_or_default() {
        "/api/v1/pods" => Reply::list(&(0..100).map(pod).collect::<Vec<_>>(), ""),
        _ => Reply::list(&[], ""),
    }
}

/// Two pages, and the second never comes.
fn stuck(uri: &str) -> Reply {
    match pods(uri) {
        _ if uri.contains("continue=") => Reply::Silence,
        Reply::Json(status, mut list) if uri.starts_with("/api/v1/pods") => {
            list["metadata"]["continue"] = "two".into();
            Reply::Json(status, list)
        }
        other => other,
    }
}

fn discover(api: &FakeApi) -> Run {
    pc("discover").arg("--kubeconfig").arg(api.kubeconfig())
}

#[test]
fn a_whole_cluster_and_what_was_asked_for_it() {
    let api = FakeApi::start(pods);
    let ran = discover(&api).run().ok();
    assert_eq!(ran.of_type("image").len(), 100);
    let tally = tally(&ran);
    assert_eq!(tally["requests"], json!({"api": {"namespaces": 1, "nodes": 1, "pods": 1}}));
    assert_eq!(tally["written"]["image"], 100);

    let api = FakeApi::start_for("{token: wrong}", pods);
    let _ =
        discover(&api).run().code(1).says("does not accept the credentials: who?").says("hint: ");
}

#[test]
fn a_credential_plugin_leaves_standard_input_alone() {
    let plugin = r#"{exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, interactiveMode: Always,
      args: ["-c", "cat > /dev/null; echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"t0ken\"}}'"]}}"#;
    let api = FakeApi::start_for(plugin, pods);
    let ran = discover(&api).stdin("for the next in line\n").run().ok();
    assert_eq!(ran.of_type("image").len(), 100);
}

#[test]
fn sigterm_ends_without_an_end_and_closed_output_is_quiet() {
    let api = FakeApi::start(stuck);
    let mut child = Command::new(testkit::binaries().join("pc-discover"))
        .arg("--kubeconfig")
        .arg(api.kubeconfig())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    // Its reader must not wait for ever should nothing come.
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut first = String::new();
        let _ = out.read_line(&mut first);
        let _ = sender.send(first.clone());
        let _ = out.read_to_string(&mut first);
        let _ = sender.send(first);
    });
    let wait = Duration::from_secs(20);
    receiver.recv_timeout(wait).expect("a record before the last page");
    let killed = Command::new("kill").arg(child.id().to_string()).status().expect("kill");
    assert!(killed.success());
    let status = child.wait().expect("ended");
    let all = receiver.recv_timeout(wait).expect("the rest");
    assert_eq!(status.code(), Some(1));
    assert!(all.ends_with('\n') && !all.contains(r#""type":"end""#), "{all}");
    assert_eq!(all.matches(r#""type":"image""#).count(), 99, "the last namespace may go on");

    let api = FakeApi::start(pods);
    let script = format!(
        "set -o pipefail; pc-discover --kubeconfig {} | head -1 > /dev/null",
        api.kubeconfig().display()
    );
    let ran = testkit::Shell::Bash.script(&script).run().ok();
    assert_eq!(ran.stderr, "");
}
