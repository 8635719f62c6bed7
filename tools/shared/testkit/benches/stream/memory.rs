//! Memory against the length of the stream, at the same number of different images.

use std::io::{BufWriter, Write};

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use testkit::api::{FakeApi, Reply};
use testkit::registry::{FakeRegistry, Pushed};

use crate::measure::{Measured, run, tool};
use crate::{Held, Unmeasured, Verdict};

const IMAGES: usize = 300;
const FEW: usize = 10_000;
const MANY: usize = 50_000;
const WANTED: f64 = 1.25;
/// Pods to a namespace.
const CROWD: usize = 200;
/// What makes a pod weigh 2 KiB.
const FILLER: usize = 1300;
/// What makes it weigh as much as one of a real cluster, 8.9 KB.
const REAL_FILLER: usize = 8200;
/// What pc-discover asks for at a time.
const PAGE: usize = 500;

/// pc-digest's peak memory at 50,000 records is within a quarter of that at 10,000, when both have
/// the same 300 images and none of them is to be found.
pub(crate) fn digest_misses() -> Verdict {
    grows_not("pc-digest, nothing found", |records| {
        let file = images(records, "registry.example.com")?;
        let mut command = tool("digest");
        command.arg("--layout").arg(testkit::root().join("testdata/layouts"));
        answered(run(&mut command, Some(file.path()), true), 0)
    })
}

/// The same with a registry that has them all.
pub(crate) fn digest_hits() -> Verdict {
    let registry = FakeRegistry::start();
    for number in 0..IMAGES {
        push(&registry, number);
    }
    grows_not("pc-digest, everything found", |records| {
        let file = images(records, &registry.host())?;
        let mut command = tool("digest");
        command.args(["--plain-http", &registry.host()]);
        answered(run(&mut command, Some(file.path()), true), IMAGES)
    })
}

/// The same of pc-verify behind it, when each image has provenance at the referrers API.
pub(crate) fn verify() -> Verdict {
    let registry = FakeRegistry::start();
    registry.switch(|switches| switches.referrers_api = true);
    for number in 0..IMAGES {
        registry.push_provenance(&repository(number), &push(&registry, number));
    }
    grows_not("pc-verify, provenance found", |records| {
        let file = images(records, &registry.host())?;
        let mut command = tool("digest");
        command.args(["--plain-http", &registry.host()]);
        let digested = answered(run(&mut command, Some(file.path()), true), IMAGES)?;
        let mut file = BufWriter::new(NamedTempFile::new()?);
        for (_, line) in digested.lines {
            writeln!(file, "{line}")?;
        }
        let file = file.into_inner()?;
        let mut command = tool("verify");
        command.args(["--plain-http", &registry.host()]);
        let measured = wrote(run(&mut command, Some(file.path()), true), "image", records)?;
        attested(wrote(measured, "provenance", IMAGES)?)
    })
}

fn repository(number: usize) -> String {
    format!("shop/i{number}")
}

/// Puts an image for two platforms there, below the tag `1`, and gives the one for amd64.
fn push(registry: &FakeRegistry, number: usize) -> Pushed {
    let repository = repository(number);
    let [amd64, arm64] = ["linux/amd64", "linux/arm64"]
        .map(|platform| registry.push_image(&repository, None, &format!("{platform} {number}")));
    let children = [("linux/amd64", &amd64), ("linux/arm64", &arm64)];
    registry.push_index(&repository, Some("1"), &children);
    amd64
}

/// The same of pc-discover at an API server: 200 workloads of one pod each to a namespace.
pub(crate) fn discover_live() -> Verdict {
    grows_not("pc-discover, live", |records| {
        let api = FakeApi::start(move |uri| answer(uri, records));
        let mut command = tool("discover");
        command.arg("--kubeconfig").arg(api.kubeconfig());
        let measured = run(&mut command, None, true);
        if api.count("/api/v1/pods") != records / PAGE {
            return Err(Unmeasured::Failed("the pods did not come in pages of 500".into()));
        }
        wrote(measured, "image", records)
    })
}

