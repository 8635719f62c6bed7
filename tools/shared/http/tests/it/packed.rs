//! Bodies that were packed for their way, and those that only say so.

use std::io::Write;

use http_asking::{Client, Kind, Problem, Request};
use records::FailureCode;
use testkit::registry::{Canned, FakeRegistry, Payload};

use crate::support::{client, get, host, request};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("written");
    encoder.finish().expect("packed")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("packed")
}

fn coded(coding: &str, body: impl Into<Payload>) -> Canned {
    Canned::status(200).header("content-encoding", coding).body(body)
}

#[tokio::test]
async fn gzip_and_zstd_are_asked_for_and_unpacked_where_nothing_is_lost_by_it() {
    let registry = FakeRegistry::start();
    let text = r#"{"tags": ["1"]}"#.repeat(1000);
    registry.can("/gzip", coded("gzip", gzip(text.as_bytes())));
    registry.can("/zstd", coded("zstd", zstd(text.as_bytes())));
    registry.can("/identity", coded("identity", text.as_str()));
    for path in ["/gzip", "/zstd", "/identity"] {
        for kind in [Kind::Tags, Kind::Manifest, Kind::Token, Kind::Referrers, Kind::Blob] {
            let answer = get(&registry, path, kind).await.expect(path);
            assert_eq!(answer.body, text.as_bytes(), "{path} {kind}");
        }
    }
    let asked: Vec<_> = registry.log();
    let wanted = ["gzip, zstd", "gzip, zstd", "gzip, zstd", "gzip, zstd", "identity"];
    for (asked, wanted) in asked.iter().zip(wanted.iter().cycle()) {
        assert_eq!(asked.header("accept-encoding"), Some(*wanted), "{}", asked.path);
    }
}

#[tokio::test]
async fn the_length_of_a_head_is_that_of_what_is_stored() {
    let registry = FakeRegistry::start();
    registry.can("/x", Canned::status(200).header("content-length", "1234"));
    let client = client();
    let head = Request::head(client.address(&host(&registry.host()), "/x"));
    let answer = client.ask(head).await.expect("an answer");
    assert_eq!(answer.header("content-length"), Some("1234"));
    assert_eq!(registry.log()[0].header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn a_bomb_goes_off_nowhere() {
    let registry = FakeRegistry::start();
    let zeros = vec![0; 64 * 1024 * 1024];
    let (small, smaller) = (gzip(&zeros), zstd(&zeros));
    assert!(small.len() < 500 * 1024 && smaller.len() < 10 * 1024);
    registry.can("/gzip", coded("gzip", small));
    registry.can("/zstd", coded("zstd", smaller));
    for path in ["/gzip", "/zstd"] {
        for kind in [Kind::Manifest, Kind::Token, Kind::Blob] {
            let error = get(&registry, path, kind).await.expect_err(path);
            assert!(matches!(error.problem(), Problem::TooLarge(limit) if *limit == kind.limit()));
        }
    }
}

/// The code of what comes of an answer, and what is said of it.
async fn fails(client: &Client, registry: &FakeRegistry, answer: Canned) -> (FailureCode, String) {
    registry.can("/x", answer);
    let error = client.ask(request(client, registry, "/x", Kind::Manifest)).await;
    let error = error.expect_err("no answer");
    (error.code(), error.to_string())
}

#[tokio::test]
async fn what_is_packed_twice_wrongly_or_in_another_way_is_told() {
    let registry = FakeRegistry::start();
    let client = client();
    let body = gzip(b"{}");
    for (answer, words) in [
        (coded("gzip, gzip", gzip(&body)), "`gzip, gzip`"),
        (coded("gzip", body.clone()).header("content-encoding", "zstd"), "`gzip, zstd`"),
        (coded("br", "whatever"), "`br`"),
        (coded(&"br".repeat(20_000), "whatever"), "gzip or zstd"),
        (coded("gzip", "{}"), "not the gzip"),
        (coded("zstd", "{}"), "not the zstd"),
        (coded("zstd", body.clone()), "not the zstd"),
        (coded("gzip", body[..body.len() - 4].to_vec()), "not the gzip"),
    ] {
        let (code, said) = fails(&client, &registry, answer).await;
        assert_eq!(code, FailureCode::BadCoding, "{said}");
        assert!(said.contains(words) && said.len() < 1000, "{said}");
    }
    // A host that does so has answered: its breaker stays closed.
    registry.can("/y", Canned::status(200));
    client.ask(request(&client, &registry, "/y", Kind::Manifest)).await.expect("an answer");
}

#[tokio::test]
async fn a_refusal_is_read_packed_too() {
    let registry = FakeRegistry::start();
    let refusal = gzip(br#"{"errors":[{"code":"DENIED","message":"no"}]}"#);
    let packed = |status| Canned::status(status).header("content-encoding", "gzip");
    registry.can("/x", packed(403).body(refusal));
    let answer = get(&registry, "/x", Kind::Manifest).await.expect("an answer");
    assert!(answer.refusal().to_string().ends_with("403 Forbidden (DENIED: no)"));
    let bomb = gzip(&vec![b'x'; 64 * 1024 * 1024]);
    registry.can("/bomb", packed(403).body(bomb));
    let answer = get(&registry, "/bomb", Kind::Manifest).await.expect("an answer");
    assert_eq!((answer.body.len(), answer.status.as_u16()), (64 * 1024, 403));
    registry.can("/odd", Canned::status(403).header("content-encoding", "br").body("?"));
    let answer = get(&registry, "/odd", Kind::Manifest).await.expect("an answer");
    assert_eq!((answer.body.len(), answer.refusal().code()), (0, FailureCode::Forbidden));
}
