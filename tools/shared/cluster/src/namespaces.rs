//! Which namespaces are asked.

use std::collections::BTreeSet;

use globset::{Glob, GlobMatcher};
use records::text::shown;

/// A namespace, or a pattern of namespaces, that can select nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// Neither a name nor a pattern.
    #[error("`{}` is no namespace: lower-case letters, digits and `-`, or a pattern with `*`", shown(.0))]
    Name(String),
    /// A pattern that is malformed.
    #[error("`{}` is no pattern of namespaces: {why}", shown(pattern))]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// What is excluded is all that is included.
    #[error(
        "no namespace is left: {0} is excluded by `--exclude-namespaces`; take it out there, or name others by `--namespaces`"
    )]
    NothingLeft(String),
}

#[derive(Debug, Clone)]
enum Pattern {
    Exact(String),
    Glob(GlobMatcher),
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, SelectError> {
        if text.contains(['*', '?', '[', '{']) {
            let glob = Glob::new(text).map_err(|error| SelectError::Pattern {
                pattern: text.to_owned(),
                why: error.kind().to_string(),
            })?;
            return Ok(Self::Glob(glob.compile_matcher()));
        }
        // RFC 1123 label, as the API server demands of namespaces.
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let well_formed = (1..=63).contains(&text.len())
            && text.bytes().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if well_formed {
            Ok(Self::Exact(text.to_owned()))
        } else {
            Err(SelectError::Name(text.to_owned()))
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Exact(name) => name,
            Self::Glob(glob) => glob.glob().glob(),
        }
    }

    /// Whether every namespace that `text`, a name or a pattern, selects is surely selected here.
    fn covers(&self, text: &str) -> bool {
        let only_stars = !self.text().contains(['?', '[', '{']);
        self.text() == text || (only_stars && self.matches(text))
    }

    fn matches(&self, namespace: &str) -> bool {
        match self {
            Self::Exact(name) => name == namespace,
            Self::Glob(glob) => glob.is_match(namespace),
        }
    }
}

/// A choice of namespaces: those that are included (all, where none is named) and not excluded.
#[derive(Debug, Clone, Default)]
pub struct Namespaces {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

impl Namespaces {
    /// Reads names and patterns; blanks are passed over.
    ///
    /// # Errors
    /// [`SelectError`].
    pub fn parse(include: &[String], exclude: &[String]) -> Result<Self, SelectError> {
        let parse = |texts: &[String]| {
            let texts = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
            texts.map(Pattern::parse).collect::<Result<_, _>>()
        };
        let chosen = Self { include: parse(include)?, exclude: parse(exclude)? };
        match chosen.all_excluded() {
            Some(what) => Err(SelectError::NothingLeft(what)),
            None => Ok(chosen),
        }
    }

    /// What is included, for a message, where all of it is surely excluded. Without this, a choice
    /// of nothing would look like a cluster where nothing runs.
    fn all_excluded(&self) -> Option<String> {
        let excluded = |text: &str| self.exclude.iter().any(|pattern| pattern.covers(text));
        if self.include.is_empty() {
            return excluded("*").then(|| "every namespace".to_owned());
        }
        let all = self.include.iter().all(|pattern| excluded(pattern.text()));
        let names = || self.include.iter().map(|pattern| format!("`{}`", shown(pattern.text())));
        all.then(|| names().collect::<Vec<_>>().join(", "))
    }

    /// Whether a namespace is chosen.
    #[must_use]
    pub fn selects(&self, namespace: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(namespace));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }

    /// The chosen namespaces, where all of them are named one by one: then nobody needs to see
    /// the whole cluster.
    #[must_use]
    pub fn listed(&self) -> Option<BTreeSet<String>> {
        let only_names = self.include.iter().all(|pattern| matches!(pattern, Pattern::Exact(_)));
        (only_names && !self.include.is_empty()).then(|| self.named())
    }

    /// The chosen namespaces that are named one by one, patterns or not.
    #[must_use]
    pub fn named(&self) -> BTreeSet<String> {
        let names = self.include.iter().filter_map(|pattern| match pattern {
            Pattern::Exact(name) if self.selects(name) => Some(name.clone()),
            _ => None,
        });
        names.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(include: &[&str], exclude: &[&str]) -> Result<Namespaces, SelectError> {
        let owned =
            |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Namespaces::parse(&owned(include), &owned(exclude))
    }

    #[test]
    fn names_and_patterns() {
        let all = choice(&[], &["kube-*", "scratch"]).expect("a choice");
        assert!(all.selects("shop") && !all.selects("kube-system") && !all.selects("scratch"));
        assert_eq!(all.listed(), None);

        let some = choice(&["team-?", "shop", " "], &["team-x"]).expect("a choice");
        assert!(some.selects("team-a") && some.selects("shop"));
        assert!(!some.selects("team-x") && !some.selects("team-ab") && !some.selects("bank"));
        assert_eq!((some.listed(), some.named()), (None, ["shop".to_owned()].into()));

        let listed = choice(&["shop", "bank", "shop"], &["bank"]).expect("a choice");
        assert_eq!(listed.listed(), Some(["shop".to_owned()].into()));
    }

    #[test]
    fn a_choice_of_nothing_is_refused() {
        for (include, exclude) in [
            (&["shop"][..], &["shop"][..]),
            (&["shop", "bank"], &["sh*", "bank"]),
            (&["team-*"], &["team-*"]),
            (&["team-*"], &["te*"]),
            (&["team-?"], &["team-?"]),
            (&["shop"], &["*"]),
            (&[], &["*"]),
        ] {
            let error = choice(include, exclude).expect_err("refused").to_string();
            assert!(error.starts_with("no namespace is left: "), "{error}");
        }
        for (include, exclude) in [
            (&["shop", "bank"][..], &["shop"][..]),
            (&["team-*"], &["team-?"]),
            (&["team-*"], &["team-[*]"]),
            (&["*"], &["kube-*"]),
            (&[], &["kube-*"]),
            (&["te*"], &["team-*"]),
        ] {
            choice(include, exclude).expect("something may be left");
        }
    }

    #[test]
    fn what_can_be_no_namespace_is_refused() {
        for bad in ["Shop", "a/b", "a.b", "-a", "a_b", "a\u{202e}", &"a".repeat(64), "[", "a{"] {
            let error = choice(&[bad], &[]).expect_err("refused").to_string();
            assert!(error.contains("is no"), "{error}");
        }
        assert!(choice(&[], &["Kube"]).is_err());
    }
}
