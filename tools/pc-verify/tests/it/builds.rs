//! What `provenance` and `materials` records tell of a build, by the tool itself.

use serde_json::{Value, json};
use testkit::pc;

use crate::support::{Shop, one, statement};

const IN_TOTO: &str = "application/vnd.in-toto+json";
const V0_2: &str = "https://slsa.dev/provenance/v0.2";
const V1: &str = "https://slsa.dev/provenance/v1";

/// A shop whose manifest has these statements of provenance, which nobody signed.
fn shop(predicates: &[(&str, Value)]) -> Shop {
    let shop = Shop::open();
    for (predicate_type, predicate) in predicates {
        let bytes = statement(&shop.manifest, predicate_type, predicate);
        shop.artifact(None, IN_TOTO, &bytes, Some(&shop.manifest));
    }
    shop
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn what_a_builder_recorded_is_told_and_what_it_did_not_is_not() {
    let full = json!({
        "builder": {"id": "https://ci.example.com/b"},
        "buildType": "https://ci.example.com/t",
        "invocation": {
            "configSource": {"uri": "git+https://git.example.com/a/b", "entryPoint": "ci.yml"},
            "parameters": {"release": true, "args": ["-v"], "name": "x".repeat(5000)},
            "environment": {"GITHUB_EVENT_NAME": "push", "GITHUB_ACTOR": "mona", "os": "linux"},
        },
        "metadata": {
            "buildInvocationId": "run-7", "buildStartedOn": "2026-01-02T03:04:05Z",
            "completeness": {"parameters": true, "environment": false}, "reproducible": false,
        },
        "materials": [
            {"uri": "git+https://git.example.com/a/b", "digest": {"sha1": "a".repeat(40)}},
            {"uri": "pkg:docker/alpine@3"},
        ],
    });
    let records = shop(&[(V0_2, full)]);
    let records = records.verify_with(&records.digest_record(), &["--materials"]);
    let find = &one(&records, "provenance")["finds"][0];
    let parameters = list(&find["parameters"]);
    assert_eq!(parameters[0], json!({"name": "release", "value": "true"}));
    assert_eq!(parameters[1], json!({"name": "args", "value": r#"["-v"]"#}));
    assert_eq!(parameters[2]["value"].as_str().map(str::len), Some(4096));
    assert_eq!(find["dropped"], 1);
    assert_eq!(list(&find["environment"]).len(), 3);
    let completeness = json!({"parameters": true, "environment": false, "materials": null});
    assert_eq!(find["completeness"], completeness);
    for (field, value) in [
        ("reproducible", json!(false)),
        ("trigger", json!("push")),
        ("initiator", json!("mona")),
        ("runner", Value::Null),
        ("invocation", json!("run-7")),
        ("startedOn", json!("2026-01-02T03:04:05Z")),
        ("finishedOn", Value::Null),
        ("entryPoint", json!("ci.yml")),
        ("materials", json!(2)),
        ("materialsWithoutDigest", json!(1)),
    ] {
        assert_eq!(find[field], value, "{field}");
    }
    let materials = one(&records, "materials");
    assert_eq!((&materials["part"], &materials["last"]), (&json!(1), &json!(true)));
    assert_eq!(materials["find"], find["id"]);
    let named = [
        json!({"name": null, "uri": "git+https://git.example.com/a/b", "digests": {"sha1": "a".repeat(40)}}),
        json!({"name": null, "uri": "pkg:docker/alpine@3", "digests": {}}),
    ];
    assert_eq!(list(&materials["materials"]), named);
    let stream: String = records.iter().map(|record| format!("{record}\n")).collect();
    let report = pc("assemble").arg("--allow-incomplete").stdin(stream).run().ok().text();
    assert!(report.contains("run-7") && !report.contains("pkg:docker/alpine@3"), "{report}");

    let bare = shop(&[(V1, json!({"runDetails": {"builder": {"id": "https://b.example"}}}))]);
    let records = bare.verify(&bare.digest_record());
    let find = &one(&records, "provenance")["finds"][0];
    for field in ["parameters", "environment", "completeness", "reproducible", "invocation"] {
        assert_eq!(find[field], Value::Null, "{field}");
    }
    assert!(records.iter().all(|record| record["type"] != "materials"));
}

#[test]
fn all_materials_come_in_numbered_parts() {
    let materials: Vec<Value> = (0..5000)
        .map(|at| json!({"uri": format!("pkg:npm/p{at}@1"), "digest": {"sha256": "0".repeat(64)}}))
        .collect();
    let second = json!([{"uri": "pkg:npm/last@1"}]);
    let shop = shop(&[
        (V1, json!({"buildDefinition": {"resolvedDependencies": materials}})),
        (V1, json!({"buildDefinition": {"resolvedDependencies": second}})),
    ]);
    let records = shop.verify_with(&shop.digest_record(), &["--materials"]);
    let parts: Vec<&Value> = records.iter().filter(|it| it["type"] == "materials").collect();
    assert!(parts.len() > 3, "{} parts", parts.len());
    for (at, part) in parts.iter().enumerate() {
        assert_eq!(part["part"], json!(at + 1));
        assert!(part.to_string().len() < 1024 * 1024);
    }
    assert_eq!(parts.iter().filter(|part| part["last"] == true).count(), 2);
    let all = parts.iter().flat_map(|part| list(&part["materials"])).count();
    assert_eq!(all, 5001);
}

/// A record has at most a megabyte, and a hundred finds may want more: whoever can push to one
/// repository could end the run for all.
#[test]
fn provenance_that_is_too_much_for_a_record_is_left_out_and_counted() {
    let long = "\u{1}".repeat(4000);
    let parameters: Value = (0..3).map(|at| (format!("p{at}"), json!(long))).collect();
    let with_parameters = |at: usize| {
        json!({
            "builder": {"id": format!("https://b.example/{at}")},
            "invocation": {"parameters": parameters},
        })
    };
    let many: Vec<_> = (0..40).map(|at| (V0_2, with_parameters(at))).collect();
    let shop = shop(&many);
    let records = shop.verify(&shop.digest_record());
    let provenance = one(&records, "provenance");
    assert_eq!(provenance["verdict"], "present");
    assert_eq!((list(&provenance["finds"]).len(), &provenance["dropped"]), (40, &json!(0)));
    for find in list(&provenance["finds"]) {
        assert_eq!((&find["parameters"], &find["dropped"]), (&Value::Null, &json!(3)));
    }

    let hostile = |at: usize| {
        json!({
            "builder": {"id": format!("{at}{long}")}, "buildType": long,
            "invocation": {"configSource": {"entryPoint": long}},
            "metadata": {"buildInvocationId": long},
        })
    };
    let many: Vec<_> = (0..40).map(|at| (V0_2, hostile(at))).collect();
    let shop = self::shop(&many);
    let records = shop.verify(&shop.digest_record());
    let provenance = one(&records, "provenance");
    let kept = list(&provenance["finds"]).len();
    assert!((1..40).contains(&kept), "{kept} finds");
    assert_eq!(provenance["dropped"], json!(40 - kept));
    assert_eq!((&provenance["whole"], &provenance["verdict"]), (&json!(false), &json!("unknown")));
    assert_eq!(one(&records, "signature")["verdict"], "absent");
}
