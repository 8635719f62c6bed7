//! A host that never answers: it costs at most what its breaker lets through, and takes nothing
//! from the images of others.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::registry::FakeRegistry;
use testkit::{Ran, pc};

const IMAGES: usize = 200;

const CHECKS: [&str; 4] = ["signature", "provenance", "sbom", "attestation"];

/// How long one question may take.
const TIMEOUT: u64 = 4;

/// The `digest` record of an image with one manifest.
fn digest(host: &str, name: &str, digest: &str) -> Value {
    let repository = format!("{host}/{name}");
    json!({
        "type": "digest", "v": 1, "image": format!("{repository}:1"),
        "imageId": format!("{repository}@{digest}"), "platform": "linux/amd64",
        "repository": repository, "tag": "1", "digest": digest, "how": "status", "present": true,
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "index": null,
        "manifest": digest, "tagDigest": digest, "drift": "same", "platforms": [],
    })
}

/// The answers about the images of a registry, beside those of a second host.
fn beside(
    registry: &FakeRegistry,
    images: &[(String, String)],
    other: Option<&str>,
) -> (Vec<Value>, Ran, Duration) {
    let mut stream = String::new();
    for (name, manifest) in images {
        for host in other.into_iter().chain([registry.host().as_str()]) {
            stream.push_str(&format!("{}\n", digest(host, name, manifest)));
        }
    }
    stream.push_str("{\"type\":\"end\",\"v\":1,\"stages\":[]}\n");
    let started = Instant::now();
    let ran = pc("verify")
        .args(["--plain-http", &registry.host(), "--allow-address", "127.0.0.0/8"])
        .args(["--registry-timeout", &format!("{TIMEOUT}s")])
        .stdin(stream)
        .run()
        .ok();
    let took = started.elapsed();
    (answers(&ran, &registry.host()), ran, took)
}

/// The answers of all checks about the images of a host.
fn answers(ran: &Ran, host: &str) -> Vec<Value> {
    let start = format!("{host}/");
    let of_host = |record: &Value| {
        let is_check = CHECKS.iter().any(|check| record["type"] == *check);
        is_check && record["repository"].as_str().is_some_and(|name| name.starts_with(&start))
    };
    ran.records().into_iter().filter(of_host).collect()
}

fn verdicts(answers: &[Value], verdict: &str) -> usize {
    answers.iter().filter(|answer| answer["verdict"] == verdict).count()
}

#[test]
fn of_two_hosts_of_which_one_is_silent_the_other_is_verified_as_if_alone() {
    let registry = FakeRegistry::start();
    registry.switch(|switches| switches.referrers_api = true);
    let push = |number: usize| {
        let name = format!("shop/web{number}");
        let pushed = registry.push_image(&name, Some("1"), &name);
        (name, pushed.digest)
    };
    let images: Vec<(String, String)> = (0..IMAGES).map(push).collect();
    let (alone, _, without) = beside(&registry, &images, None);
    assert_eq!((alone.len(), verdicts(&alone, "absent")), (4 * IMAGES, 4 * IMAGES));
    // Accepts connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let host = silent.local_addr().expect("an address").to_string();
    let (beside, ran, with) = beside(&registry, &images, Some(&host));
    assert_eq!(beside, alone);
    // What could not be asked is unknown, each with its reason.
    let unknown = answers(&ran, &host);
    assert_eq!((unknown.len(), verdicts(&unknown, "unknown")), (4 * IMAGES, 4 * IMAGES));
    let failures = ran.of_type("failure");
    let has_reason = |(name, _): &(String, String)| {
        let repository = format!("{host}/{name}");
        failures.iter().any(|failure| {
            failure["repository"] == *repository
                && ["timeout", "host-unreachable"].iter().any(|code| failure["code"] == *code)
        })
    };
    assert!(images.iter().all(has_reason), "{:#?}", failures.first());
    // One breaker's worth: three questions, the first alone, since it tells how to ask.
    let requests = &ran.of_type("end")[0]["stages"][0]["requests"][&host];
    let asked: u64 = requests.as_object().expect("counts").values().filter_map(Value::as_u64).sum();
    assert_eq!(asked, 3, "{requests}");
    assert!(with < without + Duration::from_secs(2 * TIMEOUT + 3), "{with:?} and {without:?}");
}
