//! Mutants of JSON, of texts in it that are base64, and of JSON in those.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::mutate::change;
use super::random::Random;

/// How deep base64 in JSON in base64 is followed.
const LAYERS: usize = 4;

/// Bytes as JSON with a structure: an object or a list.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    (value.is_object() || value.is_array()).then_some(value)
}

/// One change of one of the values in `value`.
pub(super) fn mutate(
    value: &mut Value,
    random: &mut Random,
    words: &[&str],
    other: &[u8],
    layer: usize,
) {
    let chosen = random.below(count(value));
    let other = read(other).map(|mut other| {
        let at = random.below(count(&other));
        nth(&mut other, at).take()
    });
    let chosen = nth(value, chosen);
    match random.below(8) {
        0 => *chosen = other.unwrap_or_default(),
        1 => *chosen = odd(random, words),
        2 => *chosen = Value::Array(vec![chosen.take()]),
        3 => *chosen = Value::Object(Map::from_iter([("a".to_owned(), chosen.take())])),
        _ => inside(chosen, random, words, other, layer),
    }
}

/// Changes what is in a value.
fn inside(
    value: &mut Value,
    random: &mut Random,
    words: &[&str],
    other: Option<Value>,
    layer: usize,
) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let at = random.below(members.len());
            let name = members.keys().nth(at).cloned().unwrap_or_default();
            match random.below(3) {
                0 => drop(members.shift_remove(&name)),
                1 => {
                    let value = members.shift_remove(&name).unwrap_or_default();
                    members.insert((*random.pick(words)).to_owned(), value);
                }
                _ => drop(members.insert(name, other.unwrap_or_default())),
            }
        }
        Value::Array(list) if !list.is_empty() => {
            let at = random.below(list.len());
            match random.below(4) {
                0 => drop(list.remove(at)),
                1 => list.push(list[at].clone()),
                2 => list.reverse(),
                _ => list.insert(at, other.unwrap_or_default()),
            }
        }
        Value::String(text) => *text = text_inside(text, random, words, layer),
        Value::Number(number) => {
            let around = number.as_i64().unwrap_or_default();
            *value = match random.below(5) {
                0 => around.wrapping_add(1).into(),
                1 => around.wrapping_neg().into(),
                2 => u64::MAX.into(),
                3 => i64::MIN.into(),
                _ => 0.into(),
            };
        }
        _ => *value = odd(random, words),
    }
}

/// Changes a text: what it is base64 of, where it is, or its own bytes.
fn text_inside(text: &str, random: &mut Random, words: &[&str], layer: usize) -> String {
    let unpacked = STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty());
    if let Some(mut bytes) = unpacked.filter(|_| layer < LAYERS && !random.once_in(4)) {
        match read(&bytes) {
            Some(mut value) => {
                mutate(&mut value, random, words, &[], layer + 1);
                bytes = value.to_string().into_bytes();
            }
            None => change(&mut bytes, random, words, &[]),
        }
        return STANDARD.encode(bytes);
    }
    let mut bytes = text.as_bytes().to_vec();
    change(&mut bytes, random, words, &[]);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A value that is seldom what is wanted.
fn odd(random: &mut Random, words: &[&str]) -> Value {
    match random.below(8) {
        0 => Value::Null,
        1 => Value::Bool(true),
        2 => u64::MAX.into(),
        3 => (-1).into(),
        4 => 1e300.into(),
        5 => Value::Array(Vec::new()),
        6 => Value::Object(Map::new()),
        _ => (*random.pick(words)).into(),
    }
}

/// How many values there are in it, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// The value of that number, counted from 0 in the order of the text.
fn nth(value: &mut Value, number: usize) -> &mut Value {
    let sizes: Vec<usize> = match value {
        Value::Array(list) => list.iter().map(count).collect(),
        Value::Object(members) => members.values().map(count).collect(),
        _ => Vec::new(),
    };
    let Some(mut rest) = number.checked_sub(1) else { return value };
    let fits = |size: &usize| match rest.checked_sub(*size) {
        Some(less) => {
            rest = less;
            false
        }
        None => true,
    };
    let Some(at) = sizes.iter().position(fits) else { return value };
    match value {
        Value::Array(list) => nth(&mut list[at], rest),
        Value::Object(members) => nth(members.values_mut().nth(at).expect("it was counted"), rest),
        _ => value,
    }
}
