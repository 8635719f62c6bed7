//! Walking through JSON as it comes: what is not wanted is read over, nothing is kept.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::document::Document;

/// The element of a list, in a path.
pub(super) const ITEM: &str = "[]";

/// The end of the messages about names that readers see differently.
pub(super) const AMBIGUOUS: &str = "is no name of the format, but some readers take it for one";

/// The same.
pub(super) const TWICE: &str = "is there twice";

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `{…}`.
    Object,
    /// `[…]`.
    List,
    /// `"…"`.
    Text,
    /// A number, true or false.
    Other,
}

impl Shape {
    fn name(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::List => "a list",
            Self::Text => "a text",
            Self::Other => "a number or truth value",
        }
    }
}

/// A value at the document's present path.
pub(super) struct Walk<'w, 's>(pub(super) &'w mut Document<'s>);

impl Walk<'_, '_> {
    /// Whether such a value may be here.
    fn meet<E: serde::de::Error>(&self, shape: Shape) -> Result<(), E> {
        match self.0.expected() {
            Some(expected) if !expected.contains(&shape) => {
                let wanted = expected.first().map_or("absent", |shape| shape.name());
                Err(E::custom(format_args!("`{}` must be {wanted}", self.0.path_text())))
            }
            _ => Ok(()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.meet(Shape::Object)?;
        self.0.begin();
        while let Some(name) = map.next_key_seed(Name(self.0))? {
            let Some(name) = name else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            self.0.enter(name).map_err(A::Error::custom)?;
            map.next_value_seed(Walk(self.0))?;
            self.0.leave();
        }
        self.0.end();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        self.meet(Shape::List)?;
        self.0.enter(ITEM).map_err(A::Error::custom)?;
        while list.next_element_seed(Walk(self.0))?.is_some() {}
        self.0.leave();
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.meet(Shape::Text)?;
        self.0.text(text);
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.meet(Shape::Other)
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.meet(Shape::Other)
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.meet(Shape::Other)
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.meet(Shape::Other)
    }

    /// Null is nothing: Go writes empty lists so.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// A name in an object, where it is wanted; it is not kept.
struct Name<'d, 's>(&'d Document<'s>);

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = Option<&'static str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Self::Value, E> {
        let found = self.0.wanted().iter().find(|wanted| **wanted == name).copied();
        if found.is_none() && self.0.is_ambiguous(name) {
            let name = records::text::shown(name);
            return Err(E::custom(format_args!("`{name}` {AMBIGUOUS}")));
        }
        Ok(found)
    }
}
