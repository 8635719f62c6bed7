//! A thousand releases of 300 KB with ten revisions each: only the newest are read, and memory
//! does not grow with their number; and the largest that are read.

use std::process::{Command, Stdio};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testkit::api::{FakeApi, Reply};

use crate::{gzip, metadata, release};

const RELEASES: usize = 1000;
const REVISIONS: usize = 10;
/// The size of what Helm stores, as `data` of a Secret has it, in bytes.
const SIZE: usize = 300 * 1024;
/// What a page holds.
const PAGE: usize = 500;
/// What is wanted, in KiB.
const MEMORY: u64 = 64 * 1024;

/// Texts that do not pack: what a Secret's `data` takes is half as much again.
fn noise(length: usize) -> String {
    let mut state = 88_172_645_463_325_252_u64;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length * 3 / 4 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    STANDARD.encode(bytes)
}

fn name(number: usize) -> String {
    format!("release-{number:04}")
}

/// Every release is one body, with another name in it: the server must not be what is measured.
fn body() -> (String, usize) {
    let mut large = release("shop", &name(0), 10, "deployed");
    // A quarter of what is packed is manifest, and all of it is base64 twice in the end.
    let (manifest, templates) = (noise(SIZE * 3 / 16), noise(SIZE * 9 / 16));
    let documents: String = (0..40)
        .map(|n| {
            let part = &manifest[n * manifest.len() / 40..(n + 1) * manifest.len() / 40];
            format!(
                "---\nkind: Deployment\nspec: {{note: {part}, containers: [{{image: 'i:{n}'}}]}}\n"
            )
        })
        .collect();
    large["manifest"] = documents.into();
    large["chart"]["templates"] = json!([{"name": "t", "data": templates}]);
    let packed = gzip(large.to_string().as_bytes());
    let data = STANDARD.encode(STANDARD.encode(&packed));
    let size = data.len();
    (data, size)
}

fn list(from: usize) -> Reply {
    let all = RELEASES * REVISIONS;
    let one = |at: usize| {
        let (number, revision) = (at / REVISIONS, at % REVISIONS + 1);
        let status = if revision == REVISIONS { "deployed" } else { "superseded" };
        json!({"metadata": metadata("shop", &name(number), revision as u64, status)})
    };
    let items: Vec<Value> = (from..all.min(from + PAGE)).map(one).collect();
    let next = from + PAGE;
    Reply::list(&items, &if next < all { next.to_string() } else { String::new() })
}

#[test]
fn only_the_newest_are_read_and_memory_stays_small() {
    let (data, size) = body();
    assert!((280 * 1024..330 * 1024).contains(&size), "{size}");
    let data: Arc<str> = data.into();
    let api = FakeApi::start(move |uri| {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        match path {
            "/api/v1/secrets" => {
                let from = query.split('&').find_map(|part| part.strip_prefix("continue="));
                list(from.map_or(0, |from| from.parse().expect("a number")))
            }
            "/api/v1/configmaps" => Reply::list(&[], ""),
            "/apis" => Reply::Json(200, json!({"groups": []})),
            // They all hold release 0, which is told of the others; what they cost is the same.
            _ => {
                Reply::Text(format!("{{\"kind\":\"Secret\",\"data\":{{\"release\":\"{data}\"}}}}"))
            }
        }
    });
    let (text, peak) = measured(&api);
    let count = |kind: &str| text.matches(&format!("{{\"type\":\"{kind}\"")).count();
    assert_eq!((count("release"), count("end")), (RELEASES, 1));
    assert_eq!(count("failure"), RELEASES - 1, "only release 0 is itself");
    let asked = api.asked();
    let fetched = asked.iter().filter(|uri| uri.contains("/secrets/")).count();
    assert_eq!(fetched, RELEASES, "one object for each release");
    assert!(asked.iter().filter(|uri| uri.contains("/secrets/")).all(|uri| uri.ends_with(".v10")));
    assert!(peak > 0 && peak < MEMORY, "{peak} KiB at its peak");
}

/// Runs pc-helm alone: what it wrote, and the most memory that it had, in KiB.
fn measured(api: &FakeApi) -> (String, u64) {
    let mut child = Command::new(testkit::binaries().join("pc-helm"))
        .args(["-n", "--progress", "never", "--log-level", "error", "--kubeconfig"])
        .arg(api.kubeconfig())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let status = format!("/proc/{}/status", child.id());
    let out = child.stdout.take().expect("a pipe");
    let reader = std::thread::spawn(move || std::io::read_to_string(out).expect("UTF-8"));
    // The kernel keeps the peak; it is read until the process is gone.
    let mut peak = 0;
    while child.try_wait().expect("waited").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok());
        peak = kib.unwrap_or(peak).max(peak);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    (reader.join().expect("read"), peak)
}

/// What is wanted where the releases are as large as can be, in KiB: one of them, its text twice.
const LARGE_MEMORY: u64 = 112 * 1024;

#[test]
fn the_largest_releases_are_in_memory_one_at_a_time() {
    const LARGE: usize = 6;
    // 31 MiB of JSON each: documents enough for what is looked at, and one that is too long.
    let bodies: Vec<Arc<str>> = (0..LARGE)
        .map(|number| {
            let mut large = release("shop", &name(number), 1, "deployed");
            let small = format!("---\nkind: Pod\nimage: 'i:{number}'\n");
            let long = format!("---\nkind: Pod\nnote: {}\n", "x".repeat(31 << 20));
            large["manifest"] = [small.as_str(), &long, &small].concat().into();
            let packed = gzip(large.to_string().as_bytes());
            STANDARD.encode(STANDARD.encode(&packed)).into()
        })
        .collect();
    let api = FakeApi::start(move |uri| match uri.split('?').next().unwrap_or_default() {
        "/api/v1/secrets" => {
            let one = |number| json!({"metadata": metadata("shop", &name(number), 1, "deployed")});
            Reply::list(&(0..LARGE).map(one).collect::<Vec<Value>>(), "")
        }
        "/apis" => Reply::Json(200, json!({"groups": []})),
        path => match bodies.iter().enumerate().find(|(number, _)| path.contains(&name(*number))) {
            Some((_, data)) => {
                Reply::Text(format!("{{\"kind\":\"Secret\",\"data\":{{\"release\":\"{data}\"}}}}"))
            }
            None => Reply::list(&[], ""),
        },
    });
    let (text, peak) = measured(&api);
    let records: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let releases: Vec<&Value> =
        records.iter().filter(|record| record["type"] == "release").collect();
    assert_eq!(releases.len(), LARGE);
    for (number, record) in releases.iter().enumerate() {
        assert_eq!(record["images"], json!([format!("i:{number}")]), "all but the long document");
    }
    let failures: Vec<&Value> =
        records.iter().filter(|record| record["type"] == "failure").collect();
    assert!(
        failures.len() == LARGE
            && failures.iter().all(|failure| {
                failure["message"].as_str().is_some_and(|text| text.contains("or are too long"))
            })
    );
    assert!(peak > 0 && peak < LARGE_MEMORY, "{peak} KiB at its peak");
}
