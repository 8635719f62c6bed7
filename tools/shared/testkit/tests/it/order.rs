//! Answers that arrive in another order than the questions were put in.

use std::time::Duration;

use testkit::pc;
use testkit::registry::{Canned, FakeRegistry};

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

/// Stream and report with so many requests in flight, and the order in which the repositories'
/// first answers came.
fn run(registry: &FakeRegistry, stream: &str, limit: &str) -> ([Vec<u8>; 2], Vec<String>) {
    registry.clear_log();
    let ran = pc("digest")
        .args(["--plain-http", &registry.host(), "--max-in-flight", limit])
        .args(["--max-in-flight-per-host", limit, "--max-in-flight-new", limit])
        .env("SOURCE_DATE_EPOCH", EPOCH)
        .stdin(stream)
        .run()
        .ok();
    assert_eq!(ran.of_type("digest").len(), REPOSITORIES);
    assert_eq!(ran.of_type("failure").len(), 6, "{}", ran.text());
    let report = assemble(ran.stdout.clone()).run().ok().stdout;
    let mut order: Vec<String> = Vec::new();
    for path in registry.answered() {
        let name = path.split('/').find(|part| part.starts_with('i')).expect("a repository");
        if !order.iter().any(|known| known == name) {
            order.push(name.to_owned());
        }
    }
    ([ran.stdout, report], order)
}

#[test]
fn one_at_a_time_and_many_give_the_same_bytes() {
    let (registry, stream) = registry();
    let (one, _) = run(&registry, &stream, "1");
    assert_eq!(registry.most_at_once(), 1);
    for _ in 0..2 {
        let (many, answered) = run(&registry, &stream, "64");
        // What is tested must have happened: many at once, and the answers of the slow ones, which
        // stand in front, late.
        assert!(registry.most_at_once() >= 16, "{} at once", registry.most_at_once());
        let place = |name| answered.iter().position(|known| known == name).expect("an answer");
        assert!(place("i23") < place("i03") && place("i18") < place("i06"), "{answered:?}");
        assert!(one == many, "the order of the answers shows");
    }
}
