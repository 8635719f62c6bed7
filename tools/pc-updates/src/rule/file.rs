//! The file of rules: which rule holds for which images and releases.
//!
//! ```yaml
//! rules:
//!   - images: ["docker.io/library/postgres", "registry.example.com/team/**"]
//!     level: minor
//!     pin: "16"
//!   - releases: ["monitoring/*"]
//!     charts: ["grafana"]
//!     desired: "9.2.1"
//! ```
//!
//! The first entry that fits counts; entries are not merged.

use std::path::{Path, PathBuf};

use globset::{Glob, GlobBuilder, GlobMatcher};
use records::RuleFrom;
use records::text::shown;
use serde::Deserialize;

use super::{Defaults, Rule, RuleError};

/// The largest file of rules, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// The rules of a run.
#[derive(Debug, Clone)]
pub struct Rules {
    default: Rule,
    entries: Vec<Fits>,
}

/// An entry: for what, and the rule.
#[derive(Debug, Clone)]
struct Fits {
    images: Vec<GlobMatcher>,
    releases: Vec<GlobMatcher>,
    charts: Vec<GlobMatcher>,
    rule: Rule,
}

/// A file of rules that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read the update rules in `{}`", shown(&path.to_string_lossy()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It is too large to be one.
    #[error("`{}` has more than {MAX_FILE} bytes, which no file of update rules has", shown(&.0.to_string_lossy()))]
    TooLarge(PathBuf),
    /// It is not what it should be.
    #[error("`{}` is no file of update rules: {why}", shown(&path.to_string_lossy()))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        why: String,
    },
    /// An entry that names neither images nor releases nor charts.
    #[error("entry {entry} of the update rules in `{}` says for nothing: give it `images`, `releases` or `charts`", shown(&path.to_string_lossy()))]
    ForNothing {
        /// The file.
        path: PathBuf,
        /// Which entry, from 1.
        entry: usize,
    },
    /// A pattern that is none.
    #[error("entry {entry} of the update rules in `{}` has the pattern `{}`, which is none: {why}", shown(&path.to_string_lossy()), shown(.pattern))]
    Pattern {
        /// The file.
        path: PathBuf,
        /// Which entry, from 1.
        entry: usize,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// A rule that is none.
    #[error("entry {entry} of the update rules in `{}`", shown(&path.to_string_lossy()))]
    Rule {
        /// The file.
        path: PathBuf,
        /// Which entry, from 1.
        entry: usize,
        /// What is wrong with it.
        #[source]
        source: RuleError,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    rules: Vec<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Entry {
    images: Vec<String>,
    releases: Vec<String>,
    charts: Vec<String>,
    level: Option<String>,
    prerelease: Option<String>,
    pin: Option<String>,
    exclude: Vec<String>,
    filter: Option<String>,
    minimum_age: Option<String>,
    desired: Option<String>,
    ignore: bool,
}

impl Entry {
    /// The entry in the words of a rule.
    fn text(&self) -> String {
        let one = |key: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("{key}={value}"))
        };
        let singles = [
            one("level", &self.level),
            one("prerelease", &self.prerelease),
            one("pin", &self.pin),
            one("filter", &self.filter),
            one("minimumAge", &self.minimum_age),
            one("desired", &self.desired),
            self.ignore.then(|| "ignore".to_owned()),
        ];
        let excludes = self.exclude.iter().map(|glob| format!("exclude={glob}"));
        singles.into_iter().flatten().chain(excludes).collect::<Vec<_>>().join(" ")
    }
}

impl Rules {
    /// No file: the settings alone.
    #[must_use]
    pub fn none(defaults: Defaults) -> Self {
        Self { default: Rule::default_of(defaults), entries: Vec::new() }
    }

