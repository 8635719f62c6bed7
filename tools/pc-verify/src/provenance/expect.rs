//! What somebody expects of a build, with slsa-verifier's meaning of its flags.

use std::fmt;
use std::str::FromStr;

use records::text::shown;

use super::flags::{Flag, Part, disagreements};
use super::level::proves;
use super::{Build, Told, git};
use crate::judged::SignedBy;

/// What is expected; nothing where nothing is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expectations {
    /// `--source-uri`: the repositories, one of which it must be.
    pub source_uri: Vec<SourceUri>,
    /// `--source-tag`: the tag, exactly.
    pub source_tag: Option<String>,
    /// `--source-versioned-tag`: a version, of which as much must agree as is written.
    pub source_versioned_tag: Option<VersionedTag>,
    /// `--source-branch`: the branch.
    pub source_branch: Option<String>,
    /// `--builder-id`: the builder, with or without its version.
    pub builder_id: Option<BuilderId>,
}

/// Why a text is no expectation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpectationError {
    /// No repository.
    #[error("`{}` is no repository; write `github.com/owner/name`", shown(.0))]
    SourceUri(String),
    /// A repository with a tag or a commit behind it.
    #[error("`{}` names more than a repository; use `--source-tag` or `--source-branch`", shown(.0))]
    SourceRef(String),
    /// No version.
    #[error("`{}` is no version; write `v1`, `v1.2` or `v1.2.3`", shown(.0))]
    Version(String),
    /// No builder.
    #[error("`{}` is no builder; write its id, with at most one `@` and a version", shown(.0))]
    Builder(String),
}

/// A repository, with or without `git+` and scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceUri(String);

impl FromStr for SourceUri {
    type Err = ExpectationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.split_once("://").map_or(text, |(_, rest)| rest);
        if path.contains(['@', '#', '?']) {
            return Err(ExpectationError::SourceRef(text.to_owned()));
        }
        git::repository(text).map(Self).ok_or_else(|| ExpectationError::SourceUri(text.to_owned()))
    }
}

/// A builder's id: a name, and perhaps a version behind `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuilderId {
    name: String,
    version: Option<String>,
}

impl FromStr for BuilderId {
    type Err = ExpectationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ExpectationError::Builder(text.to_owned());
        let (name, version) = match text.split_once('@') {
            Some((_, version)) if version.is_empty() || version.contains('@') => {
                return Err(wrong());
            }
            Some((name, version)) => (name, Some(version.to_owned())),
            None => (text, None),
        };
        if name.is_empty() {
            return Err(wrong());
        }
        Ok(Self { name: name.to_owned(), version })
    }
}

impl BuilderId {
    /// Whether a builder is this one: a version counts where one is expected, and `v1.2.3` stands
    /// for `refs/tags/v1.2.3`.
    fn is_match(&self, id: &str) -> bool {
        let (name, version) = id.split_once('@').map_or((id, None), |(n, v)| (n, Some(v)));
        let same = |wanted: &String| {
            version.is_some_and(|it| it == wanted || git::tag(it) == Some(wanted))
        };
        name == self.name && self.version.as_ref().is_none_or(same)
    }
}

/// `v1`, `v1.2`, `v1.2.3`, `v1.2.3-rc.1`: as much of a semantic version as somebody cares for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedTag {
    text: String,
    version: Version,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    major: String,
    minor: Option<String>,
    patch: Option<String>,
    pre_release: Option<String>,
}

impl Version {
    /// As Go's semver reads it: `v` in front, build metadata ignored, no leading zeros.
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v')?;
        let text = text.split_once('+').map_or(text, |(before, _)| before);
        let (core, pre_release) =
            text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre.to_owned())));
        let is_number = |part: &&str| {
            let has_zero = part.len() > 1 && part.starts_with('0');
            !part.is_empty() && !has_zero && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let parts: Vec<&str> = core.split('.').collect();
        if parts.len() > 3 || !parts.iter().all(is_number) {
            return None;
        }
        let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
        if pre_release.as_ref().is_some_and(|pre| {
            parts.len() < 3 || pre.split('.').any(str::is_empty) || !pre.bytes().all(is_word)
        }) {
            return None;
        }
        let part = |at: usize| parts.get(at).map(|part| (*part).to_owned());
        Some(Self { major: part(0)?, minor: part(1), patch: part(2), pre_release })
    }
}

impl FromStr for VersionedTag {
    type Err = ExpectationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Version::parse(text) {
            Some(version) => Ok(Self { text: text.to_owned(), version }),
            None => Err(ExpectationError::Version(text.to_owned())),
        }
    }
}

impl VersionedTag {
    /// Whether a tag is of this version: every part that is expected agrees, and with the patch
    /// the pre-release. A part that the tag lacks is 0.
    fn is_match(&self, tag: &str) -> bool {
        let Some(found) = Version::parse(tag) else { return false };
        let wanted = &self.version;
        let part = |wanted: &Option<String>, found: &Option<String>| {
            wanted.as_deref().is_none_or(|it| it == found.as_deref().unwrap_or("0"))
        };
        wanted.major == found.major
            && part(&wanted.minor, &found.minor)
            && part(&wanted.patch, &found.patch)
            && (wanted.patch.is_none() || wanted.pre_release == found.pre_release)
    }
}

/// An expectation that a build does not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The flag that says what is expected, `--source-uri` for example.
    pub flag: &'static str,
    /// What is expected.
    pub wanted: String,
    /// What is there, or why nothing counts.
    pub found: Found,
}

