//! The list of a store's reports, for people and for programs.

use std::fmt::Write as _;

use jiff::Timestamp;
use records::Digest;
use records::text::shown;
use report::{Completeness, Head};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::history::{Entry, Facts};
use crate::retention::is_future;

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
    /// Whether it is later than this machine's clock, by more than a few minutes.
    future: bool,
    /// Why the file is no report; null where it is.
    error: Option<String>,
}

/// What is listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List<'a> {
    /// The files, newest first.
    pub(crate) entries: &'a [Entry],
    /// The hash of `provenance-latest.json`, where that can be read.
    pub(crate) latest: Option<&'a Digest>,
    /// The time now.
    pub(crate) now: Timestamp,
}

impl List<'_> {
    /// One JSON array, an entry a line.
    pub(crate) fn json(self) -> Result<String, serde_json::Error> {
        let lines: Result<Vec<String>, _> =
            self.entries.iter().map(|entry| serde_json::to_string(&line(entry, self))).collect();
        let lines = lines?;
        if lines.is_empty() {
            return Ok("[]\n".to_owned());
        }
        Ok(format!("[\n{}\n]\n", lines.join(",\n")))
    }

    /// A table. What could not be read is a line of it, never left out.
    pub(crate) fn table(self) -> String {
        if self.entries.is_empty() {
            return "no reports\n".to_owned();
        }
        let mut text = String::new();
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(
            text,
            "{:<20}  {:<34}  {:>12}  {:<12}  {:<8}  {:>7}  {:>7}  CLUSTER",
            "GENERATED", "FILE", "BYTES", "SHA256", "COMPLETE", "ROWS", "IMAGES"
        );
        for entry in self.entries {
            let file = entry.name.to_string();
            let _ = match &entry.report {
                Ok(facts) => writeln!(text, "{}", row(&file, facts, self)),
                Err(error) => {
                    let why = stage::exit::chain(error);
                    writeln!(text, "{:<20}  {file:<34}  NOT A REPORT: {why}", "-")
                }
            };
        }
        text
    }

    fn is_latest(self, facts: &Facts) -> bool {
        Some(&facts.digest) == self.latest
    }

    fn is_future(self, facts: &Facts) -> bool {
        is_future(facts.head.generated_at, self.now)
    }
}

fn line<'a>(entry: &'a Entry, list: List<'_>) -> Line<'a> {
    let facts = entry.report.as_ref().ok();
    let head = facts.map(|facts| &facts.head);
    Line {
        filename: entry.name.to_string(),
        generated_at: head.map(|head| head.generated_at.to_string()),
        summary: head.map(|head| &head.summary),
        cluster_name: head.and_then(|head| head.cluster.as_deref()),
        complete: head.map(is_complete),
        size: facts.map(|facts| facts.size),
        sha256: facts.map(|facts| facts.digest.hex()),
        latest: facts.is_some_and(|facts| list.is_latest(facts)),
        future: facts.is_some_and(|facts| list.is_future(facts)),
        error: entry.report.as_ref().err().map(|error| stage::exit::chain(error)),
    }
}

fn is_complete(head: &Head) -> bool {
    head.completeness == Completeness::Complete
}

fn row(file: &str, facts: &Facts, list: List<'_>) -> String {
    let Facts { size, digest, head } = facts;
    let unique = head.summary.get("uniqueImages").and_then(Value::as_u64);
    let marks =
        [(list.is_latest(facts), "  (latest)"), (list.is_future(facts), "  (IN THE FUTURE)")];
    let marks: String = marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark).collect();
    format!(
        "{:<20}  {file:<34}  {size:>12}  {:<12}  {:<8}  {:>7}  {:>7}  {}{marks}",
        head.generated_at.to_string(),
        digest.short(),
        if is_complete(head) { "yes" } else { "NO" },
        head.rows,
        unique.map_or_else(|| "-".to_owned(), |unique| unique.to_string()),
        head.cluster.as_deref().map_or_else(|| "-".to_owned(), shown),
    )
}
