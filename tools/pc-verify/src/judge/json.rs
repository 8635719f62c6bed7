//! JSON that two readers cannot read in two ways.
//!
//! Evidence is read by the engine and by our own checks. A name that stands twice in one object
//! could mean one thing to the one and another to the other, so it is refused.

use std::cell::Cell;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::fault::Fault;
use crate::judged::Reason;

/// The most values in one document. Evidence is a few hundred (its payload is one text), and each
/// takes many times its length in memory.
const MAX_VALUES: usize = 10_000;

/// Reads JSON whose objects name nothing twice. Nesting is limited by serde_json (128 levels).
pub(super) fn read(what: &str, bytes: &[u8]) -> Result<Value, Fault> {
    let left = Cell::new(MAX_VALUES);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict(&left).deserialize(&mut reader);
    read.and_then(|value| reader.end().map(|()| value))
        .map_err(|error| Fault::caused(Reason::Malformed, what, error))
}

/// Reads a part of a document that [`read`] has read.
pub(super) fn part<T: DeserializeOwned>(what: &str, value: &Value) -> Result<T, Fault> {
    T::deserialize(value).map_err(|error| Fault::caused(Reason::Malformed, what, error))
}

/// Reads a value whose objects name nothing twice; holds how many more there may be.
#[derive(Clone, Copy)]
struct Strict<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Some(left) = self.0.get().checked_sub(1) else {
            return Err(D::Error::custom(format!("more than {MAX_VALUES} values")));
        };
        self.0.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self)?;
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice in one object"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_serde_json_reads() {
        let text = r#"{"a":[1,-2,3.5,null,true,"x"],"b":{"c":{}}}"#;
        let expected: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(read("it", text.as_bytes()).expect("strict"), expected);
    }

    #[test]
    fn refuses_a_name_twice_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"x":{"a":1,"b":2,"a":3}}]"#, r#"{"a":1,"\u0061":2}"#]
        {
            let fault = read("it", text.as_bytes()).expect_err("refused");
            assert_eq!(fault.reason, Reason::Malformed);
            assert!(fault.detail.contains("twice"), "{}", fault.detail);
        }
    }

    #[test]
    fn refuses_what_is_not_json_and_what_is_too_deep() {
        let deep = "[".repeat(200_000);
        let many = format!("[{}0]", "{},".repeat(MAX_VALUES));
        for text in ["", "{", "{} {}", "\u{feff}{}", deep.as_str(), many.as_str()] {
            assert!(read("it", text.as_bytes()).is_err());
        }
    }
}
