//! Answers that are not what they say.

use records::FailureCode;
use registry::{Descriptor, Error};
use testkit::registry::{Bytes, Canned, DigestHeader, FakeRegistry, Payload};

use crate::support::{Found, anonymous, repository, tag};

#[tokio::test]
async fn a_missing_digest_header_costs_one_more_request() {
    let fake = FakeRegistry::start();
    let image = fake.push_image("acme/web", Some("1"), "amd64");
    fake.switch(|switches| switches.digest_header = DigestHeader::Missing);
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
    let head = registry.found(&web, &tag("1")).await.expect("asked").expect("there");
    assert_eq!(head.digest.as_str(), image.digest);
    assert_eq!(head.media_type.as_deref(), Some(image.media_type.as_str()));
    assert_eq!(head.size, Some(image.size as u64));
    let digest: records::Digest = image.digest.parse().expect("a digest");
    assert!(registry.found(&web, &digest).await.expect("asked").is_some());
    assert_eq!(fake.log().len(), 4);
    // Nothing there is nothing there, without a second look.
    assert_eq!(registry.found(&web, &tag("2")).await.expect("asked"), None);
    assert_eq!(fake.log().len(), 5);
}

#[tokio::test]
async fn a_digest_header_that_is_none_is_an_error() {
    let fake = FakeRegistry::start();
    fake.push_image("acme/web", Some("1"), "amd64");
    for lie in [DigestHeader::Empty, DigestHeader::Malformed] {
        fake.switch(|switches| switches.digest_header = lie);
        let error = anonymous().found(&repository(&fake, "acme/web"), &tag("1")).await;
        let error = error.expect_err("a lie");
        assert!(matches!(error, Error::DigestHeader { .. }), "{lie:?}: {error}");
        assert_eq!(error.code(), FailureCode::BadResponse);
    }
}

#[tokio::test]
async fn a_digest_is_answered_with_itself() {
    let fake = FakeRegistry::start();
    let image = fake.push_image("acme/web", Some("1"), "amd64");
    let digest: records::Digest = image.digest.parse().expect("a digest");
    fake.switch(|switches| switches.digest_header = DigestHeader::Wrong);
    let error = anonymous().found(&repository(&fake, "acme/web"), &digest).await;
    let error = error.expect_err("a lie");
    assert_eq!(error.code(), FailureCode::DigestMismatch, "{error}");
    // The bytes prove themselves, whatever the header says.
    let manifest = anonymous().manifest(&repository(&fake, "acme/web"), &digest).await;
    assert!(manifest.expect("asked").is_some());
}

#[tokio::test]
async fn bytes_that_are_others_are_refused() {
    let fake = FakeRegistry::start();
    let image = fake.push_image("acme/web", Some("1"), "amd64");
    fake.switch(|switches| {
        switches.bytes = Bytes::Tampered;
        switches.digest_header = DigestHeader::Missing;
    });
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
    let digest: records::Digest = image.digest.parse().expect("a digest");
    let errors = [
        registry.manifest(&web, &digest).await.map(|_| ()).expect_err("a lie"),
        registry.config_digest(&web, &digest).await.map(|_| ()).expect_err("a lie"),
        registry.found(&web, &digest).await.map(|_| ()).expect_err("a lie"),
    ];
    let blob = Descriptor {
        digest: image.config.parse().expect("a digest"),
        media_type: None,
        size: None,
    };
    let blob = registry.blob(&web, &blob, 1000).await.map(|_| ()).expect_err("a lie");
    for error in errors.iter().chain([&blob]) {
        assert_eq!(error.code(), FailureCode::DigestMismatch, "{error}");
        assert!(error.to_string().contains(&fake.host()), "{error}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_read() {
    let fake = FakeRegistry::start();
    let big = vec![b' '; 9 * 1024 * 1024];
    let image = fake.push_manifest("acme/web", Some("1"), "application/json", &big);
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
    let digest: records::Digest = image.digest.parse().expect("a digest");
    let error = registry.manifest(&web, &digest).await.expect_err("too large");
    assert_eq!(error.code(), FailureCode::TooLarge, "{error}");

    let path = format!("/v2/acme/endless/manifests/{digest}");
    fake.can(&path, Canned::status(200).body(Payload::Endless));
    let error = registry.manifest(&repository(&fake, "acme/endless"), &digest).await;
    assert_eq!(error.expect_err("endless").code(), FailureCode::TooLarge);

    let blob = Descriptor { digest: digest.clone(), media_type: None, size: Some(10) };
    let path = format!("/v2/acme/web/blobs/{digest}");
    fake.can(&path, Canned::status(200).body(Payload::Endless));
    let error = registry.blob(&web, &blob, 1000).await.expect_err("endless");
    assert_eq!(error.code(), FailureCode::TooLarge);
}

#[tokio::test]
async fn what_is_no_manifest_is_an_error() {
    let fake = FakeRegistry::start();
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
    for body in ["<html></html>", "{}", "null", r#"{"schemaVersion":1,"fsLayers":[]}"#] {
        let pushed = fake.push_manifest("acme/web", None, "application/json", body.as_bytes());
        let digest: records::Digest = pushed.digest.parse().expect("a digest");
        let error = registry.manifest(&web, &digest).await.expect_err("no manifest");
        assert!(matches!(error, Error::Manifest { .. }), "{body}: {error}");
        assert_eq!(error.code(), FailureCode::BadResponse);
        assert!(registry.found(&web, &digest).await.expect("asked").is_some());
    }
}

#[tokio::test]
async fn foreign_text_is_cleaned_in_messages() {
    let fake = FakeRegistry::start();
    let digest = format!("sha256:{}", "a".repeat(64)).parse().expect("a digest");
    let body = "{\"errors\":[{\"code\":\"X\",\"message\":\"\\u001b[2J\\u202e\"}]}";
    let path = format!("/v2/acme/web/manifests/{digest}");
    fake.can(&path, Canned::status(500).body(body));
    let error = anonymous().manifest(&repository(&fake, "acme/web"), &digest).await;
    let message = error.expect_err("refused").to_string();
    assert!(message.contains("X: \u{fffd}[2J\u{fffd}"), "{message}");
}
