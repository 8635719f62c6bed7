//! pc-helm as users run it: over dumps, and over API servers, played and real.

mod broken;
mod charts;
mod dumps;
mod ends;
mod live;
mod many;
mod pipeline;
mod real;

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use testkit::api::FakeApi;
use testkit::{Ran, Run, pc};

/// pc-helm without input, over a played API server.
fn helm(api: &FakeApi) -> Run {
    pc("helm").arg("-n").arg("--kubeconfig").arg(api.kubeconfig())
}

/// What a release is made of, as Helm stores it.
fn release(namespace: &str, name: &str, number: u64, status: &str) -> Value {
    json!({
        "name": name, "namespace": namespace, "version": number,
        "info": {
            "first_deployed": "2026-10-01T10:00:00.5+02:00", "last_deployed": "2026-11-20T11:00:00Z",
            "deleted": "", "description": "Upgrade complete", "status": status, "notes": "n0tes",
        },
        "chart": {
            "metadata": {"name": name, "version": format!("1.{number}.0"), "appVersion": "7", "apiVersion": "v2"},
            "templates": [{"name": "t", "data": "eA=="}], "values": {},
        },
        "config": {"password": "hunter2"},
        "manifest": format!("---\nkind: Pod\nspec: {{containers: [{{image: '{name}:{number}'}}]}}\n"),
        "hooks": [],
    })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("packed");
    encoder.finish().expect("packed")
}

/// The metadata of a revision's object.
fn metadata(namespace: &str, name: &str, number: u64, status: &str) -> Value {
    json!({
        "namespace": namespace, "name": format!("sh.helm.release.v1.{name}.v{number}"),
        "creationTimestamp": "2026-11-20T11:00:00Z",
        "labels": {"owner": "helm", "name": name, "version": number.to_string(), "status": status},
    })
}

/// A Secret whose release is these bytes, packed or not.
fn secret(metadata: &Value, inner: &[u8]) -> Value {
    let data = STANDARD.encode(STANDARD.encode(inner));
    json!({"apiVersion": "v1", "data": {"release": data}, "kind": "Secret", "metadata": metadata, "type": "helm.sh/release.v1"})
}

/// A ConfigMap, likewise.
fn config_map(metadata: &Value, inner: &[u8]) -> Value {
    let data = STANDARD.encode(inner);
    json!({"apiVersion": "v1", "data": {"release": data}, "kind": "ConfigMap", "metadata": metadata})
}

/// A whole Secret of a release.
fn stored(namespace: &str, name: &str, number: u64, status: &str) -> Value {
    let packed = gzip(release(namespace, name, number, status).to_string().as_bytes());
    secret(&metadata(namespace, name, number, status), &packed)
}

/// The `release` records in few words.
fn short(ran: &Ran) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let words = |record: Value| {
        let deployed = match &record["deployed"] {
            Value::Null => String::new(),
            other => format!(" over {} {}", other["revision"], text(&other["version"])),
        };
        format!(
            "{}/{} {} v{} {} {} of {}{deployed}",
            text(&record["namespace"]),
            text(&record["releaseName"]),
            text(&record["driver"]),
            record["revision"],
            text(&record["status"]),
            text(&record["version"]),
            record["revisions"],
        )
    };
    ran.of_type("release").into_iter().map(words).collect()
}

/// The failures, each as its release and code.
fn failed(ran: &Ran) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let words = |failure: Value| {
        let release = text(&failure["releaseName"]);
        format!("{}/{release} {}", text(&failure["namespace"]), text(&failure["code"]))
    };
    ran.of_type("failure").into_iter().map(words).collect()
}

/// The last record's last tally.
fn tally(ran: &Ran) -> Value {
    let end = ran.records().pop().expect("an end");
    assert_eq!(end["type"], "end");
    end["stages"].as_array().and_then(|stages| stages.last()).cloned().expect("a tally")
}

/// Demands that nothing of what is inside releases was written or logged, but what a record has.
fn keeps_secrets(ran: &Ran) {
    for shown in [&ran.text(), &ran.stderr] {
        for secret in ["hunter2", "n0tes", "H4sI", "SDRzS", "eyJ"] {
            assert!(!shown.contains(secret), "`{secret}` in: {shown}");
        }
    }
}

#[test]
fn the_flag_reference_is_that_of_the_parser() {
    let command = stage::cli::command::<pc_helm::Cli>();
    assert_eq!(stage::reference::faults(&command), Vec::<String>::new());
    testkit::generated("docs/tools/pc-helm.md", &stage::reference::page(&command));
}
