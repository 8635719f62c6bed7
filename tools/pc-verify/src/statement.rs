//! in-toto statements (in-toto attestation framework, spec/v1/statement.md; version 0.1 too).

pub(crate) mod json;

use std::str;

use records::Digest;
use records::text::shown;
use serde_json::value::RawValue;

use json::{Clash, Names};

/// `_type` of version 0.1.
pub const STATEMENT_V0_1: &str = "https://in-toto.io/Statement/v0.1";

/// `_type` of version 1.
pub const STATEMENT_V1: &str = "https://in-toto.io/Statement/v1";

/// How many subjects are kept: releases of large projects have thousands.
const MAX_SUBJECTS: usize = 100_000;

/// A statement: what it is about, and what it says.
#[derive(Debug)]
pub struct Statement {
    /// `_type`: `https://in-toto.io/Statement/v1` or `…/v0.1`.
    pub statement_type: String,
    /// What it is about.
    pub subjects: Vec<Subject>,
    /// The type of what it says.
    pub predicate_type: String,
    /// What it says; null where it says nothing.
    pub predicate: Box<RawValue>,
}

/// One thing that a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Its digests by algorithm, as they are written. None at all names nothing.
    pub digests: Vec<(String, String)>,
}

/// What a statement says, by its predicate type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// That the image is the signer's, as cosign 3 signs images.
    Signature,
    /// SLSA provenance, of whatever version.
    Provenance,
    /// A bill of materials, of whatever format.
    Sbom,
    /// Anything else.
    Other,
}

/// Why bytes are no statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Not JSON in UTF-8.
    #[error("not an in-toto statement: no JSON (line {line}, column {column})")]
    Malformed {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A field that is not there, or not what the specification says.
    #[error("not an in-toto statement: `{field}` must be {wanted} (line {line}, column {column})")]
    Field {
        /// The field.
        field: &'static str,
        /// What it must be.
        wanted: &'static str,
        /// Where it is, or what it is missing in: from 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// One reader would see something else than another.
    #[error("an ambiguous statement: `{}` is there twice", shown(.0))]
    Twice(String),
    /// The same: some readers do not mind case, or take another name for it.
    #[error("an ambiguous statement: `{}` is no field, but some readers take it for one", shown(.0))]
    Spelling(String),
    /// More than anybody needs.
    #[error("a statement with more than {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// A type that is not read here.
    #[error("a statement of type `{}`, which is not read here", shown(.0))]
    Type(String),
}

impl From<Clash> for StatementError {
    fn from(clash: Clash) -> Self {
        match clash {
            Clash::Twice(name) => Self::Twice(name),
            Clash::Spelling(name) => Self::Spelling(name),
            Clash::TooMany => {
                Self::TooMany { what: "digests of a subject", most: json::MAX_ENTRIES }
            }
        }
    }
}

impl Statement {
    /// Reads a statement.
    ///
    /// Fields that are not known are ignored, as the specification asks. Subjects without a digest
    /// are kept, though they name nothing.
    ///
    /// # Errors
    /// A [`StatementError`] for what is not JSON, lacks a field, is of another type, or says one
    /// thing to one reader and another to the next.
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        let whole: &RawValue = serde_json::from_slice(bytes).map_err(|error| {
            StatementError::Malformed { line: error.line().max(1), column: error.column().max(1) }
        })?;
        let place = Place { whole: str::from_utf8(bytes).unwrap_or_default() };
        // protobuf's JSON reader, which cosign uses, takes the last two for `_type` and
        // `predicateType`.
        let names = ["_type", "subject", "predicateType", "predicate", "type", "predicate_type"];
        let Some([statement_type, subject, predicate_type, predicate, alias, other_alias]) =
            json::fields(whole, names, Names::Fields)?
        else {
            return Err(place.wrong("statement", "an object", whole));
        };
        if let Some(name) = alias.map(|_| "type").or(other_alias.map(|_| "predicate_type")) {
            return Err(StatementError::Spelling(name.to_owned()));
        }
        let statement_type = place.text("_type", statement_type, whole)?;
        if statement_type != STATEMENT_V1 && statement_type != STATEMENT_V0_1 {
            return Err(StatementError::Type(statement_type));
        }
        Ok(Self {
            statement_type,
            subjects: place.subjects(subject, whole)?,
            predicate_type: place.text("predicateType", predicate_type, whole)?,
            predicate: predicate.unwrap_or(RawValue::NULL).to_owned(),
        })
    }

    /// What it says, by its predicate type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::of(&self.predicate_type)
    }

    /// Whether one of the subjects has this digest.
    #[must_use]
    pub fn names(&self, digest: &Digest) -> bool {
        self.subjects.iter().any(|subject| {
            subject.digests.iter().any(|(algorithm, hex)| {
                algorithm == digest.algorithm() && hex.eq_ignore_ascii_case(digest.hex())
            })
        })
    }
}

