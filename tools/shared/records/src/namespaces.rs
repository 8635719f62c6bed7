//! Choosing namespaces by a pattern.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::shown;

/// The longest pattern, in bytes: several times as long as a namespace's name (RFC 1123).
const MAX: usize = 253;

/// A pattern of namespaces: lower-case letters, digits and `-`, and `*` for any text, none too. The
/// whole name must fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct NamespaceGlob(String);

/// A text that is no pattern of namespaces.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no pattern of namespaces: write letters, digits, `-` and `*`", shown(.0))]
pub struct NamespaceGlobError(String);

impl NamespaceGlob {
    /// Whether it stands for every namespace there is.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0.bytes().all(|byte| byte == b'*')
    }

    /// Whether it stands for this one.
    #[must_use]
    pub fn matches(&self, namespace: &str) -> bool {
        let Some((start, rest)) = self.0.split_once('*') else { return self.0 == namespace };
        let Some(mut left) = namespace.strip_prefix(start) else { return false };
        let (between, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        // What is between stars fits wherever it stands first, since the star behind takes the rest.
        for part in between.split('*') {
            match left.split_once(part) {
                Some((_, behind)) => left = behind,
                None => return false,
            }
        }
        left.ends_with(end)
    }
}

impl TryFrom<String> for NamespaceGlob {
    type Error = NamespaceGlobError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-*".contains(&b);
        if text.is_empty() || text.len() > MAX || !text.bytes().all(allowed) {
            return Err(NamespaceGlobError(text));
        }
        Ok(Self(text))
    }
}

impl fmt::Display for NamespaceGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(text: &str) -> NamespaceGlob {
        NamespaceGlob::try_from(text.to_owned()).expect(text)
    }

    #[test]
    fn a_star_is_any_text_and_the_whole_name_must_fit() {
        for (pattern, fits, not) in [
            ("shop", &["shop"][..], &["shop-a", "a-shop", ""][..]),
            ("shop-*", &["shop-", "shop-a", "shop-a-b"], &["shop", "a-shop-a"]),
            ("*-eu", &["a-eu", "-eu", "eu-eu"], &["eu", "a-eu-1"]),
            ("a*a", &["aa", "aba", "aaa"], &["a", "ab", "ba"]),
            ("a*b*c", &["abc", "a-b-b-c", "axbbxc"], &["ac", "acb", "abcd", "ab"]),
            ("*a*", &["a", "ba", "ab", "bab"], &["", "b"]),
            ("a*ab", &["aab", "abab"], &["ab", "aba"]),
            ("*ab*ab", &["abab", "xabxab"], &["ab", "xab", "aba"]),
            ("**", &["", "shop"], &[]),
        ] {
            assert!(fits.iter().all(|name| glob(pattern).matches(name)), "{pattern} {fits:?}");
            assert!(!not.iter().any(|name| glob(pattern).matches(name)), "{pattern} {not:?}");
        }
        assert!(glob("*").is_all() && glob("**").is_all() && !glob("*-*").is_all());
    }

    #[test]
    fn refuses_the_rest() {
        for bad in ["", "A", "a b", "a.b", "[a]", "a?", "ä", &"a".repeat(254)] {
            let error = NamespaceGlob::try_from(bad.to_owned()).expect_err(bad);
            assert!(error.to_string().contains("no pattern of namespaces"), "{error}");
            assert!(serde_json::from_value::<NamespaceGlob>(bad.into()).is_err(), "{bad}");
        }
        assert_eq!(serde_json::to_value(glob("a-*")).ok(), Some("a-*".into()));
    }
}
