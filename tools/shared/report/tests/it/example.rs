//! The worked example that others wrote: its stream must give its report.

use serde_json::Value;

use crate::assemble;

/// What of `wanted` is not in `got`: paths with both values. More facts than wanted are fine, and
/// a key that is not there says the same as null.
fn missing(wanted: &Value, got: &Value, path: &str, faults: &mut Vec<String>) {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            for (key, value) in wanted {
                let got = got.get(key).unwrap_or(&Value::Null);
                missing(value, got, &format!("{path}.{key}"), faults);
            }
        }
        (Value::Array(wanted), Value::Array(got)) if wanted.len() == got.len() => {
            for (at, (wanted, got)) in wanted.iter().zip(got).enumerate() {
                missing(wanted, got, &format!("{path}[{at}]"), faults);
            }
        }
        _ if wanted == got => {}
        _ => faults.push(format!("{path}: wanted {wanted}, got {got}")),
    }
}

/// Sorts a list by these keys, so that lists are compared whatever order they were written in.
fn sorted(list: &Value, keys: &[&str]) -> Value {
    let mut list = list.as_array().expect("a list").clone();
    list.sort_by_cached_key(|item| {
        keys.iter().map(|key| item[key].to_string()).collect::<Vec<_>>()
    });
    Value::Array(list)
}

#[test]
fn the_worked_example_gives_its_report() {
    let Some(data) = testkit::shared_data("the worked example") else {
        return;
    };
    let read = |file| std::fs::read_to_string(data.join(file)).expect("the example");
    let got = serde_json::to_value(assemble(&read("example/stream.ndjson"))).expect("JSON");
    let wanted: Value = serde_json::from_str(&read("example/report.json")).expect("JSON");
    let lists: [(&str, &[&str]); 4] = [
        ("images", &["namespace", "image", "platform"]),
        ("evidence", &["repository", "manifest"]),
        ("helmReleases", &["namespace", "releaseName"]),
        ("failures", &["stage", "code"]),
    ];
    let mut faults = Vec::new();
    for (list, keys) in lists {
        let (wanted, got) = (sorted(&wanted[list], keys), sorted(&got[list], keys));
        missing(&wanted, &got, list, &mut faults);
    }
    for part in ["schemaVersion", "metadata", "stages", "summary"] {
        missing(&wanted[part], &got[part], part, &mut faults);
    }
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(got["metadata"]["incompleteWhy"], serde_json::json!([]));
}
