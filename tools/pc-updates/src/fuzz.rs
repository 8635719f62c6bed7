//! Attacks on what reads tags, versions, rules and the index files of chart repositories; see
//! `testkit::fuzz`.

use std::cmp::Ordering;

use records::RuleFrom;

use crate::charts::{ChartVersion, Index};
use crate::rule::{Defaults, Rule};
use crate::version::{Tag, Version};

/// The index file of a chart repository: every chart in it is one that has a version.
pub fn index(bytes: &[u8]) {
    let Ok(index) = Index::read(bytes) else { return };
    for name in ["web", "db", "a"] {
        for chart in index.versions(name).into_iter().flatten() {
            assert!(format!("{chart:?}").len() < 64 * 1024, "a version of any length");
        }
    }
}

/// Tags, one a line, the first of them running: reading one says the same each time, and the order
/// of versions is an order.
pub fn tags(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let tags: Vec<&str> = text.lines().take(12).collect();
    // What is longer is no tag, and is left out before anybody reads it.
    let short = tags.iter().filter(|tag| tag.len() <= 128);
    let versions: Vec<Version> = short.filter_map(|tag| version(tag)).collect();
    order(&versions, Version::order);
    let charts: Vec<ChartVersion> =
        tags.iter().filter_map(|tag| ChartVersion::parse(tag)).collect();
    order(&charts, |one, other| Some(one.order(other)));
    for (one, other) in versions.iter().zip(versions.iter().skip(1)) {
        let differs = one.order(other).is_some_and(Ordering::is_ne);
        assert_eq!(one.change(other).is_some(), differs, "{one:?} and {other:?}");
    }
}

fn version(tag: &str) -> Option<Version> {
    let read = Tag::read(tag);
    assert_eq!(read, Tag::read(tag));
    let version = read.version().cloned();
    if let Some(version) = &version {
        assert!(!version.numbers().is_empty(), "{version:?}");
    }
    version
}

/// Antisymmetric and transitive, and what is the same is equal.
fn order<T>(all: &[T], by: impl Fn(&T, &T) -> Option<Ordering>) {
    for one in all {
        assert_eq!(by(one, one), Some(Ordering::Equal));
        for other in all {
            assert_eq!(by(one, other), by(other, one).map(Ordering::reverse));
            for third in all {
                let (first, second) = (by(one, other), by(other, third));
                if first == Some(Ordering::Less) && second == Some(Ordering::Less) {
                    assert_ne!(by(one, third), Some(Ordering::Greater));
                }
            }
        }
    }
}

/// A rule as tenants write it into annotations: one that is read prints to one that is read as
/// the same, and can be asked about any tag.
pub fn rule(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = |text: &str| Rule::parse(text, RuleFrom::Annotation, Defaults::default());
    let Ok(rule) = read(text) else { return };
    let again = read(rule.text()).expect("the canonical text of a rule is a rule");
    assert_eq!(again.text(), rule.text());
    for tag in ["1.2.3", "v1", "latest", text] {
        assert_eq!(rule.excludes(tag), again.excludes(tag));
        assert_eq!(rule.read(tag), again.read(tag));
    }
}

#[cfg(test)]
mod tests {
    use testkit::fuzz::{Target, attack};

    const HERE: &str = env!("CARGO_MANIFEST_DIR");

    #[test]
    fn chart_indexes_under_attack() {
        let words = &["entries:", "  web:", "  - version: ", "apiVersion: v1", "urls:", "created:"];
        attack(Target::new(HERE, "index", super::index, words), Vec::new());
    }

    #[test]
    fn tags_under_attack() {
        let words = &["v", "-rc.1", "-alpine3.20", "+", ".", "20260101", "sha256-", "jdk", "-r0"];
        attack(Target::new(HERE, "tags", super::tags, words).share(300), Vec::new());
    }

    #[test]
    fn rules_under_attack() {
        let words = &[
            "level=",
            "minor",
            "exclude=",
            "filter=",
            "((a+)+)+$",
            " ",
            "pin=",
            "minimumAge=",
            "desired=",
        ];
        attack(Target::new(HERE, "rule", super::rule, words), Vec::new());
    }
}
