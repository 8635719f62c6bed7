//! What only a process has: a socket, signals, exit statuses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use testkit::pc;

use crate::{report, row, shelve};

/// A server on a free port, and its address.
fn start(folder: &std::path::Path) -> (Child, String) {
    let mut child = Command::new(testkit::binaries().join("pc-web"))
        .args([
            "--listen",
            "127.0.0.1:0",
            "--log-level",
            "info",
            "--no-login",
            "--watch-interval",
            "100ms",
            "--report-path",
        ])
        .arg(folder)
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(child.stderr.take().expect("standard error")).lines();
    let address = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| Some(line.split("http://").nth(1)?.trim().to_owned()))
        .expect("it says where it listens");
    // What it says later goes nowhere, and must not block it.
    std::thread::spawn(move || lines.for_each(drop));
    (child, address)
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
        .expect("asked");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("answered");
    text
}

fn wait_for(address: &str, path: &str, wanted: &str) -> String {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let text = get(address, path);
        if text.contains(wanted) {
            return text;
        }
        assert!(Instant::now() < until, "no `{wanted}` in {text}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_report_that_is_stored_later_is_served_and_sigterm_ends_it_well() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let (mut child, address) = start(folder.path());
    wait_for(&address, "/readyz", "200 OK");
    assert!(get(&address, "/").contains("No report yet"));
    shelve(folder.path(), &report("2026-11-24T06:00:00Z", &[row("a:1", "shop")]));
    wait_for(&address, "/api/reports", "provenance-20261124-060000.json");
    Command::new("kill").arg(child.id().to_string()).status().expect("killed");
    let status = child.wait().expect("ended");
    assert!(status.success(), "{status}");
}

#[test]
fn what_cannot_be_listened_on_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("an address").to_string();
    let _ = pc("web").args(["--no-login", "--listen", &address]).run().code(1).says(&address);
    let _ = pc("web").args(["--listen", "nowhere"]).run().code(2).says("127.0.0.1:8080");
}

#[test]
fn slow_and_large_clients_keep_nobody_out() {
    let folder = tempfile::TempDir::new().expect("a folder");
    shelve(folder.path(), &report("2026-11-24T06:00:00Z", &[row("a:1", "shop")]));
    let (mut child, address) = start(folder.path());
    wait_for(&address, "/readyz", "200 OK");
    // A thousand connections, each with half a head.
    let slow: Vec<TcpStream> = (0..1000)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).expect("connected");
            stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ").expect("sent");
            stream
        })
        .collect();
    assert!(get(&address, "/api/reports").contains("200 OK"));
    let mut large = TcpStream::connect(&address).expect("connected");
    // It may be cut off while it still sends.
    let _ = write!(large, "GET / HTTP/1.1\r\nHost: a\r\nX-Large: {}\r\n\r\n", "x".repeat(1 << 20));
    let mut said = Vec::new();
    let _ = large.read_to_end(&mut said);
    assert!(!String::from_utf8_lossy(&said).contains("200 OK"));
    assert!(get(&address, "/healthz").contains("200 OK"));
    // Those that never end their head do not hold up the stop.
    let stopped = Instant::now();
    Command::new("kill").arg(child.id().to_string()).status().expect("killed");
    assert!(child.wait().expect("ended").success());
    assert!(stopped.elapsed() < Duration::from_secs(25));
    drop(slow);
}
