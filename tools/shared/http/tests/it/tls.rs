//! https: authorities, names, and ports that speak something else.

use std::io::Write as _;

use http_asking::{Client, HttpArgs, Kind, PlainHttp, Problem, Request, Settings};
use records::FailureCode;
use testkit::registry::{Canned, FakeRegistry};

use crate::support::{host, settings};

/// A client that knows the registry's authority from a file, as `--ca-file` gives it.
fn trusting(registry: &FakeRegistry) -> Client {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    let pem = registry.authority().expect("a registry with TLS");
    // Two certificates in one file are two authorities.
    write!(file, "a comment\n{pem}\n{pem}").expect("written");
    let args = HttpArgs {
        registry_timeout: std::time::Duration::from_secs(5),
        ca_file: vec![file.path().into()],
        plain_http: Vec::new(),
        max_in_flight: 4,
        max_in_flight_per_host: 4,
        max_in_flight_new: 16,
        max_tries: 1,
        deadline: None,
        hosts_file: None,
        allow_host: Vec::new(),
        allow_address: vec!["127.0.0.0/8".into(), "::1".into()],
    };
    let settings = args.settings().expect("settings");
    assert_eq!(settings.authorities.len(), 2);
    Client::new(settings).expect("a client")
}

fn get(client: &Client, at: &str) -> Request {
    Request::get(Kind::Blob, client.address(&host(at), "/x"))
}

fn strict() -> Client {
    let settings = Settings { plain_http: PlainHttp::default(), ..settings() };
    Client::new(settings).expect("a client")
}

#[tokio::test]
async fn an_authority_must_be_known() {
    let registry = FakeRegistry::start_tls();
    registry.can("/x", Canned::status(200).body("over TLS"));
    let stranger = strict();
    let error = stranger.ask(get(&stranger, &registry.host())).await.expect_err("unknown");
    assert!(matches!(error.problem(), Problem::UnknownAuthority), "{error:?}");
    assert_eq!((error.code(), error.retryable()), (FailureCode::Tls, false));
    assert!(error.to_string().contains("--ca-file"), "{error}");

    let client = trusting(&registry);
    let answer = client.ask(get(&client, &registry.host())).await.expect("an answer");
    assert_eq!(answer.body, "over TLS");
}

#[tokio::test]
async fn a_certificate_must_name_the_host() {
    let registry = FakeRegistry::start_tls_for("other.example");
    let client = trusting(&registry);
    let error = client.ask(get(&client, &registry.host())).await.expect_err("another name");
    assert!(matches!(error.problem(), Problem::Certificate(..)), "{error:?}");
    assert!(error.to_string().contains("is for another name"), "{error}");
}

#[tokio::test]
async fn loopback_is_not_plain_http_by_itself() {
    let registry = FakeRegistry::start();
    let client = strict();
    let error = client.ask(get(&client, &registry.host())).await.expect_err("no TLS there");
    assert!(matches!(error.problem(), Problem::NotTls(_)), "{error:?}");
    let hint = format!("--plain-http {}", registry.host());
    assert!(error.to_string().contains(&hint), "{error}");
    assert!(registry.log().is_empty(), "nothing may have been said in clear");
}

#[tokio::test]
async fn plain_http_to_an_https_port_says_so() {
    let registry = FakeRegistry::start_tls();
    let client = Client::new(settings()).expect("a client");
    let error = client.ask(get(&client, &registry.host())).await.expect_err("TLS there");
    assert!(error.to_string().contains("take it out of `--plain-http`"), "{error:?}");

    let go = FakeRegistry::start();
    let body = "Client sent an HTTP request to an HTTPS server.\n";
    go.can("/x", Canned::status(400).header("content-type", "text/plain").body(body));
    let answer = client.ask(get(&client, &go.host())).await.expect("an answer");
    assert!(matches!(answer.refusal().problem(), Problem::NotPlainHttp));
}

#[tokio::test]
async fn https_is_never_redirected_to_plain_http() {
    let (registry, plain) = (FakeRegistry::start_tls(), FakeRegistry::start());
    let there = format!("http://{}/y", plain.host());
    registry.can("/x", Canned::status(302).header("location", &there));
    let client = trusting(&registry);
    let error = client.ask(get(&client, &registry.host())).await.expect_err("refused");
    assert!(matches!(error.problem(), Problem::RedirectToPlainHttp { .. }), "{error:?}");
    assert_eq!(error.code(), FailureCode::RedirectRefused);
    assert!(plain.log().is_empty());
}

#[tokio::test]
async fn a_handshake_that_stalls_ends_by_the_connect_limit() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let second = std::time::Duration::from_millis(300);
    let settings = Settings {
        connect_timeout: second,
        idle_timeout: second * 3,
        plain_http: PlainHttp::default(),
        ..settings()
    };
    let client = Client::new(settings).expect("a client");
    let error = client.ask(get(&client, &address)).await.expect_err("no handshake");
    assert!(matches!(error.problem(), Problem::ConnectTimeout(_)), "{error:?}");
}

#[tokio::test]
async fn a_host_that_wants_a_certificate_says_so_whatever_it_speaks() {
    let registry = FakeRegistry::start_mutual_tls();
    let pem = registry.authority().expect("a registry with TLS");
    let authority = reqwest::Certificate::from_pem(pem.as_bytes()).expect("a certificate");
    let settings = Settings {
        authorities: vec![authority],
        plain_http: PlainHttp::default(),
        operation_timeout: std::time::Duration::from_secs(10),
        tries: 3,
        ..settings()
    };
    let client = Client::new(settings).expect("a client");
    for _ in 0..2 {
        let error = client.ask(get(&client, &registry.host())).await.expect_err("not let in");
        assert!(matches!(error.problem(), Problem::ClientCertificate(_)), "{error:?}");
        assert_eq!((error.code(), error.retryable()), (FailureCode::Tls, false));
        assert!(error.to_string().contains("clientCertificate"), "{error}");
    }
    assert!(registry.log().is_empty());
    // What the refusal means was learned by one more try, once.
    assert!(client.requests()[&registry.host()]["blob"] <= 3, "{:?}", client.requests());
}

/// In a process of its own, since what the machine trusts is read from the environment.
#[tokio::test]
async fn a_machine_without_authorities_can_still_ask_whom_it_may() {
    if std::env::var_os("SSL_CERT_FILE").is_none() {
        let test = std::env::current_exe().expect("this test");
        let name = "tls::a_machine_without_authorities_can_still_ask_whom_it_may";
        let status = std::process::Command::new(test)
            .args(["--exact", name])
            .env("SSL_CERT_FILE", "/nowhere/certificates.pem")
            .env("SSL_CERT_DIR", "/nowhere")
            .status();
        assert!(status.expect("run").success());
        return;
    }
    let (plain, registry) = (FakeRegistry::start(), FakeRegistry::start_tls());
    plain.can("/x", Canned::status(200));
    registry.can("/x", Canned::status(200));
    let client = Client::new(settings()).expect("a client");
    client.ask(get(&client, &plain.host())).await.expect("an answer over plain http");
    let stranger = strict();
    let error = stranger.ask(get(&stranger, &registry.host())).await.expect_err("unknown");
    assert!(matches!(error.problem(), Problem::UnknownAuthority), "{error:?}");
    let client = trusting(&registry);
    client.ask(get(&client, &registry.host())).await.expect("an answer over https");
}
