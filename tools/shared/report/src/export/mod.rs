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

mod csv;
mod source;

use std::io::{self, Write};

use crate::Report;
use crate::attestation::{self, Kind};
use crate::table::{self, Look};

pub use source::Source;

/// A format that a report is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The report itself.
    Json,
    /// A table for a terminal.
    Table,
    /// RFC 4180, one line a row.
    Csv,
    /// SLSA verification summaries, one JSON line each.
    Vsa,
    /// SCAI reports of what runs where, one JSON line each.
    Scai,
}

impl Format {
    /// All of them, in the order of `--help`.
    pub const ALL: &'static [Self] = &[Self::Json, Self::Table, Self::Csv, Self::Vsa, Self::Scai];

    /// The word on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Table => "table",
            Self::Csv => "csv",
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

/// Writes a report in a format, and flushes `out`.
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
    out: &mut dyn Write,
) -> io::Result<Vec<String>> {
    let nothing_left_out = |()| Vec::new();
    let plain = |statement| statement;
    let notes = match format {
        Format::Json => report.write_to(&mut *out).map(nothing_left_out),
        Format::Table => {
            out.write_all(table::render(report, look).as_bytes()).map(nothing_left_out)
        }
        Format::Csv => csv::write(report, source, out).map(nothing_left_out),
        Format::Vsa => attestation::write(Kind::Vsa, report, source, &plain, out),
        Format::Scai => attestation::write(Kind::Scai, report, source, &plain, out),
    }?;
    out.flush()?;
    Ok(notes)
}
