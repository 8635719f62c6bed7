//! What is newer than a tag among the tags of its repository.
//!
//! One pass over the list, in bounded memory: of each line (patch, minor, major, all) only the
//! first few are kept, and of what was left out, for each reason the newest and a count.

mod left_out;

use std::cmp::Ordering;

pub use left_out::{LeftOut, Why};

use crate::rule::{PreReleases, Rule};
use crate::version::{Change, Scheme, Tag, Version};

/// How many candidates of a line are kept: more than one, since the newest may be too young.
const KEPT: usize = 8;

/// The first number from which on it counts something else, where that of what is used is less
/// by [`OUT_OF_PROPORTION`] times.
const LARGE: u64 = 1000;

/// See [`LARGE`].
const OUT_OF_PROPORTION: u64 = 20;

/// A candidate: its tag, and what that says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The whole tag.
    pub tag: String,
    /// What it says.
    pub version: Version,
}

/// What is newer, by lines, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newer {
    /// Of the same minor version.
    pub in_patch: Vec<Candidate>,
    /// Of the same major version, with another minor one.
    pub in_minor: Vec<Candidate>,
    /// Of the same major version.
    pub in_major: Vec<Candidate>,
    /// Of all.
    pub all: Vec<Candidate>,
    /// How many there are.
    pub behind: u64,
    /// What was left out.
    pub left_out: LeftOut,
    /// The newest release of another shape, where it is a step that counts: without a suffix or
    /// with the same one. Where nothing newer has the shape of what is used, its series may have
    /// ended, and nothing may be called current.
    pub elsewhere: Option<Candidate>,
    /// Whether the list has the tag that is used.
    pub has_current: bool,
}

impl Newer {
    /// How large the step to the newest is, if there is any.
    #[must_use]
    pub fn change(&self, current: &Version) -> Option<Change> {
        current.change(&self.all.first()?.version)
    }

    /// Takes a candidate out of all lines for this reason.
    pub fn leave_out(&mut self, tag: &str, why: Why) {
        let Some(at) = self.all.iter().position(|candidate| candidate.tag == tag) else {
            return;
        };
        let candidate = self.all.remove(at);
        for line in [&mut self.in_patch, &mut self.in_minor, &mut self.in_major] {
            line.retain(|kept| kept.tag != tag);
        }
        self.behind = self.behind.saturating_sub(1);
        self.left_out.note(why, &candidate.tag, Some(&candidate.version));
    }
}

/// What is newer than `current` among `tags`, by the rule.
pub fn newer<'t>(
    tag: &str,
    current: &Version,
    tags: impl IntoIterator<Item = &'t str>,
    rule: &Rule,
) -> Newer {
    let mut newer = Newer::default();
    for other in tags {
        if other == tag {
            newer.has_current = true;
            continue;
        }
        match judge(current, other, rule) {
            Judged::Newer(version) => newer.add(current, other, version),
            Judged::LeftOut(why, version) => {
                newer.left_out.note(why, other, version.as_ref());
                if let Some(version) = version.filter(|version| is_release(current, version, why)) {
                    newer.note_elsewhere(current, other, version, rule);
                }
            }
            Judged::Nothing => {}
        }
    }
    newer
}

impl Newer {
    fn note_elsewhere(&mut self, current: &Version, tag: &str, version: Version, rule: &Rule) {
        let counts = rule.level.counts(step(current, &version))
            && rule.is_pinned_to(&version)
            && !rule.excludes(tag)
            && !is_out_of_proportion(current, &version);
        let is_newest = self.elsewhere.as_ref().is_none_or(|found| {
            (version.numbers(), tag) > (found.version.numbers(), found.tag.as_str())
        });
        if counts && is_newest {
            self.elsewhere = Some(Candidate { tag: tag.to_owned(), version });
        }
    }

    fn add(&mut self, current: &Version, tag: &str, version: Version) {
        self.behind += 1;
        let same = |count: usize| {
            let ours = current.numbers().iter().take(count);
            current.scheme() != Scheme::Date && version.numbers().iter().take(count).eq(ours)
        };
        let (major, minor) = (same(1), same(2));
        let candidate = Candidate { tag: tag.to_owned(), version };
        if minor {
            keep(&mut self.in_patch, current, &candidate);
        } else if major {
            keep(&mut self.in_minor, current, &candidate);
        }
        if major {
            keep(&mut self.in_major, current, &candidate);
        }
        keep(&mut self.all, current, &candidate);
    }
}

