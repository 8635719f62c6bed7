//! Objects of a predicate that know where they are, so that errors can name the field.

use serde_json::value::RawValue;

use super::ProvenanceError;
use crate::statement::json::{self, Elements, Names};

/// An object in the predicate that knows its path, for messages.
pub(super) struct Object<'a> {
    path: String,
    value: &'a RawValue,
}

impl<'a> Object<'a> {
    pub(super) fn root(predicate: &'a RawValue) -> Result<Self, ProvenanceError> {
        Self::at("", predicate)
    }

    pub(super) fn at(path: &str, value: &'a RawValue) -> Result<Self, ProvenanceError> {
        if value.get().starts_with('{') {
            return Ok(Self { path: path.to_owned(), value });
        }
        let field = if path.is_empty() { "predicate" } else { path };
        Err(ProvenanceError::Field { field: field.to_owned(), wanted: "an object" })
    }

    fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The values of these fields; null counts as absent.
    pub(super) fn fields<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[Option<&'a RawValue>; N], ProvenanceError> {
        Ok(json::fields(self.value, names, Names::Fields)?.unwrap_or([None; N]))
    }

    /// A field as an object.
    pub(super) fn object(
        &self,
        name: &str,
        value: Option<&'a RawValue>,
    ) -> Result<Option<Self>, ProvenanceError> {
        value.map(|value| Self::at(&self.path(name), value)).transpose()
    }

    /// A field as a text; an empty one counts as absent.
    pub(super) fn text(
        &self,
        name: &str,
        value: Option<&RawValue>,
    ) -> Result<Option<String>, ProvenanceError> {
        let wrong = || ProvenanceError::Field { field: self.path(name), wanted: "a string" };
        let text = value.map(|value| json::text(value).ok_or_else(wrong)).transpose()?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// A field as a boolean.
    pub(super) fn truth(
        &self,
        name: &str,
        value: Option<&RawValue>,
    ) -> Result<Option<bool>, ProvenanceError> {
        let wrong = || ProvenanceError::Field { field: self.path(name), wanted: "true or false" };
        value.map(|value| serde_json::from_str(value.get()).map_err(|_| wrong())).transpose()
    }
}

/// A field as a list.
pub(super) fn list<'a>(field: &str, value: &'a RawValue) -> Result<Elements<'a>, ProvenanceError> {
    let wrong = || ProvenanceError::Field { field: field.to_owned(), wanted: "a list" };
    json::elements(value).ok_or_else(wrong)
}