/// What is there in place of what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Something else.
    Other(String),
    /// Nothing.
    Nothing,
    /// The same, but the signer does not prove it.
    Unproven,
    /// The same, as a hint that nobody checked.
    Hinted,
    /// Several that disagree.
    Disagreeing,
}

/// For people: one line, foreign text in it cleaned and cut.
impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} wants `{}`, ", self.flag, shown(&self.wanted))?;
        match &self.found {
            Found::Other(found) => write!(f, "the provenance says `{}`", shown(found)),
            Found::Nothing => f.write_str("the provenance does not say"),
            Found::Unproven => {
                f.write_str("the provenance says so, but its signer does not prove it")
            }
            Found::Hinted => f.write_str("the provenance only has that from its client"),
            Found::Disagreeing => {
                f.write_str("two places of the provenance or certificate disagree")
            }
        }
    }
}

impl Expectations {
    /// Whether nothing is expected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What of the expectations a build does not meet that was signed so. Where nobody is proven
    /// to have signed, none is met: anybody can write a statement.
    #[must_use]
    pub fn check(&self, build: &Build, signed_by: Option<&SignedBy>) -> Vec<Unmet> {
        let source = Checked::of(build, signed_by);
        let uri = (!self.source_uri.is_empty()).then(|| {
            let is_it = |found: &str| self.source_uri.iter().any(|wanted| found == wanted.0);
            let found = source.says(Part::Repository, build.source.repository.as_deref(), is_it);
            let wanted: Vec<&str> = self.source_uri.iter().map(|uri| uri.0.as_str()).collect();
            ("--source-uri", wanted.join(" or "), found)
        });
        let git_ref = build.source.git_ref.as_deref();
        let tag = self.source_tag.as_ref().map(|wanted| {
            let is_it = |found: &str| git::tag(found) == Some(wanted);
            ("--source-tag", wanted.clone(), source.says(Part::Ref, git_ref, is_it))
        });
        let versioned = self.source_versioned_tag.as_ref().map(|wanted| {
            let is_it = |found: &str| git::tag(found).is_some_and(|tag| wanted.is_match(tag));
            let found = source.says(Part::Ref, git_ref, is_it);
            ("--source-versioned-tag", wanted.text.clone(), found)
        });
        let branch = self.source_branch.as_ref().map(|wanted| {
            let is_it = |found: &str| git::branch(found) == Some(wanted);
            let of_tag = build.source.branch_of_tag.as_deref();
            let is_tag = git_ref.is_some_and(|git_ref| git::tag(git_ref).is_some());
            let found = source.says(Part::Ref, if is_tag { of_tag } else { git_ref }, is_it);
            ("--source-branch", wanted.clone(), found)
        });
        let builder = self.builder_id.as_ref().map(|wanted| {
            let version = wanted.version.iter().map(|version| format!("@{version}"));
            let text: String = [wanted.name.clone()].into_iter().chain(version).collect();
            ("--builder-id", text, builder(wanted, build, signed_by))
        });
        [uri, tag, versioned, branch, builder]
            .into_iter()
            .flatten()
            .filter_map(|(flag, wanted, found)| Some(Unmet { flag, wanted, found: found? }))
            .collect()
    }
}

/// Who built: by the certificate's own identity, by its runner, or by the word of a configured key.
fn builder(wanted: &BuilderId, build: &Build, signed_by: Option<&SignedBy>) -> Option<Found> {
    let Some(id) = build.builder_id.as_deref() else { return Some(Found::Nothing) };
    if !wanted.is_match(id) {
        return Some(Found::Other(id.to_owned()));
    }
    let is_proven = match signed_by {
        None => false,
        Some(SignedBy::Key(_)) => true,
        Some(certified @ SignedBy::Certificate(certificate)) => {
            let runner = certificate.runner_environment.as_deref();
            let by_runner = certificate.identity.is_some()
                && certificate.issuer.as_deref() == Some(GITHUB_ISSUER)
                && runner.is_some_and(|runner| names_runner(id, runner));
            proves(certified, id) || by_runner
        }
    };
    (!is_proven).then_some(Found::Unproven)
}

const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";

/// The builder of `actions/attest`'s first versions and of npm; without a kind it is the hosted one.
fn names_runner(id: &str, runner: &str) -> bool {
    match id.strip_prefix("https://github.com/actions/runner") {
        Some("") => runner == "github-hosted",
        Some(rest) => rest.strip_prefix('/') == Some(runner),
        None => false,
    }
}

/// A build's source, with what speaks against believing it.
struct Checked {
    proven: bool,
    told: Told,
    disagreeing: Vec<Part>,
}

impl Checked {
    fn of(build: &Build, signed_by: Option<&SignedBy>) -> Self {
        let certified = match signed_by {
            Some(SignedBy::Certificate(certificate)) => disagreements(build, certificate),
            _ => Vec::new(),
        };
        let parts = build.doubts.iter().chain(&certified).filter_map(|flag| match flag {
            Flag::SourceDisagrees { part, .. } => Some(*part),
            _ => None,
        });
        Self { proven: signed_by.is_some(), told: build.source.told, disagreeing: parts.collect() }
    }

    /// None where what is there is what is wanted.
    fn says(&self, part: Part, found: Option<&str>, is_it: impl Fn(&str) -> bool) -> Option<Found> {
        let Some(found) = found else { return Some(Found::Nothing) };
        if !is_it(found) {
            return Some(Found::Other(found.to_owned()));
        }
        if !self.proven {
            return Some(Found::Unproven);
        }
        if self.told == Told::Hinted {
            return Some(Found::Hinted);
        }
        self.disagreeing.contains(&part).then_some(Found::Disagreeing)
    }
}
