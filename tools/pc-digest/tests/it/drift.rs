//! What runs against what the tag means: like with like, and no verdict without proof.

use serde_json::Value;
use testkit::registry::{Canned, FakeRegistry};

use crate::{ask, image};

const AMD64: Option<&str> = Some("linux/amd64");

struct Shop {
    registry: FakeRegistry,
    repository: String,
}

/// A registry with a multi-architecture image below the tag `1`.
fn shop() -> (Shop, testkit::registry::Pushed, testkit::registry::Pushed) {
    let registry = FakeRegistry::start();
    let repository = format!("{}/shop/web", registry.host());
    let amd64 = registry.push_image("shop/web", None, "amd64");
    let arm64 = registry.push_image("shop/web", None, "arm64");
    let index = registry.push_index(
        "shop/web",
        Some("1"),
        &[("linux/amd64", &amd64), ("linux/arm64", &arm64)],
    );
    (Shop { registry, repository }, index, amd64)
}

impl Shop {
    /// The answer for tag `1` when this imageID runs.
    fn running(&self, image_id: &str, platform: Option<&str>) -> (Value, Vec<String>) {
        ask(
            &self.registry,
            &image(&format!("{}:1", self.repository), Some(image_id), platform, "web"),
        )
    }

    /// The imageID of a manifest of this repository.
    fn id(&self, digest: &str) -> String {
        format!("{}@{digest}", self.repository)
    }
}

#[test]
fn the_index_of_the_tag_runs() {
    let (shop, index, amd64) = shop();
    let (record, failures) = shop.running(&shop.id(&index.digest), AMD64);
    assert_eq!(record["digest"], *index.digest);
    assert_eq!(record["index"], *index.digest);
    assert_eq!(record["manifest"], *amd64.digest);
    assert_eq!(
        (&record["drift"], &record["how"], &record["present"]),
        (&"same".into(), &"status".into(), &true.into())
    );
    assert_eq!(record["platforms"].as_array().map(Vec::len), Some(2));
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn a_platform_manifest_of_the_tags_index_is_the_same() {
    let (shop, index, amd64) = shop();
    let (record, _) = shop.running(&shop.id(&amd64.digest), AMD64);
    assert_eq!((&record["drift"], &record["digest"]), (&"same".into(), &(*amd64.digest).into()));
    assert_eq!(
        (&record["index"], &record["manifest"]),
        (&(*index.digest).into(), &(*amd64.digest).into())
    );
}

#[test]
fn a_platform_that_was_added_moves_nothing_and_a_new_build_does() {
    let (shop, index, amd64) = shop();
    let id = shop.id(&index.digest);
    let arm = shop.registry.push_image("shop/web", None, "arm");
    shop.registry.push_index(
        "shop/web",
        Some("1"),
        &[("linux/amd64", &amd64), ("linux/arm/v7", &arm)],
    );
    assert_eq!(shop.running(&id, AMD64).0["drift"], "same");
    // For arm64 the tag has nothing any more.
    assert_eq!(shop.running(&id, Some("linux/arm64")).0["drift"], "moved");
    let rebuilt = shop.registry.push_image("shop/web", None, "amd64, rebuilt");
    let now = shop.registry.push_index("shop/web", Some("1"), &[("linux/amd64", &rebuilt)]);
    let (record, _) = shop.running(&id, AMD64);
    assert_eq!((&record["drift"], &record["tagDigest"]), (&"moved".into(), &(*now.digest).into()));
    assert_eq!(
        (&record["digest"], &record["manifest"]),
        (&(*index.digest).into(), &(*amd64.digest).into())
    );
    assert_eq!(record["present"], true);
}

#[test]
fn one_config_in_two_manifests_is_the_same_image() {
    let registry = FakeRegistry::start();
    let pushed = registry.push_image("shop/web", None, "amd64");
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": pushed.config, "size": 10},
        "layers": [],
    });
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    registry.push_json("shop/web", Some("1"), kind, &manifest);
    let shop = Shop { repository: format!("{}/shop/web", registry.host()), registry };
    assert_eq!(shop.running(&shop.id(&pushed.digest), AMD64).0["drift"], "same");
}

#[test]
fn a_bare_image_id_is_no_manifest_digest() {
    let (shop, index, amd64) = shop();
    for id in [
        amd64.config.clone(),
        amd64.config.replace("sha256:", ""),
        format!("docker://{}", amd64.config),
    ] {
        let (record, failures) = shop.running(&id, AMD64);
        assert_eq!(
            (&record["how"], &record["drift"]),
            (&"config".into(), &"same".into()),
            "{id}: {failures:?}"
        );
        assert_eq!(
            (&record["digest"], &record["manifest"]),
            (&(*index.digest).into(), &(*amd64.digest).into())
        );
    }
    // Unknown platform: any child's config proves it.
    let (record, _) = shop.running(&amd64.config, None);
    assert_eq!(record["how"], "config");
}

