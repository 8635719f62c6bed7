//! Bills of materials inside of statements.
//!
//! cosign (pkg/cosign/attestation) writes JSON as it is for `spdxjson` and `cyclonedx`, one text
//! for `spdx`, whatever that text is, and for `custom` an object of `Data`, a text, and
//! `Timestamp`; earlier versions wrote the others so too.

use records::PackagesEntry;
use serde_json::value::RawValue;

use super::document::Sink;
use super::{Facts, SbomError, open};
use crate::statement::Statement;
use crate::statement::json::{self, Names};

/// Reads what the bill of materials in a statement is; see [`read`](super::read).
///
/// # Errors
/// An [`SbomError`] where the predicate is none.
pub fn read_predicate(statement: &Statement) -> Result<Facts, SbomError> {
    read(&statement.predicate, None)
}

/// The same, and hands every package to `each`; see [`packages`](super::packages).
///
/// # Errors
/// An [`SbomError`] where the predicate is none.
pub fn packages_in_predicate(
    statement: &Statement,
    mut each: impl FnMut(PackagesEntry),
) -> Result<Facts, SbomError> {
    read(&statement.predicate, Some(&mut each))
}

fn read(predicate: &RawValue, sink: Sink<'_>) -> Result<Facts, SbomError> {
    let predicate = unwrapped(predicate)?;
    match json::text(predicate) {
        Some(text) => open::read(text.as_bytes(), sink),
        None => open::read(predicate.get().as_bytes(), sink),
    }
}

/// What is inside of cosign's `Data`.
fn unwrapped(predicate: &RawValue) -> Result<&RawValue, SbomError> {
    let names = ["Data", "spdxVersion", "bomFormat", "@context"];
    match json::fields(predicate, names, Names::Keys) {
        Ok(Some([Some(data), None, None, None])) => Ok(data),
        Ok(_) => Ok(predicate),
        Err(_) => Err(SbomError::Ambiguous("a field is there twice".to_owned())),
    }
}
