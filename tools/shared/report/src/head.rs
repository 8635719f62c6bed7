//! What a report says of itself, read without the rest: that it is one, its time, whether it is
//! complete, its totals.
//!
//! The one place that decides which bytes are a report. Reading a head walks over the whole text
//! and keeps only what is in [`Head`]; rows, evidence and the rest are looked at and forgotten.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;
use serde_json::{Map, Value};

use crate::read::{ReadError, is_newer};

/// What a report says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// The version of its form: `major.minor`.
    pub schema_version: String,
    /// When it was generated; not before 1970.
    pub generated_at: Timestamp,
    /// The cluster, where the report names one. A foreign text.
    pub cluster: Option<String>,
    /// Whether all facts arrived.
    pub completeness: Completeness,
    /// The report's `summary`, as it stands there.
    pub summary: Map<String, Value>,
    /// How many rows there are in `images`.
    pub rows: usize,
}

/// Whether all facts arrived that the stages had found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// All.
    Complete,
    /// Not all, for these reasons.
    Incomplete(Vec<String>),
}

/// The parts of a report that make it one. Their contents are walked over and not kept.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parts {
    schema_version: String,
    metadata: Metadata,
    images: Vec<IgnoredAny>,
    #[serde(rename = "evidence")]
    _evidence: Vec<IgnoredAny>,
    #[serde(rename = "helmReleases")]
    _helm_releases: Vec<IgnoredAny>,
    #[serde(rename = "failures")]
    _failures: Vec<IgnoredAny>,
    #[serde(rename = "stages")]
    _stages: Vec<IgnoredAny>,
    summary: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    generated_at: String,
    cluster_name: Option<String>,
    complete: bool,
    #[serde(default)]
    incomplete_why: Vec<String>,
}

impl Head {
    /// Reads the head of the report that `bytes` are, the whole of them. A report of a newer
    /// version has one too, where that version left it as it is.
    ///
    /// # Errors
    /// When the bytes are not one whole report of this collector.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, ReadError> {
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => return Err(ReadError::Empty),
            Some(b'{') => {}
            // serde would take an array for a struct; and text deserves the parser's own words.
            Some(_) => return Err(no_object(bytes)),
        }
        let parts: Parts =
            serde_json::from_slice(bytes).map_err(|source| at_fault(bytes, source))?;
        is_newer(&parts.schema_version)?;
        let metadata = parts.metadata;
        Ok(Self {
            schema_version: parts.schema_version,
            generated_at: time(&metadata.generated_at)
                .ok_or(ReadError::Time(metadata.generated_at))?,
            cluster: metadata.cluster_name,
            completeness: if metadata.complete {
                Completeness::Complete
            } else {
                Completeness::Incomplete(metadata.incomplete_why)
            },
            rows: rows(&parts.summary, parts.images.len())?,
            summary: parts.summary,
        })
    }
}

impl Head {
    /// As [`Head::from_slice`], for who reads the rest of the report too.
    ///
    /// # Errors
    /// As [`Head::from_slice`], and when the report is of a newer version, whose rest is not read
    /// here.
    pub fn readable(bytes: &[u8]) -> Result<Self, ReadError> {
        let head = Self::from_slice(bytes)?;
        if is_newer(&head.schema_version)? {
            return Err(ReadError::Newer(head.schema_version));
        }
        Ok(head)
    }
}

fn no_object(bytes: &[u8]) -> ReadError {
    match serde_json::from_slice::<IgnoredAny>(bytes) {
        Ok(_) => ReadError::NotAnObject,
        Err(source) => at_fault(bytes, source),
    }
}

fn at_fault(bytes: &[u8], source: serde_json::Error) -> ReadError {
    match source.classify() {
        Category::Eof => ReadError::Truncated { length: bytes.len(), source },
        // The version says more than whatever that version changed.
        Category::Data => match version(bytes) {
            Some(version) if is_newer(&version).unwrap_or(false) => ReadError::Newer(version),
            _ => ReadError::NotAReport(source),
        },
        Category::Syntax | Category::Io => ReadError::NotJson(source),
    }
}

fn version(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Versioned {
        schema_version: String,
    }
    serde_json::from_slice(bytes).ok().map(|versioned: Versioned| versioned.schema_version)
}

fn rows(summary: &Map<String, Value>, rows: usize) -> Result<usize, ReadError> {
    match summary.get("totalImages").and_then(Value::as_u64) {
        Some(total) if usize::try_from(total) != Ok(rows) => Err(ReadError::Rows { total, rows }),
        _ => Ok(rows),
    }
}

