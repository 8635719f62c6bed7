//! Label selectors, as `kubectl -l` takes them.
//!
//! The API server applies them itself; for a dump, and for templates, they are applied here.
//! Grammar and meaning: Kubernetes documentation, "Labels and Selectors", "API".

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use cluster::types::Text;
use records::text::shown;

/// A text that is no label selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no label selector: {why}", shown(text))]
pub(crate) struct SelectorError {
    text: String,
    why: &'static str,
}

/// A label selector: all requirements must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector {
    text: String,
    requirements: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    /// Holds where the label is absent, too.
    NotIn(Vec<String>),
}

impl Selector {
    /// Whether an object with these labels is chosen.
    #[must_use]
    pub(crate) fn matches(&self, labels: &BTreeMap<Text, Text>) -> bool {
        self.requirements.iter().all(|Requirement { key, test }| {
            let value = labels.get(key.as_str());
            let among = |values: &[String]| {
                value.is_some_and(|value| values.iter().any(|wanted| **wanted == **value))
            };
            match test {
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::In(values) => among(values),
                Test::NotIn(values) => !among(values),
            }
        })
    }
}

/// The selector as it was written.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let requirements = split(text)
            .into_iter()
            .map(|part| requirement(part.trim()))
            .collect::<Result<_, _>>()
            .map_err(|why| SelectorError { text: text.to_owned(), why })?;
        Ok(Self { text: text.to_owned(), requirements })
    }
}

/// Splits at the commas that are not inside parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut from) = (0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

fn requirement(text: &str) -> Result<Requirement, &'static str> {
    if let Some(key) = text.strip_prefix('!') {
        return Ok(Requirement { key: label(key.trim())?, test: Test::Absent });
    }
    if text.contains(['<', '>']) {
        return Err("`<` and `>` are not supported");
    }
    if let Some((key, values)) = text.split_once('(') {
        return set(key.trim(), values);
    }
    let Some(at) = text.find(['!', '=']) else {
        return Ok(Requirement { key: label(text)?, test: Test::Exists });
    };
    let (key, rest) = text.split_at(at);
    let key = label(key.trim())?;
    let test = if let Some(unwanted) = rest.strip_prefix("!=") {
        Test::NotIn(vec![value(unwanted)?])
    } else {
        let wanted =
            rest.strip_prefix("==").or(rest.strip_prefix('=')).ok_or("`!` stands alone")?;
        Test::In(vec![value(wanted)?])
    };
    Ok(Requirement { key, test })
}

/// `key in (a, b)` and `key notin (a, b)`.
fn set(head: &str, values: &str) -> Result<Requirement, &'static str> {
    let values = values.trim_end().strip_suffix(')').ok_or("a `)` is missing")?;
    let values = values.split(',').map(value).collect::<Result<_, _>>()?;
    let (key, word) = head.rsplit_once(char::is_whitespace).ok_or("`in` or `notin` is missing")?;
    let test = match word {
        "in" => Test::In(values),
        "notin" => Test::NotIn(values),
        _ => return Err("only `in` and `notin` may stand before a `(`"),
    };
    Ok(Requirement { key: label(key.trim())?, test })
}

/// A label's key: `name` or `prefix/name`.
fn label(key: &str) -> Result<String, &'static str> {
    let (prefix, name) = key.split_once('/').unwrap_or(("x", key));
    let well_formed = !prefix.is_empty() && !name.is_empty() && is_word(prefix) && is_word(name);
    if well_formed { Ok(key.to_owned()) } else { Err("a label is `name` or `prefix/name`") }
}

fn value(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if is_word(text) {
        Ok(text.to_owned())
    } else {
        Err("a value has letters, digits, `-`, `_` and `.`")
    }
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_hold_or_do_not() {
        let labels: BTreeMap<Text, Text> = [("app", "web"), ("tier", ""), ("k8s.io/x", "1")]
            .map(|(k, v)| (k.into(), v.into()))
            .into();
        for (selector, holds) in [
            ("app=web", true),
            ("app==web", true),
            ("app = web , tier=", true),
            ("app=db", false),
            ("app!=web", false),
            ("app!=db", true),
            ("gone!=x", true),
            ("app in (db, web)", true),
            ("app in (db)", false),
            ("app notin (db,x),tier", true),
            ("gone notin (a)", true),
            ("tier", true),
            ("gone", false),
            ("!gone", true),
            ("! app", false),
            ("k8s.io/x=1", true),
            ("tier in ()", true),
        ] {
            let parsed: Selector = selector.parse().expect("a selector");
            assert_eq!(parsed.matches(&labels), holds, "{selector}");
            assert_eq!(parsed.to_string(), selector);
        }
    }

    #[test]
    fn malformed_selectors_say_why() {
        for bad in [
            "",
            "a,,b",
            "a in b",
            "a in (b",
            "a within (b)",
            "in (b)",
            "a>1",
            "=b",
            "a/b/c=d",
            "a b=c",
            "a=b c",
            "a=b=c",
            "a===b",
            "a!b",
            "!",
            "/a",
            "a=\u{202e}",
        ] {
            let error = bad.parse::<Selector>().expect_err(bad).to_string();
            assert!(error.contains("is no label selector: "), "{error}");
        }
    }
}
