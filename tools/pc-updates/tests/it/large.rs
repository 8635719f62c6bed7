//! Lists that are larger than anybody means them to be.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::Ran;
use testkit::registry::{Canned, FakeRegistry, Payload};

use crate::{codes, digest, stream, update, updates, web};

const LIST: &str = "/v2/shop/web/tags/list";

fn list(tags: impl Iterator<Item = String>) -> String {
    let tags: Vec<String> = tags.map(|tag| format!("\"{tag}\"")).collect();
    format!(r#"{{"name":"shop/web","tags":[{}]}}"#, tags.join(","))
}

fn canned(body: impl Into<Payload>) -> Canned {
    Canned::status(200).header("content-type", "application/json").body(body)
}

/// What is answered about 200 images of the repository, how long that took, and how much memory.
fn run(registry: &FakeRegistry, images: usize) -> (Ran, Duration) {
    let records: Vec<_> =
        (0..images).map(|n| digest(&web(registry, &format!("1.{n}.0")), "same", "a")).collect();
    let started = Instant::now();
    let ran = updates(registry).stdin(stream(&records)).run().ok();
    (ran, started.elapsed())
}

#[test]
fn a_hundred_thousand_tags_in_a_hundred_pages() {
    let registry = FakeRegistry::start();
    let page = |n: usize| {
        let tags = (0..1000).map(|m| format!("1.{n}.{m}"));
        let page = canned(list(tags).as_str());
        match n {
            99 => page,
            _ => page.header("link", &format!("</v2/shop/web/tags/page{}>; rel=\"next\"", n + 1)),
        }
    };
    registry.can(LIST, page(0));
    for n in 1..100 {
        registry.can(&format!("/v2/shop/web/tags/page{n}"), page(n));
    }
    let (ran, took) = run(&registry, 20);
    let answers = ran.of_type("update");
    assert_eq!(answers.len(), 20);
    assert!(answers.iter().all(|update| update["newest"] == "1.99.999"), "{}", answers[0]);
    assert_eq!(
        (registry.log().len(), &ran.of_type("repository")[0]["tags"]),
        (100, &100_000.into())
    );
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[test]
fn ten_megabytes_in_one_page_are_too_large() {
    let registry = FakeRegistry::start();
    let tags = list((0..900_000).map(|n| format!("1.0.{n}")));
    assert!(tags.len() > 10_000_000);
    registry.can(LIST, canned(tags.into_bytes()));
    let (ran, _) = run(&registry, 1);
    assert_eq!(
        (update(&ran)["status"].as_str(), codes(&ran)),
        (Some("unknown"), vec!["too-large".into()])
    );
}

#[test]
fn pages_without_end_end() {
    let registry = FakeRegistry::start();
    registry.can(LIST, canned(Payload::Endless));
    let (ran, took) = run(&registry, 1);
    assert_eq!(codes(&ran), ["too-large"]);
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[test]
fn texts_that_are_no_tags_are_never_proposed() {
    let registry = FakeRegistry::start();
    let long = format!("9.9.{}", "9".repeat(5000));
    let tags = ["1.0.0", "9.9.9\\u001b[2J", "9.9.9 ", "9.9.9/../x", "9.9.9\\u202e", &long];
    registry.can(LIST, canned(list(tags.iter().map(|tag| (*tag).to_owned())).as_str()));
    let (ran, _) = run(&registry, 1);
    let record = update(&ran);
    assert_eq!((record["status"].as_str(), record["newest"].as_str()), (Some("current"), None));
}

/// Runs with this input; what came out, and the most memory that it took, in KiB.
fn measured(registry: &FakeRegistry, input: &str) -> (String, u64) {
    let mut child = Command::new(testkit::binaries().join("pc-updates"))
        .args(["--progress", "never", "--log-level", "error", "--plain-http", &registry.host()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all(input.as_bytes()).expect("read");
    drop(pipe);
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
        std::thread::sleep(Duration::from_millis(5));
    }
    (reader.join().expect("read"), peak)
}

#[test]
fn many_large_lists_at_once_take_bounded_memory() {
    let registry = FakeRegistry::start();
    let mut records = Vec::new();
    for repository in 0..40 {
        let tags = list((0..100_000).map(|n| format!("1.{}.{}", n / 1000, n % 1000)));
        registry.can(&format!("/v2/shop/{repository}/tags/list"), canned(tags.into_bytes()));
        let image = format!("{}/shop/{repository}:1.0.0", registry.host());
        records.push(digest(&image, "same", "a"));
    }
    let (text, peak) = measured(&registry, &stream(&records));
    assert_eq!(text.matches("\"newest\":\"1.99.999\"").count(), 40);
    assert_eq!(registry.log().len(), 40);
    println!("{peak} KiB at its peak");
    assert!(peak > 0 && peak < 112 * 1024, "{peak} KiB at its peak");
}
