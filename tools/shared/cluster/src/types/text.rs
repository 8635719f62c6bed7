//! Bounded foreign text, and null as nothing.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A text from the cluster: names, references and label values, whoever wrote them.
///
/// Verbatim up to [`records::text::MAX_STRING`] bytes and cut there, so that no object can fill
/// the memory of its reader. Missing and empty are one and the same, as in Go.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Box<str>);

impl Text {
    /// The text, or `None` where it is empty.
    #[must_use]
    pub fn given(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(&*self.0)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(records::text::cut(text).into())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text::from(text))
    }
}

/// Reads null as the type's default; Go writes it for empty lists and maps.
///
/// # Errors
/// Those of the type.
pub fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(from).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_and_short_text_is_verbatim() {
        let long: Text = serde_json::from_str(&format!("{:?}", "x".repeat(1 << 20))).expect("text");
        assert!(long.len() <= records::text::MAX_STRING, "{}", long.len());
        let odd: Text = serde_json::from_str(r#""a\u0000\u202eb""#).expect("text");
        assert_eq!(&*odd, "a\0\u{202e}b");
        assert_eq!(Text::default().given(), None);
    }
}
