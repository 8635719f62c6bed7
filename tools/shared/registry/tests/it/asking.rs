//! Honest answers, and how often they are asked for.

use futures::future::join_all;
use records::FailureCode;
use registry::{Descriptor, Manifest, Selection, platform};
use testkit::registry::{Canned, FakeRegistry};

use crate::support::{Found, anonymous, repository, tag};

#[tokio::test]
async fn a_tag_an_index_and_the_manifest_of_a_platform() {
    let fake = FakeRegistry::start();
    let amd64 = fake.push_image("acme/web", None, "amd64");
    let arm64 = fake.push_image("acme/web", None, "arm64");
    let children = [("linux/amd64", &amd64), ("linux/arm64/v8", &arm64)];
    let index = fake.push_index("acme/web", Some("1.4"), &children);
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));

    let head = registry.found(&web, &tag("1.4")).await.expect("asked").expect("there");
    let expected = Descriptor {
        digest: index.digest.parse().expect("a digest"),
        media_type: Some(index.media_type.clone()),
        size: Some(index.size as u64),
    };
    assert_eq!(head, expected);

    let manifest = registry.manifest(&web, &head.digest).await.expect("asked").expect("there");
    let Manifest::Index(parsed) = &*manifest else { panic!("no index: {manifest:?}") };
    let wanted = "linux/arm64".parse().expect("a platform");
    let Selection::One(child) = platform::select(parsed, &wanted) else { panic!("none") };
    assert_eq!(child.as_str(), arm64.digest);
    assert_eq!(platform::platforms(parsed).len(), 2);

    let config = registry.config_digest(&web, &child).await.expect("asked");
    assert_eq!(config.expect("an image").as_str(), arm64.config);
    assert_eq!(registry.config_digest(&web, &head.digest).await.expect("asked"), None);
    let platform = registry.image_platform(&web, &child).await.expect("asked");
    assert_eq!(platform.expect("an image").to_string(), "linux/arm64");

    let asked = registry.requests();
    let counts: Vec<_> = asked[&fake.host()].iter().map(|(kind, n)| (kind.as_str(), *n)).collect();
    assert_eq!(counts, [("config", 1), ("head", 1), ("manifest", 2)]);
}

#[tokio::test]
async fn many_ask_the_same_and_it_is_asked_once() {
    let fake = FakeRegistry::start();
    let image = fake.push_image("acme/web", Some("1"), "amd64");
    let digest: records::Digest = image.digest.parse().expect("a digest");
    let (registry, web, one) = (anonymous(), repository(&fake, "acme/web"), tag("1"));
    let heads = join_all((0..50).map(|_| registry.found(&web, &one))).await;
    assert!(heads.iter().all(|head| matches!(head, Ok(Some(found)) if found.digest == digest)));
    let manifests = join_all((0..50).map(|_| registry.manifest(&web, &digest))).await;
    assert!(manifests.iter().all(|manifest| matches!(manifest, Ok(Some(_)))));
    registry.clone().found(&web, &one).await.expect("remembered");
    assert_eq!(fake.count("HEAD", "/v2/acme/web/manifests/1"), 1);
    assert_eq!(fake.count("GET", &format!("/v2/acme/web/manifests/{digest}")), 1);
    assert_eq!(fake.log().len(), 2, "no ping, and nothing twice");
}

#[tokio::test]
async fn every_question_accepts_every_kind_of_manifest() {
    let fake = FakeRegistry::start();
    fake.push_image("acme/web", Some("1"), "amd64");
    anonymous().found(&repository(&fake, "acme/web"), &tag("1")).await.expect("asked");
    let log = fake.log();
    let accept = log[0].header("accept").expect("an Accept header");
    for media_type in [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ] {
        assert!(accept.split(", ").any(|one| one == media_type), "{accept}");
    }
}

