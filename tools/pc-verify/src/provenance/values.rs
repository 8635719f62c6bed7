//! What a builder recorded under names of its own: parameters, and the environment.
//!
//! Nobody else says what may stand here, so nothing of it is refused: a name that is there twice is
//! listed twice, and what is no object is one value without a name.

use std::fmt;

use records::BuildValue;
use records::text::{MAX_LIST, cut_text};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::statement::json;

/// How large the values of one statement may be in a record, in bytes of JSON: as many finds as
/// a record may have, and all else that they say, have to fit beside them.
const MAX_BYTES: usize = 64 * 1024;

/// What is kept of the values of one statement.
#[derive(Debug, Default)]
pub struct Values {
    room: usize,
    dropped: u64,
}

impl Values {
    /// Nothing is kept so far.
    #[must_use]
    pub fn new() -> Self {
        Self { room: MAX_BYTES, dropped: 0 }
    }

    /// How many were left out or cut so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The values of an object; none where there is none.
    pub fn of(&mut self, object: Option<&RawValue>) -> Option<Vec<BuildValue>> {
        let object = object?;
        let entries = serde_json::from_str::<Entries<'_>>(object.get());
        let no_object = |_| Entries { kept: vec![(String::new(), object)], left_out: 0 };
        let entries = entries.unwrap_or_else(no_object);
        self.dropped += entries.left_out;
        Some(entries.kept.into_iter().filter_map(|(name, value)| self.one(name, value)).collect())
    }

    fn one(&mut self, mut name: String, value: &RawValue) -> Option<BuildValue> {
        let mut value = json::text(value).unwrap_or_else(|| value.get().to_owned());
        let cut = cut_text(&mut name) + cut_text(&mut value);
        let kept = BuildValue { name, value };
        // What is only text can always be written.
        let size = serde_json::to_string(&kept).map_or(usize::MAX, |json| json.len() + 1);
        match self.room.checked_sub(size) {
            Some(room) => {
                self.room = room;
                self.dropped += u64::from(cut > 0);
                Some(kept)
            }
            None => {
                self.dropped += 1;
                None
            }
        }
    }
}

/// The members of an object in their order, as many as a list in a record may have.
struct Entries<'a> {
    kept: Vec<(String, &'a RawValue)>,
    left_out: u64,
}

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Entries { kept: Vec::new(), left_out: 0 };
                while entries.kept.len() < MAX_LIST {
                    let Some(entry) = map.next_entry()? else { return Ok(entries) };
                    entries.kept.push(entry);
                }
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    entries.left_out += 1;
                }
                Ok(entries)
            }
        }
        json.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &mut Values, json: &str) -> Option<Vec<(String, String)>> {
        let raw: Box<RawValue> = serde_json::from_str(json).expect("JSON");
        let kept = values.of(Some(&raw))?;
        Some(kept.into_iter().map(|one| (one.name, one.value)).collect())
    }

    #[test]
    fn values_are_texts_or_json_and_nothing_is_refused() {
        let mut values = Values::new();
        let kept = of(&mut values, r#"{"a": "x", "b": {"c": [1, 2]}, "a": true, "n": null}"#);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let wanted =
            [pair("a", "x"), pair("b", r#"{"c": [1, 2]}"#), pair("a", "true"), pair("n", "null")];
        assert_eq!(kept.as_deref(), Some(&wanted[..]));
        assert_eq!(of(&mut values, r#"["-v", 1]"#), Some(vec![pair("", r#"["-v", 1]"#)]));
        assert_eq!(of(&mut values, r#""make all""#), Some(vec![pair("", "make all")]));
        assert_eq!(of(&mut values, "{}"), Some(Vec::new()));
        assert_eq!((values.of(None), values.dropped()), (None, 0));
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let many: Vec<String> = (0..250).map(|at| format!(r#""{at}": {at}"#)).collect();
        let mut values = Values::new();
        let kept = of(&mut values, &format!("{{{}}}", many.join(","))).expect("an object");
        assert_eq!((kept.len(), values.dropped()), (MAX_LIST, 150));

        // A text of control characters is six times as long in JSON.
        let large = format!(r#""x": "{}""#, r"\u0001".repeat(5000));
        let object = format!("{{{}}}", vec![large; 50].join(","));
        let mut values = Values::new();
        let kept = values.of(Some(&serde_json::from_str::<Box<RawValue>>(&object).expect("JSON")));
        let size = serde_json::to_string(&kept).expect("JSON").len();
        assert!(size <= MAX_BYTES + 2, "{size}");
        // Those that are left out, and those that are there and cut.
        assert_eq!(values.dropped(), 50);
    }
}
