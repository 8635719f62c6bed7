//! References by digest alone: which tags stand for them now, and what that costs.

use serde_json::{Value, json};
use testkit::Ran;
use testkit::registry::{Canned, FakeRegistry};

use crate::{codes, digest, shelf, stream, update, updates, web};

const LIST: &str = "/v2/shop/web/tags/list";

fn word<'v>(record: &'v Value, key: &str) -> &'v str {
    record[key].as_str().unwrap_or("-")
}

/// A `digest` record of a reference without a tag.
fn pinned(registry: &FakeRegistry, of: &str) -> Value {
    let mut record = digest(&web(registry, "x"), "pinned", "a");
    record["image"] = format!("{}/shop/web@{of}", registry.host()).into();
    record["tag"] = Value::Null;
    record
}

fn ask(registry: &FakeRegistry, of: &str) -> (Value, Ran) {
    let ran = updates(registry)
        .args(["--max-tries", "1"])
        .stdin(stream(&[pinned(registry, of)]))
        .run()
        .ok();
    (update(&ran), ran)
}

#[test]
fn a_digest_has_the_tags_that_stand_for_it_now() {
    let registry = shelf(&["1.29.1", "1.27.5", "2.0.0-rc1"]);
    let mut used = String::new();
    for tag in ["1.27", "latest", "1.27.3", "1.27.3-alpine"] {
        used = registry.push_image("shop/web", Some(tag), "used").digest;
    }
    let (record, ran) = ask(&registry, &used);
    assert_eq!(record["tags"], json!(["1.27.3", "1.27.3-alpine", "1.27", "latest"]));
    assert_eq!((word(&record, "current"), word(&record, "currentVersion")), ("1.27.3", "1.27.3"));
    assert_eq!((word(&record, "status"), word(&record, "newest")), ("available", "1.29.1"));
    assert_eq!(word(&record, "latestInPatch"), "1.27.5");
    assert_eq!(word(&record, "reason"), "`1.27.3` stands for this digest now");
    assert_eq!(word(&record, "image"), format!("{}/shop/web@{used}", registry.host()));
    assert_eq!(ran.of_type("repository").len(), 1, "the list was whole");
    let newest = registry.push_image("shop/web", Some("1.29.1"), "newest").digest;
    let (record, _) = ask(&registry, &newest);
    assert_eq!((word(&record, "status"), word(&record, "current")), ("current", "1.29.1"));
}

#[test]
fn a_digest_without_a_tag_that_has_a_version_is_not_compared() {
    let registry = shelf(&["1.0.0"]);
    let (record, ran) = ask(&registry, &crate::sha("b"));
    assert_eq!((word(&record, "status"), record.get("tags")), ("not-comparable", None));
    assert_eq!(word(&record, "reason"), "no tag to compare: no tag stands for this digest now");
    assert_eq!((&record["current"], codes(&ran)), (&Value::Null, vec![]));
    let named = registry.push_image("shop/web", Some("latest"), "named").digest;
    let (record, _) = ask(&registry, &named);
    assert_eq!((word(&record, "status"), &record["tags"]), ("not-comparable", &json!(["latest"])));
    let reason = "no tag to compare: `latest` stands for this digest now, and has no version";
    assert_eq!(word(&record, "reason"), reason);
}

#[test]
fn what_many_digests_of_a_repository_cost_is_bounded() {
    let tags: Vec<String> = (0..300).map(|n| format!("1.{n}.0")).collect();
    let registry = shelf(&tags.iter().map(String::as_str).collect::<Vec<_>>());
    let old = registry.push_image("shop/web", Some("1.3.0"), "old").digest;
    let new = registry.push_image("shop/web", Some("1.298.0"), "new").digest;
    let others = (0..40).map(|n| format!("sha256:{n:064x}"));
    let records: Vec<Value> =
        [old, new].into_iter().chain(others).map(|of| pinned(&registry, &of)).collect();
    let ran = updates(&registry).stdin(stream(&records)).run().ok();
    let answers = ran.of_type("update");
    assert_eq!(
        word(&answers[0], "reason"),
        "no tag to compare: none of the newest 24 tags stands for this digest now, and no more of them are asked"
    );
    assert_eq!((word(&answers[1], "current"), word(&answers[1], "newest")), ("1.298.0", "1.299.0"));
    let asked = |method: &str| registry.log().iter().filter(|asked| asked.method == method).count();
    assert_eq!((asked("GET"), asked("HEAD")), (1, 24));
    assert_eq!(ran.of_type("end")[0]["stages"][0]["requests"][registry.host()]["head"], 24);
}

#[test]
fn a_list_that_says_what_its_tags_stand_for_costs_no_more_request() {
    let registry = FakeRegistry::start();
    let (used, newer) = (crate::sha("b"), crate::sha("c"));
    let list = json!({
        "child": [], "name": "shop/web", "tags": ["1.0", "1.0.0", "1.1.0"],
        "manifest": {
            &used: {"imageSizeBytes": "1", "layerId": "", "tag": ["1.0", "1.0.0"],
                    "mediaType": "application/vnd.oci.image.index.v1+json"},
            &newer: {"imageSizeBytes": "1", "tag": ["1.1.0"]},
        },
    });
    registry.can(LIST, Canned::status(200).body(list.to_string().as_str()));
    let (record, _) = ask(&registry, &used);
    assert_eq!(record["tags"], json!(["1.0.0", "1.0"]));
    assert_eq!((word(&record, "current"), word(&record, "newest")), ("1.0.0", "1.1.0"));
    assert_eq!(registry.log().len(), 1, "{:?}", registry.log());
}

#[test]
fn what_could_not_be_asked_is_unknown() {
    let registry = shelf(&["1.0.0", "1.1.0"]);
    registry.can("/v2/shop/web/manifests/1.1.0", Canned::status(500));
    let (record, ran) = ask(&registry, &crate::sha("b"));
    assert_eq!((word(&record, "status"), codes(&ran)), ("unknown", vec!["server-error".into()]));
    registry.can(LIST, Canned::status(403));
    let (record, ran) = ask(&registry, &crate::sha("b"));
    assert_eq!((word(&record, "status"), codes(&ran)), ("unknown", vec!["forbidden".into()]));
}

#[test]
fn an_image_that_is_given_by_its_digest_has_an_answer() {
    let registry = shelf(&["1.1.0"]);
    let used = registry.push_image("shop/web", Some("1.0.0"), "used").digest;
    let ran = updates(&registry)
        .args(["--format", "table", &format!("{}/shop/web@{used}", registry.host())])
        .run()
        .ok();
    assert!(ran.text().contains("1.1.0"), "{}", ran.text());
}

#[test]
fn a_tag_that_could_not_be_asked_leaves_no_verdict_but_that_something_is_newer() {
    let registry = shelf(&["1.27.4"]);
    let used = registry.push_image("shop/web", Some("1.27"), "used").digest;
    registry.push_image("shop/web", Some("1.27.3"), "used");
    registry.can("/v2/shop/web/manifests/1.27.3", Canned::status(500));
    let (record, ran) = ask(&registry, &used);
    assert_eq!(word(&record, "status"), "unknown", "{record}");
    assert!(!codes(&ran).is_empty());
    // Listed a moment ago, and not there.
    registry.can("/v2/shop/web/manifests/1.27.3", Canned::status(404));
    let (record, ran) = ask(&registry, &crate::sha("b"));
    assert_eq!((word(&record, "status"), codes(&ran)), ("unknown", vec!["not-found".to_owned()]));
}
