//! A tenant who names thousands of hosts that nobody answers on.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::Ran;
use testkit::registry::FakeRegistry;

use crate::{digest, image, stream};

struct Crowd {
    registry: FakeRegistry,
    stream: String,
    _silent: TcpListener,
}

/// 640 made-up hosts, and among them 32 images of a registry that answers.
fn crowd() -> Crowd {
    let registry = FakeRegistry::start();
    // Accepts connections on every loopback address and never says a word of TLS.
    let silent = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let mut records = Vec::new();
    for n in 0..640 {
        let host = format!("127.1.{}.{}:{port}", n / 250, n % 250 + 1);
        records.push(image(&format!("{host}/app:1"), None, None, "made-up"));
        if n % 20 == 19 {
            let name = format!("shop/web{n}");
            registry.push_image(&name, Some("1"), &name);
            records.push(image(&format!("{}/{name}:1", registry.host()), None, None, "real"));
        }
    }
    Crowd { registry, stream: stream(&records), _silent: silent }
}

/// What was found of the images that are there, and of those that are not; and how long it took.
fn run(crowd: &Crowd, deadline: &str) -> (Vec<Value>, Vec<Value>, Ran, Duration) {
    let started = Instant::now();
    let ran = digest(&crowd.registry)
        .args([
            "--allow-address",
            "127.0.0.0/8",
            "--registry-timeout",
            "5s",
            "--deadline",
            deadline,
        ])
        .stdin(crowd.stream.clone())
        .run()
        .ok();
    let real = format!("{}/", crowd.registry.host());
    let is_real =
        |record: &Value| record["image"].as_str().is_some_and(|image| image.starts_with(&real));
    let (real, made_up) = ran.of_type("digest").into_iter().partition(is_real);
    (real, made_up, ran, started.elapsed())
}

fn codes(ran: &Ran, code: &str) -> usize {
    ran.of_type("failure").iter().filter(|failure| failure["code"] == code).count()
}

#[test]
fn made_up_hosts_take_nothing_from_those_that_answer() {
    let (real, made_up, ran, took) = run(&crowd(), "60s");
    assert_eq!((real.len(), made_up.len()), (32, 640));
    assert!(real.iter().all(|record| !record["digest"].is_null()));
    assert!(
        made_up.iter().all(|record| record["digest"].is_null() && record["drift"] == "unknown")
    );
    assert_eq!(codes(&ran, "timeout") + codes(&ran, "host-unreachable"), 640);
    // One after the other they would take twenty minutes.
    assert!(took < Duration::from_secs(40), "{took:?}");
}

#[test]
fn the_run_ends_by_its_deadline_and_the_stream_is_whole() {
    let (real, made_up, ran, took) = run(&crowd(), "1s");
    assert_eq!((real.len(), made_up.len(), ran.of_type("end").len()), (32, 640, 1));
    assert!(made_up.iter().all(|record| record["digest"].is_null()));
    assert!(codes(&ran, "deadline") > 0);
    assert!(took < Duration::from_secs(20), "{took:?}");
}
