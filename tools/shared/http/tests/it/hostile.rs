//! Hosts that stall, or stand behind a proxy.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use http_asking::{Client, PlainHttp, Problem, Request, Settings};
use testkit::registry::FakeRegistry;

use crate::support::{host, settings};

#[tokio::test]
async fn a_handshake_that_stalls_ends_within_its_limit() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = host(&silent.local_addr().expect("an address").to_string());
    let connect_timeout = Duration::from_millis(300);
    let settings = Settings { plain_http: PlainHttp::default(), connect_timeout, ..settings() };
    let client = Client::new(settings).expect("a client");
    let started = Instant::now();
    let error = client.ask(Request::head(client.address(&at, "/v2/"))).await.expect_err("silent");
    assert!(matches!(error.problem(), Problem::ConnectTimeout(_)), "{error}");
    assert!(started.elapsed() < Duration::from_secs(2));
}

/// A proxy that opens one tunnel at a time, and counts them.
fn proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("an address").to_string();
    let tunnels = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&tunnels);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counter = Arc::clone(&counter);
            thread::spawn(move || tunnel(stream, &counter));
        }
    });
    (at, tunnels)
}

fn tunnel(mut client: TcpStream, counter: &AtomicUsize) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let line = String::from_utf8(head).ok()?;
    let target = line.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    let mut server = TcpStream::connect(target).ok()?;
    counter.fetch_add(1, Ordering::Relaxed);
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    let (mut from, mut to) = (client.try_clone().ok()?, server.try_clone().ok()?);
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut server, &mut client).ok()?;
    Some(())
}

/// Proxies come from the environment, which tests share: so this one runs pc-digest's way, as a
/// process of its own.
#[test]
fn a_proxy_is_used_and_no_proxy_is_heeded() {
    let registry = FakeRegistry::start_tls();
    registry.push_image("shop/web", Some("1"), "amd64");
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, registry.authority().expect("an authority")).expect("written");
    let (proxy, tunnels) = proxy();
    let run = |no_proxy: &str| {
        let ran = testkit::pc("digest")
            .args(["--allow-address", "127.0.0.0/8", "--ca-file"])
            .arg(&ca)
            .arg(format!("{}/shop/web:1", registry.host()))
            .env("HTTPS_PROXY", format!("http://{proxy}"))
            .env("NO_PROXY", no_proxy)
            .run()
            .ok();
        assert!(!ran.of_type("digest")[0]["digest"].is_null(), "{}", ran.text());
        tunnels.swap(0, Ordering::Relaxed)
    };
    assert!(run("") > 0, "the proxy was not used");
    assert_eq!(run("127.0.0.1"), 0, "the proxy was used");
}
