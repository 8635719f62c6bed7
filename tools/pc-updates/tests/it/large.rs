//! Lists that are larger than anybody means them to be.

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