/// Puts a candidate into its place in a line, if it is among the first.
fn keep(line: &mut Vec<Candidate>, current: &Version, candidate: &Candidate) {
    let at = line.partition_point(|kept| is_before(current, kept, candidate));
    if at < KEPT {
        line.insert(at, candidate.clone());
        line.truncate(KEPT);
    }
}

/// Whether `a` comes before `b`: the newer one, then the one on the base that is used, then the
/// one on the newer base.
fn is_before(current: &Version, a: &Candidate, b: &Candidate) -> bool {
    let same_base = |candidate: &Candidate| candidate.version.base() == current.base();
    a.version
        .rank(&b.version)
        .then_with(|| same_base(a).cmp(&same_base(b)))
        .then_with(|| a.version.base().cmp(b.version.base()))
        .then_with(|| b.tag.cmp(&a.tag))
        == Ordering::Greater
}

/// What a tag is to what is used.
enum Judged {
    Newer(Version),
    LeftOut(Why, Option<Version>),
    /// Older, the same, or nothing that anybody would take for newer.
    Nothing,
}

fn judge(current: &Version, tag: &str, rule: &Rule) -> Judged {
    let version = match rule.read(tag) {
        None => return Judged::LeftOut(Why::Filter, None),
        Some(Tag::Build) => return Judged::LeftOut(Why::Build, None),
        Some(Tag::Commit | Tag::Evidence | Tag::Name) => return Judged::Nothing,
        Some(Tag::Version(version)) => version,
    };
    if (version.scheme() == Scheme::Date) != (current.scheme() == Scheme::Date) {
        let why = if version.scheme() == Scheme::Date { Why::Date } else { Why::NoDate };
        return Judged::LeftOut(why, None);
    }
    let comparable = version.order(current);
    match comparable {
        Some(Ordering::Greater) => {}
        Some(_) => return Judged::Nothing,
        None if is_ahead(current, &version) => {}
        None => return Judged::Nothing,
    }
    match why_not(current, tag, &version, rule) {
        Some(why) => Judged::LeftOut(why, Some(version)),
        None => Judged::Newer(version),
    }
}

/// Why a newer one is no candidate, if it is none.
fn why_not(current: &Version, tag: &str, version: &Version, rule: &Rule) -> Option<Why> {
    let (ours, theirs) = (current.shape(), version.shape());
    let same_version = version.numbers() == current.numbers();
    let is_allowed = rule.pre_releases == PreReleases::Allow
        || (current.pre_release().is_some() && same_version);
    Some(if ours.prefix != theirs.prefix {
        Why::Prefix
    } else if current.scheme() != version.scheme() {
        Why::Calendar
    } else if ours.numbers != theirs.numbers {
        Why::Numbers
    } else if ours.suffix != theirs.suffix {
        Why::Suffix
    } else if version.base() < current.base() {
        Why::Base
    } else if version.pre_release().is_some() && !is_allowed {
        Why::PreRelease
    } else if is_out_of_proportion(current, version) {
        Why::Proportion
    } else if !rule.is_pinned_to(version) {
        Why::Pin
    } else if rule.excludes(tag) {
        Why::Excluded
    } else {
        return None;
    })
}

/// Whether the first number is far too large to be that of the next version. Years are known.
fn is_out_of_proportion(current: &Version, version: &Version) -> bool {
    let [ours, theirs] = [current, version].map(|v| v.numbers().first().copied().unwrap_or(0));
    version.scheme() == Scheme::Numbers && theirs >= LARGE && theirs / OUT_OF_PROPORTION > ours
}

/// Whether one of another shape is what the publisher releases, as far as can be told.
fn is_release(current: &Version, version: &Version, why: Why) -> bool {
    let suffix = &version.shape().suffix;
    matches!(why, Why::Numbers | Why::Suffix | Why::Calendar)
        && version.pre_release().is_none()
        && (suffix.is_empty() || *suffix == current.shape().suffix)
}

/// How large the step to one of another shape is, by the first number that differs.
fn step(current: &Version, version: &Version) -> Change {
    let pairs = current.numbers().iter().zip(version.numbers());
    match pairs.into_iter().position(|(a, b)| a != b) {
        Some(0) => Change::Major,
        Some(1) => Change::Minor,
        _ => Change::Patch,
    }
}

/// Whether the numbers alone are ahead, as far as both have them.
fn is_ahead(current: &Version, version: &Version) -> bool {
    let pairs = version.numbers().iter().zip(current.numbers());
    pairs.map(|(a, b)| a.cmp(b)).find(|order| order.is_ne()) == Some(Ordering::Greater)
}

#[cfg(test)]
mod tests;
