//! What a tag says: a version, a date, or nothing that could be compared.
//!
//! No standard says how tags are written. What is read here is what publishers do: a prefix
//! (`v`, `release-`), numbers (`1.27.3`), and a suffix (`-alpine3.20`). Two tags are comparable
//! when prefix, count of numbers and suffix are the same, where *same* is told part by part
//! ([`Shape`]): what names a variant must be equal, what counts builds may differ.
//!
//! Dates are ordered among themselves and never against versions. Build numbers, commits and
//! names are not ordered at all.

mod parse;
mod suffix;

use std::cmp::Ordering;
use std::fmt;

/// What a tag is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    /// Something that has an order.
    Version(Version),
    /// A number of a build, a pull request or a branch: it counts something, and no versions.
    Build,
    /// A commit's hash.
    Commit,
    /// Evidence about an image, under cosign's names or the fallback tag of the referrers API.
    Evidence,
    /// A name: `latest`, `stable`, `alpine`.
    Name,
}

/// By what numbers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Major, minor, patch and more.
    Numbers,
    /// Numbers of which the first is a year: `2024.10.1`.
    Calendar,
    /// One date, and perhaps a time: `20240211`, `2024-01-11T07-46-16Z`.
    Date,
}

/// What two tags must have in common to be comparable: all of the tag, with a mark in place of
/// what may differ.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shape {
    /// What stands before the numbers.
    pub prefix: String,
    /// How many numbers there are, and what is between them.
    pub numbers: String,
    /// What stands behind them.
    pub suffix: String,
}

/// A tag that has an order among those of its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The numbers as they are written.
    said: String,
    scheme: Scheme,
    shape: Shape,
    numbers: Vec<u64>,
    pre: Option<String>,
    revision: Vec<u64>,
    /// The versions of the distributions below: `[3, 20]` of `alpine3.20`.
    base: Vec<u64>,
}

/// How large the step from one version to another is. What is larger is worse to ignore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Only the build.
    Revision,
    /// Another pre-release of the same version, or that version itself.
    PreRelease,
    /// The third number, or one behind it.
    Patch,
    /// The second number.
    Minor,
    /// The first number.
    Major,
    /// Another date, which does not say how much changed.
    Date,
}

impl Tag {
    /// Reads a tag.
    #[must_use]
    pub fn read(text: &str) -> Self {
        parse::tag(text)
    }

    /// Reads what somebody picked out of a tag: then a number is a number, whatever its length.
    #[must_use]
    pub fn read_picked(text: &str) -> Self {
        parse::picked(text)
    }

    /// The version, if it is one.
    #[must_use]
    pub fn version(&self) -> Option<&Version> {
        match self {
            Self::Version(version) => Some(version),
            _ => None,
        }
    }
}

/// Whether a tag is evidence about an image.
#[must_use]
pub fn is_evidence(text: &str) -> bool {
    parse::is_evidence(text)
}

impl Version {
    /// By what its numbers count.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// What it shares with those that it can be compared with.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The numbers.
    #[must_use]
    pub fn numbers(&self) -> &[u64] {
        &self.numbers
    }

    /// The mark of a pre-release: `rc.1`, `beta`.
    #[must_use]
    pub fn pre_release(&self) -> Option<&str> {
        self.pre.as_deref()
    }

    /// The versions of the distributions that it is built on.
    #[must_use]
    pub fn base(&self) -> &[u64] {
        &self.base
    }

    /// The order of two versions: numbers, then pre-releases before the version itself, then
    /// builds. The base does not bear on it: the same version on a newer distribution is not a
    /// newer version. None where they are not comparable.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        let comparable = self.scheme == other.scheme && self.shape == other.shape;
        comparable.then(|| self.rank(other))
    }

    /// The order of two versions whose shapes were compared already.
    pub(crate) fn rank(&self, other: &Self) -> Ordering {
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| pre_release(self.pre.as_deref(), other.pre.as_deref()))
            .then_with(|| self.revision.cmp(&other.revision))
    }

    /// How large the step to another version of the same shape is; none where they are not
    /// comparable or equal.
    #[must_use]
    pub fn change(&self, to: &Self) -> Option<Change> {
        if self.order(to)? == Ordering::Equal {
            return None;
        }
        let differs = self.numbers.iter().zip(&to.numbers).position(|(a, b)| a != b);
        Some(match (self.scheme, differs) {
            (Scheme::Date, Some(_)) => Change::Date,
            (_, Some(0)) => Change::Major,
            (_, Some(1)) => Change::Minor,
            (_, Some(_)) => Change::Patch,
            (_, None) if self.pre != to.pre => Change::PreRelease,
            (_, None) => Change::Revision,
        })
    }
}

/// The numbers as they are written, without prefix and suffix: `1.27.3`, `1.27.3-rc.1`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)?;
        self.pre.iter().try_for_each(|pre| write!(f, "-{pre}"))
    }
}

/// A version comes after its own pre-releases, and these come in the order of [`natural`].
fn pre_release(a: Option<&str>, b: Option<&str>) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => natural(a, b),
    }
}

/// The order of texts in which numbers count as numbers: `rc9` before `rc10`, `beta` before
/// `beta.2`. (Semantic versioning, section 11, orders `rc9` behind `rc10`, and publishers do not.)
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !a.is_empty() && !b.is_empty() {
        let (left, right) = (run(a), run(b));
        let order = match (left.parse::<u64>(), right.parse::<u64>()) {
            (Ok(x), Ok(y)) => x.cmp(&y),
            _ => left.cmp(right),
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (&a[left.len()..], &b[right.len()..]);
    }
    a.len().cmp(&b.len())
}

/// The digits that a text begins with, or what is before its first digit.
fn run(text: &str) -> &str {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests;
