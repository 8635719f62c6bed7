//! Tokens: what they cost, and how long they last.

use std::time::Duration;

use futures::future::join_all;
use records::FailureCode;
use registry::{Denial, Descriptor};
use testkit::registry::{Access, Bearer, FakeRegistry};

use crate::support::{
    Found, anonymous, as_user, denial, of_status, repository, tag, tokens, user, with_config,
};

#[tokio::test]
async fn one_token_for_fifty_who_ask_at_once() {
    let fake = tokens(Bearer::default());
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
    let tags: Vec<_> = (0..50).map(|n| tag(&n.to_string())).collect();
    let heads = join_all(tags.iter().map(|tag| registry.found(&web, tag))).await;
    assert!(heads.iter().all(|head| matches!(head, Ok(Some(_)))), "{heads:?}");
    assert_eq!(fake.count("GET", "/token"), 1);
    assert_eq!(fake.count("GET", "/v2/"), 0, "no ping");
    assert_eq!(of_status(&fake, 401), 1, "only the first request is refused");
    assert_eq!(fake.log().len(), 52);
    assert_eq!(registry.requests()[&fake.host()]["token"], 1);
    let log = fake.log();
    let token = log.iter().find(|asked| asked.path == "/token").expect("asked");
    assert_eq!(token.query, "service=fake&scope=repository%3Aacme%2Fweb%3Apull");
    assert_eq!(token.header("authorization"), None);
}

#[tokio::test]
async fn one_refusal_and_a_token_each_for_fifty_repositories() {
    let fake = tokens(Bearer::default());
    let registry = anonymous();
    let one = tag("1");
    let apps: Vec<_> = (0..50).map(|n| repository(&fake, &format!("acme/app-{n}"))).collect();
    let heads = join_all(apps.iter().map(|app| registry.found(app, &one))).await;
    assert!(heads.iter().all(|head| matches!(head, Ok(Some(_)))), "{heads:?}");
    assert_eq!((of_status(&fake, 401), fake.count("GET", "/token")), (1, 50));
    let later = repository(&fake, "acme/web");
    registry.found(&later, &tag("7")).await.expect("asked").expect("there");
    assert_eq!(of_status(&fake, 401), 1, "what a host wants is remembered");
}

#[tokio::test]
async fn the_first_answer_is_not_waited_for_longer_than_it_takes() {
    let fake = FakeRegistry::start();
    fake.push_image("acme/web", Some("1"), "amd64");
    fake.switch(|switches| switches.delay = Duration::from_millis(200));
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
    let tags: Vec<_> = (0..20).map(|n| tag(&n.to_string())).collect();
    let started = std::time::Instant::now();
    let heads = join_all(tags.iter().map(|tag| registry.found(&web, tag))).await;
    assert!(heads.iter().all(Result::is_ok));
    assert!(started.elapsed() < Duration::from_millis(1500), "one by one: {:?}", started.elapsed());
}

#[tokio::test]
async fn credentials_get_a_token() {
    let fake = tokens(Bearer { user: user(), ..Bearer::default() });
    let (registry, web) = (as_user(&fake), repository(&fake, "acme/web"));
    registry.found(&web, &tag("1")).await.expect("let in").expect("there");
    let carried: Vec<_> = fake
        .log()
        .iter()
        .map(|asked| (asked.path.clone(), asked.header("authorization").unwrap_or("").to_owned()))
        .collect();
    let basic = "Basic dXNlcjpzZWNyZXQ=".to_owned();
    assert_eq!(carried[0], ("/v2/acme/web/manifests/1".into(), String::new()));
    assert_eq!(carried[1], ("/token".into(), basic));
    assert!(carried[2].1.starts_with("Bearer token-"), "{carried:?}");
}