/// A time as RFC 3339 section 5.6 writes it; jiff alone would also take ISO 8601's other forms.
fn time(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    let shaped = bytes.len() >= "YYYY-MM-DDTHH:MM:SSZ".len()
        && separators.iter().all(|(at, byte)| bytes[*at] == *byte)
        && bytes[10].eq_ignore_ascii_case(&b'T')
        && !text.ends_with(']');
    if !shaped {
        return None;
    }
    text.parse().ok().filter(|time: &Timestamp| *time >= Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report() -> Value {
        json!({
            "schemaVersion": "1.0",
            "metadata": {"generatedAt": "2026-11-24T06:00:00Z", "clusterName": "prod",
                "complete": true, "incompleteWhy": []},
            "images": [{"image": "a"}], "evidence": [], "helmReleases": [], "failures": [],
            "stages": [], "summary": {"totalImages": 1}, "later": {},
        })
    }

    fn head(report: &Value) -> Result<Head, ReadError> {
        Head::from_slice(report.to_string().as_bytes())
    }

    #[test]
    fn reads_what_a_report_says_of_itself() {
        let head = head(&report()).expect("a report");
        assert_eq!(head.generated_at.to_string(), "2026-11-24T06:00:00Z");
        assert_eq!(head.cluster.as_deref(), Some("prod"));
        assert_eq!(head.completeness, Completeness::Complete);
        assert_eq!((head.rows, head.summary.len(), &*head.schema_version), (1, 1, "1.0"));
    }

    #[test]
    fn an_incomplete_report_is_one_and_says_why() {
        let mut report = report();
        report["metadata"]["complete"] = json!(false);
        report["metadata"]["incompleteWhy"] = json!(["a stream was cut"]);
        let head = head(&report).expect("a report");
        let why = vec!["a stream was cut".to_owned()];
        assert_eq!(head.completeness, Completeness::Incomplete(why));
    }

    #[test]
    fn a_newer_version_has_a_head_where_it_kept_that() {
        let mut newer = report();
        newer["schemaVersion"] = json!("2.0");
        assert_eq!(head(&newer).expect("a head").schema_version, "2.0");
        newer["images"] = json!({"compressed": ""});
        assert!(matches!(head(&newer), Err(ReadError::Newer(version)) if version == "2.0"));
        newer["schemaVersion"] = json!("1.9");
        assert!(matches!(head(&newer), Err(ReadError::NotAReport(_))));
    }

    #[test]
    fn every_prefix_of_a_report_is_truncated_or_empty() {
        let text = report().to_string();
        for length in 0..text.len() {
            let error = Head::from_slice(&text.as_bytes()[..length]).expect_err("cut");
            match error {
                ReadError::Empty => assert_eq!(length, 0),
                ReadError::Truncated { length: said, .. } => assert_eq!(said, length),
                other => panic!("{length}: {other}"),
            }
        }
    }

    #[test]
    fn a_part_that_is_missing_or_of_another_type_is_named() {
        let parts = ["schemaVersion", "metadata", "images", "evidence", "helmReleases", "failures"];
        for part in parts.into_iter().chain(["stages", "summary"]) {
            let mut without = report();
            without.as_object_mut().expect("an object").remove(part);
            match head(&without) {
                Err(ReadError::NotAReport(source)) => {
                    assert!(source.to_string().contains(part), "{source}");
                }
                other => panic!("{part}: {other:?}"),
            }
            let mut wrong = report();
            wrong[part] = json!(7);
            assert!(matches!(head(&wrong), Err(ReadError::NotAReport(_))));
        }
        let mut unsaid = report();
        unsaid["metadata"] = json!({"generatedAt": "2026-11-24T06:00:00Z"});
        assert!(matches!(head(&unsaid), Err(ReadError::NotAReport(_))));
    }

    #[test]
    fn other_documents_are_refused() {
        let of = |text: &str| Head::from_slice(text.as_bytes());
        assert!(matches!(of("{}"), Err(ReadError::NotAReport(_))));
        assert!(matches!(of(" \n"), Err(ReadError::Empty)));
        assert!(matches!(of("[]"), Err(ReadError::NotAnObject)));
        assert!(matches!(of("null"), Err(ReadError::NotAnObject)));
        assert!(matches!(of("hello"), Err(ReadError::NotJson(_))));
        assert!(matches!(of("[1,"), Err(ReadError::Truncated { .. })));
        let two = format!("{}{}", report(), report());
        assert!(matches!(of(&two), Err(ReadError::NotJson(_))));
        let twice = report().to_string().replacen('{', r#"{"images":[],"#, 1);
        assert!(matches!(of(&twice), Err(ReadError::NotAReport(_))));
    }

    #[test]
    fn a_time_is_one_of_rfc_3339_since_1970() {
        assert!(time("2026-11-24T06:00:00.123Z").is_some());
        assert!(time("2026-11-24t06:00:00+01:00").is_some());
        for bad in [
            "",
            "2026-11-24",
            "2026-11-24 06:00:00Z",
            "20261124T060000Z",
            "2026-11-24T06:00:00",
            "2026-11-24T06:00:00+00:00[UTC]",
            "2026-13-24T06:00:00Z",
            "1969-12-31T23:59:59Z",
            "-009999-01-01T00:00:00Z",
            "ééééééééééééééé",
        ] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }

    #[test]
    fn rows_taken_out_after_the_fact_are_noticed() {
        let mut report = report();
        report["images"] = json!([]);
        let error = head(&report).expect_err("one row is missing");
        assert!(matches!(error, ReadError::Rows { total: 1, rows: 0 }));
    }
}