#[test]
fn an_image_id_that_nothing_has_claims_no_digest() {
    let (shop, index, _) = shop();
    let other = format!("sha256:{}", "e".repeat(64));
    let (record, failures) = shop.running(&other, AMD64);
    assert_eq!(
        (&record["digest"], &record["how"], &record["drift"]),
        (&Value::Null, &Value::Null, &"moved".into())
    );
    assert_eq!(
        (&record["tagDigest"], failures),
        (&(*index.digest).into(), vec!["image-id-unproven".to_owned()])
    );
}

#[test]
fn an_image_id_that_could_not_be_compared_falls_back_to_the_tag_and_says_so() {
    let (shop, index, amd64) = shop();
    shop.registry.can(&format!("/v2/shop/web/manifests/{}", amd64.digest), Canned::status(503));
    let (record, failures) = shop.running(&format!("sha256:{}", "e".repeat(64)), AMD64);
    assert_eq!(
        (&record["digest"], &record["how"], &record["drift"]),
        (&(*index.digest).into(), &"tag".into(), &"unknown".into())
    );
    assert_eq!(failures, ["server-error"]);
}

#[test]
fn a_deleted_manifest_is_said_and_stays() {
    let (shop, index, _) = shop();
    let gone = format!("sha256:{}", "d".repeat(64));
    let (record, _) = shop.running(&shop.id(&gone), AMD64);
    assert_eq!((&record["present"], &record["digest"]), (&false.into(), &(*gone).into()));
    assert_eq!(
        (&record["tagDigest"], &record["drift"]),
        (&(*index.digest).into(), &"unknown".into())
    );
}

#[test]
fn a_manifest_that_only_another_repository_has_is_found_there() {
    let (shop, _, _) = shop();
    let shared = shop.registry.push_image("mirror/web", None, "shared");
    let id = format!("{}/mirror/web@{}", shop.registry.host(), shared.digest);
    let (record, _) = shop.running(&id, AMD64);
    assert_eq!(record["present"], false);
    assert_eq!(record["foundIn"], format!("{}/mirror/web", shop.registry.host()));
    assert_eq!(record["repository"], shop.repository);
}

#[test]
fn a_tag_that_is_gone_and_a_registry_that_is_down_are_unknown_with_a_reason() {
    let (shop, index, _) = shop();
    let gone = format!("{}:2", shop.repository);
    let (record, failures) =
        ask(&shop.registry, &image(&gone, Some(&shop.id(&index.digest)), AMD64, "web"));
    assert_eq!((&record["drift"], &record["digest"]), (&"unknown".into(), &(*index.digest).into()));
    assert_eq!(failures, ["not-found"]);
    shop.registry.can("/v2/shop/web/manifests/1", Canned::status(500));
    let (record, failures) = shop.running(&shop.id(&index.digest), AMD64);
    assert_eq!(
        (&record["drift"], &record["tagDigest"], &record["present"]),
        (&"unknown".into(), &Value::Null, &true.into())
    );
    assert_eq!(failures, ["server-error"]);
}

#[test]
fn a_pinned_reference_is_pinned_and_a_pending_one_claims_what_it_would_run() {
    let (shop, index, amd64) = shop();
    let pinned = format!("{}:1@{}", shop.repository, index.digest);
    let (record, _) =
        ask(&shop.registry, &image(&pinned, Some(&shop.id(&amd64.digest)), AMD64, "web"));
    assert_eq!((&record["drift"], &record["digest"]), (&"pinned".into(), &(*amd64.digest).into()));
    assert_eq!(record["index"], *index.digest);
    let (record, _) = ask(&shop.registry, &image(&pinned, None, AMD64, "web"));
    assert_eq!((&record["how"], &record["digest"]), (&"reference".into(), &(*index.digest).into()));
    let (record, _) =
        ask(&shop.registry, &image(&format!("{}:1", shop.repository), None, AMD64, "web"));
    assert_eq!((&record["how"], &record["drift"]), (&"tag".into(), &"unknown".into()));
}

