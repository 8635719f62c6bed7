//! Looking into JSON that nobody believes, without a tree in memory.
//!
//! Readers differ in what they make of one name twice, and of names that differ in case alone:
//! Go's encoding/json takes the last of them and does not mind case. A document in which two
//! readers see two things is refused here, as far as the names that are asked for are concerned.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How names are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// The fields of a known type: a name that differs from a known one in case alone is refused.
    Fields,
    /// The keys of a map, where case tells two of them apart.
    Keys,
}

/// Why two readers would not see the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clash {
    /// The name is there twice.
    Twice(String),
    /// Another spelling of a known name.
    Spelling(String),
    /// More entries than [`MAX_ENTRIES`].
    TooMany,
}

/// How many entries an object may have of which all are kept: digest sets have a few.
pub(crate) const MAX_ENTRIES: usize = 64;

/// The values of `names` in the object `value`, in their order; null counts as absent. None where
/// `value` is no object.
pub(crate) fn fields<'a, const N: usize>(
    value: &'a RawValue,
    names: [&str; N],
    compared: Names,
) -> Result<Option<[Option<&'a RawValue>; N]>, Clash> {
    if !value.get().starts_with('{') {
        return Ok(None);
    }
    let mut json = serde_json::Deserializer::from_str(value.get());
    json.deserialize_map(Pick { names, compared }).map_or(Ok(None), |picked| picked.map(Some))
}

/// All entries of the object `value`, as they are written. None where it is no object.
pub(crate) fn entries(value: &RawValue) -> Result<Option<Vec<(String, &RawValue)>>, Clash> {
    if !value.get().starts_with('{') {
        return Ok(None);
    }
    let mut json = serde_json::Deserializer::from_str(value.get());
    json.deserialize_map(Entries).map_or(Ok(None), |entries| entries.map(Some))
}

/// The text of a string; none where `value` is no string.
pub(crate) fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// The elements of the array `value`, one after the other. None where it is no array.
pub(crate) fn elements(value: &RawValue) -> Option<Elements<'_>> {
    value.get().strip_prefix('[').map(|rest| Elements { rest })
}

/// The elements of an array; see [`elements`].
#[derive(Debug, Clone)]
pub(crate) struct Elements<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a RawValue;

    fn next(&mut self) -> Option<&'a RawValue> {
        let rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        if rest.starts_with(']') {
            self.rest = "]";
            return None;
        }
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let value = values.next()?.ok()?;
        self.rest = rest.get(values.byte_offset()..)?;
        Some(value)
    }
}

/// Line and column, both from 1, of `part` in `whole`, of which it is a part.
pub(crate) fn position(whole: &str, part: &str) -> (usize, usize) {
    let at = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize).min(whole.len());
    let before = &whole.as_bytes()[..at];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (line, column)
}

/// Whether a reader that does not mind case takes `name` for `known`. Like Go's encoding/json,
/// which folds the long s and the Kelvin sign too.
pub(crate) fn same_but_for_case(name: &str, known: &str) -> bool {
    let folded = name.chars().map(|c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    });
    folded.eq(known.chars().map(|c| c.to_ascii_lowercase()))
}

/// What a name in an object is.
enum Name {
    Known(usize),
    Clash(Clash),
    Other,
}

struct Pick<'n, const N: usize> {
    names: [&'n str; N],
    compared: Names,
}

impl<const N: usize> Pick<'_, N> {
    fn name(&self, name: &str) -> Name {
        if let Some(at) = self.names.iter().position(|known| *known == name) {
            return Name::Known(at);
        }
        let like = |known: &&str| same_but_for_case(name, known);
        match self.compared {
            Names::Fields if self.names.iter().any(like) => {
                Name::Clash(Clash::Spelling(name.to_owned()))
            }
            _ => Name::Other,
        }
    }
}

