//! Memory against the length of the stream.

use std::io::Write;

use serde_json::json;

use crate::Held;
use crate::measure::{run, tool};

const IMAGES: usize = 300;
const WANTED: f64 = 1.25;

/// pc-digest's peak memory at 50,000 records is within a quarter of that at 10,000, when both have
/// the same 300 images.
pub(crate) fn records() -> Result<Held, String> {
    let peak = |count: usize| -> Result<f64, String> {
        let file = stream(count).map_err(|error| error.to_string())?;
        let mut command = tool("digest");
        command.arg("--layout").arg(testkit::root().join("testdata/layouts"));
        Ok(run(&mut command, Some(file.path()), false).peak)
    };
    let (few, many) = (peak(10_000)?, peak(50_000)?);
    let ratio = many / few;
    Ok(Held {
        text: format!(
            "pc-digest: {few:.1} MiB at 10,000 records, {many:.1} MiB at 50,000: {ratio:.2} times, at most {WANTED} wanted"
        ),
        holds: ratio <= WANTED,
    })
}

fn stream(count: usize) -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new()?;
    let mut out = std::io::BufWriter::new(&mut file);
    for record in 0..count {
        let line = json!({
            "type": "image", "v": 1, "namespace": format!("n{}", record / 100),
            "workload": {"apiVersion": "apps/v1", "kind": "Deployment", "name": format!("w{record}")},
            "container": "main", "containerType": "container",
            "image": format!("registry.example.com/shop/i{}:1", record % IMAGES), "imageId": null,
            "platform": "linux/amd64", "runningDigest": null, "pinned": false, "pods": 1, "nodes": 1,
            "podNames": [format!("w{record}-0")], "pullSecrets": [], "annotations": {}, "idle": false,
        });
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{{\"type\":\"end\",\"v\":1,\"stages\":[]}}")?;
    out.flush()?;
    drop(out);
    Ok(file)
}