/// Over a dump, pods that add nothing but to a count leave only their uids behind: five times as
/// many take at most a tenth of what the dump grew by.
pub(crate) fn discover_dump() -> Verdict {
    held_of_a_dump("1,000 workloads, pods", 0.1, [FEW, MANY], FILLER, |_| 1000)
}

/// A dump is held until its end, but as rows: five times as many workloads, whose pods weigh what
/// those of a real cluster do, take at most a third of what the dump grew by.
pub(crate) fn discover_dump_rows() -> Verdict {
    held_of_a_dump("workloads", 0.33, [4_000, 20_000], REAL_FILLER, |pods| pods)
}

/// How much memory pc-discover needs more, of how much more a dump holds.
fn held_of_a_dump(
    what: &str,
    wanted: f64,
    pods: [usize; 2],
    filler: usize,
    workloads: impl Fn(usize) -> usize,
) -> Verdict {
    let of = |pods: usize| -> Result<(f64, f64), Unmeasured> {
        let file = dump(pods, workloads(pods), filler)?;
        let size = file.as_file().metadata()?.len() as f64 / 1024.0 / 1024.0;
        let mut command = tool("discover");
        command.arg("--from").arg(file.path());
        Ok((wrote(run(&mut command, None, true), "image", workloads(pods))?.peak, size))
    };
    let ((few, small), (many, large)) = (of(pods[0])?, of(pods[1])?);
    let ratio = (many - few) / (large - small);
    Ok(Held {
        text: format!(
            "pc-discover, a dump of {small:.0} MiB ({what}: {}): {few:.1} MiB; of {large:.0} MiB ({}): {many:.1} MiB: {ratio:.2} of what the dump grew by, at most {wanted} wanted",
            pods[0], pods[1],
        ),
        holds: ratio <= wanted,
    })
}

/// Peak memory at [`MANY`] records against that at [`FEW`].
fn grows_not(what: &str, run: impl Fn(usize) -> Result<Measured, Unmeasured>) -> Verdict {
    let (few, many) = (run(FEW)?.peak, run(MANY)?.peak);
    let ratio = many / few;
    Ok(Held {
        text: format!(
            "{what}: {few:.1} MiB at {FEW} records, {many:.1} MiB at {MANY}: {ratio:.2} times, at most {WANTED} wanted"
        ),
        holds: ratio <= WANTED,
    })
}

