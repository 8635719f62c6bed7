//! Ten thousand pods from a real API server.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use testkit::Testbed;

use crate::measure::{run, tool};
use crate::{Held, Unmeasured, Verdict};

const NAMESPACES: usize = 50;
const PODS_EACH: usize = 200;
/// What a pod of a real cluster weighs, in bytes of JSON.
const POD_SIZE: usize = 8900;
const WANTED_PEAK: f64 = 40.0;
const WANTED_FIRST: f64 = 0.5;

/// pc-discover lists 10,000 pods of 8.9 KB each with a peak memory below 40 MiB, and its first
/// record is out before half of its time is over.
pub(crate) fn listing() -> Verdict {
    let testbed = Testbed::from_env("the listing of pods").ok_or(Unmeasured::NoTestbed)?;
    fill(&testbed)?;
    let mut command = tool("discover");
    command.arg("--kubeconfig").arg(&testbed.kubeconfig);
    command.args(["--namespaces", "bench-*"]);
    let measured = run(&mut command, None, true);
    let images: Vec<Duration> = measured
        .lines
        .iter()
        .filter(|(_, line)| line.starts_with(r#"{"type":"image""#))
        .map(|(at, _)| *at)
        .collect();
    let pods: u64 = measured.lines.iter().map(|(_, line)| pods(line)).sum();
    let wanted = (NAMESPACES * PODS_EACH) as u64;
    let first =
        images.first().ok_or_else(|| Unmeasured::Failed("no records".into()))?.as_secs_f64()
            / measured.wall;
    Ok(Held {
        text: format!(
            "{pods} pods of {wanted} in {:.1} s: peak {:.1} MiB, below {WANTED_PEAK} wanted; the first record after {:.0} % of the time, below {:.0} % wanted",
            measured.wall,
            measured.peak,
            first * 100.0,
            WANTED_FIRST * 100.0,
        ),
        holds: pods == wanted && measured.peak < WANTED_PEAK && first < WANTED_FIRST,
    })
}

fn pods(line: &str) -> u64 {
    let record: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
    record["pods"].as_u64().filter(|_| record["type"] == "image").unwrap_or(0)
}

/// Makes the namespaces and pods, all by one curl that keeps its connections.
fn fill(testbed: &Testbed) -> Result<(), Unmeasured> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    let write = |name: &str, body: &serde_json::Value| std::fs::write(file(name), body.to_string());
    let mut spaces = String::new();
    for space in 0..NAMESPACES {
        let name = format!("bench-{space:02}");
        write(
            &name,
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}),
        )?;
        post(&mut spaces, testbed, "namespaces", &file(&name));
    }
    curl(&file("spaces"), &spaces)?;
    // The ServiceAccount `default` is made by a controller, and no pod is admitted before.
    std::thread::sleep(Duration::from_secs(3));
    let mut all = String::new();
    for kind in 0..10 {
        write(&format!("pod-{kind}"), &pod(kind))?;
    }
    for space in 0..NAMESPACES {
        for index in 0..PODS_EACH {
            let path = format!("namespaces/bench-{space:02}/pods");
            post(&mut all, testbed, &path, &file(&format!("pod-{}", index % 10)));
        }
    }
    curl(&file("pods"), &all)
}

/// A pod that waits for ever, so that it costs the cluster nothing.
fn pod(kind: usize) -> serde_json::Value {
    let pod = |filler: &str| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"generateName": format!("web-{kind}-"), "annotations": {"example.com/filler": filler}},
            "spec": {
                "schedulingGates": [{"name": "example.com/never"}],
                "automountServiceAccountToken": false,
                "containers": [{"name": "main", "image": format!("registry.example.com/shop/i{kind}:1")}],
            },
        })
    };
    let missing = POD_SIZE.saturating_sub(pod("").to_string().len());
    pod(&"x".repeat(missing))
}

fn post(config: &mut String, testbed: &Testbed, path: &str, body: &std::path::Path) {
    let Testbed { apiserver, apiserver_ca, token, .. } = testbed;
    if !config.is_empty() {
        config.push_str("next\n");
    }
    // Writing to a String cannot fail.
    let _ = writeln!(
        config,
        "url = \"{apiserver}/api/v1/{path}\"\ncacert = \"{}\"\nheader = \"Authorization: Bearer {token}\"\n\
         header = \"Content-Type: application/json\"\ndata = \"@{}\"\noutput = \"/dev/null\"\nfail",
        apiserver_ca.display(),
        body.display(),
    );
}

fn curl(file: &std::path::Path, config: &str) -> Result<(), Unmeasured> {
    std::fs::write(file, config)?;
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--parallel", "--parallel-max", "32", "--config"])
        .arg(file)
        .output()?;
    if output.status.success() {
        Ok(())
    } else {
        let text = String::from_utf8_lossy(&output.stderr);
        Err(Unmeasured::Failed(format!("curl: {}", text.lines().next().unwrap_or_default())))
    }
}
