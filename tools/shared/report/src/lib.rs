//! The report: one document that says what runs, where it came from, who says so, whether that is
//! proven, and whether it is current.
//!
//! - [`Report`] and the types in it: what is written, and the JSON Schema of it.
//! - [`Head`] and [`Report::read`]: a report that was written before, perhaps by another version;
//!   the one place that decides which bytes are a report.
//! - [`join`]: records of the stream into a report; plain functions, no I/O.
//! - [`difference`]: what changed from one report to another.
//! - [`books`]: whether the stream was whole.
//! - [`table`]: the report for a person at a terminal.
//! - [`attestation`]: what it says as in-toto statements, for whoever signs them.
//! - [`export`]: the report in other people's formats.
//!
//! Not here: any client, any file, the stream itself, any judgement of a find. Two answers about
//! one subject are combined again by the rule in [`records`], and nowhere else.

mod answers;
pub mod attestation;
pub mod books;
pub mod difference;
mod evidence;
pub mod export;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod head;
pub mod join;
mod read;
mod release;
mod report;
mod row;
mod summarize;
mod summary;
pub mod table;
mod write;

pub use answers::{Answers, gravity};
pub use evidence::{Check, Evidence, PolicyAnswer, SbomFind};
pub use head::{Completeness, Head};
pub use read::ReadError;
pub use release::{HelmRelease, ReleaseUpdate};
pub use report::{Metadata, Report, SCHEMA_VERSION};
pub use row::{
    DriftState, ProvenanceAnswer, Row, RowPolicy, SbomAnswer, SignatureAnswer, UpdateAnswer,
    UpdateState,
};
pub use summary::{
    Coverage, Coverages, DriftCounts, Summary, UnknownCounts, UpdateCounts, VerdictCounts,
};
