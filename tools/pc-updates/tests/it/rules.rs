//! Rules: from the settings, the file, and the pods' annotations.

use std::io::Write;

use serde_json::{Value, json};
use testkit::registry::FakeRegistry;

use crate::{digest, image, shelf, stream, update, updates, web};

fn word<'v>(record: &'v Value, key: &str) -> &'v str {
    record[key].as_str().unwrap_or("-")
}

fn shelf_of_lines() -> FakeRegistry {
    shelf(&["1.0.0", "1.0.1", "1.1.0", "2.0.0", "2.1.0-rc.1"])
}

#[test]
fn the_level_is_the_smallest_step_that_counts() {
    let status = |tags: &[&str], level: &str| {
        let registry = shelf(tags);
        let input = stream(&[digest(&web(&registry, "1.0.0"), "same", "a")]);
        let ran = updates(&registry).env("PROVENANCE_UPDATE_LEVEL", level).stdin(input).run().ok();
        let record = update(&ran);
        (word(&record, "status").to_owned(), word(&record, "newest").to_owned())
    };
    let told = |status: &str, newest: &str| (status.to_owned(), newest.to_owned());
    for (newest, patch, minor, major) in [
        ("1.0.1", "available", "current", "current"),
        ("1.1.0", "available", "available", "current"),
        ("2.0.0", "available", "available", "available"),
    ] {
        let tags = ["1.0.0", newest];
        assert_eq!(status(&tags, "patch"), told(patch, newest));
        assert_eq!(status(&tags, "minor"), told(minor, newest));
        assert_eq!(status(&tags, "major"), told(major, newest));
    }
    let registry = shelf_of_lines();
    let _ = updates(&registry).args(["--level", "huge", "-n"]).run().code(2);
}

#[test]
fn pre_releases_are_candidates_where_they_are_wanted() {
    let registry = shelf_of_lines();
    let newest = |skip: &str| {
        let input = stream(&[digest(&web(&registry, "1.0.0"), "same", "a")]);
        let run = updates(&registry).env("PROVENANCE_SKIP_PRERELEASE", skip);
        word(&update(&run.stdin(input).run().ok()), "newest").to_owned()
    };
    assert_eq!((newest("true"), newest("false")), ("2.0.0".into(), "2.1.0-rc.1".into()));
}

