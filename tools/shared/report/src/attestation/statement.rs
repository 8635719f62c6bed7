//! An in-toto statement.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>

use std::collections::BTreeMap;

use records::Digest;
use serde::Serialize;

/// The type of a statement as it is written here.
const TYPE: &str = "https://in-toto.io/Statement/v1";

/// A claim about subjects.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement<P> {
    #[serde(rename = "_type")]
    statement_type: &'static str,
    /// What it is about.
    pub subject: Vec<Subject>,
    /// What kind of claim it is.
    pub predicate_type: &'static str,
    /// The claim.
    pub predicate: P,
}

impl<P: Serialize> Statement<P> {
    /// The claim `predicate` about `subject`.
    pub fn new(subject: Vec<Subject>, predicate_type: &'static str, predicate: P) -> Self {
        Self { statement_type: TYPE, subject, predicate_type, predicate }
    }

    /// The statement as JSON on one line, without a line feed: the bytes that are signed.
    ///
    /// # Errors
    /// When the predicate cannot be written, which none of this crate's is.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

/// An artifact that a statement is about. Its digest tells which; its name helps people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Subject {
    /// A file's name, or an image's repository.
    pub name: String,
    /// Its digest.
    pub digest: DigestSet,
}

impl Subject {
    /// The artifact of that digest, under that name.
    #[must_use]
    pub fn new(name: impl Into<String>, digest: &Digest) -> Self {
        Self { name: name.into(), digest: digest.into() }
    }
}

/// Digests of one artifact: hexadecimal digits by algorithm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DigestSet(BTreeMap<String, String>);

impl From<&Digest> for DigestSet {
    fn from(digest: &Digest) -> Self {
        Self(BTreeMap::from([(digest.algorithm().to_owned(), digest.hex().to_owned())]))
    }
}

/// Something that a predicate points at.
///
/// <https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md>
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceDescriptor<A> {
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is called everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestSet>,
    /// Its media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<&'static str>,
    /// More about it: an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<A>,
}