#[tokio::test]
async fn every_kind_of_question_carries_the_token() {
    let fake = tokens(Bearer { user: user(), ..Bearer::default() });
    let image = fake.push_image("acme/web", Some("x"), "amd64");
    let (registry, web) = (as_user(&fake), repository(&fake, "acme/web"));
    let digest: records::Digest = image.digest.parse().expect("a digest");
    registry.found(&web, &tag("x")).await.expect("let in").expect("there");
    registry.manifest(&web, &digest).await.expect("let in").expect("there");
    registry.image_platform(&web, &digest).await.expect("let in").expect("there");
    let config = image.config.parse().expect("a digest");
    fake.push_blob("acme/web", b"another");
    let blob = Descriptor { digest: config, media_type: None, size: None };
    registry.blob(&web, &blob, 1000).await.expect("let in").expect("there");
    assert_eq!((of_status(&fake, 401), fake.count("GET", "/token")), (1, 1));
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_post() {
    let token = Some("refresh&me".to_owned());
    let fake = tokens(Bearer { identity_token: token, ..Bearer::default() });
    let host = fake.host();
    let auths = format!(r#"{{"auths":{{"{host}":{{"identitytoken":"refresh&me"}}}}}}"#);
    let (registry, web) = (with_config(&auths), repository(&fake, "acme/web"));
    registry.found(&web, &tag("1")).await.expect("let in").expect("there");
    assert_eq!((fake.count("POST", "/token"), fake.count("GET", "/token")), (1, 0));
    let log = fake.log();
    let asked = log.iter().find(|asked| asked.path == "/token").expect("asked");
    assert!(asked.body.contains("grant_type=refresh_token"), "{}", asked.body);
    assert!(asked.body.contains("client_id=provenance-collector"), "{}", asked.body);
    assert!(asked.query.is_empty(), "a secret does not stand in a URL");
}

#[tokio::test]
async fn an_expired_token_is_renewed_before_it_is_refused() {
    let lives = Duration::from_secs(1);
    let fake = tokens(Bearer { expires_in: Some(1), lives, ..Bearer::default() });
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
    registry.found(&web, &tag("1")).await.expect("let in");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    registry.found(&web, &tag("2")).await.expect("let in");
    assert_eq!((of_status(&fake, 401), fake.count("GET", "/token")), (1, 2));
}

#[tokio::test]
async fn a_token_that_is_refused_later_is_renewed_once_for_all() {
    let fake = tokens(Bearer::default());
    let (registry, web) = (anonymous(), repository(&fake, "acme/web"));
    registry.found(&web, &tag("0")).await.expect("let in");
    fake.revoke_tokens();
    let tags: Vec<_> = (1..50).map(|n| tag(&n.to_string())).collect();
    let heads = join_all(tags.iter().map(|tag| registry.found(&web, tag))).await;
    assert!(heads.iter().all(|head| matches!(head, Ok(Some(_)))), "{heads:?}");
    assert_eq!(fake.count("GET", "/token"), 2);
}

#[tokio::test]
async fn a_repository_that_is_denied_ends_after_one_try_with_a_fresh_token() {
    let denied = vec!["acme/app-1".to_owned()];
    let fake = tokens(Bearer { denied, ..Bearer::default() });
    let registry = anonymous();
    registry.found(&repository(&fake, "acme/web"), &tag("1")).await.expect("let in");
    fake.clear_log();
    let app = repository(&fake, "acme/app-1");
    let error = registry.found(&app, &tag("1")).await.expect_err("denied");
    assert_eq!(error.code(), FailureCode::Unauthorized);
    assert!(matches!(denial(&error), Some(Denial::NoCredentials(of)) if *of == app), "{error}");
    assert!(error.to_string().contains("--registry-auth"), "{error}");
    assert_eq!(fake.log().len(), 2, "a token, and one refusal");
    registry.found(&app, &tag("2")).await.expect_err("denied");
    assert_eq!(fake.log().len(), 3, "another question, another refusal, no other token");
}

#[tokio::test]
async fn another_scope_is_asked_for_as_the_registry_names_it() {
    let scope = Some("aws".to_owned());
    let fake = tokens(Bearer { scope, ..Bearer::default() });
    let registry = anonymous();
    for name in ["acme/web", "acme/app-1"] {
        registry.found(&repository(&fake, name), &tag("1")).await.expect("let in").expect("there");
    }
    assert_eq!((of_status(&fake, 401), fake.count("GET", "/token")), (1, 2));
    // A scope of another name for each repository (a mirror's) is learned at the refusal.
    let scope = Some("repository:upstream/web:pull".to_owned());
    fake.switch(|switches| {
        switches.access = Access::Bearer(Bearer { scope, ..Bearer::default() });
    });
    let registry = anonymous();
    for name in ["acme/web", "acme/app-1"] {
        registry.found(&repository(&fake, name), &tag("1")).await.expect("let in").expect("there");
    }
}
