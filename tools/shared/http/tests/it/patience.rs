//! Trying again, leaving alone, and being over.

use std::time::{Duration, Instant};

use http_asking::{AllowedHosts, Client, Kind, Problem, Settings};
use records::FailureCode;
use testkit::registry::{Canned, FakeRegistry};

use crate::support::{host, network, request, settings};

/// A client that tries three times within ten seconds.
fn patient(change: impl FnOnce(&mut Settings)) -> Client {
    let mut settings =
        Settings { tries: 3, operation_timeout: Duration::from_secs(10), ..settings() };
    change(&mut settings);
    Client::new(settings).expect("a client")
}

async fn code(client: &Client, registry: &FakeRegistry, path: &str) -> FailureCode {
    match client.ask(request(client, registry, path, Kind::Manifest)).await {
        Ok(answer) => answer.refusal().code(),
        Err(error) => error.code(),
    }
}

#[tokio::test]
async fn a_busy_host_is_asked_again_and_answers() {
    let registry = FakeRegistry::start();
    registry.can("/x", Canned::status(503));
    let client = patient(|_| {});
    let asking = tokio::spawn({
        let (client, request) = (client.clone(), request(&client, &registry, "/x", Kind::Manifest));
        async move { client.ask(request).await }
    });
    while registry.count("GET", "/x") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    registry.can("/x", Canned::status(200).body("{}"));
    let answer = asking.await.expect("the task").expect("an answer");
    assert_eq!((answer.status.as_u16(), registry.count("GET", "/x")), (200, 2));
    assert_eq!(client.requests()[&registry.host()]["manifest"], 2);
}

#[tokio::test]
async fn tries_end_and_a_time_that_is_too_long_ends_them_at_once() {
    let registry = FakeRegistry::start();
    registry.can("/503", Canned::status(503));
    registry.can("/later", Canned::status(429).header("retry-after", "1000000000"));
    registry.can("/500", Canned::status(500));
    let started = Instant::now();
    assert_eq!(code(&patient(|_| {}), &registry, "/503").await, FailureCode::ServerError);
    assert_eq!(code(&patient(|_| {}), &registry, "/later").await, FailureCode::RateLimited);
    assert_eq!(code(&patient(|_| {}), &registry, "/500").await, FailureCode::ServerError);
    let counts = ["/503", "/later", "/500"].map(|path| registry.count("GET", path));
    assert_eq!(counts, [3, 1, 1]);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_host_that_names_a_second_gets_it() {
    let registry = FakeRegistry::start();
    registry.can("/x", Canned::status(429).header("retry-after", "1"));
    let started = Instant::now();
    let client = patient(|settings| settings.tries = 2);
    assert_eq!(code(&client, &registry, "/x").await, FailureCode::RateLimited);
    assert_eq!(registry.count("GET", "/x"), 2);
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn three_failures_in_a_row_and_a_host_is_left_alone() {
    let registry = FakeRegistry::start();
    registry.can("/x", Canned::status(429));
    let client = patient(|settings| settings.tries = 1);
    for _ in 0..10 {
        assert_eq!(code(&client, &registry, "/x").await, FailureCode::RateLimited);
    }
    assert_eq!(registry.count("GET", "/x"), 3);
    let error =
        client.ask(request(&client, &registry, "/y", Kind::Head)).await.expect_err("left alone");
    assert!(matches!(error.problem(), Problem::LeftAlone { failures: 3, .. }));
    assert!(error.to_string().contains("429"), "{error}");
}

#[tokio::test]
async fn a_silent_host_costs_one_breakers_worth_however_many_ask() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = host(&silent.local_addr().expect("an address").to_string());
    let client = patient(|settings| {
        (settings.operation_timeout, settings.idle_timeout) =
            (Duration::from_millis(300), Duration::from_millis(300));
        settings.in_flight_per_host = 8;
    });
    let started = Instant::now();
    let asking: Vec<_> = (0..200)
        .map(|n| {
            let address = client.address(&at, &format!("/{n}"));
            let client = client.clone();
            tokio::spawn(async move { client.ask(http_asking::Request::head(address)).await })
        })
        .collect();
    let mut left_alone = 0;
    for asked in asking {
        let error = asked.await.expect("the task").expect_err("silent");
        left_alone += usize::from(matches!(error.problem(), Problem::LeftAlone { .. }));
    }
    // Three, and those that were let in before the third of them failed.
    assert!(left_alone >= 200 - 5, "{left_alone}");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test]
async fn when_the_run_is_over_nothing_more_is_asked() {
    let registry = FakeRegistry::start();
    registry.switch(|switches| switches.delay = Duration::from_secs(5));
    let client =
        patient(|settings| settings.deadline = Some(Instant::now() + Duration::from_millis(300)));
    let started = Instant::now();
    assert_eq!(code(&client, &registry, "/x").await, FailureCode::Deadline);
    assert_eq!(code(&client, &registry, "/y").await, FailureCode::Deadline);
    assert!(started.elapsed() < Duration::from_secs(3));
    assert_eq!(registry.count("GET", "/y"), 0);
}

#[tokio::test]
async fn addresses_that_nobody_named_are_not_asked() {
    let registry = FakeRegistry::start_tls();
    let port = registry.address().port();
    let client = patient(|settings| {
        settings.allowed_addresses = Vec::new();
        settings.plain_http = http_asking::PlainHttp::default();
    });
    for name in ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "0x7f.1"] {
        let address = client.address(&host(&format!("{name}:{port}")), "/v2/");
        let error = client.ask(http_asking::Request::head(address)).await.expect_err("refused");
        assert_eq!(error.code(), FailureCode::AddressRefused, "{name}: {error}");
        assert!(error.to_string().contains("--allow-address"), "{error}");
    }
    assert!(registry.log().is_empty());
    assert!(!client.requests().contains_key(&registry.host()), "nothing was sent");
}

#[tokio::test]
async fn a_redirect_to_an_address_that_nobody_named_is_not_followed() {
    let registry = FakeRegistry::start();
    registry.can("/x", Canned::status(307).header("location", "https://[::1]:1/secret"));
    let client = patient(|settings| settings.allowed_addresses = vec![network("127.0.0.1")]);
    assert_eq!(code(&client, &registry, "/x").await, FailureCode::AddressRefused);
}

#[tokio::test]
async fn only_hosts_on_the_list_are_asked() {
    let registry = FakeRegistry::start();
    let client = patient(|settings| {
        settings.allowed_hosts = AllowedHosts::parse(["*.example.com"]).expect("patterns");
    });
    assert_eq!(code(&client, &registry, "/x").await, FailureCode::HostNotAllowed);
    assert!(registry.log().is_empty());
}
