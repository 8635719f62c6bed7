//! The report as evidence: which bytes it is, and every digest that it found running.

use std::collections::BTreeSet;

use serde::Serialize;

use super::REPORT_MEDIA_TYPE;
use super::statement::{DigestSet, Statement, Subject};
use crate::export::Source;
use crate::{Report, Row, Summary};

/// The kind of claim; a new version is one that means something else by a field.
pub const PREDICATE_TYPE: &str = "https://provenance.nebari.dev/attestation/report/v1";

/// What a report is called that is not kept yet.
const UNNAMED: &str = "report.json";

/// What is claimed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Predicate<'a> {
    /// Which bytes the report is.
    pub report: File<'a>,
    /// The version of its form.
    pub schema_version: &'a str,
    /// When it was made, RFC 3339.
    pub generated_at: &'a str,
    /// What made it.
    pub collector_version: &'a str,
    /// The cluster's name; null where none was given.
    pub cluster_name: Option<&'a str>,
    /// Whether it is whole.
    pub complete: bool,
    /// The hash of the last entry that the store's log had before this report; null where there
    /// is none.
    pub previous_head: Option<&'a str>,
    /// The report's counts. `coverage.digest` says how many rows are not among the subjects,
    /// because which digest runs there is not proven.
    pub summary: &'a Summary,
}

/// The file that a report is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct File<'a> {
    /// Its name.
    pub name: &'a str,
    /// The hash of its bytes.
    pub digest: DigestSet,
    /// How many bytes.
    pub bytes: u64,
    /// Their media type.
    pub media_type: &'static str,
}

/// The statement about `report`, which is the bytes that `source` says; `previous_head` is that of
/// the log before it.
#[must_use]
pub fn statement<'a>(
    report: &'a Report,
    source: &Source<'a>,
    previous_head: Option<&'a str>,
) -> Statement<Predicate<'a>> {
    // Verifiers of files want the file's own digest among the subjects.
    let name = source.name.unwrap_or(UNNAMED);
    let mut subjects = vec![Subject::new(name, &source.digest)];
    subjects.extend(running(report));
    let metadata = &report.metadata;
    let predicate = Predicate {
        report: File {
            name,
            digest: (&source.digest).into(),
            bytes: source.size,
            media_type: REPORT_MEDIA_TYPE,
        },
        schema_version: &report.schema_version,
        generated_at: &metadata.generated_at,
        collector_version: &metadata.collector_version,
        cluster_name: metadata.cluster_name.as_deref(),
        complete: metadata.complete,
        previous_head,
        summary: &report.summary,
    };
    Statement::new(subjects, PREDICATE_TYPE, predicate)
}

/// Everything that is proven to run: the index and the platform manifest, each once for each
/// repository.
fn running(report: &Report) -> BTreeSet<Subject> {
    let proven = |row: &&Row| row.runs() && row.digest_is_proven();
    let subjects = report.images.iter().filter(proven).flat_map(|row| {
        let name = row.repository.as_deref().unwrap_or(&row.image);
        // The manifest is below the digest; where that is known the manifest is.
        let digests = [row.digest.as_ref(), row.manifest.as_ref()];
        digests.into_iter().flatten().map(move |digest| Subject::new(name, digest))
    });
    subjects.collect()
}
