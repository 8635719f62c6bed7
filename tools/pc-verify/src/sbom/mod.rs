//! Bills of materials: what they are, and the packages that they list.
//!
//! They are read as they come, by their own words and not by a media type: SPDX 2.x (JSON and
//! tag-value), SPDX 3.x (JSON-LD) and CycloneDX 1.2 and later (JSON). Nothing is kept but what
//! [`Facts`] says, so that memory stays the same however large a document is.

mod document;
mod guard;
mod open;
mod predicate;
mod spdx3;
mod tag_value;
#[cfg(test)]
mod tests;
mod walk;
mod whole;

use std::io;

use records::PackagesEntry;

pub use predicate::{packages_in_predicate, read_predicate};
pub use whole::ReadDocument;

/// What a bill of materials is, read without keeping it in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// `spdx` or `cyclonedx`.
    pub format: Format,
    /// The version of the format, `2.3` for example.
    pub version: String,
    /// How it is written.
    pub encoding: Encoding,
    /// The tool that made it, with its version where it says so.
    pub tool: Option<String>,
    /// How many packages it lists.
    pub packages: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// A family of bills of materials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// SPDX.
    Spdx,
    /// CycloneDX.
    CycloneDx,
}

/// How a bill of materials is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JSON (of SPDX 3, JSON-LD).
    Json,
    /// SPDX tag-value.
    TagValue,
}

/// Why a bill of materials is not read.
#[derive(Debug, thiserror::Error)]
pub enum SbomError {
    /// Its bytes did not come.
    #[error("the bill of materials could not be read")]
    Read(#[source] io::Error),
    /// Not what its format says.
    #[error("malformed bill of materials, line {line}, column {column}: {why}")]
    Malformed {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// Why: foreign text in it is cleaned and cut.
        why: String,
    },
    /// It ends in the middle.
    #[error("the bill of materials ends too early, in line {line}")]
    Truncated {
        /// From 1.
        line: usize,
    },
    /// Something else.
    #[error("no bill of materials that is read here: {0}")]
    Format(&'static str),
    /// A version that is not known.
    #[error("a bill of materials in version `{}` of {format}, which is not read here", records::text::shown(.version))]
    Version {
        /// `SPDX` or `CycloneDX`.
        format: &'static str,
        /// The version.
        version: String,
    },
    /// One reader would see something else than another.
    #[error("an ambiguous bill of materials: {0}")]
    Ambiguous(String),
    /// Lists in lists in lists: no format needs so many.
    #[error("the bill of materials is nested more than {} levels deep", guard::MAX_DEPTH)]
    TooDeep,
}

impl Format {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spdx => "spdx",
            Self::CycloneDx => "cyclonedx",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Spdx => "SPDX",
            Self::CycloneDx => "CycloneDX",
        }
    }
}

impl Encoding {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::TagValue => "tag-value",
        }
    }
}

impl Facts {
    /// The format for records: `spdx/2.3+json`, `spdx/2.2+tag-value`, `spdx/3.0+json`,
    /// `cyclonedx/1.6+json`. Of the version the first two numbers.
    #[must_use]
    pub fn format_word(&self) -> String {
        let end = self.version.match_indices('.').nth(1).map_or(self.version.len(), |(at, _)| at);
        let version = &self.version[..end];
        format!("{}/{version}+{}", self.format.as_str(), self.encoding.as_str())
    }
}

/// Reads what a bill of materials is.
///
/// # Errors
/// An [`SbomError`] for what is none, of a version that is not known, malformed, or cut. A cut
/// tag-value document, which has no end mark, may give fewer packages instead.
pub fn read(reader: impl io::Read) -> Result<Facts, SbomError> {
    open::read(reader, None)
}

/// The same, and hands every package to `each`, in the document's order. What was handed over
/// before an error counts for nothing.
///
/// # Errors
/// As [`read`].
pub fn packages(
    reader: impl io::Read,
    mut each: impl FnMut(PackagesEntry),
) -> Result<Facts, SbomError> {
    open::read(reader, Some(&mut each))
}
