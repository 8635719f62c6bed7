//! A registry that sends the collector to another host: with a blob, or with the next page of a
//! list. The password goes nowhere but to the registry that it is for, and what was not seen is
//! not absent.

use serde_json::{Value, json};
use testkit::pc;
use testkit::registry::{Access, Asked, FakeRegistry, Pages, Pushed};

use crate::support::{REPOSITORY, Shop, one, statement};

const IN_TOTO: &str = "application/vnd.in-toto+json";
const SLSA: &str = "https://slsa.dev/provenance/v1";

/// A registry with a password and provenance, and another host, which has the same.
struct Cast {
    shop: Shop,
    artifact: Pushed,
    other: FakeRegistry,
}

impl Cast {
    fn new() -> Self {
        let shop = Shop::open();
        let bytes = statement(&shop.manifest, SLSA, &json!({}));
        let artifact = shop.artifact(None, IN_TOTO, &bytes, Some(&shop.manifest));
        shop.registry.switch(|switches| switches.access = Access::basic("ann", "s3cret"));
        let other = FakeRegistry::start();
        other.push_blob(REPOSITORY, &bytes);
        other.push_blob(REPOSITORY, b"{}");
        Self { shop, artifact, other }
    }

    /// The other host by a name of its own: another party than the registry, which is an address.
    fn elsewhere(&self) -> String {
        format!("localhost:{}", self.other.address().port())
    }

    /// What is said of the image, after the password is known to have stayed.
    fn verify(&self) -> Vec<Value> {
        let host = self.shop.registry.host();
        let home = tempfile::tempdir().expect("a folder");
        let config = json!({"auths": {&host: {"username": "ann", "password": "s3cret"}}});
        std::fs::write(home.path().join("config.json"), config.to_string()).expect("written");
        let end = json!({"type": "end", "v": 1, "stages": []});
        let ran = pc("verify")
            .args(["--plain-http", &host, "--plain-http", &self.elsewhere()])
            .args(["--registry-timeout", "4s"])
            .env("PROVENANCE_REGISTRY_AUTH", home.path())
            .stdin(format!("{}\n{end}\n", self.shop.digest_record()))
            .run()
            .ok();
        assert!(self.shop.registry.log().iter().any(carries), "it was let in");
        let log = self.other.log();
        assert!(!log.iter().any(carries) && !ran.text().contains("s3cret"), "{log:#?}");
        ran.records()
    }
}

/// Whether a request carried the password in any form.
fn carries(asked: &Asked) -> bool {
    asked.header("authorization").is_some() || asked.body.contains("s3cret")
}

#[test]
fn a_blob_elsewhere_is_fetched_without_the_password() {
    let cast = Cast::new();
    let place = format!("http://{}/v2/{REPOSITORY}/blobs/", cast.elsewhere());
    cast.shop.registry.switch(|switches| switches.blobs_at = Some(place));
    let records = cast.verify();
    assert_eq!(one(&records, "provenance")["verdict"], "present");
    assert!(!cast.other.log().is_empty());
    // One that wants the password gets none, and what it keeps is unknown.
    cast.other.clear_log();
    cast.other.switch(|switches| switches.access = Access::basic("ann", "s3cret"));
    let records = cast.verify();
    let record = one(&records, "provenance");
    assert_eq!(record["verdict"], "unknown", "{record}");
    assert_eq!(record["finds"][0]["reason"], "not-fetched", "{record}");
    assert!(!cast.other.log().is_empty());
}

#[test]
fn a_manifest_elsewhere_is_fetched_without_the_password() {
    let cast = Cast::new();
    let path = format!("/v2/{REPOSITORY}/manifests/{}", cast.artifact.digest);
    let place = format!("http://{}{path}", cast.elsewhere());
    let answer = testkit::registry::Canned::status(307).header("location", &place);
    cast.shop.registry.can(&path, answer);
    cast.other.switch(|switches| switches.access = Access::basic("ann", "s3cret"));
    let records = cast.verify();
    assert_eq!(one(&records, "provenance")["verdict"], "unknown");
    assert_eq!(cast.other.count("GET", &path), 1);
}

#[test]
fn a_page_elsewhere_is_not_asked_for() {
    let cast = Cast::new();
    let place = format!("http://{}/v2/{REPOSITORY}/referrers/x", cast.elsewhere());
    cast.shop.registry.switch(|switches| switches.pages = Pages::At(place));
    unknown_by_pages(&cast);
    assert_eq!(cast.other.connections(), 0);
}

#[test]
fn pages_without_end_are_left_at_a_limit() {
    for pages in [Pages::Circle, Pages::Many(1_000_000)] {
        let cast = Cast::new();
        cast.shop.registry.switch(|switches| switches.pages = pages.clone());
        unknown_by_pages(&cast);
    }
}

/// All that a list of referrers may bear on is unknown, since it was not read to its end.
fn unknown_by_pages(cast: &Cast) {
    let records = cast.verify();
    for check in ["signature", "provenance", "sbom", "attestation"] {
        assert_eq!(one(&records, check)["verdict"], "unknown", "{check}");
    }
    let failures = records.iter().filter(|record| record["type"] == "failure");
    let codes: Vec<_> = failures.map(|failure| (&failure["store"], &failure["code"])).collect();
    let wanted = (&json!("referrers"), &json!("bad-response"));
    assert!(!codes.is_empty() && codes.iter().all(|code| *code == wanted), "{codes:?}");
}
