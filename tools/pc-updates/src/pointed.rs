//! Which tags stand for a digest now, for references that name a digest alone.
//!
//! Some registries say it with their list of tags, which costs nothing. Of others few tags are
//! asked (HEAD), the same ones for all digests of a repository, so that what a repository costs is
//! bounded however many digests of it run.

use std::cmp::{Ordering, Reverse};

use futures::future::join_all;
use records::{Digest, FailureCode};
use registry::{Registry, Repository};

use crate::problem::Problem;
use crate::rule::Rule;
use crate::tags::Listed;
use crate::version::{Scheme, Tag, Version};

/// How many tags of a repository are asked.
pub(crate) const MAX_HEADS: usize = 24;

/// What was found out about a digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pointed {
    /// The tags that stand for it, the most precise first.
    pub(crate) tags: Vec<String>,
    /// How many tags of the repository it was found out of, where not of all.
    pub(crate) of: Option<usize>,
    /// Why one of them could not be asked.
    pub(crate) failed: Option<Problem>,
}

/// Finds the tags that stand for `digest`.
pub(crate) async fn at(
    registry: &Registry,
    repository: &Repository,
    digest: &Digest,
    listed: &Listed,
    rule: &Rule,
) -> Pointed {
    if let Some(tags) = listed.of_digest(digest) {
        return Pointed { tags: by_precision(tags, rule), ..Pointed::default() };
    }
    let asked = likely(listed.tags());
    let all = asked.len() == listed.tags().count();
    let mut pointed = Pointed { of: (!all).then_some(asked.len()), ..Pointed::default() };
    let ask = |tag: String| async move {
        let Ok(name) = tag.parse::<registry::Tag>() else { return Ok(None) };
        match registry.head(repository, &name).await {
            Ok(Some(found)) => Ok((found.value.digest == *digest).then_some(tag)),
            // It was listed a moment ago.
            Ok(None) => Err(Problem::new(
                FailureCode::NotFound,
                format!("`{tag}` is in the list of tags, and is not there when it is asked for"),
            )),
            Err(error) => Err(Problem::of(&error)),
        }
    };
    for answer in join_all(asked.into_iter().map(ask)).await {
        match answer {
            Ok(tag) => pointed.tags.extend(tag),
            Err(problem) => {
                pointed.failed.get_or_insert(problem);
            }
        }
    }
    pointed.tags = by_precision(pointed.tags, rule);
    pointed
}

/// The tags that are asked: all where they are few, else the newest versions, those without a
/// suffix before the variants, since one of these is what people pin.
fn likely<'t>(tags: impl Iterator<Item = &'t str>) -> Vec<String> {
    let mut first: Vec<(Likely, &str)> = Vec::with_capacity(2 * MAX_HEADS);
    for tag in tags {
        first.push((Likely::of(tag), tag));
        if first.len() == 2 * MAX_HEADS {
            keep_first(&mut first);
        }
    }
    keep_first(&mut first);
    first.into_iter().map(|(_, tag)| tag.to_owned()).collect()
}

fn keep_first(tags: &mut Vec<(Likely, &str)>) {
    tags.sort_unstable_by(|a, b| b.cmp(a));
    tags.truncate(MAX_HEADS);
}

/// How likely somebody pins what a tag stands for: greater is likelier.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Likely {
    kind: Kind,
    is_plain: bool,
    is_release: bool,
    numbers: Vec<u64>,
}

/// What a tag is worth when something is to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Unordered,
    Name,
    Date,
    Version,
}

impl Likely {
    fn of(tag: &str) -> Self {
        let read = Tag::read(tag);
        let numbers = read.version().map(|version| version.numbers().to_vec());
        Self {
            kind: kind(&read),
            is_plain: read.version().is_some_and(|version| version.shape().suffix.is_empty()),
            is_release: read.version().is_some_and(|version| version.pre_release().is_none()),
            numbers: numbers.unwrap_or_default(),
        }
    }
}

fn kind(tag: &Tag) -> Kind {
    match tag {
        Tag::Version(version) if version.scheme() == Scheme::Date => Kind::Date,
        Tag::Version(_) => Kind::Version,
        Tag::Name => Kind::Name,
        Tag::Build | Tag::Commit | Tag::Evidence => Kind::Unordered,
    }
}

/// The most precise first: what has a version by the rule, the more numbers the better, without a
/// suffix before a variant; then names.
fn by_precision(tags: Vec<impl Into<String>>, rule: &Rule) -> Vec<String> {
    let mut read: Vec<(String, Option<Tag>)> = Vec::with_capacity(tags.len());
    for tag in tags {
        let tag = tag.into();
        let says = rule.read(&tag);
        read.push((tag, says));
    }
    read.sort_by(|(a, says_a), (b, says_b)| {
        let kinds = [says_a, says_b].map(|says| says.as_ref().map(kind));
        kinds[1].cmp(&kinds[0]).then_with(|| precision(says_a, says_b)).then_with(|| a.cmp(b))
    });
    read.into_iter().map(|(tag, _)| tag).collect()
}

fn precision(a: &Option<Tag>, b: &Option<Tag>) -> Ordering {
    let key = |version: &Version| {
        let suffix = version.shape().suffix.len();
        (Reverse(version.numbers().len()), suffix)
    };
    let version = |says: &Option<Tag>| says.as_ref().and_then(Tag::version).cloned();
    match (version(a), version(b)) {
        (Some(a), Some(b)) => key(&a).cmp(&key(&b)).then_with(|| b.rank(&a)),
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use records::RuleFrom;

    use super::*;
    use crate::rule::Defaults;

    #[test]
    fn the_most_precise_tag_is_the_first() {
        let sorted = |text: &str, tags: &[&str]| {
            let rule =
                Rule::parse(text, RuleFrom::Configuration, Defaults::default()).expect("a rule");
            by_precision(tags.to_vec(), &rule)
        };
        let nginx =
            ["latest", "1", "mainline", "1.27", "1.27.3-bookworm", "20240101", "1.27.3", "3f2a91c"];
        assert_eq!(
            sorted("", &nginx),
            ["1.27.3", "1.27.3-bookworm", "1.27", "1", "20240101", "latest", "mainline", "3f2a91c"]
        );
        // What a filter does not let pass cannot be compared.
        assert_eq!(sorted("filter=bookworm$", &nginx)[0], "1.27.3-bookworm");
        assert_eq!(sorted("", &["1.2.3", "1.2.4"]), ["1.2.4", "1.2.3"]);
    }

    #[test]
    fn few_tags_are_asked_all_and_of_many_the_newest() {
        assert_eq!(likely(["latest", "1.0", "x-1"].into_iter()).len(), 3);
        let many: Vec<String> = (0..500)
            .flat_map(|n| [format!("1.{n}.0"), format!("1.{n}.0-alpine"), format!("{n:07x}abcdef")])
            .collect();
        let asked = likely(many.iter().map(String::as_str));
        let wanted: Vec<String> = (0..MAX_HEADS).map(|n| format!("1.{}.0", 499 - n)).collect();
        assert_eq!(asked, wanted);
    }
}
