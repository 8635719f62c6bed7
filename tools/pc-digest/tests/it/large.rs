//! Texts of any length, from whoever writes pods and from registries.

use serde_json::json;
use testkit::pc;
use testkit::registry::FakeRegistry;

use crate::{digest, image, stream};

/// More than a record may have.
const HUGE: usize = 3 << 19;

#[test]
fn a_subject_of_any_length_gets_its_one_answer_and_the_stream_goes_on() {
    let registry = FakeRegistry::start();
    registry.push_image("shop/web", Some("1"), "web");
    let good = format!("{}/shop/web:1", registry.host());
    let huge = format!("{good}{}", "x".repeat(HUGE));
    let digest_id = format!("sha256:{}", "a".repeat(64));
    let records = [
        image(&huge, None, None, "long-name"),
        // Escapes make it six times as long on the wire.
        image(&"\u{1}".repeat(HUGE / 2), None, None, "long-escapes"),
        image(&good, Some(&"y".repeat(HUGE)), None, "long-id"),
        image(&good, Some(&format!("{}@{digest_id}", "z".repeat(HUGE))), None, "long-ids-name"),
        image(&good, None, Some(&"linux/".repeat(HUGE / 6)), "long-platform"),
        image(&good, None, Some("linux/amd64"), "good"),
    ];
    let ran = digest(&registry).stdin(stream(&records)).run().ok();
    let answers = ran.of_type("digest");
    assert_eq!((ran.of_type("image").len(), answers.len()), (6, 6));
    for (record, answer) in records.iter().zip(&answers) {
        for key in ["image", "imageId", "platform"] {
            assert!(record[key] == answer[key], "{key} of {}", record["workload"]["name"]);
        }
    }
    let failures = ran.of_type("failure");
    let codes = |at: usize| -> Vec<&str> {
        let own = failures.iter().filter(|failure| {
            ["image", "imageId", "platform"].iter().all(|key| failure[key] == answers[at][key])
        });
        own.filter_map(|failure| failure["code"].as_str()).collect()
    };
    assert_eq!((codes(0), codes(1)), (vec!["bad-reference"], vec!["bad-reference"]));
    assert!(!codes(2).is_empty() && !codes(3).is_empty() && codes(5).is_empty(), "{failures:?}");
    assert!(failures.iter().all(|f| f["message"].as_str().is_some_and(|m| m.len() < 2_000)));
    assert!(!answers[5]["digest"].is_null());

    // The report has them all, each with its reason.
    let report = pc("assemble").arg("--allow-incomplete").stdin(ran.stdout).run().ok();
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).expect("a report");
    let rows = report["images"].as_array().expect("rows");
    assert_eq!(rows.len(), 6);
    let row = rows.iter().find(|row| row["image"] == huge.as_str()).expect("the row");
    assert!(row["error"].as_str().is_some_and(|why| why.starts_with("bad-reference")), "{row}");
}

#[test]
fn what_a_registry_says_is_cut_and_counted() {
    let registry = FakeRegistry::start();
    let child = registry.push_image("shop/web", None, "web");
    let names: Vec<String> =
        (0..20).map(|n| format!("linux/arch{n}{}", "x".repeat(1 << 17))).collect();
    let platforms: Vec<_> = names.iter().map(|name| (name.as_str(), &child)).collect();
    registry.push_index("shop/web", Some("1"), &platforms);
    let name = format!("{}/shop/web:1", registry.host());
    let ran = digest(&registry)
        .stdin(stream(&[image(&name, None, Some("linux/amd64"), "web")]))
        .run()
        .ok();
    let answer = ran.of_type("digest").swap_remove(0);
    assert_eq!(
        (&answer["dropped"], answer["platforms"].as_array().map(Vec::len)),
        (&json!(20), Some(20))
    );
    let platform = answer["platforms"][0]["platform"].as_str().expect("a platform");
    assert!(platform.len() <= 4096 && platform.ends_with('…'), "{}", platform.len());
}
