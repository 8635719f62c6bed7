//! The list of a store's reports, for people and for programs.

use std::fmt::Write as _;

use records::Digest;
use records::text::shown;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::header::{Completeness, Header};
use crate::history::{Entry, Facts};

/// One entry of the JSON list; the first three as the dashboard's list of reports has them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    filename: String,
    /// Null where the file is no report, as all that follows.
    generated_at: Option<String>,
    summary: Option<&'a Map<String, Value>>,
    cluster_name: Option<&'a str>,
    complete: Option<bool>,
    /// In bytes.
    size: Option<u64>,
    sha256: Option<&'a str>,
    /// Whether `provenance-latest.json` has the same bytes.
    latest: bool,
    /// Why the file is no report; null where it is.
    error: Option<String>,
}

/// The list as one JSON array, an entry a line.
pub(crate) fn json(
    entries: &[Entry],
    latest: Option<&Digest>,
) -> Result<String, serde_json::Error> {
    let lines: Result<Vec<String>, _> =
        entries.iter().map(|entry| serde_json::to_string(&line(entry, latest))).collect();
    let lines = lines?;
    if lines.is_empty() {
        return Ok("[]\n".to_owned());
    }
    Ok(format!("[\n{}\n]\n", lines.join(",\n")))
}

fn line<'a>(entry: &'a Entry, latest: Option<&Digest>) -> Line<'a> {
    let facts = entry.report.as_ref().ok();
    let header = facts.map(|facts| &facts.header);
    Line {
        filename: entry.name.to_string(),
        generated_at: header.map(|header| header.generated_at.to_string()),
        summary: header.map(|header| &header.summary),
        cluster_name: header.and_then(|header| header.cluster.as_deref()),
        complete: header.map(is_complete),
        size: facts.map(|facts| facts.size),
        sha256: facts.map(|facts| facts.digest.hex()),
        latest: facts.is_some_and(|facts| Some(&facts.digest) == latest),
        error: entry.report.as_ref().err().map(|error| stage::exit::chain(error)),
    }
}

fn is_complete(header: &Header) -> bool {
    header.completeness == Completeness::Complete
}

/// The list as a table. What could not be read is a line of it, never left out.
pub(crate) fn table(entries: &[Entry], latest: Option<&Digest>) -> String {
    if entries.is_empty() {
        return "no reports\n".to_owned();
    }
    let mut text = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(
        text,
        "{:<20}  {:<34}  {:>12}  {:<12}  {:<8}  {:>7}  {:>7}  CLUSTER",
        "GENERATED", "FILE", "BYTES", "SHA256", "COMPLETE", "ROWS", "IMAGES"
    );
    for entry in entries {
        let file = entry.name.to_string();
        let _ = match &entry.report {
            Ok(facts) => writeln!(text, "{}", row(&file, facts, latest)),
            Err(error) => {
                writeln!(
                    text,
                    "{:<20}  {file:<34}  NOT A REPORT: {}",
                    "-",
                    stage::exit::chain(error)
                )
            }
        };
    }
    text
}

fn row(file: &str, facts: &Facts, latest: Option<&Digest>) -> String {
    let Facts { size, digest, header } = facts;
    let unique = header.summary.get("uniqueImages").and_then(Value::as_u64);
    let mark = if Some(digest) == latest { "  (latest)" } else { "" };
    format!(
        "{:<20}  {file:<34}  {size:>12}  {:<12}  {:<8}  {:>7}  {:>7}  {}{mark}",
        header.generated_at.to_string(),
        digest.short(),
        if is_complete(header) { "yes" } else { "NO" },
        header.rows,
        unique.map_or_else(|| "-".to_owned(), |unique| unique.to_string()),
        header.cluster.as_deref().map_or_else(|| "-".to_owned(), shown),
    )
}
