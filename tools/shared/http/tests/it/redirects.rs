//! Redirects over sockets: where they lead, and what goes along.

use http::HeaderValue;
use http_asking::{Kind, Problem, Request};
use records::FailureCode;
use testkit::registry::{Canned, FakeRegistry};

use crate::support::{client, host, request};

fn to(location: &str) -> Canned {
    Canned::status(307).header("location", location)
}

#[tokio::test]
async fn the_credential_does_not_follow_to_another_origin() {
    let (registry, store) = (FakeRegistry::start(), FakeRegistry::start());
    registry.can("/start", to("/here"));
    registry.can("/here", to(&format!("http://{}/there", store.host())));
    store.can("/there", to(&format!("http://{}/back", registry.host())));
    registry.can("/back", Canned::status(200).body("blob"));
    let client = client();
    let secret = Some(HeaderValue::from_static("Bearer secret"));
    let request = request(&client, &registry, "/start", Kind::Blob).authorization(secret);
    let answer = client.ask(request).await.expect("an answer");
    assert_eq!((answer.body.as_ref(), answer.host), (&b"blob"[..], host(&registry.host())));

    let sent = |registry: &FakeRegistry| -> Vec<(String, bool)> {
        let log = registry.log();
        log.iter().map(|a| (a.path.clone(), a.header("authorization").is_some())).collect()
    };
    let expected = [("/start", true), ("/here", true), ("/back", false)];
    assert_eq!(sent(&registry), expected.map(|(path, with)| (path.to_owned(), with)));
    assert_eq!(sent(&store), [("/there".to_owned(), false)]);
    assert_eq!(client.requests()[&store.host()]["blob"], 1);
}

#[tokio::test]
async fn a_loop_ends() {
    let registry = FakeRegistry::start();
    registry.can("/x", to("/x"));
    let client = client();
    let error = client.ask(request(&client, &registry, "/x", Kind::Blob)).await;
    let error = error.expect_err("a loop");
    assert!(matches!(error.problem(), Problem::TooManyRedirects(5)), "{error}");
    assert_eq!(error.code(), FailureCode::RedirectRefused);
    assert_eq!(registry.count("GET", "/x"), 6);
}

#[tokio::test]
async fn a_post_is_not_redirected() {
    let registry = FakeRegistry::start();
    registry.can("/token", to("/elsewhere"));
    let client = client();
    let address = client.address(&host(&registry.host()), "/token");
    let post = Request::post_form(Kind::Token, address, &[("refresh_token", "secret")]);
    let answer = client.ask(post).await.expect("an answer");
    assert_eq!(answer.status, 307);
    assert_eq!(registry.log().len(), 1);
}