impl Kind {
    /// The kind of a predicate type, in all spellings that are in the wild: with and without a
    /// version, with and without a scheme, whatever the case.
    #[must_use]
    pub fn of(predicate_type: &str) -> Self {
        let lower = predicate_type.to_ascii_lowercase();
        let path = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
        let path = path.unwrap_or(&lower).trim_end_matches('/');
        let base = match path.rsplit_once('/') {
            Some((base, last)) if is_version(last) => base,
            _ => path,
        };
        match base {
            "sigstore.dev/cosign/sign" => Self::Signature,
            "slsa.dev/provenance" | "in-toto.io/provenance" => Self::Provenance,
            // `cyclonedx.org/schema` was in-toto's name for it once; `syft.dev/bom` is Syft's own
            // format.
            "spdx.dev/document" | "cyclonedx.org/bom" | "cyclonedx.org/schema" | "syft.dev/bom" => {
                Self::Sbom
            }
            _ => Self::Other,
        }
    }
}

/// `v1`, `v0.2`, `1.4`: the last part of a predicate type.
fn is_version(text: &str) -> bool {
    let digits = text.strip_prefix('v').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Where errors are, in the whole statement.
struct Place<'a> {
    whole: &'a str,
}

impl Place<'_> {
    fn wrong(&self, field: &'static str, wanted: &'static str, at: &RawValue) -> StatementError {
        let (line, column) = json::position(self.whole, at.get());
        StatementError::Field { field, wanted, line, column }
    }

    /// A text that is not empty.
    fn text(
        &self,
        field: &'static str,
        value: Option<&RawValue>,
        whole: &RawValue,
    ) -> Result<String, StatementError> {
        value
            .and_then(json::text)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.wrong(field, "a string", value.unwrap_or(whole)))
    }

    fn subjects(
        &self,
        value: Option<&RawValue>,
        whole: &RawValue,
    ) -> Result<Vec<Subject>, StatementError> {
        let list = value.and_then(json::elements);
        let list = list.ok_or_else(|| self.wrong("subject", "a list", value.unwrap_or(whole)))?;
        if list.clone().nth(MAX_SUBJECTS).is_some() {
            return Err(StatementError::TooMany { what: "subjects", most: MAX_SUBJECTS });
        }
        list.map(|subject| self.subject(subject)).collect()
    }

    fn subject(&self, value: &RawValue) -> Result<Subject, StatementError> {
        let Some([name, digest]) = json::fields(value, ["name", "digest"], Names::Fields)? else {
            return Err(self.wrong("subject", "a list of objects", value));
        };
        let name = name
            .map(|name| json::text(name).ok_or_else(|| self.wrong("name", "a string", name)))
            .transpose()?;
        let digests = digest.map_or(Ok(Vec::new()), |digest| self.digests(digest))?;
        Ok(Subject { name, digests })
    }

    fn digests(&self, value: &RawValue) -> Result<Vec<(String, String)>, StatementError> {
        let wrong = |at: &RawValue| self.wrong("digest", "an object of strings", at);
        let entries = json::entries(value)?.ok_or_else(|| wrong(value))?;
        entries
            .into_iter()
            .map(|(algorithm, hex)| Ok((algorithm, json::text(hex).ok_or_else(|| wrong(hex))?)))
            .collect()
    }
}

#[cfg(test)]
mod tests;
