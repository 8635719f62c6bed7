//! Each fact is asked once, and only what is needed.

use serde_json::Value;
use std::collections::BTreeMap;

use testkit::registry::{Access, Bearer, FakeRegistry};

use crate::{digest, image, stream};

#[test]
fn an_image_used_by_500_workloads_is_asked_once() {
    let registry = FakeRegistry::start();
    let pushed = registry.push_image("shop/web", Some("1"), "web");
    let reference = format!("{}/shop/web:1", registry.host());
    let id = format!("{}/shop/web@{}", registry.host(), pushed.digest);
    let records: Vec<Value> = (0..500)
        .map(|n| image(&reference, Some(&id), Some("linux/amd64"), &format!("w{n}")))
        .collect();
    let ran = digest(&registry).stdin(stream(&records)).run().ok();
    assert_eq!((ran.of_type("image").len(), ran.of_type("digest").len()), (500, 1));
    let log = registry.log();
    let asked: Vec<(&str, &str)> =
        log.iter().map(|asked| (asked.method.as_str(), asked.path.as_str())).collect();
    assert_eq!(asked, [("HEAD", "/v2/shop/web/manifests/1")]);
    let end = &ran.of_type("end")[0];
    assert_eq!(end["stages"][0]["requests"][&registry.host()]["head"], 1);
}

#[test]
fn one_head_a_reference_and_one_get_an_index_on_every_platform() {
    let registry = FakeRegistry::start();
    let child = registry.push_image("shop/web", None, "web");
    let index = registry.push_index(
        "shop/web",
        Some("1"),
        &[("linux/amd64", &child), ("linux/arm64", &child)],
    );
    let reference = format!("{}/shop/web:1", registry.host());
    let id = format!("{}/shop/web@{}", registry.host(), index.digest);
    let records: Vec<Value> = ["linux/amd64", "linux/arm64", "linux/s390x"]
        .map(|platform| image(&reference, Some(&id), Some(platform), "web"))
        .to_vec();
    let ran = digest(&registry).stdin(stream(&records)).run().ok();
    assert_eq!(ran.of_type("digest").len(), 3);
    assert_eq!(registry.log().len(), 2, "{:?}", registry.log());
    assert_eq!(registry.count("GET", &format!("/v2/shop/web/manifests/{}", index.digest)), 1);
}

#[test]
fn one_token_a_repository_however_many_ask_and_no_ping() {
    let registry = FakeRegistry::start();
    registry.switch(|switches| switches.access = Access::Bearer(Bearer::default()));
    let mut records = Vec::new();
    for repository in 0..3 {
        for tag in 0..40 {
            registry.push_image(
                &format!("shop/r{repository}"),
                Some(&tag.to_string()),
                &format!("{repository}-{tag}"),
            );
            records.push(image(
                &format!("{}/shop/r{repository}:{tag}", registry.host()),
                None,
                None,
                "web",
            ));
        }
    }
    let ran = digest(&registry).stdin(stream(&records)).run().ok();
    assert!(ran.of_type("digest").iter().all(|record| !record["digest"].is_null()));
    let mut paths: BTreeMap<String, usize> = BTreeMap::new();
    for asked in registry.log() {
        assert_ne!(asked.path.trim_end_matches('/'), "/v2");
        *paths.entry(asked.path.clone()).or_default() += 1;
    }
    assert_eq!(paths.get("/token"), Some(&3), "{paths:?}");
}

#[test]
fn credentials_come_from_docker_config_and_are_missed_when_they_are_missing() {
    let registry = FakeRegistry::start();
    registry.switch(|switches| switches.access = Access::basic("ann", "secret"));
    registry.push_image("shop/web", Some("1"), "web");
    let record = image(&format!("{}/shop/web:1", registry.host()), None, None, "web");
    let (answer, failures) = crate::ask(&registry, &record);
    assert_eq!((&answer["digest"], failures), (&Value::Null, vec!["unauthorized".to_owned()]));
    let folder = tempfile::tempdir().expect("a folder");
    let config =
        serde_json::json!({"auths": {registry.host(): {"username": "ann", "password": "secret"}}});
    std::fs::write(folder.path().join("config.json"), config.to_string()).expect("written");
    let ran = digest(&registry)
        .env("PROVENANCE_REGISTRY_AUTH", folder.path())
        .stdin(stream(&[record]))
        .run()
        .ok();
    assert!(!ran.of_type("digest")[0]["digest"].is_null());
    assert!(!ran.text().contains("secret"));
}
