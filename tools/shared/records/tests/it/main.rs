//! The wire against its committed schemas and against a worked example that others wrote.

use records::wire::{self, Head};
use records::{
    DigestRecord, End, Failure, FailureCode, Image, Policy, Provenance, Record, Release, Sbom,
    Signature, Update, schema,
};
use serde_json::Value;

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("JSON");
    text.push('\n');
    text
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    for (name, schema) in schema::all() {
        testkit::generated(&format!("docs/schema/{name}.json"), &pretty(&schema));
    }
    testkit::generated("docs/schema/stream.json", &pretty(&schema::stream()));
}

#[test]
fn the_table_of_failure_codes_is_that_of_the_code() {
    let mut table = "| code | asking again may help | what it means |\n|---|---|---|\n".to_owned();
    for code in FailureCode::ALL {
        let again = if code.retryable() { "yes" } else { "no" };
        table.push_str(&format!("| `{code}` | {again} | {} |\n", code.meaning()));
    }
    testkit::generated_part("docs/records.md", "failure codes", &table);
    let example = std::fs::read_to_string(testkit::root().join("docs/examples/hub-note"))
        .expect("the example");
    testkit::generated_part("docs/records.md", "example stage", &format!("```sh\n{example}```\n"));
}

#[test]
fn every_code_has_its_place_in_troubleshooting() {
    let mut page = "# Troubleshooting\n\n<!-- Generated from the failure codes; do not edit. -->\n\n\
        What could not be found out is in the report under `failures`, and in the stream as `failure` \
        records, each with a `code` that stays the same from version to version. The message beside it \
        says what happened; here is what would mend it.\n".to_owned();
    for code in FailureCode::ALL {
        let again = if code.retryable() { " It may pass by itself." } else { "" };
        let mut meaning = code.meaning().to_owned();
        meaning[..1].make_ascii_uppercase();
        page.push_str(&format!("\n## {code}\n\n{meaning}.{again}\n\n{}\n", code.remedy()));
    }
    testkit::generated("docs/troubleshooting.md", &page);
}

/// Reads a line as `R`, writes it again, and says what the two share.
fn there_and_back<R: Record>(line: &str) -> (Value, Value) {
    let head = Head::peek(line.as_bytes()).expect("a head");
    let record: R = wire::read(&head, line.as_bytes()).expect("a record");
    let mut again = Vec::new();
    wire::write(&mut again, &record).expect("written");
    (serde_json::from_str(line).expect("JSON"), serde_json::from_slice(&again).expect("JSON"))
}

/// Drops keys with null: where a key may be left out, null says the same.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect(),
        Value::Array(list) => list.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

#[test]
fn the_worked_example_reads_validates_and_loses_nothing() {
    let Some(data) = testkit::shared_data("the worked example") else {
        return;
    };
    let text = std::fs::read_to_string(data.join("example/stream.ndjson")).expect("the example");
    let schemas: std::collections::BTreeMap<_, _> = schema::all().into_iter().collect();
    for line in text.lines() {
        let kind = Head::peek(line.as_bytes()).expect("a head").kind.into_owned();
        let (before, after) = match kind.as_str() {
            "image" => there_and_back::<Image>(line),
            "digest" => there_and_back::<DigestRecord>(line),
            "release" => there_and_back::<Release>(line),
            "signature" => there_and_back::<Signature>(line),
            "provenance" => there_and_back::<Provenance>(line),
            "sbom" => there_and_back::<Sbom>(line),
            "update" => there_and_back::<Update>(line),
            "policy" => there_and_back::<Policy>(line),
            "failure" => there_and_back::<Failure>(line),
            "end" => there_and_back::<End>(line),
            other => panic!("a type that nobody reads: {other}"),
        };
        let validator = jsonschema::validator_for(&schemas[kind.as_str()]).expect("a schema");
        assert!(
            validator.is_valid(&after),
            "{:?}",
            validator.iter_errors(&after).collect::<Vec<_>>()
        );
        for (key, value) in before.as_object().expect("an object") {
            // The example names a policy's reason in the singular; the table of records does not.
            if (kind.as_str(), key.as_str()) != ("policy", "reason") {
                assert_eq!(
                    after.get(key).map(without_nulls),
                    Some(without_nulls(value)),
                    "`{key}` of `{kind}`"
                );
            }
        }
    }
}