impl<'de, const N: usize> Visitor<'de> for Pick<'_, N> {
    type Value = Result<[Option<&'de RawValue>; N], Clash>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found: [Option<&RawValue>; N] = [None; N];
        let mut clash = None;
        while let Some(name) = map.next_key_seed(Key(|name: &str| self.name(name)))? {
            match name {
                Name::Known(at) => {
                    let value: &RawValue = map.next_value()?;
                    if found[at].replace(value).is_some() {
                        clash.get_or_insert_with(|| Clash::Twice(self.names[at].to_owned()));
                    }
                }
                Name::Clash(why) => {
                    map.next_value::<IgnoredAny>()?;
                    clash.get_or_insert(why);
                }
                Name::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let present = found.map(|value| value.filter(|value| value.get() != "null"));
        Ok(clash.map_or(Ok(present), Err))
    }
}

/// Reads a name without keeping it.
struct Key<F>(F);

impl<'de, T, F: FnOnce(&str) -> T> DeserializeSeed<'de> for Key<F> {
    type Value = T;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<T, D::Error> {
        json.deserialize_str(self)
    }
}

impl<T, F: FnOnce(&str) -> T> Visitor<'_> for Key<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<T, E> {
        Ok((self.0)(name))
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Result<Vec<(String, &'de RawValue)>, Clash>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut clash = None;
        while let Some((name, value)) = map.next_entry::<Cow<'_, str>, &RawValue>()? {
            let name = name.into_owned();
            if entries.len() == MAX_ENTRIES {
                clash = Some(Clash::TooMany);
                continue;
            }
            if !seen.insert(name.clone()) {
                clash.get_or_insert_with(|| Clash::Twice(name.clone()));
            }
            entries.push((name, value));
        }
        Ok(clash.map_or(Ok(entries), Err))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).expect("JSON")
    }

    #[test]
    fn picks_what_is_asked_for() {
        let value = raw(r#"{"a": 1, "b": {"c": [2]}, "n": null, "\u0061b": 3}"#);
        let [b, n, ab, x] =
            fields(value, ["b", "n", "ab", "x"], Names::Fields).expect("no clash").expect("object");
        assert_eq!(b.map(RawValue::get), Some(r#"{"c": [2]}"#));
        assert_eq!(ab.map(RawValue::get), Some("3"));
        assert!(n.is_none() && x.is_none());
        assert!(fields(raw("[1]"), ["a"], Names::Fields).expect("no clash").is_none());
    }

    #[test]
    fn two_readers_see_one_thing() {
        let twice = fields(raw(r#"{"a": 1, "b": 2, "\u0061": null}"#), ["a"], Names::Fields);
        assert_eq!(twice.expect_err("twice"), Clash::Twice("a".into()));
        for name in ["Subject", "SUBJECT", "\u{17f}ubject"] {
            let text = format!(r#"{{"subject": 1, "{name}": 2}}"#);
            let clash = fields(raw(&text), ["subject"], Names::Fields);
            assert_eq!(clash.expect_err("spelling"), Clash::Spelling(name.into()));
            assert!(fields(raw(&text), ["subject"], Names::Keys).is_ok());
        }
        assert!(fields(raw(r#"{"b": 1, "b": 2, "a": 1}"#), ["a"], Names::Fields).is_ok());
    }

    #[test]
    fn walks_arrays() {
        let found: Vec<_> = elements(raw(r#" [ 1 ,"a,]", [2,3] , {"x":[]},null, true ] "#))
            .expect("an array")
            .map(RawValue::get)
            .collect();
        assert_eq!(found, ["1", r#""a,]""#, "[2,3]", r#"{"x":[]}"#, "null", "true"]);
        assert_eq!(elements(raw("[]")).expect("an array").count(), 0);
        assert!(elements(raw("{}")).is_none());
    }

    #[test]
    fn keeps_few_entries() {
        let object = |count: usize| {
            let entries: Vec<_> = (0..count).map(|at| format!(r#""{at}": {at}"#)).collect();
            format!("{{{}}}", entries.join(","))
        };
        let few = object(MAX_ENTRIES);
        assert_eq!(entries(raw(&few)).expect("few").expect("an object").len(), MAX_ENTRIES);
        let many = object(MAX_ENTRIES + 1);
        assert_eq!(entries(raw(&many)).expect_err("many"), Clash::TooMany);
    }

    #[test]
    fn says_where() {
        let whole = "{\n  \"a\": 1}";
        assert_eq!(position(whole, &whole[9..]), (2, 8));
    }
}
