//! Tags and referrers: whole or an error, and "no such API" told from "nothing there".

use records::{Digest, FailureCode};
use registry::{Referrers, Registry, RegistryArgs, Repository};
use serde_json::json;
use testkit::registry::{Canned, FakeRegistry};

use crate::support::{Found, anonymous, http_args, repository};

fn digest(text: &str) -> Digest {
    text.parse().expect("a digest")
}

#[tokio::test]
async fn all_pages_of_tags_are_read_once() {
    let fake = FakeRegistry::start();
    for tag in 0..25 {
        fake.push_image("acme/web", Some(&format!("v{tag:02}")), "amd64");
    }
    fake.switch(|switches| switches.tags_per_page = 10);
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
    let asked = futures::future::join_all((0..20).map(|_| registry.tags(&web))).await;
    for tags in asked {
        assert_eq!(tags.expect("tags").map(|tags| tags.value.len()), Some(25));
    }
    assert_eq!(fake.count("GET", "/v2/acme/web/tags/list"), 3);
    assert_eq!(registry.requests()[&fake.host()]["tags"], 3);
    assert!(registry.tags(&repository(&fake, "no/such")).await.expect("an answer").is_none());
}

#[tokio::test]
async fn half_a_list_is_an_error() {
    let fake = FakeRegistry::start();
    let path = "/v2/acme/web/tags/list";
    let page = |link: &str| {
        Canned::status(200)
            .header("link", &format!("<{link}>; rel=\"next\""))
            .body(r#"{"tags":["a"]}"#)
    };
    for (answer, code) in [
        (page("https://evil.example/next"), FailureCode::BadResponse),
        (page("/v2/acme/web/tags/list"), FailureCode::BadResponse),
        (page("/broken"), FailureCode::ServerError),
        (Canned::status(200).body("{"), FailureCode::BadResponse),
        (Canned::status(200).body(r#"{"tags":[1]}"#), FailureCode::BadResponse),
        (Canned::status(200).body(r#"{"name":"acme/web"}"#), FailureCode::BadResponse),
        (Canned::status(403), FailureCode::Forbidden),
        (Canned::status(429), FailureCode::RateLimited),
    ] {
        fake.can(path, answer);
        fake.can("/broken", Canned::status(500));
        let error = anonymous().tags(&repository(&fake, "acme/web")).await.expect_err("no list");
        assert_eq!(error.code(), code, "{error}");
    }
    fake.can(path, Canned::status(200).body(r#"{"name":"acme/web","tags":null}"#));
    let none = anonymous().tags(&repository(&fake, "acme/web")).await.expect("an answer");
    assert_eq!(none.map(|tags| tags.value.len()), Some(0));
}

#[tokio::test]
async fn referrers_are_listed_and_a_missing_api_is_none() {
    let fake = FakeRegistry::start();
    let image = fake.push_image("acme/web", Some("1"), "amd64");
    let subject =
        json!({"mediaType": image.media_type, "digest": image.digest, "size": image.size});
    let config = json!({"mediaType": "application/vnd.oci.empty.v1+json", "digest": image.config, "size": 2});
    let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": bundle, "config": config, "layers": [], "subject": subject});
    fake.push_json("acme/web", None, "application/vnd.oci.image.manifest.v1+json", &manifest);
    let web = repository(&fake, "acme/web");
    let ask = |web: Repository| {
        let image = digest(&image.digest);
        async move { anonymous().referrers(&web, &image).await }
    };
    assert!(matches!(*ask(web.clone()).await.expect("an answer").value, Referrers::NoApi));
    fake.switch(|switches| switches.referrers_api = true);
    match &*ask(web.clone()).await.expect("an answer").value {
        Referrers::Listed(found) => {
            let types: Vec<_> = found.iter().map(|entry| entry.artifact_type.as_deref()).collect();
            assert_eq!(types, [Some(bundle)]);
        }
        Referrers::NoApi => panic!("there is one"),
    }
    let path = format!("/v2/acme/web/referrers/{}", image.digest);
    for none in [
        Canned::status(400),
        Canned::status(406),
        Canned::status(200).body("<html>"),
        Canned::status(200).header("content-type", "text/html").body("<html>"),
    ] {
        fake.can(&path, none);
        assert!(matches!(*ask(web.clone()).await.expect("an answer").value, Referrers::NoApi));
    }
    for (status, code) in [
        (403, FailureCode::Forbidden),
        (429, FailureCode::RateLimited),
        (500, FailureCode::ServerError),
    ] {
        fake.can(
            &path,
            Canned::status(status).header("content-type", "application/json").body("{}"),
        );
        assert_eq!(ask(web.clone()).await.expect_err("refused").code(), code);
    }
}

#[tokio::test]
async fn a_repository_without_the_api_is_asked_once_and_says_nothing_of_others() {
    let fake = FakeRegistry::start();
    let (one, two) =
        (fake.push_image("acme/web", Some("1"), "a"), fake.push_image("acme/api", Some("1"), "b"));
    let registry = anonymous();
    let (web, api) = (repository(&fake, "acme/web"), repository(&fake, "acme/api"));
    let asked = || fake.log().iter().filter(|asked| asked.path.contains("/referrers/")).count();
    let none = |answer: Result<registry::Answer<_>, _>| {
        let answer: registry::Answer<std::sync::Arc<Referrers>> = answer.expect("an answer");
        matches!(*answer.value, Referrers::NoApi)
    };
    // From a repository that has shown us nothing a 404 says nothing of the API.
    assert!(none(registry.referrers(&api, &digest(&two.digest)).await));
    registry.found(&web, &digest(&one.digest)).await.expect("asked").expect("there");
    assert!(none(registry.referrers(&web, &digest(&one.digest)).await));
    assert_eq!(asked(), 2);
    for other in [&one.config, &two.config] {
        assert!(none(registry.referrers(&web, &digest(other)).await));
    }
    assert_eq!(asked(), 2);
    // Another repository of that host may be of another registry behind the same name.
    fake.switch(|switches| switches.referrers_api = true);
    assert!(!none(registry.referrers(&api, &digest(&two.config)).await));
    assert_eq!(asked(), 3);
}

#[tokio::test]
async fn layouts_have_tags_and_referrers() {
    let layouts = testkit::root().join("testdata/layouts");
    let args =
        RegistryArgs { registry_auth: None, layout: Some(layouts.into()), http: http_args() };
    let registry = Registry::new(args).expect("a registry");
    let reference: registry::Reference =
        "registry.example.com/shop/web:2.4.1".parse().expect("a reference");
    let web = reference.repository();
    let tags = registry.tags(web).await.expect("tags").expect("a repository");
    assert_eq!(tags.value.iter().collect::<Vec<_>>(), ["2.3.0", "2.4.1", "2.5.0", "latest"]);
    let signed =
        registry.found(web, reference.tag().expect("a tag")).await.expect("found").expect("there");
    match &*registry.referrers(web, &signed.digest).await.expect("referrers").value {
        Referrers::Listed(found) => assert_eq!(found.len(), 3, "a signature and two attestations"),
        Referrers::NoApi => panic!("a layout has one"),
    }
}
