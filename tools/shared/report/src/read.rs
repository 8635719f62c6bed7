//! Reading a report that was written before, perhaps by another version.

use records::text::shown;

use crate::{Head, Report, SCHEMA_VERSION};

/// Why bytes are not a report that can be read here.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
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
    /// JSON that is not an object.
    #[error("this is not a report of this collector: no JSON object")]
    NotAnObject,
    /// JSON of something else.
    #[error("this is JSON, but not a report of this collector")]
    NotAReport(#[source] serde_json::Error),
    /// `schemaVersion` is not `major.minor`.
    #[error("`schemaVersion` is `{}`, which is not `major.minor`", shown(.0))]
    Version(String),
    /// Written by a newer version of these tools.
    #[error("the report has schema version {}, this tool reads up to {SCHEMA_VERSION}", shown(.0))]
    Newer(String),
    /// `metadata.generatedAt` is not a time.
    #[error("`metadata.generatedAt` is `{}`, which is not a time since 1970 as in RFC 3339", shown(.0))]
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
    /// A field is missing or of the wrong form.
    #[error("a report that cannot be read")]
    Bad(#[source] serde_json::Error),
}

impl Report {
    /// Reads a report and its head. Fields that are not known here are ignored; a newer minor
    /// version only adds such fields, so it is read, and a newer major version is not.
    ///
    /// # Errors
    /// When the bytes are not a report, or one of a newer version; both versions are named then.
    pub fn read(bytes: &[u8]) -> Result<(Head, Self), ReadError> {
        let head = Head::readable(bytes)?;
        let report = serde_json::from_slice(bytes).map_err(ReadError::Bad)?;
        Ok((head, report))
    }
}

/// Whether a version is one that is not read here.
pub(crate) fn is_newer(version: &str) -> Result<bool, ReadError> {
    Ok(major(version)? > major(SCHEMA_VERSION)?)
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

    fn read(change: impl FnOnce(&mut Value)) -> Result<(Head, Report), ReadError> {
        let mut value = written();
        change(&mut value);
        Report::read(value.to_string().as_bytes())
    }

    #[test]
    fn what_was_written_is_read_and_unknown_fields_are_ignored() {
        let (head, report) = read(|_| ()).expect("a report");
        assert_eq!(report.schema_version, SCHEMA_VERSION);
        assert_eq!(head.generated_at.as_second(), 1_795_500_000);
        let newer = read(|value| {
            value["schemaVersion"] = json!("1.7");
            value["novel"] = json!(1);
            value["metadata"]["novel"] = json!([]);
        });
        assert_eq!(newer.expect("a report").1.schema_version, "1.7");
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
    fn versions_and_times_of_another_form_are_refused() {
        let versioned = |version: &str| read(|value| value["schemaVersion"] = json!(version));
        assert!(matches!(versioned("one"), Err(ReadError::Version(_))));
        let timed = |time: &str| read(|value| value["metadata"]["generatedAt"] = json!(time));
        for time in ["yesterday", "1969-12-31T23:59:59Z"] {
            assert!(matches!(timed(time), Err(ReadError::Time(_))), "{time}");
        }
    }

    #[test]
    fn a_row_of_another_form_is_refused() {
        let error = read(|value| value["failures"] = json!([7])).expect_err("refused");
        assert!(matches!(error, ReadError::Bad(_)), "{error}");
    }
}
