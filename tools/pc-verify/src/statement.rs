//! in-toto statements (in-toto attestation framework, spec/v1/statement.md; version 0.1 too).

use records::Digest;
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

impl Statement {
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
