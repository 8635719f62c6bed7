//! The versions of charts: semantic versions, strictly, with a `v` before them where publishers
//! write one.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::version::Change;

/// A text as semver.org wants it: three numbers, no `v`.
#[must_use]
pub fn strict(text: &str) -> Option<semver::Version> {
    semver::Version::parse(text).ok()
}

/// A chart's version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChartVersion(semver::Version);

impl ChartVersion {
    /// Reads a version: `1.2.3`, `v1.2.3-rc.1`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        strict(text.strip_prefix('v').unwrap_or(text)).map(Self)
    }

    /// The three numbers.
    #[must_use]
    pub fn numbers(&self) -> [u64; 3] {
        [self.0.major, self.0.minor, self.0.patch]
    }

    /// Whether it is a pre-release.
    #[must_use]
    pub fn is_pre_release(&self) -> bool {
        !self.0.pre.is_empty()
    }

    /// The order of versions, to which build metadata does not belong (semver.org, section 10).
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0)
    }

    /// How large the step to a newer one is; none where it is not newer.
    #[must_use]
    pub fn change(&self, to: &Self) -> Option<Change> {
        if self.order(to).is_ge() {
            return None;
        }
        let differs = self.numbers().iter().zip(to.numbers()).position(|(a, b)| *a != b);
        Some(match differs {
            Some(0) => Change::Major,
            Some(1) => Change::Minor,
            Some(_) => Change::Patch,
            None => Change::PreRelease,
        })
    }
}

impl TryFrom<String> for ChartVersion {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("no version (semver.org)")
    }
}

impl From<ChartVersion> for String {
    fn from(version: ChartVersion) -> Self {
        version.to_string()
    }
}

impl fmt::Display for ChartVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_semver() {
        let version = |text| ChartVersion::parse(text).expect("a version");
        let change = |a, b| version(a).change(&version(b));
        assert_eq!(change("1.2.3", "v1.2.4"), Some(Change::Patch));
        assert_eq!(change("1.2.3", "1.10.0"), Some(Change::Minor));
        assert_eq!(change("1.2.3-rc.1", "1.2.3"), Some(Change::PreRelease));
        assert_eq!(change("1.2.3+a", "1.2.3+b"), None);
        assert_eq!(change("2.0.0", "1.9.9"), None);
        assert_eq!(ChartVersion::parse("1.2"), None);
        assert_eq!(ChartVersion::parse("vv1.2.3"), None);
    }
}
