//! Reading a report that was written before, perhaps by another version.

use jiff::Timestamp;
use records::text::shown;
use serde::Deserialize;

use crate::{Report, SCHEMA_VERSION};

/// Why bytes are not a report that can be read here.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not a JSON object, or cut.
    #[error("not a report: not a JSON object, or cut")]
    NotJson(#[source] serde_json::Error),
    /// JSON, but something else.
    #[error("not a report: `{0}` is missing")]
    Missing(&'static str),
    /// `schemaVersion` is not `major.minor`.
    #[error("not a report: `schemaVersion` is `{}`, which is not `major.minor`", shown(.0))]
    Version(String),
    /// Written by a newer version of these tools.
    #[error("the report has schema version {}, this tool reads up to {SCHEMA_VERSION}", shown(.0))]
    Newer(String),
    /// `metadata.generatedAt` is not a time.
    #[error("not a report: `metadata.generatedAt` is `{}`, which is not an RFC 3339 time", shown(.text))]
    Time {
        /// What stands there.
        text: String,
        /// Why it is not a time.
        #[source]
        source: jiff::Error,
    },
    /// A field is missing or of the wrong form.
    #[error("a report that cannot be read")]
    Bad(#[source] serde_json::Error),
}

/// As much of a report as says what it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    schema_version: Option<String>,
    metadata: Option<HeadMetadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeadMetadata {
    generated_at: Option<String>,
}

impl Report {
    /// Reads a report. Fields that are not known here are ignored; a newer minor version only adds
    /// such fields, so it is read, and a newer major version is not.
    ///
    /// # Errors
    /// When the bytes are not a report, or one of a newer version; both versions are named then.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, ReadError> {
        let head: Head = serde_json::from_slice(bytes).map_err(ReadError::NotJson)?;
        let version = head.schema_version.ok_or(ReadError::Missing("schemaVersion"))?;
        if major(&version)? > major(SCHEMA_VERSION)? {
            return Err(ReadError::Newer(version));
        }
        let time = head
            .metadata
            .ok_or(ReadError::Missing("metadata"))?
            .generated_at
            .ok_or(ReadError::Missing("metadata.generatedAt"))?;
        if let Err(source) = time.parse::<Timestamp>() {
            return Err(ReadError::Time { text: time, source });
        }
        serde_json::from_slice(bytes).map_err(ReadError::Bad)
    }

    /// When the report was made; `None` where its metadata holds no time, which
    /// [`Self::from_slice`] refuses.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        self.metadata.generated_at.parse().ok()
    }
}

fn major(version: &str) -> Result<u32, ReadError> {
    let parsed = version.split_once('.').and_then(|(major, minor)| {
        let minor: Result<u32, _> = minor.parse();
        minor.ok().and(major.parse().ok())
    });
    parsed.ok_or_else(|| ReadError::Version(version.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::join::{Gathered, Run};

    fn written() -> Value {
        let report = Gathered::new()
            .finish(Run { generated_at: "2026-11-24T06:00:00Z".into(), ..Run::default() });
        serde_json::to_value(report).expect("JSON")
    }

    fn read(change: impl FnOnce(&mut Value)) -> Result<Report, ReadError> {
        let mut value = written();
        change(&mut value);
        Report::from_slice(value.to_string().as_bytes())
    }

    #[test]
    fn what_was_written_is_read_and_unknown_fields_are_ignored() {
        let report = read(|_| ()).expect("a report");
        assert_eq!(report.schema_version, SCHEMA_VERSION);
        assert_eq!(report.time().map(|time| time.as_second()), Some(1_795_500_000));
        let newer = read(|value| {
            value["schemaVersion"] = json!("1.7");
            value["novel"] = json!(1);
            value["metadata"]["novel"] = json!([]);
        });
        assert_eq!(newer.expect("a report").schema_version, "1.7");
    }

    #[test]
    fn a_newer_major_version_names_both() {
        let error = read(|value| value["schemaVersion"] = json!("2.0")).expect_err("refused");
        assert_eq!(
            error.to_string(),
            "the report has schema version 2.0, this tool reads up to 1.0"
        );
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let missing = |bytes: &str| Report::from_slice(bytes.as_bytes()).expect_err("refused");
        assert!(matches!(missing("{}"), ReadError::Missing("schemaVersion")));
        assert!(matches!(missing(""), ReadError::NotJson(_)));
        assert!(matches!(missing("[]"), ReadError::NotJson(_)));
        assert!(matches!(missing(r#"{"schemaVersion":"1.0"}"#), ReadError::Missing("metadata")));
        assert!(matches!(
            missing(r#"{"schemaVersion":"1.0","metadata":{}}"#),
            ReadError::Missing("metadata.generatedAt")
        ));
        assert!(matches!(
            read(|value| value["metadata"]["generatedAt"] = json!("yesterday")),
            Err(ReadError::Time { .. })
        ));
        assert!(matches!(
            read(|value| value["schemaVersion"] = json!("one")),
            Err(ReadError::Version(_))
        ));
    }

    #[test]
    fn every_list_of_a_report_must_be_there() {
        for field in ["images", "evidence", "helmReleases", "failures", "stages", "summary"] {
            let error = read(|value| {
                value.as_object_mut().expect("an object").remove(field);
            })
            .expect_err(field);
            let ReadError::Bad(cause) = error else {
                panic!("{field}: {error}");
            };
            assert!(cause.to_string().contains(field), "{cause}");
        }
    }

    #[test]
    fn a_cut_report_is_refused() {
        let text = written().to_string();
        assert!(Report::from_slice(&text.as_bytes()[..text.len() - 1]).is_err());
    }
}
