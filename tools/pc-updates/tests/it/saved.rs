//! What a list of tags saves those who come after: counted by the registry, with the real tools.

use serde_json::Value;
use testkit::registry::FakeRegistry;
use testkit::{Ran, pc};

use crate::updates;

/// Twenty images of one repository, of which one has a signature by its tag.
fn registry() -> (FakeRegistry, Vec<String>) {
    let registry = FakeRegistry::start();
    let mut images = Vec::new();
    for minor in 0..20 {
        let tag = format!("1.{minor}.0");
        let pushed = registry.push_image("shop/web", Some(&tag), &tag);
        if minor == 7 {
            let signature = format!("{}.sig", pushed.digest.replace(':', "-"));
            registry.push_image("shop/web", Some(&signature), "a signature");
        }
        images.push(format!("{}/shop/web:{tag}", registry.host()));
    }
    (registry, images)
}

/// What pc-verify writes of this input, and how many requests it took for that, by their kind.
fn verify(registry: &FakeRegistry, input: &[u8]) -> (Ran, usize, usize) {
    registry.clear_log();
    let run = pc("verify").args(["--plain-http", &registry.host()]);
    let ran = run.stdin(input).run().ok();
    let log = registry.log();
    let is_probe = |path: &str| path.contains("/manifests/sha256-");
    let probes = log.iter().filter(|asked| is_probe(&asked.path)).count();
    (ran, log.len(), probes)
}

/// The verdicts, which must not depend on who asked.
fn verdicts(ran: &Ran) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let of = |kind| ran.of_type(kind).into_iter();
    let all = of("signature").chain(of("provenance")).chain(of("sbom"));
    all.map(|record| (text(&record["manifest"]), text(&record["verdict"]))).collect()
}

#[test]
fn pc_verify_behind_pc_updates_asks_less_and_says_the_same() {
    let (registry, images) = registry();
    let digests = pc("digest").args(["--plain-http", &registry.host()]).args(&images).run().ok();
    let (alone, all, probes) = verify(&registry, &digests.stdout);
    registry.clear_log();
    let behind = updates(&registry).stdin(digests.stdout).run().ok();
    assert_eq!(registry.log().len(), 1, "one list of tags");
    let (spared, fewer, fewer_probes) = verify(&registry, &behind.stdout);
    assert_eq!(verdicts(&alone), verdicts(&spared));
    assert_eq!(verdicts(&alone).len(), 60);
    // Each of twenty manifests has four tags that may hold evidence. The list stands behind the
    // first of them, whose tags may have been asked for by then; of the others only the tag is
    // asked for that is there.
    assert_eq!(probes, 80);
    assert!((1..=5).contains(&fewer_probes), "{fewer_probes}");
    assert_eq!(all - fewer, probes - fewer_probes, "{all} requests, then {fewer} and the list");
    println!("{all} requests without pc-updates, {} with it", fewer + 1);
}

#[test]
fn a_list_that_was_not_whole_spares_nothing() {
    let (registry, images) = registry();
    let digests = pc("digest").args(["--plain-http", &registry.host()]).args(&images).run().ok();
    let list = testkit::registry::Canned::status(500);
    registry.can("/v2/shop/web/tags/list", list);
    let run = updates(&registry).args(["--max-tries", "1"]).stdin(digests.stdout.clone());
    let behind = run.run().ok();
    assert!(behind.of_type("repository").is_empty());
    let (_, alone, _) = verify(&registry, &digests.stdout);
    let (_, after, _) = verify(&registry, &behind.stdout);
    assert_eq!(alone, after);
}
