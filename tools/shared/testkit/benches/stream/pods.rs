//! Ten thousand pods from a real API server, which its own controllers made for Deployments, each
//! owned by a ReplicaSet and bound to a node.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::Testbed;

use crate::measure::{run, tool};
use crate::{Held, Unmeasured, Verdict};

const NAMESPACES: usize = 50;
/// Deployments to a namespace.
const DEPLOYMENTS: usize = 10;
/// Pods to a Deployment.
const PODS_EACH: usize = 20;
const NODES: usize = 5;
/// How long the controllers may take to make all pods.
const PATIENCE: Duration = Duration::from_secs(300);
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
    let wanted = (NAMESPACES * DEPLOYMENTS * PODS_EACH) as u64;
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

/// The pods of an `image` record whose owners and nodes were found.
fn pods(line: &str) -> u64 {
    let record: Value = serde_json::from_str(line).unwrap_or_default();
    let found = record["workload"]["kind"] == "Deployment" && record["platform"] == "linux/amd64";
    record["pods"].as_u64().filter(|_| record["type"] == "image" && found).unwrap_or(0)
}

/// Makes the namespaces, nodes and Deployments, and waits for the pods.
fn fill(testbed: &Testbed) -> Result<(), Unmeasured> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    let write = |name: &str, body: &Value| std::fs::write(file(name), body.to_string());
    let mut spaces = String::new();
    for space in 0..NAMESPACES {
        let name = format!("bench-{space:02}");
        write(
            &name,
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}),
        )?;
        post(&mut spaces, testbed, "api/v1/namespaces", &file(&name));
    }
    curl(&file("spaces"), &spaces)?;
    // The ServiceAccount `default` is made by a controller, and no pod is made before.
    thread::sleep(Duration::from_secs(3));
    let mut all = String::new();
    for at in 0..NODES {
        write(&format!("node-{at}"), &node(at))?;
        post(&mut all, testbed, "api/v1/nodes", &file(&format!("node-{at}")));
    }
    for kind in 0..DEPLOYMENTS {
        write(&format!("deployment-{kind}"), &deployment(kind))?;
    }
    for space in 0..NAMESPACES {
        for kind in 0..DEPLOYMENTS {
            let path = format!("apis/apps/v1/namespaces/bench-{space:02}/deployments");
            post(&mut all, testbed, &path, &file(&format!("deployment-{kind}")));
        }
    }
    curl(&file("all"), &all)?;
    settle(testbed, &file("pods"))
}

/// Waits until the controllers have made all pods.
fn settle(testbed: &Testbed, place: &Path) -> Result<(), Unmeasured> {
    let wanted = (NAMESPACES * DEPLOYMENTS * PODS_EACH) as u64;
    let started = Instant::now();
    loop {
        let mut question = String::new();
        get(&mut question, testbed, "apis/apps/v1/deployments?labelSelector=bench", place);
        curl(&place.with_extension("question"), &question)?;
        let list: Value = serde_json::from_slice(&std::fs::read(place)?)?;
        let made = |deployment: &Value| deployment["status"]["replicas"].as_u64().unwrap_or(0);
        let pods: u64 = list["items"].as_array().map_or(0, |all| all.iter().map(made).sum());
        if pods >= wanted {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            return Err(Unmeasured::Failed(format!("{pods} pods of {wanted} were made in time")));
        }
        thread::sleep(Duration::from_secs(2));
    }
}

/// A node that nobody plays: what is bound to it costs the cluster nothing.
fn node(at: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": format!("bench-{at}")},
        "status": {"nodeInfo": {
            "architecture": "amd64", "operatingSystem": "linux", "osImage": "Debian 13", "kernelVersion": "6.12",
            "containerRuntimeVersion": "containerd://2.1.5", "kubeletVersion": "v1.35.4", "kubeProxyVersion": "",
            "machineID": "", "systemUUID": "", "bootID": "",
        }},
    })
}

fn deployment(kind: usize) -> Value {
    let labels = json!({"bench": format!("web-{kind}")});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": format!("web-{kind}"), "labels": labels},
        "spec": {
            "replicas": PODS_EACH, "selector": {"matchLabels": labels},
            "template": template(kind, &labels),
        },
    })
}

/// The template of pods that stay where they are, though their node never says a word.
fn template(kind: usize, labels: &Value) -> Value {
    let pod = |filler: &str| {
        json!({
            "metadata": {"labels": labels, "annotations": {"example.com/filler": filler}},
            "spec": {
                "nodeName": format!("bench-{}", kind % NODES),
                "tolerations": [{"operator": "Exists"}],
                "automountServiceAccountToken": false,
                "containers": [{"name": "main", "image": format!("registry.example.com/shop/i{kind}:1")}],
            },
        })
    };
    let missing = POD_SIZE.saturating_sub(pod("").to_string().len());
    pod(&"x".repeat(missing))
}

fn post(config: &mut String, testbed: &Testbed, path: &str, body: &Path) {
    get(config, testbed, path, Path::new("/dev/null"));
    // Writing to a String cannot fail.
    let _ = writeln!(
        config,
        "header = \"Content-Type: application/json\"\ndata = \"@{}\"",
        body.display(),
    );
}

fn get(config: &mut String, testbed: &Testbed, path: &str, output: &Path) {
    let Testbed { apiserver, apiserver_ca, token, .. } = testbed;
    if !config.is_empty() {
        config.push_str("next\n");
    }
    let _ = writeln!(
        config,
        "url = \"{apiserver}/{path}\"\ncacert = \"{}\"\nheader = \"Authorization: Bearer {token}\"\n\
         output = \"{}\"\nfail",
        apiserver_ca.display(),
        output.display(),
    );
}

fn curl(file: &Path, config: &str) -> Result<(), Unmeasured> {
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