/// Demands so many records of a type: what was not done needs no memory.
fn wrote(measured: Measured, kind: &str, wanted: usize) -> Result<Measured, Unmeasured> {
    let start = format!(r#"{{"type":"{kind}""#);
    let found = measured.lines.iter().filter(|(_, line)| line.starts_with(&start)).count();
    if found == wanted {
        return Ok(measured);
    }
    Err(Unmeasured::Failed(format!("{found} records `{kind}` in place of {wanted}")))
}

/// Demands one answer for each image, and a digest in so many of them.
fn answered(measured: Measured, wanted: usize) -> Result<Measured, Unmeasured> {
    let measured = wrote(measured, "digest", IMAGES)?;
    let mut found = 0;
    for (_, line) in measured.lines.iter().filter(|(_, l)| l.starts_with(r#"{"type":"digest""#)) {
        let record: Value = serde_json::from_str(line)?;
        found += usize::from(!record["digest"].is_null());
    }
    if found == wanted {
        return Ok(measured);
    }
    Err(Unmeasured::Failed(format!("{found} digests in place of {wanted}")))
}

/// Demands that provenance was found for every image.
fn attested(measured: Measured) -> Result<Measured, Unmeasured> {
    for (_, line) in measured.lines.iter().filter(|(_, l)| l.starts_with(r#"{"type":"provenance""#))
    {
        let record: Value = serde_json::from_str(line)?;
        if record["verdict"] != "present" {
            return Err(Unmeasured::Failed(format!("no provenance: {line}")));
        }
    }
    Ok(measured)
}

/// A stream of so many workloads, whose images are at `host`.
fn images(count: usize, host: &str) -> std::io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    let mut out = BufWriter::new(&mut file);
    for record in 0..count {
        let line = json!({
            "type": "image", "v": 1, "namespace": format!("n{}", record / CROWD),
            "workload": {"apiVersion": "apps/v1", "kind": "Deployment", "name": format!("w{record}")},
            "container": "main", "containerType": "container",
            "image": format!("{host}/shop/i{}:1", record % IMAGES), "imageId": null,
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

/// What an API server with so many pods says: as many ReplicaSets own them, and are owned by as
/// many Deployments.
fn answer(uri: &str, pods: usize) -> Reply {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let spaces = pods / CROWD;
    match path {
        "/api/v1/nodes" => Reply::list(&[node()], ""),
        "/api/v1/namespaces" => {
            let named = |space| json!({"metadata": {"name": space_name(space)}});
            Reply::list(&(0..spaces).map(named).collect::<Vec<_>>(), "")
        }
        "/api/v1/pods" => {
            let from = query.split('&').find_map(|pair| pair.strip_prefix("continue="));
            let from: usize = from.and_then(|from| from.parse().ok()).unwrap_or(0);
            let items: Vec<Value> =
                (from..pods.min(from + PAGE)).map(|at| pod(at, at, FILLER)).collect();
            let next = if from + PAGE < pods { (from + PAGE).to_string() } else { String::new() };
            Reply::list(&items, &next)
        }
        _ => match path.strip_prefix("/apis/apps/v1/namespaces/n") {
            Some(rest) if rest.ends_with("/replicasets") => {
                let space = rest.split('/').next().and_then(|number| number.parse().ok());
                let first: usize = space.unwrap_or(0) * CROWD;
                Reply::list(&(first..first + CROWD).map(replica_set).collect::<Vec<_>>(), "")
            }
            _ => Reply::refused(404),
        },
    }
}

fn space_name(space: usize) -> String {
    format!("n{space:05}")
}

fn node() -> Value {
    let info = json!({"operatingSystem": "linux", "architecture": "amd64", "osImage": "Debian 13"});
    json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "node-1"}, "status": {"nodeInfo": info}})
}

fn owner(kind: &str, name: &str) -> Value {
    json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": format!("uid-{name}"), "controller": true}])
}

fn replica_set(workload: usize) -> Value {
    let name = format!("w{workload}-5d4c9");
    json!({
        "kind": "ReplicaSet", "apiVersion": "apps/v1",
        "metadata": {
            "name": name, "namespace": space_name(workload / CROWD), "uid": format!("uid-{name}"),
            "ownerReferences": owner("Deployment", &format!("w{workload}")),
        },
    })
}

/// One pod of a workload, with so many bytes that nobody reads.
fn pod(at: usize, workload: usize, filler: usize) -> Value {
    let image = format!("registry.example.com/shop/i{}:1", workload % IMAGES);
    let id = format!(
        "registry.example.com/shop/i{}@sha256:{:064x}",
        workload % IMAGES,
        workload % IMAGES
    );
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": format!("w{workload}-5d4c9-{at:05}"), "namespace": space_name(workload / CROWD),
            "uid": format!("8f0b4b0c-5c1e-4a3d-9a51-{at:012}"), "annotations": {"example.com/filler": "x".repeat(filler)},
            "ownerReferences": owner("ReplicaSet", &format!("w{workload}-5d4c9")),
        },
        "spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": image}]},
        "status": {
            "phase": "Running",
            "containerStatuses": [{"name": "main", "image": image, "imageID": id, "containerID": "containerd://0"}],
        },
    })
}

/// What `kubectl get pods,replicasets,nodes -A -o json` prints of so many pods of so many workloads.
fn dump(pods: usize, workloads: usize, filler: usize) -> std::io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    let mut out = BufWriter::new(&mut file);
    write!(out, r#"{{"apiVersion":"v1","kind":"List","items":["#)?;
    for at in 0..pods {
        write!(out, "{},", pod(at, at % workloads, filler))?;
    }
    for workload in 0..workloads {
        write!(out, "{},", replica_set(workload))?;
    }
    write!(out, "{}]}}", node())?;
    out.flush()?;
    drop(out);
    Ok(file)
}
