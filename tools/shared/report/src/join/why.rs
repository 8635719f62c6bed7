//! Why a question has no definite answer: failures by the subject of their question.

use std::collections::BTreeMap;

use records::{Digest, Failure};

/// A subject key that the failure may lack, or have as null.
fn value<T>(key: &Option<Option<T>>) -> Option<&T> {
    key.as_ref().and_then(Option::as_ref)
}

/// The subject of a question, as far as failures are looked up by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Question<'a> {
    /// What a reference is and what runs: image, imageId, platform.
    Digest(&'a str, Option<&'a str>, Option<&'a str>),
    /// What is newer than an image: image, rule.
    Image(&'a str, &'a str),
    /// What is newer than a release's chart: namespace, name, rule.
    Release(&'a str, &'a str, &'a str),
    /// The evidence of a manifest: repository, index, manifest.
    Evidence(&'a str, Option<&'a Digest>, Option<&'a Digest>),
}

impl<'a> Question<'a> {
    fn of(failure: &'a Failure) -> Option<Self> {
        let text = |key: &'a Option<Option<String>>| value(key).map(String::as_str);
        if let Some(repository) = text(&failure.repository) {
            let (index, manifest) = (value(&failure.index), value(&failure.manifest));
            return Some(Self::Evidence(repository, index, manifest));
        }
        let rule = text(&failure.rule);
        if let (Some(namespace), Some(name)) =
            (text(&failure.namespace), text(&failure.release_name))
        {
            return Some(Self::Release(namespace, name, rule.unwrap_or_default()));
        }
        let image = text(&failure.image)?;
        Some(match rule {
            Some(rule) => Self::Image(image, rule),
            None => Self::Digest(image, text(&failure.image_id), text(&failure.platform)),
        })
    }
}

/// Failures by question.
#[derive(Debug)]
pub(crate) struct Why<'a>(BTreeMap<Question<'a>, Vec<&'a Failure>>);

impl<'a> Why<'a> {
    pub(crate) fn of(failures: &'a [Failure]) -> Self {
        let mut by_question: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for failure in failures {
            if let Some(question) = Question::of(failure) {
                by_question.entry(question).or_default().push(failure);
            }
        }
        Self(by_question)
    }

    /// Why the answer of type `about` to this question is not definite, in one line:
    /// `rate-limited (attTag): 429 from ghcr.io after 3 tries`.
    pub(crate) fn not(&self, question: Question<'_>, about: &str) -> Option<String> {
        let failures = self.0.get(&question)?;
        let mut relevant =
            failures.iter().filter(|failure| failure.about.iter().any(|kind| kind == about));
        let first = relevant.next()?;
        let store = first.store.as_ref();
        let store = store.map_or(String::new(), |store| format!(" ({store})"));
        let more = match relevant.count() {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        Some(format!("{}{store}: {}{more}", first.code, first.message))
    }
}