fn rules(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

#[test]
fn the_file_has_rules_for_some_images() {
    let registry = shelf_of_lines();
    let host = registry.host();
    let file = rules(&format!(
        "rules:\n- images: ['{host}/shop/web:1.0.1']\n  ignore: true\n\
         - images: ['{host}/shop/*']\n  pin: '1'\n  exclude: ['1.1.*']\n"
    ));
    let records = ["1.0.0", "1.0.1"].map(|tag| digest(&web(&registry, tag), "same", "a"));
    let run = updates(&registry).arg("--rules").arg(file.path());
    let ran = run.stdin(stream(&records)).run().ok();
    let [pinned, ignored] = &ran.of_type("update")[..] else { panic!("two answers") };
    assert_eq!((word(pinned, "status"), word(pinned, "newest")), ("available", "1.0.1"));
    assert_eq!(
        (word(pinned, "rule"), word(pinned, "ruleFrom")),
        ("exclude=1.1.* pin=1", "configuration")
    );
    assert_eq!(
        pinned["leftOut"],
        json!([
            "a pre-release: 2.1.0-rc.1",
            "outside the pin: 2.0.0",
            "excluded by the rule: 1.1.0"
        ])
    );
    assert_eq!((word(ignored, "status"), word(ignored, "rule")), ("ignored", "ignore"));
    let bad = rules("rules:\n- images: ['*']\n  level: huge\n");
    let ran = updates(&registry).arg("-n").arg("--rules").arg(bad.path()).run().code(2);
    let _ = ran.says("entry 1 of the update rules").says("the levels are patch, minor and major");
    let _ = updates(&registry).args(["-n", "--rules", "/nowhere"]).run().code(2).says("/nowhere");
}

#[test]
fn annotations_count_only_when_they_are_asked_for() {
    let registry = shelf_of_lines();
    let record = digest(&web(&registry, "1.0.0"), "same", "a");
    let rule = |text: &str| json!({"provenance.nebari.dev/update": text});
    let records = [
        image(&record, "a", &rule(" pin=1.0  level=patch")),
        record.clone(),
        image(&record, "b", &json!({})),
        image(&record, "c", &rule("level=patch pin=1.0")),
        image(&record, "d", &rule("colour=green")),
        image(&record, "e", &rule("ignore")),
    ];
    let off = updates(&registry).stdin(stream(&records)).run().ok();
    assert_eq!(word(&update(&off), "newest"), "2.0.0");
    registry.clear_log();
    let on = updates(&registry).env("PROVENANCE_UPDATE_ANNOTATIONS", "true");
    let on = on.stdin(stream(&records)).run().ok();
    let answers = on.of_type("update");
    let told: Vec<_> =
        answers.iter().map(|u| (word(u, "rule"), word(u, "status"), word(u, "newest"))).collect();
    assert_eq!(
        told,
        [
            ("level=patch pin=1.0", "available", "1.0.1"),
            ("", "available", "2.0.0"),
            ("colour=green", "unknown", "-"),
            ("ignore", "ignored", "-"),
        ]
    );
    assert!(word(&answers[2], "reason").contains("`colour=green` is no part of an update rule"));
    assert_eq!(word(&answers[0], "ruleFrom"), "annotation");
    assert_eq!(registry.log().len(), 1, "one list serves all rules");
    // The order is that of the records that raised them.
    let kinds: Vec<String> = on.records().iter().map(|r| word(r, "type").to_owned()).collect();
    let wanted = "image digest repository update image update image image update image update end";
    assert_eq!(kinds.join(" "), wanted);
}

#[test]
fn what_is_wanted_is_compared_with_and_nothing_is_asked() {
    let registry = shelf_of_lines();
    let file = rules("rules: [{images: ['**'], desired: '1.0.1'}]");
    let records = ["1.0.0", "1.0.1"].map(|tag| digest(&web(&registry, tag), "same", "a"));
    let run = updates(&registry).arg("--rules").arg(file.path());
    let ran = run.stdin(stream(&records)).run().ok();
    let answers = ran.of_type("update");
    assert_eq!((word(&answers[0], "status"), word(&answers[0], "newest")), ("available", "1.0.1"));
    assert_eq!((word(&answers[1], "status"), word(&answers[1], "newest")), ("current", "-"));
    assert!(registry.log().is_empty());
}

/// Puts an image that says when it was built there.
fn push_built(registry: &FakeRegistry, tag: &str, created: &str) {
    let config = json!({"os": "linux", "architecture": "amd64", "created": created}).to_string();
    let config_digest = registry.push_blob("shop/web", config.as_bytes());
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type, "layers": [],
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
                   "digest": config_digest, "size": config.len()},
    });
    registry.push_json("shop/web", Some(tag), media_type, &manifest);
}

#[test]
fn what_is_too_young_is_left_out_and_only_the_few_that_matter_are_asked_for() {
    let registry = FakeRegistry::start();
    for patch in 0..60 {
        push_built(&registry, &format!("1.0.{patch}"), "2026-01-01T00:00:00Z");
    }
    push_built(&registry, "1.1.0", "2026-11-23T00:00:00Z");
    push_built(&registry, "1.0.60", "2026-11-20T00:00:00Z");
    push_built(&registry, "0.9.0", "2026-11-23T00:00:00Z");
    let file = rules("rules: [{images: ['**'], minimumAge: 7d}]");
    let ask = |tag: &str| {
        let input = stream(&[digest(&web(&registry, tag), "same", "a")]);
        // 2026-11-24T06:00:00Z
        let run = updates(&registry).env("SOURCE_DATE_EPOCH", "1795500000");
        update(&run.arg("--rules").arg(file.path()).stdin(input).run().ok())
    };
    let record = ask("1.0.0");
    assert_eq!((word(&record, "newest"), word(&record, "latestInMinor")), ("1.0.59", "-"));
    assert_eq!(record["leftOut"], json!(["younger than the minimum age: 1.1.0 and 1 more"]));
    assert_eq!((word(&record, "status"), &record["reason"]), ("available", &Value::Null));
    let heads = registry.log().iter().filter(|asked| asked.method == "HEAD").count();
    assert_eq!(heads, 3, "1.1.0, 1.0.60 and 1.0.59");
    // One of which nobody knows how old it is stays, and that is said.
    push_built(&registry, "1.2.0", "1970-01-01T00:00:00Z");
    let record = ask("1.0.0");
    assert_eq!((word(&record, "status"), word(&record, "newest")), ("available", "1.2.0"));
    assert_eq!(word(&record, "reason"), "how old is not known of `1.2.0`");
}