#[tokio::test]
async fn what_the_registry_does_not_have_is_none() {
    let fake = FakeRegistry::start();
    let image = fake.push_image("acme/web", Some("1"), "amd64");
    let registry = anonymous();
    let (web, other) = (repository(&fake, "acme/web"), repository(&fake, "acme/other"));
    let digest: records::Digest = image.digest.parse().expect("a digest");
    assert_eq!(registry.found(&web, &tag("2")).await.expect("asked"), None);
    assert_eq!(registry.found(&other, &digest).await.expect("asked"), None);
    assert!(registry.manifest(&other, &digest).await.expect("asked").is_none());
    let blob = Descriptor { digest: digest.clone(), media_type: None, size: None };
    assert_eq!(registry.blob(&web, &blob, 1000).await.expect("asked"), None);
    fake.delete_manifest("acme/web", &image.digest);
    assert_eq!(registry.found(&web, &digest).await.expect("asked"), None);
}

#[tokio::test]
async fn what_it_refuses_is_never_none() {
    let fake = FakeRegistry::start();
    let body = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#;
    for (status, code) in [
        (400, FailureCode::BadResponse),
        (401, FailureCode::Unauthorized),
        (403, FailureCode::Forbidden),
        (405, FailureCode::BadResponse),
        (418, FailureCode::BadResponse),
        (429, FailureCode::RateLimited),
        (500, FailureCode::ServerError),
        (503, FailureCode::ServerError),
    ] {
        // One for each, or the last would find the host left alone.
        let registry = anonymous();
        let name = format!("acme/of-{status}");
        let web = repository(&fake, &name);
        fake.can(&format!("/v2/{name}/manifests/1"), Canned::status(status));
        let error = registry.found(&web, &tag("1")).await.expect_err("refused");
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
        assert_eq!(error.host().map(ToString::to_string), Some(fake.host()));
        let digest = format!("sha256:{}", "a".repeat(64)).parse().expect("a digest");
        let canned = Canned::status(status).header("content-type", "application/json");
        fake.can(&format!("/v2/{name}/manifests/{digest}"), canned.body(body));
        let error = registry.manifest(&web, &digest).await.expect_err("refused");
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains("TOOMANYREQUESTS: slow down"), "{error}");
    }
}

#[tokio::test]
async fn a_failure_is_asked_once_too() {
    let fake = FakeRegistry::start();
    fake.can("/v2/acme/web/manifests/1", Canned::status(500));
    let (registry, web, one) = (anonymous(), repository(&fake, "acme/web"), tag("1"));
    let answers = join_all((0..50).map(|_| registry.found(&web, &one))).await;
    assert!(answers.iter().all(Result::is_err));
    registry.found(&web, &one).await.expect_err("remembered");
    assert_eq!(fake.log().len(), 1);
}

#[tokio::test]
async fn nobody_there_is_an_error() {
    let fake = FakeRegistry::start();
    let web = repository(&fake, "acme/web");
    drop(fake);
    let registry = anonymous();
    let error = registry.found(&web, &tag("1")).await.expect_err("nobody there");
    assert_eq!((error.code(), error.retryable()), (FailureCode::HostUnreachable, true));
    let impossible = "registry:99999999/web".parse().expect("a repository");
    let error = registry.found(&impossible, &tag("1")).await.expect_err("no host");
    assert_eq!(error.code(), FailureCode::BadReference);
}

#[tokio::test]
async fn blobs_are_checked_and_limited() {
    let fake = FakeRegistry::start();
    let digest = fake.push_blob("acme/web", b"payload").parse().expect("a digest");
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
    let blob = Descriptor { digest, media_type: None, size: Some(7) };
    let bytes = registry.blob(&web, &blob, 7).await.expect("asked").expect("there");
    assert_eq!(bytes, "payload");
    let error = registry.blob(&web, &blob, 6).await.expect_err("too large");
    assert_eq!(error.code(), FailureCode::TooLarge);
    assert_eq!(fake.log().len(), 1, "what is announced as too large is not asked for");
    assert_eq!(fake.log()[0].header("accept-encoding"), Some("identity"));
}