#[test]
fn a_variant_is_not_guessed() {
    let (shop, ..) = shop();
    let (v6, v7) = (
        shop.registry.push_image("shop/web", None, "v6"),
        shop.registry.push_image("shop/web", None, "v7"),
    );
    let index = shop.registry.push_index(
        "shop/web",
        Some("1"),
        &[("linux/arm/v6", &v6), ("linux/arm/v7", &v7)],
    );
    let (record, failures) = shop.running(&shop.id(&index.digest), Some("linux/arm"));
    assert_eq!(
        (&record["manifest"], failures),
        (&Value::Null, vec!["platform-unknown".to_owned()])
    );
    assert_eq!(record["drift"], "same");
}

#[test]
fn a_malformed_reference_is_an_answer() {
    let registry = FakeRegistry::start();
    let (record, failures) = ask(&registry, &image("UPPER/Case:1", None, None, "web"));
    assert_eq!((&record["repository"], &record["digest"]), (&Value::Null, &Value::Null));
    assert_eq!(failures, ["bad-reference"]);
    assert!(registry.log().is_empty());
}

#[test]
fn an_index_that_names_no_platforms_disproves_nothing() {
    let registry = FakeRegistry::start();
    let child = registry.push_image("shop/web", None, "amd64");
    let index = "application/vnd.oci.image.index.v1+json";
    let entry = serde_json::json!({"mediaType": child.media_type, "digest": child.digest, "size": child.size});
    let content = serde_json::json!({"schemaVersion": 2, "mediaType": index, "manifests": [entry]});
    registry.push_json("shop/web", Some("1"), index, &content);
    let shop = Shop { repository: format!("{}/shop/web", registry.host()), registry };
    assert_eq!(shop.running(&child.config, AMD64).0["how"], "config");
}

#[test]
fn a_pin_that_is_not_what_runs_is_no_pin() {
    let (shop, index, _) = shop();
    let other = shop.registry.push_image("shop/web", None, "other");
    let pinned = format!("{}@{}", shop.repository, index.digest);
    let record = image(&pinned, Some(&shop.id(&other.digest)), AMD64, "web");
    let (record, failures) = ask(&shop.registry, &record);
    assert_eq!(
        (&record["drift"], failures),
        (&"moved".into(), vec!["pin-contradicted".to_owned()])
    );
    let record = image(&pinned, Some(&other.config), AMD64, "web");
    let (record, failures) = ask(&shop.registry, &record);
    assert_eq!((&record["drift"], &record["digest"]), (&"moved".into(), &Value::Null));
    assert_eq!(failures, ["image-id-unproven"]);
}

#[test]
fn a_repository_that_shows_nothing_has_deleted_nothing() {
    let (shop, index, _) = shop();
    let hidden = format!("{}/no/such:1", shop.registry.host());
    let id = format!("{}/no/such@{}", shop.registry.host(), index.digest);
    let (record, failures) = ask(&shop.registry, &image(&hidden, Some(&id), AMD64, "web"));
    assert_eq!(record["present"], Value::Null);
    assert!(
        failures.iter().all(|code| code == "not-found") && !failures.is_empty(),
        "{failures:?}"
    );
}

#[test]
fn a_gate_on_moved_tags_is_not_passed_by_what_could_not_be_compared() {
    let (shop, index, _) = shop();
    shop.registry.can("/v2/shop/web/manifests/1", Canned::status(403));
    let record =
        image(&format!("{}:1", shop.repository), Some(&shop.id(&index.digest)), AMD64, "web");
    let ran = crate::digest(&shop.registry).args(["--fail-on", "moved"]);
    let _ = ran.stdin(crate::stream(&[record])).run().code(3).says("is moved");
}

#[test]
fn a_config_that_cannot_be_named_is_a_failure_that_says_so() {
    let (shop, ..) = shop();
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:zz", "size": 2},
        "layers": [],
    });
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    shop.registry.push_json("shop/web", Some("1"), media_type, &manifest);
    let record = image(
        &format!("{}:1", shop.repository),
        Some(&format!("sha256:{}", "c".repeat(64))),
        AMD64,
        "web",
    );
    let ran = crate::digest(&shop.registry).stdin(crate::stream(&[record])).run().ok();
    let answer = ran.of_type("digest").swap_remove(0);
    assert_eq!((&answer["how"], &answer["drift"]), (&"tag".into(), &"unknown".into()));
    let failures = ran.of_type("failure");
    assert_eq!((failures.len(), &failures[0]["code"]), (1, &"bad-response".into()));
    let message = failures[0]["message"].as_str().expect("a message");
    assert!(message.contains("`sha256:zz` is not a sha256 digest"), "{message}");
}

