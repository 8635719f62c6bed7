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

/// So many made-up hosts, and images of a registry that answers: one behind every twentieth of
/// them, or the whole lot behind them all.
fn crowd(hosts: usize, real: Real) -> Crowd {
    let registry = FakeRegistry::start();
    // Accepts connections on every loopback address and never says a word of TLS.
    let silent = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let mut records = Vec::new();
    let (mut among, mut behind) = (Vec::new(), Vec::new());
    for n in 0..REAL {
        let name = format!("shop/web{n}");
        registry.push_image(&name, Some("1"), &name);
        let record = image(&format!("{}/{name}:1", registry.host()), None, None, "real");
        match real {
            Real::Among => among.push(record),
            Real::Behind => behind.push(record),
        }
    }
    for n in 0..hosts {
        let host = format!("127.1.{}.{}:{port}", n / 250, n % 250 + 1);
        records.push(image(&format!("{host}/app:1"), None, None, "made-up"));
        if n % 20 == 19 {
            records.extend(among.pop());
        }
    }
    records.append(&mut behind);
    Crowd { registry, stream: stream(&records), _silent: silent }
}

/// How many images there are at the registry that answers.
const REAL: usize = 32;

#[derive(Clone, Copy)]
enum Real {
    Among,
    Behind,
}

/// What was found of the images that are there, and of those that are not; and how long it took.
fn run(crowd: &Crowd, timeout: &str, deadline: &str) -> (Vec<Value>, Vec<Value>, Ran, Duration) {
    let started = Instant::now();
    let ran = digest(&crowd.registry)
        .args([
            "--allow-address",
            "127.0.0.0/8",
            "--registry-timeout",
            timeout,
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

/// The failures of those of these records that have no digest.
fn lost(ran: &Ran, records: &[Value]) -> Vec<Value> {
    let without = records.iter().filter(|record| record["digest"].is_null());
    let images: Vec<&Value> = without.map(|record| &record["image"]).collect();
    let failures = ran.of_type("failure").into_iter();
    failures.filter(|failure| images.contains(&&failure["image"])).collect()
}

fn codes(ran: &Ran, code: &str) -> usize {
    ran.of_type("failure").iter().filter(|failure| failure["code"] == code).count()
}

#[test]
fn made_up_hosts_take_nothing_from_those_that_answer() {
    let (real, made_up, ran, took) = run(&crowd(640, Real::Among), "5s", "5m");
    assert_eq!((real.len(), made_up.len()), (REAL, 640));
    assert_eq!(lost(&ran, &real), Vec::<Value>::new());
    assert!(real.iter().all(|record| !record["digest"].is_null()));
    assert!(
        made_up.iter().all(|record| record["digest"].is_null() && record["drift"] == "unknown")
    );
    assert_eq!(codes(&ran, "timeout") + codes(&ran, "host-unreachable"), 640);
    // One after the other they would take twenty minutes.
    assert!(took < Duration::from_secs(60), "{took:?}");
}

/// More than a stage holds at a time, and what is real stands behind all of them.
#[test]
fn with_5_000_of_them_the_run_ends_by_its_deadline_and_all_else_is_answered() {
    let (real, made_up, ran, took) = run(&crowd(5000, Real::Behind), "3s", "50s");
    assert_eq!((real.len(), made_up.len(), ran.of_type("end").len()), (REAL, 5000, 1));
    assert_eq!(lost(&ran, &real), Vec::<Value>::new());
    assert!(real.iter().all(|record| !record["digest"].is_null()));
    assert!(
        made_up.iter().all(|record| record["digest"].is_null() && record["drift"] == "unknown")
    );
    let (asked, left) = (codes(&ran, "timeout") + codes(&ran, "host-unreachable"), "deadline");
    assert_eq!(asked + codes(&ran, left), 5000, "each has its reason");
    assert!(codes(&ran, left) > 0 && asked > 900, "{asked}");
    assert!(took < Duration::from_secs(50 + 10), "{took:?}");
}

/// Answers of images at a registry, beside a second host.
fn beside(registry: &FakeRegistry, other: Option<&str>) -> (Vec<Value>, Ran, Duration) {
    let mut records = Vec::new();
    for n in 0..200 {
        let name = format!("shop/web{n}");
        if let Some(other) = other {
            records.push(image(&format!("{other}/{name}:1"), None, None, "other"));
        }
        records.push(image(&format!("{}/{name}:1", registry.host()), None, None, "real"));
    }
    let started = Instant::now();
    let args = ["--allow-address", "127.0.0.0/8", "--registry-timeout", "4s"];
    let ran = digest(registry).args(args).stdin(stream(&records)).run().ok();
    let of_registry = |record: &Value| {
        record["image"].as_str().is_some_and(|image| image.starts_with(&registry.host()))
    };
    let answers = ran.of_type("digest").into_iter().filter(of_registry).collect();
    (answers, ran, started.elapsed())
}

#[test]
fn of_two_hosts_of_which_one_is_silent_the_other_answers_as_if_alone() {
    let registry = FakeRegistry::start();
    for n in 0..200 {
        registry.push_image(&format!("shop/web{n}"), Some("1"), &n.to_string());
    }
    let (alone, _, without) = beside(&registry, None);
    assert!(alone.iter().all(|record| !record["digest"].is_null()));
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let host = silent.local_addr().expect("an address").to_string();
    let (answers, ran, with) = beside(&registry, Some(&host));
    assert_eq!(answers, alone);
    // One breaker's worth: three questions, the first alone, since it tells how to ask.
    let requests = &ran.of_type("end")[0]["stages"][0]["requests"];
    assert_eq!(requests[&host]["head"], 3);
    assert_eq!(codes(&ran, "timeout") + codes(&ran, "host-unreachable"), 200);
    assert!(with < without + Duration::from_secs(2 * 4 + 3), "{with:?} and {without:?}");
}
