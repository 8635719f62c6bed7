//! Streams that a test makes itself, for images of its choice.

use serde_json::{Value, json};

/// A workload's `image` record for a reference that has not been pulled yet.
pub(crate) fn image(workload: usize, reference: &str) -> Value {
    json!({
        "type": "image", "v": 1, "namespace": "shop",
        "workload": {"apiVersion": "apps/v1", "kind": "Deployment", "name": format!("w{workload}")},
        "container": "main", "containerType": "container", "image": reference, "imageId": null,
        "platform": "linux/amd64", "runningDigest": null, "pinned": false, "pods": 1, "nodes": 1,
        "podNames": [format!("w{workload}-0")], "pullSecrets": [], "annotations": {}, "idle": false,
    })
}

/// The stream of pc-discover that has an `image` record for each of these references.
pub(crate) fn stream<'a>(references: impl IntoIterator<Item = &'a str>) -> String {
    let records = references.into_iter().enumerate().map(|(at, reference)| image(at, reference));
    let records: Vec<Value> = records.collect();
    let tally = json!({
        "stage": "pc-discover", "version": "0.1.0", "startedAt": "2026-11-24T06:00:00Z",
        "endedAt": "2026-11-24T06:00:00Z", "written": {"image": records.len()},
        "cluster": "made", "namespaces": ["shop"],
    });
    let end = json!({"type": "end", "v": 1, "stages": [tally]});
    records.iter().chain([&end]).map(|record| format!("{record}\n")).collect()
}