#[test]
fn what_cannot_be_named_is_not_known_to_be_what_is_written() {
    let (shop, index, _) = shop();
    let (tag, pin) =
        (format!("{}:1", shop.repository), format!("{}@{}", shop.repository, index.digest));
    for reference in [&tag, &pin] {
        for id in ["what?", &tag] {
            let record = image(reference, Some(id), AMD64, "web");
            let (said, failures) = ask(&shop.registry, &record);
            assert_eq!(
                (&said["how"], &said["drift"], &said["digest"]),
                (&"tag".into(), &"unknown".into(), &(*index.digest).into()),
                "{reference} {id}"
            );
            assert_eq!(failures, ["image-id-unproven"], "{reference} {id}");
            let gates = ["--fail-on", "unproven"];
            let ran = crate::digest(&shop.registry).args(gates).stdin(crate::stream(&[record]));
            let _ = ran.run().code(3).says("is unproven");
        }
    }
}

#[test]
fn a_bare_id_that_the_index_lists_is_that_manifest_on_any_platform() {
    let (shop, index, amd64) = shop();
    let arm64 = shop.registry.push_image("shop/web", None, "arm64");
    for child in [&amd64, &arm64] {
        for platform in [AMD64, None] {
            let (record, failures) = shop.running(&child.digest, platform);
            assert_eq!(
                (&record["manifest"], &record["digest"], &record["index"]),
                (&(*child.digest).into(), &(*child.digest).into(), &(*index.digest).into())
            );
            assert_eq!((&record["how"], &record["drift"]), (&"status".into(), &"same".into()));
            assert!(failures.is_empty(), "{failures:?}");
            let pinned = format!("{}@{}", shop.repository, index.digest);
            let (record, failures) =
                ask(&shop.registry, &image(&pinned, Some(&child.digest), platform, "web"));
            assert_eq!(
                (&record["manifest"], &record["index"], &record["drift"]),
                (&(*child.digest).into(), &(*index.digest).into(), &"pinned".into())
            );
            assert!(failures.is_empty(), "{failures:?}");
        }
    }
    // The index's own digest is that of no one manifest.
    let (record, _) = shop.running(&index.digest, AMD64);
    assert_eq!(
        (&record["digest"], &record["manifest"], &record["drift"]),
        (&(*index.digest).into(), &(*amd64.digest).into(), &"same".into())
    );
}

#[test]
fn a_config_proves_a_manifest_whatever_the_platform() {
    let (shop, index, amd64) = shop();
    let arm64 = shop.registry.push_image("shop/web", None, "arm64");
    for child in [&amd64, &arm64] {
        for platform in [AMD64, Some("linux/s390x"), None] {
            let (record, failures) = shop.running(&child.config, platform);
            assert_eq!(
                (&record["manifest"], &record["index"], &record["how"], &record["drift"]),
                (
                    &(*child.digest).into(),
                    &(*index.digest).into(),
                    &"config".into(),
                    &"same".into()
                ),
                "{platform:?}"
            );
            assert!(failures.is_empty(), "{failures:?}");
        }
    }
}

#[test]
fn a_tag_has_moved_only_where_every_manifest_was_read() {
    let (shop, _, amd64) = shop();
    let arm64 = shop.registry.push_image("shop/web", None, "arm64");
    let other = format!("sha256:{}", "e".repeat(64));
    assert_eq!(shop.running(&other, Some("linux/s390x")).0["drift"], "moved");
    shop.registry.can(&format!("/v2/shop/web/manifests/{}", arm64.digest), Canned::status(503));
    let (record, failures) = shop.running(&other, AMD64);
    assert_eq!((&record["how"], &record["drift"]), (&"tag".into(), &"unknown".into()));
    assert_eq!(failures, ["server-error"]);
    // One that was not needed is no failure.
    let (record, failures) = shop.running(&amd64.config, AMD64);
    assert_eq!((&record["how"], failures), (&"config".into(), Vec::new()));
}

#[test]
fn a_malformed_reference_is_not_pinned() {
    let (shop, index, _) = shop();
    let gate = |reference: &str| {
        let record = image(reference, None, AMD64, "web");
        let run = crate::digest(&shop.registry).args(["--fail-on", "unpinned"]);
        run.stdin(crate::stream(&[record])).run()
    };
    for bad in ["x@y", "x@sha256:zz", "@"] {
        let _ = gate(bad).code(3).says("is unpinned");
    }
    let _ = gate(&format!("{}:1", shop.repository)).code(3).says("is unpinned");
    let _ = gate(&format!("{}@{}", shop.repository, index.digest)).ok();
}
