//! By which rule newer versions are looked for: how large a step is told of, which tags count.
//!
//! A rule is a line of words: `level=minor pin=1.27 exclude=*-debug`. The same words are written
//! in the file of rules (one key each) and in the pods' annotation; sorted, they are the rule's
//! canonical text, which stands in the records.
//!
//! | word | meaning |
//! |---|---|
//! | `level=patch`, `minor`, `major` | the smallest step that counts as an update |
//! | `prerelease=allow`, `skip` | whether pre-releases are candidates |
//! | `pin=1.27` | only versions that begin with these numbers |
//! | `exclude=*-debug` | tags that are no candidates (glob; repeatable) |
//! | `filter=^v(?<version>.*)-acme$` | only tags that match; what is named `version`, or the first group, is what is compared |
//! | `minimumAge=7d` | a candidate must have been built that long ago |
//! | `desired=1.2.3` | this one is wanted, whatever else there is |
//! | `ignore` | do not look at all |

mod file;

use std::time::Duration;

use globset::{Glob, GlobMatcher};
use records::{RuleFrom, canonical_rule, text::shown};
use regex::{Regex, RegexBuilder};

pub use file::{FileError, Rules};

use crate::version::{Change, Tag, Version};

/// The longest rule, in bytes. Tenants write some.
const MAX_RULE: usize = 1024;

/// How much memory a compiled filter may take, in bytes.
const MAX_FILTER: usize = 64 * 1024;

/// The smallest step that counts as an update.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Level {
    /// Every step
    #[default]
    Patch,
    /// A new minor or major version
    Minor,
    /// A new major version
    Major,
}

impl Level {
    /// The word in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }

    /// Whether a step counts. That of a date always does, since its size is not known.
    #[must_use]
    pub fn counts(self, change: Change) -> bool {
        match self {
            Self::Patch => true,
            Self::Minor => change >= Change::Minor,
            Self::Major => change >= Change::Major,
        }
    }
}

/// Whether pre-releases are candidates. Those of the very version that is used always are, where
/// that is a pre-release itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PreReleases {
    /// They are not.
    #[default]
    Skip,
    /// They are.
    Allow,
}

/// What holds where no rule says otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The smallest step that counts.
    pub level: Level,
    /// Whether pre-releases are candidates.
    pub pre_releases: PreReleases,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    text: String,
    from: RuleFrom,
    /// The smallest step that counts.
    pub level: Level,
    /// Whether pre-releases are candidates.
    pub pre_releases: PreReleases,
    /// The numbers that a candidate begins with.
    pub pin: Vec<u64>,
    /// How long ago a candidate must have been built.
    pub minimum_age: Option<Duration>,
    /// The one that is wanted.
    pub desired: Option<String>,
    /// Whether nothing is looked for.
    pub ignore: bool,
    filter: Option<Regex>,
    exclude: Vec<GlobMatcher>,
}

/// A text that is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A word that is none.
    #[error(
        "`{}` is no part of an update rule: write `level=`, `prerelease=`, `pin=`, `exclude=`, `filter=`, `minimumAge=`, `desired=` or `ignore`",
        shown(.0)
    )]
    Word(String),
    /// A value that its key does not take.
    #[error("`{}` of an update rule: {why}", shown(.word))]
    Value {
        /// The whole word.
        word: String,
        /// What is wrong with it.
        why: String,
    },
    /// A key that is there twice with two values.
    #[error("an update rule says `{0}` twice")]
    Twice(&'static str),
    /// More text than a rule may have.
    #[error("an update rule has at most {MAX_RULE} characters")]
    TooLong,
}

impl Rule {
    /// The rule of the settings alone.
    #[must_use]
    pub fn default_of(defaults: Defaults) -> Self {
        Self {
            text: String::new(),
            from: RuleFrom::Default,
            level: defaults.level,
            pre_releases: defaults.pre_releases,
            pin: Vec::new(),
            minimum_age: None,
            desired: None,
            ignore: false,
            filter: None,
            exclude: Vec::new(),
        }
    }

    /// Reads a rule. What it does not say is as in the settings.
    ///
    /// # Errors
    /// A [`RuleError`] for the first word that cannot be used.
    pub fn parse(text: &str, from: RuleFrom, defaults: Defaults) -> Result<Self, RuleError> {
        if text.len() > MAX_RULE {
            return Err(RuleError::TooLong);
        }
        let text = canonical_rule(text);
        let mut rule = Self { from, ..Self::default_of(defaults) };
        let mut seen = Vec::new();
        for word in text.split_whitespace() {
            let key = rule.take(word)?;
            if key != "exclude" && seen.contains(&key) {
                return Err(RuleError::Twice(key));
            }
            seen.push(key);
        }
        rule.text = text;
        Ok(rule)
    }

