//! Time, size, and how many at once.

use std::time::{Duration, Instant};

use http_asking::{Client, Kind, Problem, Request, Settings};
use records::FailureCode;
use testkit::registry::{Canned, FakeRegistry, Payload};

use crate::support::{client, get, host, request, settings};

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer() {
    let registry = FakeRegistry::start();
    let body = r#"{"errors":[{"code":"DENIED","message":"no"}]}"#;
    registry.can("/x", Canned::status(403).body(body));
    let answer = get(&registry, "/x", Kind::Manifest).await.expect("an answer");
    assert_eq!(answer.status, 403);
    let refusal = answer.refusal();
    assert_eq!(refusal.code(), FailureCode::Forbidden);
    assert!(refusal.to_string().ends_with("answered 403 Forbidden (DENIED: no)"), "{refusal}");
}

#[tokio::test]
async fn what_is_sent_is_counted_and_says_who_asks() {
    let registry = FakeRegistry::start();
    let client = client();
    registry.can("/x", Canned::status(200).body("body"));
    let head = Request::head(client.address(&host(&registry.host()), "/x"));
    client.ask(head).await.expect("an answer");
    client.ask(request(&client, &registry, "/x", Kind::Blob)).await.expect("an answer");
    client.ask(request(&client, &registry, "/x", Kind::Blob)).await.expect("an answer");
    let counts = client.requests();
    assert_eq!(counts[&registry.host()]["head"], 1);
    assert_eq!(counts[&registry.host()]["blob"], 2);
    let agent = concat!("provenance-collector/", env!("CARGO_PKG_VERSION"));
    assert!(registry.log().iter().all(|asked| asked.header("user-agent") == Some(agent)));
}

#[tokio::test]
async fn a_form_is_posted() {
    let registry = FakeRegistry::start();
    registry.can("/token", Canned::status(200));
    let client = client();
    let address = client.address(&host(&registry.host()), "/token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", "a&b=c")];
    client.ask(Request::post_form(Kind::Token, address, &fields)).await.expect("an answer");
    let asked = &registry.log()[0];
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.body, "grant_type=refresh_token&refresh_token=a%26b%3Dc");
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
}

#[tokio::test]
async fn a_body_over_its_limit_is_refused_announced_or_not() {
    let registry = FakeRegistry::start();
    let big = vec![b'x'; 70 * 1024];
    registry.can("/whole", Canned::status(200).body(big.clone()));
    registry.can("/chunked", Canned::status(200).body(Payload::Chunked(big.into())));
    registry.can("/endless", Canned::status(200).body(Payload::Endless));
    for path in ["/whole", "/chunked", "/endless"] {
        let error = get(&registry, path, Kind::Token).await.expect_err(path);
        assert!(matches!(error.problem(), Problem::TooLarge(65_536)), "{path}: {error}");
        assert_eq!(error.code(), FailureCode::TooLarge);
    }
    for path in ["/whole", "/chunked"] {
        let answer = get(&registry, path, Kind::Blob).await.expect(path);
        assert_eq!(answer.body.len(), 70 * 1024);
    }
    let endless = get(&registry, "/endless", Kind::Manifest).await.expect_err("refused");
    assert!(matches!(endless.problem(), Problem::TooLarge(8_388_608)), "{endless}");
}

#[tokio::test]
async fn a_request_may_set_its_own_limit() {
    let registry = FakeRegistry::start();
    registry.can("/x", Canned::status(200).body("four"));
    let client = client();
    let within = request(&client, &registry, "/x", Kind::Blob).limit(4);
    assert_eq!(client.ask(within).await.expect("an answer").body, "four");
    let over = request(&client, &registry, "/x", Kind::Blob).limit(3);
    let error = client.ask(over).await.expect_err("refused");
    assert!(matches!(error.problem(), Problem::TooLarge(3)), "{error}");
}

#[tokio::test]
async fn of_an_error_body_only_the_start_is_read() {
    let registry = FakeRegistry::start();
    registry.can("/x", Canned::status(500).body(Payload::Endless));
    let answer = get(&registry, "/x", Kind::Manifest).await.expect("an answer");
    assert_eq!(answer.body.len(), 65_536);
    assert_eq!(answer.refusal().code(), FailureCode::ServerError);
}

#[tokio::test]
async fn a_silent_host_ends_by_the_idle_limit() {
    let registry = FakeRegistry::start();
    registry.can("/stalled", Canned::status(200).body(Payload::Stalled("start".into())));
    let started = Instant::now();
    let error = get(&registry, "/stalled", Kind::Blob).await.expect_err("no answer");
    assert!(matches!(error.problem(), Problem::Silent(_)), "{error}");
    registry.switch(|switches| switches.delay = Duration::from_secs(60));
    let error = get(&registry, "/silent", Kind::Blob).await.expect_err("no answer");
    assert!(matches!(error.problem(), Problem::Silent(_)), "{error}");
    assert_eq!((error.code(), error.retryable()), (FailureCode::Timeout, true));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_slow_answer_ends_by_the_operation_limit() {
    let registry = FakeRegistry::start();
    registry.can("/slow", Canned::status(302).header("location", "/slow"));
    registry.switch(|switches| switches.delay = Duration::from_millis(300));
    let error = get(&registry, "/slow", Kind::Blob).await.expect_err("no answer");
    assert!(matches!(error.problem(), Problem::Timeout(_)), "{error}");
    assert!(error.to_string().contains("--registry-timeout"), "{error}");
}

#[tokio::test]
async fn waiting_for_ones_turn_does_not_count_as_the_hosts_time() {
    let registry = FakeRegistry::start();
    registry.can("/x", Canned::status(200));
    registry.switch(|switches| switches.delay = Duration::from_millis(300));
    let client = Client::new(Settings { in_flight_per_host: 1, ..settings() }).expect("a client");
    let ask = || client.ask(request(&client, &registry, "/x", Kind::Blob));
    let answers = tokio::join!(ask(), ask(), ask(), ask(), ask());
    let answers = [answers.0, answers.1, answers.2, answers.3, answers.4];
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

#[tokio::test]
async fn nobody_there() {
    let client = client();
    let registry = FakeRegistry::start();
    let gone = host(&registry.host());
    drop(registry);
    let refused = client.ask(Request::head(client.address(&gone, "/"))).await.expect_err("refused");
    assert!(matches!(refused.problem(), Problem::Refused), "{refused}");
    assert_eq!((refused.code(), refused.host()), (FailureCode::HostUnreachable, &gone));
    let nowhere = client.address(&host("no-such-name.invalid"), "/");
    let error = client.ask(Request::head(nowhere)).await.expect_err("no such name");
    assert!(matches!(error.problem(), Problem::NameNotResolved(_)), "{error}");
    assert_eq!(client.requests()["no-such-name.invalid"]["head"], 1);
}

#[tokio::test]
async fn a_connection_that_ends_early_is_broken() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let server = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        for answer in
            ["HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort", "", "SSH-2.0-OpenSSH\r\n"]
        {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let _ = stream.read(&mut [0; 4096]).await;
            stream.write_all(answer.as_bytes()).await.expect("written");
        }
    });
    let client = client();
    let ask = || client.ask(Request::get(Kind::Blob, client.address(&host(&address), "/")));
    for _ in 0..2 {
        let error = ask().await.expect_err("broken");
        assert!(matches!(error.problem(), Problem::Broken(_)), "{error:?}");
    }
    let error = ask().await.expect_err("not HTTP");
    assert!(matches!(error.problem(), Problem::NotHttp(_)), "{error:?}");
    server.await.expect("the server ends");
}
