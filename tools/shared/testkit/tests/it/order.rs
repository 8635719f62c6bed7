//! Answers that arrive in another order than the questions were put in.

use std::time::Duration;

use testkit::registry::{Canned, FakeRegistry};
use testkit::{Ran, pc};

use crate::{EPOCH, assemble, made};

const REPOSITORIES: usize = 24;

/// A registry whose first repositories are its slowest, and a stream that uses each twice. Some
/// are not there, and some may not be read.
fn registry() -> (FakeRegistry, String) {
    let registry = FakeRegistry::start();
    let mut references = Vec::new();
    for number in 0..REPOSITORIES {
        let name = format!("shop/i{number:02}");
        let amd64 = registry.push_image(&name, None, &format!("amd64 of {number}"));
        let arm64 = registry.push_image(&name, None, &format!("arm64 of {number}"));
        let children = [("linux/amd64", &amd64), ("linux/arm64", &arm64)];
        let tag = if number % 8 == 3 { "another" } else { "1" };
        registry.push_index(&name, Some(tag), &children);
        if number % 3 == 0 {
            registry.push_provenance(&name, &amd64);
        }
        if number % 8 == 5 {
            registry.can(&format!("/v2/{name}/manifests/1"), Canned::status(403));
        }
        let delay = Duration::from_millis(4 * (REPOSITORIES - number) as u64);
        registry.switch(|switches| {
            switches.delays.insert(name.clone(), delay);
        });
        references.push(format!("{}/{name}:1", registry.host()));
    }
    let twice = references.iter().chain(references.iter().rev());
    let stream = made::stream(twice.map(String::as_str));
    (registry, stream)
}

/// The answers of a tool with so many requests in flight, and the order in which the repositories'
/// first answers came.
fn run(tool: &str, registry: &FakeRegistry, stream: &[u8], limit: &str) -> (Ran, Vec<String>) {
    registry.clear_log();
    let ran = pc(tool)
        .args(["--plain-http", &registry.host(), "--max-in-flight", limit])
        .args(["--max-in-flight-per-host", limit, "--max-in-flight-new", limit])
        .env("SOURCE_DATE_EPOCH", EPOCH)
        .stdin(stream)
        .run()
        .ok();
    let mut order: Vec<String> = Vec::new();
    for path in registry.answered() {
        let name = path.split('/').find(|part| part.starts_with('i')).expect("a repository");
        if !order.iter().any(|known| known == name) {
            order.push(name.to_owned());
        }
    }
    (ran, order)
}

/// Demands the same stream and the same report of one request at a time and of many, and gives the
/// stream. When many are asked, `late` says whether the slow repositories' answers came late.
fn same_bytes(
    tool: &str,
    registry: &FakeRegistry,
    stream: &[u8],
    late: impl Fn(&[String]) -> bool,
    check: impl Fn(&Ran),
) -> Vec<u8> {
    let report = |ran: &Ran| assemble(ran.stdout.clone()).run().ok().stdout;
    let (one, _) = run(tool, registry, stream, "1");
    check(&one);
    assert_eq!(registry.most_at_once(), 1);
    for _ in 0..2 {
        let (many, answered) = run(tool, registry, stream, "64");
        check(&many);
        // What is tested must have happened: many at once, and the answers of the slow ones, which
        // stand in front, late.
        assert!(registry.most_at_once() >= 16, "{} at once", registry.most_at_once());
        assert!(late(&answered), "{answered:?}");
        assert!(one.stdout == many.stdout, "the order of {tool}'s answers shows");
        assert!(report(&one) == report(&many), "the order of {tool}'s answers shows in the report");
    }
    one.stdout
}

#[test]
fn one_at_a_time_and_many_give_the_same_bytes() {
    let (registry, stream) = registry();
    let late = |answered: &[String]| {
        let place = |name| answered.iter().position(|known| known == name).expect("an answer");
        place("i23") < place("i03") && place("i18") < place("i06")
    };
    let stream = same_bytes("digest", &registry, stream.as_bytes(), late, |ran| {
        assert_eq!(ran.of_type("digest").len(), REPOSITORIES);
        assert_eq!(ran.of_type("failure").len(), 6, "{}", ran.text());
    });
    registry.switch(|switches| switches.referrers_api = true);
    // It asks several questions about each, so that not all are under way at once.
    let late = |answered: &[String]| !answered.is_sorted();
    same_bytes("verify", &registry, &stream, late, |ran| {
        let provenance = ran.of_type("provenance");
        let present = provenance.iter().filter(|record| record["verdict"] == "present");
        // What has no digest has no manifest to look for: six, two of them among the eight with a
        // statement.
        assert_eq!((provenance.len(), present.count()), (REPOSITORIES - 6, 6), "{}", ran.text());
    });
}
