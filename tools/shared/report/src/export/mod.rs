//! The report in other people's formats.
//!
//! - [`Format`]: the list of formats; each is a file of its own here and knows no other.
//! - [`Source`]: which report it is, by the hash of its JSON, so that an export can be led back.
//! - [`write()`]: a report in a format, streamed; the same report gives the same bytes.
//! - `judge`: the answers of a report in the words that results have in other tools. The one place
//!   that decides what passes; no format decides it again.
//! - `controls`: what a report proves of the controls of common frameworks, as data.
//!
//! The one rule in every format: what was not checked, or could not be, never looks like absent,
//! unsigned, current or passed.

pub mod controls;
mod csv;
mod cyclonedx;
mod html;
mod json;
mod judge;
mod markdown;
mod policyreport;
mod prometheus;
mod sarif;
mod sentences;
mod source;
mod view;
mod vocabulary;

use std::io::{self, Write};

use crate::Report;
use crate::attestation::{self, Kind};
use crate::table::{self, Look};

use policyreport::Kinds;
use prometheus::Dialect;

pub use judge::Judged;
pub use source::Source;
pub use vocabulary::{Answer, Check, Outcome, Severity};

/// A format that a report is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The report itself.
    Json,
    /// A table for a terminal.
    Table,
    /// RFC 4180, one line a row.
    Csv,
    /// Markdown, GitHub's flavor.
    Markdown,
    /// One HTML file.
    Html,
    /// SARIF 2.1.0.
    Sarif,
    /// CycloneDX 1.6, JSON.
    CycloneDx,
    /// `wgpolicyk8s.io/v1alpha2`.
    PolicyReport,
    /// `openreports.io/v1alpha1`.
    OpenReports,
    /// Prometheus's text format.
    Prometheus,
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// SLSA verification summaries, one JSON line each.
    Vsa,
    /// SCAI reports of what runs where, one JSON line each.
    Scai,
}

impl Format {
    /// All of them, in the order of `--help`.
    pub const ALL: &'static [Self] = &[
        Self::Json,
        Self::Table,
        Self::Csv,
        Self::Markdown,
        Self::Html,
        Self::Sarif,
        Self::CycloneDx,
        Self::PolicyReport,
        Self::OpenReports,
        Self::Prometheus,
        Self::OpenMetrics,
        Self::Vsa,
        Self::Scai,
    ];

    /// The word on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Sarif => "sarif",
            Self::CycloneDx => "cyclonedx",
            Self::PolicyReport => "policyreport",
            Self::OpenReports => "openreports",
            Self::Prometheus => "prometheus",
            Self::OpenMetrics => "openmetrics",
            Self::Vsa => "vsa",
            Self::Scai => "scai",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Json => "One JSON document, which pc-store keeps",
            Self::Table => "A table for a person at a terminal",
            Self::Csv => "Comma-separated values (RFC 4180), a line for each row",
            Self::Markdown => "Markdown: summary, what needs attention, all images, controls",
            Self::Html => "The same as one HTML file, to read and to print",
            Self::Sarif => "SARIF 2.1.0, for code scanning",
            Self::CycloneDx => "CycloneDX 1.6: what runs, as a bill of materials of the cluster",
            Self::PolicyReport => {
                "A list of PolicyReports (wgpolicyk8s.io/v1alpha2), one for each namespace"
            }
            Self::OpenReports => {
                "A list of Reports (openreports.io/v1alpha1), one for each namespace"
            }
            Self::Prometheus => "Metrics in the text format of Prometheus",
            Self::OpenMetrics => "Metrics in the format OpenMetrics 1.0",
            Self::Vsa => "in-toto: whether each image met each policy (SLSA VSA), a line each",
            Self::Scai => {
                "in-toto: where each image runs, and under which constraints (SCAI), a line each"
            }
        }
    }
}

impl Format {
    /// The statements that it consists of, where it does: those can be signed, each on its own, by
    /// [`attestation::write`] with a seal.
    #[must_use]
    pub fn statements(self) -> Option<Kind> {
        match self {
            Self::Vsa => Some(Kind::Vsa),
            Self::Scai => Some(Kind::Scai),
            _ => None,
        }
    }
}

/// A statement as its own line: not signed.
#[must_use]
pub fn plain(statement: Vec<u8>) -> Vec<u8> {
    statement
}

/// Writes a report in a format, and flushes `out`. `look` is for the table; `seal` makes the line of
/// a statement, where the format has such ([`Format::statements`]): [`plain`], or one that signs.
///
/// What it gives are notes for the person who asked, a sentence each: what the format could not
/// hold, or what was left out of it. They belong on standard error.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(
    format: Format,
    report: &Report,
    source: &Source<'_>,
    look: &Look,
    seal: &dyn Fn(Vec<u8>) -> Vec<u8>,
    out: &mut dyn Write,
) -> io::Result<Vec<String>> {
    let all = |()| Vec::new();
    let notes = match format {
        Format::Json => report.write_to(&mut *out).map(all),
        Format::Table => out.write_all(table::render(report, look).as_bytes()).map(all),
        Format::Csv => csv::write(report, source, out).map(all),
        Format::Markdown => markdown::write(report, source, out).map(all),
        Format::Html => html::write(report, source, out).map(all),
        Format::Sarif => sarif::write(report, source, out),
        Format::CycloneDx => cyclonedx::write(report, source, out).map(all),
        Format::PolicyReport => policyreport::write(Kinds::PolicyReport, report, source, out),
        Format::OpenReports => policyreport::write(Kinds::OpenReports, report, source, out),
        Format::Prometheus => prometheus::write(Dialect::Prometheus, report, source, out).map(all),
        Format::OpenMetrics => {
            prometheus::write(Dialect::OpenMetrics, report, source, out).map(all)
        }
        Format::Vsa => attestation::write(Kind::Vsa, report, source, seal, out),
        Format::Scai => attestation::write(Kind::Scai, report, source, seal, out),
    }?;
    out.flush()?;
    Ok(notes)
}
