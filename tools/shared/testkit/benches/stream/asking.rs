//! The schedule against the ideal one for the same limits.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;
use testkit::registry::FakeRegistry;

use crate::measure::{Measured, run, tool};
use crate::{Held, Unmeasured, Verdict};

const RECORDS: usize = 2000;
const IMAGES: usize = 300;
const DELAY: Duration = Duration::from_millis(20);
const PER_HOST: usize = 8;
const WANTED: f64 = 1.5;

/// 2,000 records of 300 images at 20 ms a request, 8 at a time: within 1.5 times of the time that
/// as many requests take back to back in 8 lanes.
pub(crate) fn schedule() -> Verdict {
    let registry = registry();
    let stream = stream(&(0..IMAGES).map(|image| reference(&registry, image)).collect::<Vec<_>>());
    let measured = ask(&registry, &stream);
    let ideal = ideal(registry.log().len());
    let ratio = measured.wall / ideal;
    Ok(Held {
        text: format!(
            "{RECORDS} records of {IMAGES} images, {} requests at {DELAY:?}, {PER_HOST} at a time: {:.2} s, ideal {ideal:.2} s: {ratio:.2} times, at most {WANTED} wanted",
            registry.log().len(),
            measured.wall,
        ),
        holds: ratio <= WANTED,
    })
}

/// With a third of the images on a host that never answers, the other two thirds are asked as if
/// it were not there: the last request to the live host comes within 1.5 times of the ideal.
pub(crate) fn dead_host() -> Verdict {
    let registry = registry();
    // Accepts connections and says nothing.
    let dead = std::net::TcpListener::bind("127.0.0.1:0")?;
    let dead_host = dead.local_addr()?.to_string();
    let references: Vec<String> = (0..IMAGES)
        .map(|image| {
            if image % 3 == 0 {
                format!("{dead_host}/shop/i{image}:1")
            } else {
                reference(&registry, image)
            }
        })
        .collect();
    let path = stream(&references);
    let mut command = tool("digest");
    command.args(["--plain-http", &format!("{},{dead_host}", registry.host())]);
    command.args([
        "--max-in-flight-per-host",
        &PER_HOST.to_string(),
        "--registry-timeout",
        "300ms",
    ]);
    let measured = run(command.stderr(std::process::Stdio::null()), Some(path.path()), false);
    let ideal = ideal(registry.log().len());
    let log = registry.log();
    let span = match (log.first(), log.last()) {
        (Some(first), Some(last)) => last.at.duration_since(first.at).as_secs_f64(),
        _ => return Err(Unmeasured::Failed("the live registry was not asked".into())),
    };
    let ratio = span / ideal;
    Ok(Held {
        text: format!(
            "a third of the images on a silent host: the live one was done after {span:.2} s, ideal {ideal:.2} s: {ratio:.2} times, at most {WANTED} wanted ({:.1} s in all)",
            measured.wall
        ),
        holds: ratio <= WANTED,
    })
}

fn registry() -> FakeRegistry {
    let registry = FakeRegistry::start();
    for image in 0..IMAGES {
        let child = registry.push_image(&format!("shop/i{image}"), None, &format!("{image}"));
        registry.push_index(&format!("shop/i{image}"), Some("1"), &[("linux/amd64", &child)]);
    }
    registry.switch(|switches| switches.delay = DELAY);
    registry
}

fn reference(registry: &FakeRegistry, image: usize) -> String {
    format!("{}/shop/i{image}:1", registry.host())
}

fn stream(references: &[String]) -> tempfile::NamedTempFile {
    let mut text = String::new();
    for record in 0..RECORDS {
        let image = &references[record * 7 % references.len()];
        let record = json!({
            "type": "image", "v": 1, "namespace": "shop",
            "workload": {"apiVersion": "apps/v1", "kind": "Deployment", "name": format!("w{record}")},
            "container": "main", "containerType": "container", "image": image, "imageId": null,
            "platform": "linux/amd64", "runningDigest": null, "pinned": false, "pods": 0, "nodes": 0,
            "podNames": [], "pullSecrets": [], "annotations": {}, "idle": false,
        });
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{record}");
    }
    text.push_str("{\"type\":\"end\",\"v\":1,\"stages\":[]}\n");
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    file
}

fn ask(registry: &FakeRegistry, stream: &tempfile::NamedTempFile) -> Measured {
    let mut command = tool("digest");
    command.args([
        "--plain-http",
        &registry.host(),
        "--max-in-flight-per-host",
        &PER_HOST.to_string(),
    ]);
    run(&mut command, Some(stream.path()), false)
}

fn ideal(requests: usize) -> f64 {
    requests as f64 * DELAY.as_secs_f64() / PER_HOST as f64
}
