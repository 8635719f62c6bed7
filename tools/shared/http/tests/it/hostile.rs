//! Hosts that stall, blow up what they send, or stand behind a proxy.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use http_asking::{Client, Kind, PlainHttp, Problem, Request, Settings};
use records::FailureCode;
use testkit::registry::{Canned, FakeRegistry};

use crate::support::{client, get, host, settings};

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

#[tokio::test]
async fn what_a_body_unpacks_to_is_limited() {
    let registry = FakeRegistry::start();
    // 64 MiB of nothing, by gzip in 64 KiB.
    let bomb = gzip_of_zeros(64 * 1024 * 1024);
    assert!(bomb.len() < 100 * 1024, "{}", bomb.len());
    registry.can("/x", Canned::status(200).header("content-encoding", "gzip").body(bomb));
    let error = get(&registry, "/x", Kind::Manifest).await.expect_err("too large");
    assert_eq!(error.code(), FailureCode::TooLarge, "{error}");
}

/// A gzip stream of `size` zeros, by the machine's own tool.
fn gzip_of_zeros(size: usize) -> Vec<u8> {
    let mut gzip = std::process::Command::new("gzip")
        .args(["-9", "-c"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("gzip");
    let mut input = gzip.stdin.take().expect("a pipe");
    let feeder = thread::spawn(move || input.write_all(&vec![0; size]));
    let output = gzip.wait_with_output().expect("waited");
    feeder.join().expect("fed").expect("written");
    output.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_from_the_socket_is_bounded() {
    let taken = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = host(&listener.local_addr().expect("an address").to_string());
    let counter = Arc::clone(&taken);
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let _ = stream.read(&mut [0; 4096]);
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head).expect("a head");
        let chunk = [b"4000\r\n".as_slice(), &[b'x'; 0x4000], b"\r\n"].concat();
        while stream.write_all(&chunk).is_ok() {
            counter.fetch_add(chunk.len(), Ordering::Relaxed);
        }
    });
    let client = client();
    let limit = 256 * 1024;
    let request = Request::get(Kind::Blob, client.address(&at, "/endless")).limit(limit);
    let error = client.ask(request).await.expect_err("endless");
    assert_eq!(error.code(), FailureCode::TooLarge);
    drop(client);
    // The connection is closed by a task of its own, which must not be waited for in its way.
    let joined = tokio::task::spawn_blocking(move || server.join()).await.expect("the task");
    joined.expect("the server notices that nobody reads on");
    // What the server wrote also stands in the kernel's buffers, a few MiB at most on loopback.
    assert!(taken.load(Ordering::Relaxed) < 16 * 1024 * 1024, "{taken:?}");
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
