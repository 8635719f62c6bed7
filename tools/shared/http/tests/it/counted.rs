//! What is taken off the socket, byte for byte, of answers that have no end.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_asking::{Answer, AskError, Client, Kind, PlainHttp, Request, Settings};
use records::FailureCode;
use testkit::registry::{Canned, FakeRegistry, Payload};

use crate::support::{host, settings};

/// What one read may take: no more than this is on its way at a time.
const PIECE: usize = 16 * 1024;

/// How much more than its limit may be taken of an answer: what was on its way, and its head.
const SLACK: usize = 2 * PIECE;

/// A relay to `server` that hands on a piece of the answer only when the one before was taken off
/// the socket, and counts.
fn relay(server: SocketAddr) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("an address").to_string();
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let counter = Arc::clone(&counter);
            thread::spawn(move || hand_on(client, server, &counter));
        }
    });
    (at, taken)
}

fn hand_on(mut client: TcpStream, server: SocketAddr, taken: &AtomicUsize) -> Option<()> {
    let mut server = TcpStream::connect(server).ok()?;
    let (mut from, mut to) = (client.try_clone().ok()?, server.try_clone().ok()?);
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    let port = client.peer_addr().ok()?.port();
    let mut piece = vec![0; PIECE];
    loop {
        let read = server.read(&mut piece).ok().filter(|read| *read > 0)?;
        client.write_all(&piece[..read]).ok()?;
        while unread(port)? > 0 {
            thread::sleep(Duration::from_micros(200));
        }
        taken.fetch_add(read, Ordering::Relaxed);
    }
}

/// How many bytes wait in the kernel for whoever has this port; nothing if nobody has it.
fn unread(port: u16) -> Option<usize> {
    let sockets = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's list of sockets");
    let local = format!(":{port:04X}");
    sockets.lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        let is_it = fields.nth(1).is_some_and(|address| address.ends_with(&local));
        // Established (01), or closed by the other side and still being read (08).
        let is_open = fields.nth(1).is_some_and(|state| matches!(state, "01" | "08"));
        let queues = fields.next().filter(|_| is_it && is_open)?;
        usize::from_str_radix(queues.split_once(':')?.1, 16).ok()
    })
}

/// A client for servers with that authority, or over plain http.
fn client(authority: Option<&str>) -> Client {
    let authorities = authority
        .iter()
        .map(|pem| reqwest::Certificate::from_pem(pem.as_bytes()).expect("a certificate"));
    let plain_http = match authority {
        Some(_) => PlainHttp::default(),
        None => settings().plain_http,
    };
    let second = Duration::from_secs(30);
    Client::new(Settings {
        authorities: authorities.collect(),
        plain_http,
        operation_timeout: second,
        idle_timeout: second,
        ..settings()
    })
    .expect("a client")
}

/// The answer by way of a relay, how much of it was taken, and how long it took.
async fn ask(
    registry: &FakeRegistry,
    path: &str,
    request: impl FnOnce(http_asking::Address) -> Request,
) -> (Result<Answer, AskError>, usize) {
    let (at, taken) = relay(registry.address());
    let client = client(registry.authority());
    let started = Instant::now();
    let answer = client.ask(request(client.address(&host(&at), path))).await;
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    drop(client);
    (answer, taken.load(Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_the_limit_is_taken_of_an_endless_body() {
    let registry = FakeRegistry::start();
    registry.can("/endless", Canned::status(200).body(Payload::Endless));
    for limit in [PIECE, 256 * 1024] {
        let request =
            |address| Request::get(Kind::Blob, address).limit(limit.try_into().expect("a limit"));
        let (answer, taken) = ask(&registry, "/endless", request).await;
        assert_eq!(answer.expect_err("endless").code(), FailureCode::TooLarge);
        assert!((limit - PIECE..=limit + SLACK).contains(&taken), "{taken} of {limit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_of_a_manifest_that_says_how_large_it_is() {
    let registry = FakeRegistry::start();
    let large = vec![b' '; 40 * 1024 * 1024];
    registry.can("/large", Canned::status(200).body(large));
    let (answer, taken) =
        ask(&registry, "/large", |address| Request::get(Kind::Manifest, address)).await;
    assert_eq!(answer.expect_err("large").code(), FailureCode::TooLarge);
    // Its head says enough.
    assert!(taken <= SLACK, "{taken}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_of_one_that_unpacks_to_nothing() {
    let registry = FakeRegistry::start();
    // A member of gzip with nothing in it, again and again: any number of bytes that are none.
    let empty = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    let empty = Bytes::from(empty.finish().expect("packed").repeat(400));
    let packed = Canned::status(200).header("content-encoding", "gzip");
    registry.can("/nothing", packed.body(Payload::Repeated(empty)));
    let limit = Kind::Token.limit();
    let (answer, taken) =
        ask(&registry, "/nothing", |address| Request::get(Kind::Token, address)).await;
    assert_eq!(answer.expect_err("endless").code(), FailureCode::TooLarge);
    assert!(taken as u64 <= limit + SLACK as u64, "{taken}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_of_an_error_without_end() {
    let registry = FakeRegistry::start();
    registry.can("/broken", Canned::status(500).body(Payload::Endless));
    let (answer, taken) =
        ask(&registry, "/broken", |address| Request::get(Kind::Manifest, address)).await;
    assert_eq!(answer.expect("an answer").body.len(), 64 * 1024);
    assert!(taken <= 64 * 1024 + SLACK, "{taken}");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_http2_no_more_than_a_window_is_on_its_way() {
    let registry = FakeRegistry::start_http2();
    registry.can("/endless", Canned::status(200).body(Payload::Endless));
    let limit = 1024 * 1024;
    let request = |address| Request::get(Kind::Blob, address).limit(limit as u64);
    let (answer, taken) = ask(&registry, "/endless", request).await;
    assert_eq!(answer.expect_err("endless").code(), FailureCode::TooLarge);
    assert_eq!(registry.log()[0].version, "HTTP/2.0");
    // The window of a stream, 256 KiB, is a buffer here.
    assert!(taken <= limit + 256 * 1024 + SLACK, "{taken}");
}