    /// Takes one word in and gives its key.
    fn take(&mut self, word: &str) -> Result<&'static str, RuleError> {
        let bad = |why: String| RuleError::Value { word: word.to_owned(), why };
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "ignore" if key == word => {
                self.ignore = true;
                Ok("ignore")
            }
            "level" => {
                self.level = match value {
                    "patch" => Level::Patch,
                    "minor" => Level::Minor,
                    "major" => Level::Major,
                    _ => return Err(bad("the levels are patch, minor and major".into())),
                };
                Ok("level")
            }
            "prerelease" => {
                self.pre_releases = match value {
                    "allow" => PreReleases::Allow,
                    "skip" => PreReleases::Skip,
                    _ => return Err(bad("write `allow` or `skip`".into())),
                };
                Ok("prerelease")
            }
            "pin" => {
                let numbers = value.strip_prefix('v').unwrap_or(value).split('.');
                let numbers: Result<_, _> = numbers.map(str::parse::<u64>).collect();
                self.pin = numbers.map_err(|_| bad("write numbers, as in `1` or `1.27`".into()))?;
                Ok("pin")
            }
            "exclude" => {
                let glob = Glob::new(value).map_err(|error| bad(error.kind().to_string()))?;
                self.exclude.push(glob.compile_matcher());
                Ok("exclude")
            }
            "filter" => {
                self.filter = Some(filter(value).map_err(bad)?);
                Ok("filter")
            }
            "minimumAge" => {
                let age =
                    records::duration::parse(value).map_err(|error| bad(error.to_string()))?;
                self.minimum_age = Some(age);
                Ok("minimumAge")
            }
            "desired" if !value.is_empty() => {
                self.desired = Some(value.to_owned());
                Ok("desired")
            }
            "desired" => Err(bad("name a version".into())),
            _ => Err(RuleError::Word(word.to_owned())),
        }
    }

    /// The canonical text; empty for the settings alone.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Who says so.
    #[must_use]
    pub fn from(&self) -> RuleFrom {
        self.from
    }

    /// What a tag says under this rule; nothing where the filter does not let it pass.
    #[must_use]
    pub fn read(&self, tag: &str) -> Option<Tag> {
        let Some(filter) = &self.filter else {
            return Some(Tag::read(tag));
        };
        let found = filter.captures(tag)?;
        match found.name("version").or_else(|| found.get(1)) {
            Some(picked) => Some(Tag::read_picked(picked.as_str())),
            None => Some(Tag::read(tag)),
        }
    }

    /// Whether a tag is excluded.
    #[must_use]
    pub fn excludes(&self, tag: &str) -> bool {
        self.exclude.iter().any(|glob| glob.is_match(tag))
    }

    /// Whether a version has the numbers that the rule pins.
    #[must_use]
    pub fn is_pinned_to(&self, version: &Version) -> bool {
        version.numbers().starts_with(&self.pin)
    }
}

/// A filter, bounded: it may be a tenant's.
fn filter(text: &str) -> Result<Regex, String> {
    if text.is_empty() {
        return Err("write a regular expression".to_owned());
    }
    let built = RegexBuilder::new(text).size_limit(MAX_FILTER).dfa_size_limit(MAX_FILTER).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the expression is too large".to_owned(),
        _ => "not a regular expression, as the `regex` crate reads them".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Result<Rule, RuleError> {
        Rule::parse(text, RuleFrom::Configuration, Defaults::default())
    }

    #[test]
    fn a_rule_is_read_and_its_text_is_canonical() {
        let rule = rule("pin=v1.27 level=minor  exclude=*-debug exclude=*rc* minimumAge=7d")
            .expect("a rule");
        assert_eq!(rule.text(), "exclude=*-debug exclude=*rc* level=minor minimumAge=7d pin=v1.27");
        assert_eq!((rule.level, &rule.pin[..]), (Level::Minor, &[1, 27][..]));
        assert_eq!(rule.minimum_age, Some(Duration::from_secs(7 * 86_400)));
        assert!(rule.excludes("1.28.0-debug") && !rule.excludes("1.28.0"));
        assert!(!rule.ignore);
    }

    #[test]
    fn a_filter_picks_what_is_compared() {
        let said = |text: &str, tag: &str| {
            let rule = rule(text).expect("a rule");
            rule.read(tag).map(|tag| tag.version().map(ToString::to_string))
        };
        let named = r"filter=^app-(?<version>\d+)-[a-z]+$";
        assert_eq!(said(named, "app-608111629-x"), Some(Some("608111629".into())));
        assert_eq!(said(named, "web-1-x"), None);
        assert_eq!(said(r"filter=^x(\d+\.\d+)", "x1.2y"), Some(Some("1.2".into())));
        assert_eq!(said("filter=^1", "1.2.3"), Some(Some("1.2.3".into())));
        assert_eq!(said("filter=^1", "latest"), None);
    }

    #[test]
    fn what_is_no_rule_is_told() {
        for (text, told) in [
            ("latest", "`latest` is no part of an update rule"),
            ("level=huge", "the levels are patch, minor and major"),
            ("pin=1.x", "write numbers"),
            ("pin=", "write numbers"),
            ("exclude=[", "`exclude=[`"),
            ("filter=(", "not a regular expression"),
            (r"filter=(\w{1000}){1000}", "too large"),
            ("filter=", "write a regular expression"),
            ("minimumAge=soon", "not a duration"),
            ("desired=", "name a version"),
            ("ignore=no", "no part of an update rule"),
            ("level=minor level=major", "says `level` twice"),
            ("\u{1b}[2J", "\u{fffd}[2J"),
        ] {
            let error = rule(text).map(|rule| rule.text).expect_err(text).to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
        assert_eq!(rule(&"x".repeat(2000)).map(|r| r.text), Err(RuleError::TooLong));
    }

    #[test]
    fn levels_say_which_steps_count() {
        assert!(Level::Patch.counts(Change::Revision));
        assert!(!Level::Minor.counts(Change::Patch) && Level::Minor.counts(Change::Minor));
        assert!(!Level::Major.counts(Change::Minor) && Level::Major.counts(Change::Major));
        assert!(Level::Major.counts(Change::Date));
    }
}
