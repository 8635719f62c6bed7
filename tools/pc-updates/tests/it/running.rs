//! Which revision of a release is judged, and charts without a network.

use std::fs;

use serde_json::{Value, json};
use testkit::registry::FakeRegistry;
use testkit::{Ran, pc};

use crate::charts::release;
use crate::{codes, stream, update, updates};

fn word<'v>(record: &'v Value, key: &str) -> &'v str {
    record[key].as_str().unwrap_or("-")
}

/// A registry with `charts/web` in these versions.
fn charts(tags: &[&str]) -> FakeRegistry {
    let registry = FakeRegistry::start();
    for tag in tags {
        registry.push_image("charts/web", Some(tag), tag);
    }
    registry
}

/// What an upgrade to `tried` left, with `runs` deployed before.
fn upgrading(registry: &FakeRegistry, status: &str, tried: &str, runs: Option<&str>) -> Value {
    let url = format!("oci://{}/charts/web", registry.host());
    let mut record = release("web", "web", tried, Some(&url));
    record["status"] = status.into();
    record["revision"] = 8.into();
    record["deployed"] = json!({
        "revision": 7, "chart": "web", "version": runs, "appVersion": null, "lastDeployed": null,
        "images": [],
    });
    record
}

fn ask(registry: &FakeRegistry, record: Value) -> Ran {
    updates(registry).stdin(stream(&[record])).run().ok()
}

#[test]
fn a_failed_upgrade_is_no_version_that_is_used() {
    let registry = charts(&["1.0.0", "1.1.0"]);
    for status in ["failed", "pending-upgrade", "pending-rollback"] {
        let answer = update(&ask(&registry, upgrading(&registry, status, "1.1.0", Some("1.0.0"))));
        assert_eq!(
            (word(&answer, "current"), word(&answer, "status"), word(&answer, "newest")),
            ("1.0.0", "available", "1.1.0"),
            "the newest was tried, and does not run"
        );
        let wanted = format!(
            "revision 8 (1.1.0) is `{status}`; revision 7, the last deployed one, is judged"
        );
        assert_eq!(word(&answer, "reason"), wanted);
    }
    // The other way round: nothing newer than what runs, though less was tried.
    let answer = update(&ask(&registry, upgrading(&registry, "failed", "1.0.0", Some("1.1.0"))));
    assert_eq!((word(&answer, "current"), word(&answer, "status")), ("1.1.0", "current"));
    // One that never was deployed is judged by what was tried: there is nothing else.
    let mut first = upgrading(&registry, "failed", "1.0.0", None);
    first["deployed"] = Value::Null;
    let answer = update(&ask(&registry, first));
    assert_eq!((word(&answer, "current"), word(&answer, "status")), ("1.0.0", "available"));
}

#[test]
fn what_runs_and_cannot_be_read_is_unknown_and_not_what_was_tried() {
    let registry = charts(&["1.0.0", "1.1.0"]);
    let mut record = upgrading(&registry, "failed", "1.1.0", None);
    record["deployed"]["chart"] = Value::Null;
    let answer = update(&ask(&registry, record));
    assert_eq!((word(&answer, "status"), word(&answer, "current")), ("unknown", "-"));
    assert!(word(&answer, "reason").contains("could not be read"), "{answer}");
    assert!(registry.log().is_empty());
}

#[test]
fn rules_fit_the_chart_that_runs() {
    let registry = charts(&["1.0.0"]);
    let folder = tempfile::tempdir().expect("a folder");
    let rules = folder.path().join("rules.yaml");
    fs::write(&rules, "rules:\n- {charts: [before], ignore: true}\n").expect("written");
    let mut record = upgrading(&registry, "failed", "1.0.0", Some("0.9.0"));
    record["deployed"]["chart"] = "before".into();
    let ran = updates(&registry).arg("--rules").arg(&rules).stdin(stream(&[record])).run().ok();
    assert_eq!(word(&update(&ran), "status"), "ignored");
}

#[test]
fn nothing_is_newer_than_what_is_uninstalled() {
    let registry = charts(&["1.0.0", "1.1.0"]);
    let url = format!("oci://{}/charts/web", registry.host());
    let mut record = release("web", "web", "1.0.0", Some(&url));
    record["status"] = "uninstalled".into();
    let answer = update(&ask(&registry, record));
    assert_eq!(word(&answer, "status"), "not-comparable");
    assert!(word(&answer, "reason").contains("uninstalled") && registry.log().is_empty());
}

#[test]
fn a_layout_directory_stands_for_chart_servers_too() {
    let tree = tempfile::tempdir().expect("a folder");
    for (place, text) in [
        ("registry.example.com/charts/web/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#),
        (
            "registry.example.com/charts/web/index.json",
            r#"{"schemaVersion":2,"manifests":[
                {"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,"digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","annotations":{"org.opencontainers.image.ref.name":"1.3.0"}},
                {"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,"digest":"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","annotations":{"org.opencontainers.image.ref.name":"1.2.3"}}]}"#,
        ),
        (
            "charts.example.com/stable/index.yaml",
            "entries: {web: [{version: 1.2.4}, {version: 1.2.3}]}",
        ),
        ("charts.example.com/broken/index.yaml", "<html>log in</html>"),
    ] {
        let file = tree.path().join(place);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(file, text).expect("written");
    }
    let url = |path: &str| format!("https://charts.example.com/{path}");
    let records = [
        release("oci", "web", "1.2.3", Some("oci://registry.example.com/charts/web")),
        release("laid-out", "web", "1.2.3", Some(&url("stable"))),
        release("broken", "web", "1.2.3", Some(&url("broken"))),
        release("elsewhere", "web", "1.2.3", Some(&url("edge"))),
    ];
    let ran = pc("updates").arg("--layout").arg(tree.path()).stdin(stream(&records)).run().ok();
    let told: Vec<_> = ran.of_type("update");
    let told: Vec<_> = told.iter().map(|u| (word(u, "status"), word(u, "newest"))).collect();
    assert_eq!(
        told,
        [("available", "1.3.0"), ("available", "1.2.4"), ("unknown", "-"), ("unknown", "-")]
    );
    assert_eq!(codes(&ran), ["bad-response", "not-found"]);
    let message = word(&ran.of_type("failure")[1], "message").to_owned();
    assert!(message.contains("`charts.example.com/edge/index.yaml` there"), "{message}");
    let end = ran.records().pop().expect("an end");
    assert_eq!(end["stages"][0]["requests"], json!({}), "no network");
}

#[test]
fn another_chart_uninstalled_and_never_deployed() {
    let registry = charts(&["1.0.0", "4.0.0"]);
    // The chart was exchanged: where the new one is from says nothing of the old one.
    let mut record = upgrading(&registry, "failed", "4.0.0", Some("1.41.3"));
    record["deployed"]["chart"] = "other".into();
    let answer = update(&ask(&registry, record));
    assert_eq!((word(&answer, "status"), word(&answer, "newest")), ("unknown", "-"), "{answer}");

    let record = upgrading(&registry, "uninstalled", "1.0.0", Some("1.0.0"));
    let answer = update(&ask(&registry, record));
    assert_eq!(word(&answer, "status"), "not-comparable", "{answer}");

    let mut record = upgrading(&registry, "failed", "4.0.0", None);
    record["deployed"] = Value::Null;
    let answer = update(&ask(&registry, record));
    let reason = word(&answer, "reason");
    assert!(
        reason.starts_with("no revision is deployed; revision 8, which is `failed`"),
        "{answer}"
    );
}
