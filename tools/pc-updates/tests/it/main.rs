//! pc-updates against a registry that counts what it is asked, and against others' cases.

mod alone;
mod charts;
mod digests;
mod families;
mod guesses;
mod images;
mod large;
mod page;
mod real;
mod rules;
mod running;
mod saved;

use serde_json::{Value, json};
use testkit::registry::FakeRegistry;
use testkit::{Ran, Run, pc};

/// pc-updates, which may speak plain http to this registry.
fn updates(registry: &FakeRegistry) -> Run {
    pc("updates").args(["--plain-http", &registry.host()])
}

/// A registry with these tags in `shop/web`.
fn shelf(tags: &[&str]) -> FakeRegistry {
    let registry = FakeRegistry::start();
    for tag in tags {
        registry.push_image("shop/web", Some(tag), tag);
    }
    registry
}

/// `shop/web:TAG` of this registry.
fn web(registry: &FakeRegistry, tag: &str) -> String {
    format!("{}/shop/web:{tag}", registry.host())
}

/// A `digest` record of an image that runs, as pc-digest writes it.
fn digest(image: &str, drift: &str, runs: &str) -> Value {
    let (name, tag) = image.rsplit_once(':').expect("a tag");
    let id = (!runs.is_empty()).then(|| format!("{name}@{}", sha(runs)));
    json!({
        "type": "digest", "v": 1, "image": image, "imageId": id, "platform": "linux/amd64",
        "repository": name, "tag": tag, "digest": null, "how": null, "present": null,
        "mediaType": null, "index": null, "manifest": null, "tagDigest": null, "drift": drift,
        "platforms": [],
    })
}

fn sha(letter: &str) -> String {
    format!("sha256:{}", letter.repeat(64))
}

/// An `image` record that belongs to that digest record.
fn image(digest: &Value, workload: &str, annotations: &Value) -> Value {
    json!({
        "type": "image", "v": 1, "namespace": "shop",
        "workload": {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload},
        "container": "main", "containerType": "container", "image": digest["image"],
        "imageId": digest["imageId"], "platform": digest["platform"], "runningDigest": null,
        "pinned": false, "pods": 1, "nodes": 1, "podNames": [], "pullSecrets": [],
        "annotations": annotations, "idle": false,
    })
}

/// A whole stream of these records.
fn stream(records: &[Value]) -> String {
    let end = json!({"type": "end", "v": 1, "stages": []});
    records.iter().chain([&end]).map(|record| format!("{record}\n")).collect()
}

/// The one `update` record of a run.
#[track_caller]
fn update(ran: &Ran) -> Value {
    let mut updates = ran.of_type("update");
    assert_eq!(updates.len(), 1, "{updates:?}");
    updates.swap_remove(0)
}

/// What is answered about one image that runs.
#[track_caller]
fn ask(registry: &FakeRegistry, tag: &str) -> (Value, Ran) {
    let record = digest(&web(registry, tag), "same", "a");
    let ran = updates(registry).stdin(stream(&[record])).run().ok();
    (update(&ran), ran)
}

/// The codes of the failures of a run.
fn codes(ran: &Ran) -> Vec<String> {
    let code = |failure: &Value| failure["code"].as_str().unwrap_or_default().to_owned();
    ran.of_type("failure").iter().map(code).collect()
}

#[test]
fn the_flag_reference_is_that_of_the_parser() {
    let command = stage::cli::command::<pc_updates::Cli>();
    assert_eq!(stage::reference::faults(&command), Vec::<String>::new());
    testkit::generated("docs/tools/pc-updates.md", &stage::reference::page(&command));
}
