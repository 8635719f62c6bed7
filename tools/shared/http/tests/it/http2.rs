//! HTTP/2: spoken where it is served, over one connection, within the same limits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http_asking::{Client, Kind, PlainHttp, Problem, Request, Settings};
use records::FailureCode;
use testkit::registry::{Canned, FakeRegistry, Payload};

use crate::support::{host, settings};

fn trusting(registry: &FakeRegistry) -> Client {
    let pem = registry.authority().expect("a registry with TLS");
    let authority = reqwest::Certificate::from_pem(pem.as_bytes()).expect("a certificate");
    Client::new(Settings {
        authorities: vec![authority],
        plain_http: PlainHttp::default(),
        in_flight: 64,
        in_flight_per_host: 8,
        operation_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(1),
        ..settings()
    })
    .expect("a client")
}

fn get(client: &Client, registry: &FakeRegistry, path: &str) -> Request {
    Request::get(Kind::Blob, client.address(&host(&registry.host()), path))
}

fn versions(registry: &FakeRegistry) -> Vec<String> {
    let mut versions: Vec<_> = registry.log().into_iter().map(|asked| asked.version).collect();
    versions.dedup();
    versions
}

/// One question, and then many at once.
async fn ask_many(registry: &FakeRegistry) -> Duration {
    registry.can("/x", Canned::status(200).body("here"));
    let client = trusting(registry);
    client.ask(get(&client, registry, "/x")).await.expect("an answer");
    registry.switch(|switches| switches.delay = Duration::from_millis(50));
    let started = Instant::now();
    let asking: Vec<_> = (0..40)
        .map(|_| {
            let (client, request) = (client.clone(), get(&client, registry, "/x"));
            tokio::spawn(async move { client.ask(request).await })
        })
        .collect();
    for asked in asking {
        assert_eq!(asked.await.expect("the task").expect("an answer").body, "here");
    }
    assert_eq!(client.requests()[&registry.host()]["blob"], 41);
    assert_eq!(registry.count("GET", "/x"), 41);
    started.elapsed()
}

#[tokio::test]
async fn where_it_is_served_one_connection_carries_all() {
    let registry = FakeRegistry::start_http2();
    let took = ask_many(&registry).await;
    assert_eq!(versions(&registry), ["HTTP/2.0"]);
    assert_eq!(registry.connections(), 1);
    // Eight at a time, as with any host: five rounds of 50 ms.
    assert!(took >= Duration::from_millis(250), "{took:?}");
    assert!(took < Duration::from_millis(1500), "{took:?}");
}

#[tokio::test]
async fn elsewhere_http_1_is_spoken_by_as_many_connections_as_are_in_flight() {
    let registry = FakeRegistry::start_tls();
    ask_many(&registry).await;
    assert_eq!(versions(&registry), ["HTTP/1.1"]);
    assert!((2..=8).contains(&registry.connections()), "{}", registry.connections());
}

#[tokio::test]
async fn a_body_that_stalls_ends_its_own_question_alone() {
    let registry = FakeRegistry::start_http2();
    registry.can("/stalled", Canned::status(200).body(Payload::Stalled("start".into())));
    registry.can("/endless", Canned::status(200).body(Payload::Endless));
    registry.can("/x", Canned::status(200).body("here"));
    let client = trusting(&registry);
    client.ask(get(&client, &registry, "/x")).await.expect("an answer");
    let registry = Arc::new(registry);
    let stalled = tokio::spawn({
        let (client, request) = (client.clone(), get(&client, &registry, "/stalled"));
        async move { client.ask(request).await }
    });
    for _ in 0..5 {
        let endless = client.ask(get(&client, &registry, "/endless").limit(1000)).await;
        assert_eq!(endless.expect_err("endless").code(), FailureCode::TooLarge);
        assert_eq!(client.ask(get(&client, &registry, "/x")).await.expect("here").body, "here");
    }
    let stalled = stalled.await.expect("the task").expect_err("stalled");
    assert!(matches!(stalled.problem(), Problem::Silent(_)), "{stalled}");
    assert_eq!(client.ask(get(&client, &registry, "/x")).await.expect("here").body, "here");
    assert_eq!(registry.connections(), 1);
}
