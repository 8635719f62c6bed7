//! What a store must know of a report: that it is one, its time, whether it is complete, its totals.
//!
//! Reading this costs a walk over the JSON and next to no memory, so that a store of many large
//! reports can be listed and pruned by what the reports say of themselves.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;
use serde_json::{Map, Value};

/// What a report says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
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

/// Why some bytes are not a report.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// Not a byte.
    #[error("the report is empty")]
    Empty,
    /// JSON that stops in the middle.
    #[error("the report stops in the middle, after {length} bytes")]
    Truncated {
        /// How many bytes there are.
        length: usize,
        /// Where, as the parser says it.
        #[source]
        source: serde_json::Error,
    },
    /// Not JSON, or more than one document.
    #[error("the report is not one JSON document")]
    NotJson(#[source] serde_json::Error),
    /// JSON of something else.
    #[error("this is JSON, but not a report of this collector")]
    NotAReport(#[source] serde_json::Error),
    /// JSON that is not an object.
    #[error("this is not a report of this collector: no JSON object")]
    NotAnObject,
    /// `metadata.generatedAt` is not a time.
    #[error("`metadata.generatedAt` is `{}`, which is not a time since 1970 as in RFC 3339", records::text::shown(.0))]
    Time(String),
    /// The summary was made from other rows.
    #[error(
        "`summary.totalImages` is {total}, but there are {rows} `images`: rows were lost or added after the report was made"
    )]
    Rows {
        /// What the summary says.
        total: u64,
        /// How many there are.
        rows: usize,
    },
}

/// The parts of a report that make it one. Their contents are walked over and not kept.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parts {
    #[serde(rename = "schemaVersion")]
    _schema_version: String,
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

impl Header {
    /// Reads the header of the report that `bytes` are, the whole of them.
    ///
    /// # Errors
    /// When the bytes are not one whole report of this collector.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, HeaderError> {
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => return Err(HeaderError::Empty),
            Some(b'{') => {}
            // serde would take an array for a struct; and text deserves the parser's own words.
            Some(_) => return Err(no_object(bytes)),
        }
        let parts: Parts =
            serde_json::from_slice(bytes).map_err(|source| at_fault(bytes, source))?;
        let metadata = parts.metadata;
        Ok(Self {
            generated_at: time(&metadata.generated_at)
                .ok_or(HeaderError::Time(metadata.generated_at))?,
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

fn no_object(bytes: &[u8]) -> HeaderError {
    match serde_json::from_slice::<IgnoredAny>(bytes) {
        Ok(_) => HeaderError::NotAnObject,
        Err(source) => at_fault(bytes, source),
    }
}

fn at_fault(bytes: &[u8], source: serde_json::Error) -> HeaderError {
    match source.classify() {
        Category::Eof => HeaderError::Truncated { length: bytes.len(), source },
        Category::Data => HeaderError::NotAReport(source),
        Category::Syntax | Category::Io => HeaderError::NotJson(source),
    }
}

fn rows(summary: &Map<String, Value>, rows: usize) -> Result<usize, HeaderError> {
    match summary.get("totalImages").and_then(Value::as_u64) {
        Some(total) if usize::try_from(total) != Ok(rows) => Err(HeaderError::Rows { total, rows }),
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

    fn header(report: &Value) -> Result<Header, HeaderError> {
        Header::from_slice(report.to_string().as_bytes())
    }

    #[test]
    fn reads_what_a_report_says_of_itself() {
        let header = header(&report()).expect("a report");
        assert_eq!(header.generated_at.to_string(), "2026-11-24T06:00:00Z");
        assert_eq!(header.cluster.as_deref(), Some("prod"));
        assert_eq!(header.completeness, Completeness::Complete);
        assert_eq!((header.rows, header.summary.len()), (1, 1));
    }

    #[test]
    fn an_incomplete_report_is_one_and_says_why() {
        let mut report = report();
        report["metadata"]["complete"] = json!(false);
        report["metadata"]["incompleteWhy"] = json!(["a stream was cut"]);
        let header = header(&report).expect("a report");
        let why = vec!["a stream was cut".to_owned()];
        assert_eq!(header.completeness, Completeness::Incomplete(why));
    }

    #[test]
    fn every_prefix_of_a_report_is_truncated_or_empty() {
        let text = report().to_string();
        for length in 0..text.len() {
            let error = Header::from_slice(&text.as_bytes()[..length]).expect_err("cut");
            match error {
                HeaderError::Empty => assert_eq!(length, 0),
                HeaderError::Truncated { length: said, .. } => assert_eq!(said, length),
                other => panic!("{length}: {other}"),
            }
        }
    }

    #[test]
    fn a_part_that_is_missing_or_of_another_type_is_named() {
        for part in ["schemaVersion", "metadata", "images", "evidence", "summary", "stages"] {
            let mut without = report();
            without.as_object_mut().expect("an object").remove(part);
            match header(&without) {
                Err(HeaderError::NotAReport(source)) => {
                    assert!(source.to_string().contains(part), "{source}");
                }
                other => panic!("{part}: {other:?}"),
            }
            let mut wrong = report();
            wrong[part] = json!(7);
            assert!(matches!(header(&wrong), Err(HeaderError::NotAReport(_))));
        }
        let mut unsaid = report();
        unsaid["metadata"] = json!({"generatedAt": "2026-11-24T06:00:00Z"});
        assert!(matches!(header(&unsaid), Err(HeaderError::NotAReport(_))));
    }

    #[test]
    fn other_documents_are_refused() {
        let of = |text: &str| Header::from_slice(text.as_bytes());
        assert!(matches!(of("{}"), Err(HeaderError::NotAReport(_))));
        assert!(matches!(of(" \n"), Err(HeaderError::Empty)));
        assert!(matches!(of("[]"), Err(HeaderError::NotAnObject)));
        assert!(matches!(of("null"), Err(HeaderError::NotAnObject)));
        assert!(matches!(of("hello"), Err(HeaderError::NotJson(_))));
        assert!(matches!(of("[1,"), Err(HeaderError::Truncated { .. })));
        let two = format!("{}{}", report(), report());
        assert!(matches!(of(&two), Err(HeaderError::NotJson(_))));
        let twice = report().to_string().replacen('{', r#"{"images":[],"#, 1);
        assert!(matches!(of(&twice), Err(HeaderError::NotAReport(_))));
    }

    #[test]
    fn a_time_is_one_of_rfc_3339() {
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
        let error = header(&report).expect_err("one row is missing");
        assert!(matches!(error, HeaderError::Rows { total: 1, rows: 0 }));
    }
}