    /// Reads a file of rules.
    ///
    /// # Errors
    /// A [`FileError`] for the first thing that cannot be used.
    pub fn read(path: &Path, defaults: Defaults) -> Result<Self, FileError> {
        let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE {
            return Err(FileError::TooLarge(path.to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Self::parse(&text, path, defaults)
    }

    fn parse(text: &str, path: &Path, defaults: Defaults) -> Result<Self, FileError> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| FileError::Malformed {
            path: path.to_owned(),
            why: records::text::clean(&error.to_string(), 400),
        })?;
        let entries = file.rules.iter().enumerate();
        let entries = entries.map(|(at, entry)| fits(entry, at + 1, path, defaults));
        let default = Rule::default_of(defaults);
        Ok(Self { default, entries: entries.collect::<Result<_, _>>()? })
    }

    /// The rule for an image, by its repository (`docker.io/library/nginx`) and tag.
    #[must_use]
    pub fn of_image(&self, repository: &str, tag: Option<&str>) -> &Rule {
        let tagged = tag.map(|tag| format!("{repository}:{tag}"));
        let fits = |globs: &[GlobMatcher]| {
            globs.iter().any(|glob| {
                glob.is_match(repository) || tagged.as_ref().is_some_and(|name| glob.is_match(name))
            })
        };
        self.entries.iter().find(|entry| fits(&entry.images)).map_or(&self.default, |e| &e.rule)
    }

    /// The rule for a release (`namespace/name`) of a chart. Where an entry names both releases
    /// and charts, both must fit.
    #[must_use]
    pub fn of_release(&self, namespace: &str, name: &str, chart: Option<&str>) -> &Rule {
        let release = format!("{namespace}/{name}");
        let fits = |entry: &&Fits| {
            let by_release = any(&entry.releases, &release);
            let by_chart = any(&entry.charts, chart.unwrap_or_default());
            match (entry.releases.is_empty(), entry.charts.is_empty()) {
                (true, true) => false,
                (false, true) => by_release,
                (true, false) => by_chart,
                (false, false) => by_release && by_chart,
            }
        };
        self.entries.iter().find(fits).map_or(&self.default, |entry| &entry.rule)
    }
}

fn any(globs: &[GlobMatcher], text: &str) -> bool {
    globs.iter().any(|glob| glob.is_match(text))
}

fn fits(entry: &Entry, at: usize, path: &Path, defaults: Defaults) -> Result<Fits, FileError> {
    if entry.images.is_empty() && entry.releases.is_empty() && entry.charts.is_empty() {
        return Err(FileError::ForNothing { path: path.to_owned(), entry: at });
    }
    let globs = |patterns: &[String]| {
        let one = |pattern: &String| {
            glob(pattern).map(|glob| glob.compile_matcher()).map_err(|error| FileError::Pattern {
                path: path.to_owned(),
                entry: at,
                pattern: pattern.clone(),
                why: error.kind().to_string(),
            })
        };
        patterns.iter().map(one).collect::<Result<Vec<_>, _>>()
    };
    let rule = Rule::parse(&entry.text(), RuleFrom::Configuration, defaults);
    let rule =
        rule.map_err(|source| FileError::Rule { path: path.to_owned(), entry: at, source })?;
    Ok(Fits {
        images: globs(&entry.images)?,
        releases: globs(&entry.releases)?,
        charts: globs(&entry.charts)?,
        rule,
    })
}

/// As policies of policy-controller see names: `*` stays between two `/`, `**` does not.
fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(true).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Result<Rules, FileError> {
        Rules::parse(text, Path::new("rules.yaml"), Defaults::default())
    }

    #[test]
    fn the_first_entry_that_fits_counts() {
        let rules = rules(
            "rules:\n- images: ['docker.io/library/postgres:16*']\n  pin: '16'\n\
             - images: ['docker.io/**']\n  level: minor\n  exclude: ['*-rc*', '*-debug']\n\
             - releases: ['monitoring/*']\n  charts: [grafana]\n  desired: 9.2.1\n\
             - charts: ['redis*']\n  ignore: true\n",
        )
        .expect("rules");
        let image = |name: &str, tag| rules.of_image(name, tag).text().to_owned();
        assert_eq!(image("docker.io/library/postgres", Some("16.4")), "pin=16");
        let wide = "exclude=*-debug exclude=*-rc* level=minor";
        assert_eq!(image("docker.io/library/postgres", Some("15.4")), wide);
        assert_eq!(image("docker.io/library/postgres", None), wide);
        assert_eq!(image("quay.io/a/b", Some("1")), "");
        let release = |namespace, chart| rules.of_release(namespace, "x", chart).text().to_owned();
        assert_eq!(release("monitoring", Some("grafana")), "desired=9.2.1");
        assert_eq!(release("monitoring", Some("loki")), "");
        assert_eq!(release("shop", Some("redis-ha")), "ignore");
        assert_eq!(release("shop", None), "");
    }

    #[test]
    fn a_star_stays_between_slashes() {
        let rules = rules("rules: [{images: ['r.io/*/web'], level: major}]").expect("rules");
        assert_eq!(rules.of_image("r.io/a/web", None).text(), "level=major");
        assert_eq!(rules.of_image("r.io/a/b/web", None).text(), "");
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_place() {
        for (text, told) in [
            (
                "rules: [{level: minor}]",
                "entry 1 of the update rules in `rules.yaml` says for nothing",
            ),
            ("rules: [{images: ['['], level: minor}]", "has the pattern `[`"),
            ("rules: [{images: ['*'], level: huge}]", "entry 1 of the update rules"),
            ("rules: [{images: ['*'], leven: minor}]", "is no file of update rules"),
            ("- 1", "is no file of update rules"),
        ] {
            let error = rules(text).map(drop).expect_err(text).to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
