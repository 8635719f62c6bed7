//! in-toto statements (in-toto attestation framework, spec/v1/statement.md; version 0.1 too).

use std::collections::BTreeMap;

use records::Digest;
use serde::Deserialize;
use serde_json::value::RawValue;

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
    /// Its digests by algorithm, as they are written.
    pub digests: Vec<(String, String)>,
}

/// Why bytes are no statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Not JSON, or not with the fields that a statement has.
    #[error("not an in-toto statement (line {line}, column {column})")]
    Malformed {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A type that is not read here.
    #[error("a statement of type `{0}`, which is not read here")]
    Type(String),
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<WireSubject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(default)]
    predicate: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct WireSubject {
    #[serde(default)]
    name: Option<String>,
    digest: BTreeMap<String, String>,
}

impl Statement {
    /// Reads a statement.
    ///
    /// # Errors
    ///
    /// When it is none, or of a type that is not read here.
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        let wire: Wire = serde_json::from_slice(bytes).map_err(|error| {
            StatementError::Malformed { line: error.line(), column: error.column() }
        })?;
        if !["v0.1", "v1"]
            .iter()
            .any(|version| wire.statement_type == format!("https://in-toto.io/Statement/{version}"))
        {
            return Err(StatementError::Type(wire.statement_type));
        }
        let subjects = wire.subject.into_iter().map(|subject| Subject {
            name: subject.name,
            digests: subject.digest.into_iter().collect(),
        });
        Ok(Self {
            statement_type: wire.statement_type,
            subjects: subjects.collect(),
            predicate_type: wire.predicate_type,
            predicate: wire.predicate.unwrap_or_else(|| RawValue::NULL.to_owned()),
        })
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
