//! pc-digest against a registry that counts what it is asked.

mod answers;
mod crowds;
mod drift;
mod given;
mod large;
mod layouts;
mod lies;
mod mirrors;
mod private;
mod requests;
mod secrets;

use serde_json::{Value, json};
use testkit::registry::FakeRegistry;
use testkit::{Ran, Run, pc};

/// pc-digest, which may speak plain http to this registry.
fn digest(registry: &FakeRegistry) -> Run {
    pc("digest").args(["--plain-http", &registry.host()])
}

/// An `image` record.
fn image(image: &str, image_id: Option<&str>, platform: Option<&str>, workload: &str) -> Value {
    let running = image_id.and_then(|id| id.split_once('@')).map(|(_, digest)| digest);
    json!({
        "type": "image", "v": 1, "namespace": "shop",
        "workload": {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload},
        "container": "main", "containerType": "container", "image": image, "imageId": image_id,
        "platform": platform, "runningDigest": running, "pinned": image.contains('@'), "pods": 1,
        "nodes": 1, "podNames": [], "pullSecrets": [], "annotations": {}, "idle": false,
    })
}

/// A whole stream of these records.
fn stream(records: &[Value]) -> String {
    let end = json!({"type": "end", "v": 1, "stages": []});
    records.iter().chain([&end]).map(|record| format!("{record}\n")).collect()
}

/// Runs pc-digest over one `image` record and gives its `digest` record and its failures' codes.
fn ask(registry: &FakeRegistry, record: &Value) -> (Value, Vec<String>) {
    let ran = digest(registry).stdin(stream(std::slice::from_ref(record))).run().ok();
    answer(&ran)
}

fn answer(ran: &Ran) -> (Value, Vec<String>) {
    let codes = ran
        .of_type("failure")
        .iter()
        .map(|failure| failure["code"].as_str().unwrap_or_default().to_owned())
        .collect();
    (ran.of_type("digest").swap_remove(0), codes)
}

#[test]
fn the_flag_reference_is_that_of_the_parser() {
    let command = stage::cli::command::<pc_digest::Cli>();
    assert_eq!(stage::reference::faults(&command), Vec::<String>::new());
    testkit::generated("docs/tools/pc-digest.md", &stage::reference::page(&command));
}
