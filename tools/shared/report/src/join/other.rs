//! Records of unknown types: kept as they came, within bounds.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// How many of them a report holds.
const MAX_RECORDS: usize = 1_000;

/// How many bytes of them, as JSON.
const MAX_BYTES: usize = 1024 * 1024;

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
    /// Keeps a record, or counts it where there is no more room.
    pub(crate) fn keep(&mut self, line: &[u8]) -> Result<(), OtherError> {
        let record: Map<String, Value> = serde_json::from_slice(line).map_err(OtherError)?;
        let text = sorted(Value::Object(record)).to_string();
        if self.lines.contains(&text) {
            return Ok(());
        }
        if self.lines.len() == MAX_RECORDS || self.bytes + text.len() > MAX_BYTES {
            self.dropped += 1;
            return Ok(());
        }
        self.bytes += text.len();
        self.lines.insert(text);
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

    #[test]
    fn what_is_no_object_is_refused() {
        assert!(Other::default().keep(b"{\"type\":\"x\",\"v\":1,").is_err());
        assert!(Other::default().keep(b"[]").is_err());
    }
}
