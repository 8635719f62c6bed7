//! Over HTTP, from an API server that this test plays.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Run, pc};

use crate::tally;

/// What the server answers to a path with query; `None`: nothing, for ever.
type Answer = fn(&str) -> Option<Value>;

/// A kubeconfig in a folder, for a server that answers so and wants the token `t0ken`.
fn serve(answer: Answer, user: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || respond(connection, answer));
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    let text = format!(
        "current-context: a\ncontexts: [{{name: a, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: 'http://{address}'}}}}]\nusers: [{{name: u, user: {user}}}]\n"
    );
    std::fs::write(&file, text).expect("written");
    (folder, file)
}

fn respond(mut connection: TcpStream, answer: Answer) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let uri = line.split(' ').nth(1)?.to_owned();
        let mut allowed = false;
        while reader.read_line(&mut line).is_ok() && !line.ends_with("\r\n\r\n") {
            allowed |= line.to_lowercase().contains("authorization: bearer t0ken\r\n");
        }
        let (status, body) =
            if allowed { (200, answer(&uri)) } else { (401, Some(json!({"message": "who?"}))) };
        let Some(body) = body else {
            std::thread::sleep(Duration::from_secs(3600));
            return None;
        };
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", body.len());
        connection.write_all(format!("{head}{body}").as_bytes()).ok()?;
    }
}

fn pods(uri: &str) -> Option<Value> {
    let path = uri.split('?').next().unwrap_or_default();
    let pod = |number: usize| json!({"metadata": {"namespace": format!("ns-{number:03}"), "name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let items = match path {
        "/api/v1/pods" => (0..100).map(pod).collect(),
        _ => Vec::new(),
    };
    Some(json!({"kind": "List", "metadata": {}, "items": items}))
}

/// Two pages, and the second never comes.
fn stuck(uri: &str) -> Option<Value> {
    if uri.contains("continue=") {
        return None;
    }
    let mut list = pods(uri)?;
    if uri.starts_with("/api/v1/pods") {
        list["metadata"]["continue"] = "two".into();
    }
    Some(list)
}

fn discover(file: &std::path::Path) -> Run {
    pc("discover").arg("--kubeconfig").arg(file)
}

#[test]
fn a_whole_cluster_and_what_was_asked_for_it() {
    let (_folder, file) = serve(pods, "{token: t0ken}");
    let ran = discover(&file).run().ok();
    assert_eq!(ran.of_type("image").len(), 100);
    let tally = tally(&ran);
    assert_eq!(tally["requests"], json!({"api": {"namespaces": 1, "nodes": 1, "pods": 1}}));
    assert_eq!(tally["written"]["image"], 100);

    let (_folder, file) = serve(pods, "{token: wrong}");
    let _ =
        discover(&file).run().code(1).says("does not accept the credentials: who?").says("hint: ");
}

#[test]
fn a_credential_plugin_leaves_standard_input_alone() {
    let plugin = r#"{exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, interactiveMode: Always,
      args: ["-c", "cat > /dev/null; echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{\"token\":\"t0ken\"}}'"]}}"#;
    let (_folder, file) = serve(pods, plugin);
    let ran = discover(&file).stdin("for the next in line\n").run().ok();
    assert_eq!(ran.of_type("image").len(), 100);
}

#[test]
fn sigterm_ends_without_an_end_and_closed_output_is_quiet() {
    let (_folder, file) = serve(stuck, "{token: t0ken}");
    let mut child = Command::new(testkit::binaries().join("pc-discover"))
        .arg("--kubeconfig")
        .arg(&file)
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

    let (_folder, file) = serve(pods, "{token: t0ken}");
    let script = format!(
        "set -o pipefail; pc-discover --kubeconfig {} | head -1 > /dev/null",
        file.display()
    );
    let ran = testkit::Shell::Bash.script(&script).run().ok();
    assert_eq!(ran.stderr, "");
}
