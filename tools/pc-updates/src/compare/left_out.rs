//! What was left out, and why: a line for each reason.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::version::Version;

/// Why a tag is no candidate although somebody might take it for newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// It is a pre-release.
    PreRelease,
    /// It is built on an older distribution.
    Base,
    /// It is another variant.
    Suffix,
    /// It has more numbers, or fewer.
    Numbers,
    /// It begins otherwise.
    Prefix,
    /// One counts by years and the other does not.
    Calendar,
    /// Its first number is far too large for the next version.
    Proportion,
    /// It is a date.
    Date,
    /// It is none, where what is used is one.
    NoDate,
    /// It is a number of a build.
    Build,
    /// It does not begin with the numbers that the rule pins.
    Pin,
    /// The rule excludes it.
    Excluded,
    /// The rule's filter does not let it pass.
    Filter,
    /// It is younger than the rule wants.
    Young,
    /// The publisher calls it deprecated.
    Deprecated,
    /// The publisher took it back.
    Removed,
    /// It is no semantic version.
    NoVersion,
}

impl Why {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreRelease => "a pre-release",
            Self::Base => "on an older distribution",
            Self::Suffix => "another variant",
            Self::Numbers => "another count of numbers",
            Self::Prefix => "another prefix",
            Self::Calendar => "a calendar version against one that is none",
            Self::Proportion => "out of proportion",
            Self::Date => "a date and no version",
            Self::NoDate => "no date",
            Self::Build => "a build number",
            Self::Pin => "outside the pin",
            Self::Excluded => "excluded by the rule",
            Self::Filter => "not matched by the filter",
            Self::Young => "younger than the minimum age",
            Self::Deprecated => "deprecated",
            Self::Removed => "taken back by its publisher",
            Self::NoVersion => "no semantic version",
        }
    }
}

/// What was left out, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut(BTreeMap<Why, Newest>);

/// The newest of them, by its numbers alone, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Newest {
    tag: String,
    numbers: Vec<u64>,
    count: u64,
}

impl LeftOut {
    /// Takes a note of a tag.
    pub(crate) fn note(&mut self, why: Why, tag: &str, version: Option<&Version>) {
        self.note_numbers(why, tag, version.map_or(&[], Version::numbers));
    }

    /// Takes a note of several without numbers, of which one is named.
    pub(crate) fn note_many(&mut self, why: Why, tag: &str, count: u64) {
        self.note_numbers(why, tag, &[]);
        if let Some(newest) = self.0.get_mut(&why) {
            newest.count += count.saturating_sub(1);
        }
    }

    /// Takes a note of a tag with these numbers.
    pub(crate) fn note_numbers(&mut self, why: Why, tag: &str, numbers: &[u64]) {
        let newest = self.0.entry(why).or_insert_with(|| Newest {
            tag: tag.to_owned(),
            numbers: numbers.to_vec(),
            count: 0,
        });
        newest.count += 1;
        // Of equals the plainest is told of, since that is the one people look for; the text
        // decides the rest, since the order of the list is the registry's.
        let known = (&newest.numbers[..], Reverse(newest.tag.len()), newest.tag.as_str());
        if (numbers, Reverse(tag.len()), tag) > known {
            newest.tag = tag.to_owned();
            newest.numbers = numbers.to_vec();
        }
    }

    /// How many were left out for a reason.
    #[must_use]
    pub fn count(&self, why: Why) -> u64 {
        self.0.get(&why).map_or(0, |newest| newest.count)
    }

    /// A line for each reason: `a pre-release: 1.29.0-rc1 and 3 more`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let line = |(why, newest): (&Why, &Newest)| {
            let more = match newest.count - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("{}: {}{more}", why.as_str(), newest.tag)
        };
        self.0.iter().map(line).collect()
    }
}
