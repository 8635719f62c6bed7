//! Texts that must be equal, or fit a regular expression from end to end.

use regex::{Regex, RegexBuilder};

/// The longest regular expression, in bytes.
const MAX_LENGTH: usize = 4 * 1024;

/// How large a compiled expression may be, in bytes.
const MAX_COMPILED: usize = 1024 * 1024;

/// What a text must be.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    /// This, to the byte.
    Exact(String),
    /// Something that fits this from end to end.
    Regexp {
        /// As it was written.
        text: String,
        whole: Regex,
        part: Regex,
    },
}

/// Whether a text fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// It does not, or there is none.
    No,
    /// A part of it does; cosign, which does not anchor, would take it.
    InPart,
    /// It does.
    Whole,
}

/// Why a text is no regular expression that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no regular expression that can be used: {why}", records::text::shown(.text))]
pub(crate) struct PatternError {
    text: String,
    why: String,
}

impl Pattern {
    /// A regular expression, which a text must fit from end to end.
    pub(crate) fn regexp(text: &str) -> Result<Self, PatternError> {
        let wrong =
            |why: &str| PatternError { text: text.to_owned(), why: records::text::shown(why) };
        if text.len() > MAX_LENGTH {
            return Err(wrong("it is longer than 4096 bytes"));
        }
        let said = |error: regex::Error| {
            // The last line says what is wrong, those before it draw where.
            let said = error.to_string();
            wrong(said.lines().last().unwrap_or_default().trim_start_matches("error: "))
        };
        let part = compile(text).map_err(said)?;
        let whole = whole(text).map_err(said)?;
        Ok(Self::Regexp { text: text.to_owned(), whole, part })
    }

    /// Whether a text fits. Nothing fits where there is no text, not even `.*`.
    pub(crate) fn fit(&self, text: Option<&str>) -> Fit {
        match (self, text) {
            (_, None) => Fit::No,
            (Self::Exact(wanted), Some(text)) if wanted == text => Fit::Whole,
            (Self::Exact(_), Some(_)) => Fit::No,
            (Self::Regexp { whole, .. }, Some(text)) if whole.is_match(text) => Fit::Whole,
            (Self::Regexp { part, .. }, Some(text)) if part.is_match(text) => Fit::InPart,
            (Self::Regexp { .. }, Some(_)) => Fit::No,
        }
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Regexp { text, .. } => text,
        }
    }
}

/// An expression that fits whole texts alone. It must be one on its own too, else `a)|(?:b` would
/// escape the anchors.
pub(crate) fn whole(text: &str) -> Result<Regex, regex::Error> {
    compile(text)?;
    compile(&format!(r"\A(?:{text})\z"))
}

fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_expressions_fit_from_end_to_end() {
        let me = "https://github.com/acme/web/.github/workflows/release.yml@refs/tags/v1";
        for (text, on, fit) in [
            (".*", me, Fit::Whole),
            (r"https://github\.com/acme/.*", me, Fit::Whole),
            (r"^https://github\.com/acme/.*$", me, Fit::Whole),
            (r"https://github\.com/acme/", me, Fit::InPart),
            (r"^https://github\.com/acme/", me, Fit::InPart),
            (r"github\.com/acme/.*", "https://evil.example/github.com/acme/web", Fit::InPart),
            ("a|b", "ab", Fit::InPart),
            ("a|b", "b", Fit::Whole),
            ("(?i)ACME", "acme", Fit::Whole),
            ("(?m)^acme$", "evil\nacme", Fit::InPart),
            ("acme", "acme\n", Fit::InPart),
            (".*", "evil\nacme", Fit::InPart),
        ] {
            assert_eq!(Pattern::regexp(text).expect(text).fit(Some(on)), fit, "{text} on {on:?}");
        }
    }

    #[test]
    fn nobody_fits_nothing() {
        for pattern in [Pattern::regexp(".*").expect("any"), Pattern::Exact(String::new())] {
            assert_eq!(pattern.fit(None), Fit::No);
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        for bad in ["(", "a)|(?:b", "[", r"(a)\1", "(?=a)", "(?x) a # b", r"\w{1000}{1000}"] {
            let error = Pattern::regexp(bad).expect_err(bad).to_string();
            assert!(error.contains("no regular expression") && !error.contains('\n'), "{error}");
        }
        assert!(Pattern::regexp(&"a".repeat(5_000)).is_err());
    }
}
