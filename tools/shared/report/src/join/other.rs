//! Records of unknown types: kept as they came, within bounds.

use std::collections::BTreeSet;

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// How many of them a report holds.
const MAX_RECORDS: usize = 1_000;

/// How many bytes of them, as JSON.
const MAX_BYTES: usize = 1024 * 1024;

/// How deep lists and objects may lie in each other. Many readers of JSON stop at 128, and in a
/// report a record lies two deeper than alone.
const MAX_DEPTH: usize = 100;

/// A line that is no JSON object.
#[derive(Debug, thiserror::Error)]
#[error("not a JSON object")]
pub struct OtherError(#[source] serde_json::Error);

/// Records of unknown types, each once.
#[derive(Debug, Default)]
pub(crate) struct Other {
    /// As JSON with sorted keys, so that two that say the same are the same.
    lines: BTreeSet<String>,
    bytes: usize,
    dropped: u64,
}

impl Other {
    /// Keeps a record, or counts it where there is no more room, or where it cannot be kept: too
    /// deep, or with numbers or texts that only JSON's grammar allows.
    pub(crate) fn keep(&mut self, line: &[u8]) -> Result<(), OtherError> {
        let record = match serde_json::from_slice::<Map<String, Value>>(line) {
            Ok(record) => Value::Object(record),
            Err(_) if is_object(line) => return self.drop_one(),
            Err(error) => return Err(OtherError(error)),
        };
        if is_deeper(&record, MAX_DEPTH) {
            return self.drop_one();
        }
        let text = sorted(record).to_string();
        if self.lines.contains(&text) {
            return Ok(());
        }
        if self.lines.len() == MAX_RECORDS || self.bytes + text.len() > MAX_BYTES {
            return self.drop_one();
        }
        self.bytes += text.len();
        self.lines.insert(text);
        Ok(())
    }

    fn drop_one(&mut self) -> Result<(), OtherError> {
        self.dropped += 1;
        Ok(())
    }

    /// How many were left out.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The records, sorted by their type and the rest of their text.
    pub(crate) fn into_sorted(self) -> Vec<Map<String, Value>> {
        let mut records: Vec<Map<String, Value>> =
            self.lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        records.sort_by_cached_key(|record| {
            let kind = record.get("type").map(Value::to_string);
            (kind, Value::Object(record.clone()).to_string())
        });
        records
    }
}

/// Whether a line is an object by JSON's grammar. Its values are walked over, however deep.
fn is_object(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}

/// Whether lists and objects lie more than `limit` deep in each other.
fn is_deeper(value: &Value, limit: usize) -> bool {
    let Some(rest) = limit.checked_sub(1) else {
        return value.is_array() || value.is_object();
    };
    match value {
        Value::Array(items) => items.iter().any(|item| is_deeper(item, rest)),
        Value::Object(object) => object.values().any(|value| is_deeper(value, rest)),
        _ => false,
    }
}

/// The same value, with the keys of every object in order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Object(object) => {
            let mut entries: Vec<(String, Value)> = object.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.into_iter().map(|(k, v)| (k, sorted(v))).collect()
        }
        scalar => scalar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(lines: &[&str]) -> Other {
        let mut other = Other::default();
        for line in lines {
            other.keep(line.as_bytes()).expect("kept");
        }
        other
    }

    #[test]
    fn the_order_of_keys_and_of_records_does_not_matter() {
        let a = kept(&[
            r#"{"type":"b","v":1,"x":{"q":[1,{"d":1,"c":null}],"p":2}}"#,
            r#"{"type":"a","v":2}"#,
        ]);
        let b = kept(&[
            r#"{"v":2,"type":"a"}"#,
            r#"{"x":{"p":2,"q":[1,{"c":null,"d":1}]},"v":1,"type":"b"}"#,
            r#"{"v":2,"type":"a"}"#,
        ]);
        let (a, b) = (a.into_sorted(), b.into_sorted());
        assert_eq!(
            serde_json::to_string(&a).expect("JSON"),
            serde_json::to_string(&b).expect("JSON")
        );
        assert_eq!(a.len(), 2);
        assert_eq!(a[0]["type"], "a");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut other = Other::default();
        for number in 0..MAX_RECORDS + 3 {
            let line = format!(r#"{{"type":"x","v":1,"n":{number}}}"#);
            other.keep(line.as_bytes()).expect("kept");
        }
        assert_eq!((other.lines.len(), other.dropped()), (MAX_RECORDS, 3));
        let long = format!(r#"{{"type":"x","v":1,"n":"{}"}}"#, "n".repeat(MAX_BYTES));
        let mut other = Other::default();
        other.keep(long.as_bytes()).expect("counted");
        assert_eq!((other.lines.len(), other.dropped()), (0, 1));
    }

    fn nested(levels: usize) -> String {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"type":"x","v":1,"n":{open}{close}}}"#)
    }

    #[test]
    fn what_is_too_deep_is_counted() {
        let other = kept(&[&nested(99), &nested(100), &nested(200), &nested(1_000_000)]);
        assert_eq!((other.lines.len(), other.dropped()), (1, 3));
        assert_eq!(other.into_sorted().len(), 1);
    }

    #[test]
    fn what_only_the_grammar_allows_is_counted() {
        let other =
            kept(&[r#"{"type":"x","v":1,"n":1e999}"#, r#"{"type":"x","v":1,"n":"\ud800"}"#]);
        assert_eq!((other.lines.len(), other.dropped()), (0, 2));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        assert!(Other::default().keep(b"{\"type\":\"x\",\"v\":1,").is_err());
        assert!(Other::default().keep(b"[]").is_err());
    }
}
