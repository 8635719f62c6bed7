//! The report: one document that says what runs, where it came from, who says so, whether that is
//! proven, and whether it is current.
//!
//! - [`Report`] and the types in it: what is written, and the JSON Schema of it.
//! - [`Head`] and [`Report::read`]: a report that was written before, perhaps by another version;
//!   the one place that decides which bytes are a report.
//! - [`join`]: records of the stream into a report; plain functions, no I/O.
//! - [`books`]: whether the stream was whole.
//! - [`table`]: the report for a person at a terminal.
//!
//! Not here: any client, any file, the stream itself, any judgement of a find. Two answers about
//! one subject are combined again by the rule in [`records`], and nowhere else.

pub mod books;
mod evidence;
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
