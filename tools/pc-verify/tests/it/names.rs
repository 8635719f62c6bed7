//! Policies see names, and one thing that runs may have several.

use serde_json::{Value, json};
use testkit::pc;

use crate::support::{REPOSITORY, Shop};

/// A policy that every image of these globs fails, or whatever `mode` makes of it.
fn policy(name: &str, glob: &str) -> String {
    format!(
        "apiVersion: policy.sigstore.dev/v1beta1\nkind: ClusterImagePolicy\nmetadata:\n  name: {name}\nspec:\n  images:\n  - glob: \"{glob}\"\n  authorities:\n  - name: nobody\n    static:\n      action: fail\n"
    )
}

#[test]
fn every_name_of_what_runs_is_judged_by_the_policies_that_are_about_it() {
    let shop = Shop::open();
    let host = shop.registry.host();
    let folder = tempfile::tempdir().expect("a folder");
    let all = [
        policy("all", &format!("{host}/**")),
        policy("first", &format!("{host}/{REPOSITORY}:1")),
        policy("second", &format!("{host}/{REPOSITORY}:stable")),
        policy("other", "ghcr.io/**"),
    ];
    std::fs::write(folder.path().join("policies.yaml"), all.join("---\n")).expect("written");
    let named = |tag: &str| {
        let mut record = shop.digest_record();
        record["image"] = json!(format!("{host}/{REPOSITORY}:{tag}"));
        record
    };
    let end = json!({"type": "end", "v": 1, "stages": []});
    let run = |tags: &[&str]| {
        let lines: String = tags.iter().map(|tag| format!("{}\n", named(tag))).collect();
        let ran = pc("verify")
            .env("PROVENANCE_PLAIN_HTTP", &host)
            .arg("--trust-policy")
            .arg(folder.path())
            .stdin(format!("{lines}{end}\n"))
            .run()
            .ok();
        let name = |record: &Value, field: &str| record[field].as_str().unwrap_or("").to_owned();
        let policies = ran.of_type("policy");
        let told: Vec<(String, String)> =
            policies.iter().map(|it| (name(it, "policy"), name(it, "image"))).collect();
        assert_eq!(ran.of_type("signature").len(), 1);
        (told, policies)
    };
    let pair = |policy: &str, tag: &str| (policy.to_owned(), format!("{host}/{REPOSITORY}:{tag}"));
    let (told, policies) = run(&["1", "stable", "edge", "1", "stable"]);
    assert_eq!(told, [pair("all", "1"), pair("first", "1"), pair("second", "stable")]);
    for policy in &policies {
        assert_eq!(policy["result"], "fail");
        for field in ["repository", "index", "manifest"] {
            assert_eq!(policy[field], shop.digest_record()[field], "{field}");
        }
    }
    // By whatever name it came first.
    assert_eq!(run(&["edge", "1"]).0, [pair("all", "edge"), pair("first", "1")]);
    // Nothing is asked for again.
    shop.registry.clear_log();
    run(&["1"]);
    let once = shop.registry.log().len();
    shop.registry.clear_log();
    run(&["1", "stable"]);
    assert_eq!(shop.registry.log().len(), once);
}

#[test]
fn the_time_of_every_digest_is_in_the_tally_as_a_histogram() {
    let shop = Shop::open();
    let host = shop.registry.host();
    let mut stream = String::new();
    // Two digests, one of them by two names.
    for (tag, bare) in [("1", false), ("stable", false), ("1", true)] {
        let mut record = shop.digest_record();
        record["image"] = json!(format!("{host}/{REPOSITORY}:{tag}"));
        if bare {
            record["index"] = Value::Null;
            record["digest"] = json!(shop.manifest.digest);
        }
        stream.push_str(&format!("{record}\n"));
    }
    let statement = br#"{"spdxVersion": "SPDX-2.3", "packages": []}"#;
    shop.artifact(None, "text/spdx+json", statement, Some(&shop.manifest));
    stream.push_str("{\"type\":\"end\",\"v\":1,\"stages\":[]}\n");
    let run = |epoch: Option<&str>| {
        let run = pc("verify").env("PROVENANCE_PLAIN_HTTP", &host).stdin(stream.clone());
        let run = match epoch {
            Some(epoch) => run.env("SOURCE_DATE_EPOCH", epoch),
            None => run,
        };
        run.run().ok().of_type("end")[0]["stages"][0]["timings"].clone()
    };
    let timings = run(None);
    // Each digest once; and judging, for each piece that each of them has.
    for (what, count) in [("digest", 2), ("judging", 2)] {
        let histogram = &timings[what];
        assert_eq!(histogram["count"], count, "{what}: {timings}");
        assert!(histogram["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{timings}");
        let buckets = histogram["buckets"].as_array().expect("buckets");
        let counts: Vec<u64> = buckets.iter().filter_map(|it| it["count"].as_u64()).collect();
        assert!(counts.is_sorted() && counts.len() == 9, "{timings}");
        // Nothing here takes a minute.
        assert_eq!(counts.last(), Some(&count), "{what}");
    }
    // Where the clock is fixed, two runs are to give the same bytes.
    assert!(run(Some("1767225600")).as_object().is_none_or(serde_json::Map::is_empty));
}
