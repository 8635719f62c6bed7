//! Who signs, who builds and from which source: by repository, over all of its evidence.
//!
//! A release is signed by the workflow of its tag, and built by a run of its own. That the ref or
//! the run is another one is no change; that the workflow is, is one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use records::{FindVerdict, ProvenanceFind, Signer, Verdict};

use crate::{Evidence, Report};

use super::Code;
use super::gather::{Found, Gather};
use super::scope::Unseen;

/// What is known of the origin of a repository's images.
#[derive(Default)]
struct Origins<'a> {
    signers: Words<'a>,
    builders: Words<'a>,
    sources: Words<'a>,
}

/// Words, and whether they are all that there are.
#[derive(Default)]
struct Words<'a> {
    words: BTreeSet<Cow<'a, str>>,
    /// Whether there may be more: a check that was not made to the end.
    partly: bool,
    /// Whether there may be more: uses of the repository's images that the report does not cover.
    uncovered: bool,
}

impl Words<'_> {
    /// Why there may be more than these words.
    fn less_known(&self, report: &str) -> Option<String> {
        if self.partly {
            return Some(format!(
                "not-whole: the {report} report did not check all evidence of the repository"
            ));
        }
        self.uncovered.then(|| {
            format!("not-covered: the {report} report does not cover all uses of the repository")
        })
    }
}

/// A kind of origin, and the codes of its changes.
struct Kind {
    about: &'static str,
    changed: Code,
    gone: Code,
}

const SIGNER: Kind = Kind { about: "signer", changed: Code::SignerChanged, gone: Code::SignerGone };
const BUILDER: Kind =
    Kind { about: "builder", changed: Code::BuilderChanged, gone: Code::BuilderGone };
const SOURCE: Kind = Kind { about: "source", changed: Code::SourceChanged, gone: Code::SourceGone };

pub(super) fn compare<'a>(
    older: &'a Report,
    newer: &'a Report,
    (unseen_now, unseen_before): &(Unseen<'a>, Unseen<'a>),
    gather: &mut Gather<'a>,
) {
    let (mut older, mut newer) = (origins(&older.evidence), origins(&newer.evidence));
    mark(&mut older, unseen_before);
    mark(&mut newer, unseen_now);
    for (repository, before) in &older {
        if let Some(after) = newer.get(repository) {
            words(&SIGNER, repository, &before.signers, &after.signers, gather);
            words(&BUILDER, repository, &before.builders, &after.builders, gather);
            words(&SOURCE, repository, &before.sources, &after.sources, gather);
        }
    }
}

/// Marks what a report may know less of, since the other has uses where it did not look.
fn mark<'a>(all: &mut BTreeMap<&'a str, Origins<'_>>, unseen: &Unseen<'a>) {
    for repository in &unseen.repositories {
        if let Some(origins) = all.get_mut(repository) {
            let words = [&mut origins.signers, &mut origins.builders, &mut origins.sources];
            words.into_iter().for_each(|words| words.uncovered = true);
        }
    }
}

fn words<'a>(
    kind: &Kind,
    repository: &'a str,
    before: &Words<'a>,
    after: &Words<'a>,
    gather: &mut Gather<'a>,
) {
    // That there is none at all is what the verdict says.
    if before.words == after.words || before.words.is_empty() || after.words.is_empty() {
        return;
    }
    let (code, reason) = if !after.words.is_subset(&before.words) {
        (kind.changed, before.less_known("older"))
    } else {
        match after.less_known("newer") {
            None => (kind.gone, None),
            reason => (Code::NotChecked, reason),
        }
    };
    let mut found = Found::new(code).about(kind.about);
    found.repository = Some(repository);
    found.before = before.words.iter().cloned().collect();
    found.after = after.words.iter().cloned().collect();
    found.reason = reason.map(Cow::Owned);
    gather.add(found);
}

fn origins(evidence: &[Evidence]) -> BTreeMap<&str, Origins<'_>> {
    let mut all: BTreeMap<&str, Origins<'_>> = BTreeMap::new();
    for one in evidence {
        let origins = all.entry(one.repository.as_str()).or_default();
        let is_partly = |verdict: Verdict, whole: bool| {
            !whole || matches!(verdict, Verdict::Unknown | Verdict::Skipped)
        };
        match &one.signature {
            None => origins.signers.partly = true,
            Some(check) => {
                origins.signers.partly |= is_partly(check.verdict, check.whole);
                let proven = check.finds.iter().filter(|find| is_proven(find.verdict));
                origins
                    .signers
                    .words
                    .extend(proven.filter_map(|find| signer(find.signer.as_ref()?)));
            }
        }
        match &one.provenance {
            None => (origins.builders.partly, origins.sources.partly) = (true, true),
            Some(check) => {
                let partly = is_partly(check.verdict, check.whole);
                origins.builders.partly |= partly;
                origins.sources.partly |= partly;
                check.finds.iter().for_each(|find| provenance(find, origins));
            }
        }
    }
    all
}

fn is_proven(verdict: FindVerdict) -> bool {
    matches!(verdict, FindVerdict::Valid | FindVerdict::Trusted)
}

fn provenance<'a>(find: &'a ProvenanceFind, origins: &mut Origins<'a>) {
    // What is contradicted names nobody; what is unsigned says what it says.
    if matches!(find.verdict, FindVerdict::Invalid | FindVerdict::Unknown) {
        return;
    }
    let text = |text: &'a Option<String>| text.as_deref().filter(|text| !text.is_empty());
    origins.builders.words.extend(text(&find.builder_id).map(|id| Cow::Borrowed(builder(id))));
    let source = text(&find.source_repository).map(|url| Cow::Borrowed(source(url)));
    origins.sources.words.extend(source);
}

/// A signer in one text: the identity without its ref, and its issuer; or the key.
fn signer(signer: &Signer) -> Option<Cow<'_, str>> {
    match (&signer.identity, &signer.key_id, &signer.name) {
        (Some(identity), ..) => {
            let identity = without_ref(identity);
            Some(match &signer.issuer {
                Some(issuer) => format!("{identity} ({issuer})").into(),
                None => identity.into(),
            })
        }
        (None, Some(key), _) => Some(format!("key {key}").into()),
        (None, None, Some(name)) => Some(format!("key {name}").into()),
        (None, None, None) => None,
    }
}

/// `…/release.yml` of `…/release.yml@refs/tags/v1.4`.
fn without_ref(text: &str) -> &str {
    text.rsplit_once("@refs/").map_or(text, |(before, _)| before)
}

/// `https://github.com/acme/web/actions` of a builder that is named by its run.
fn builder(id: &str) -> &str {
    let id = without_ref(id);
    match id.split_once("/actions/runs/") {
        Some((before, run)) if run.starts_with(|c: char| c.is_ascii_digit()) => {
            &id[..before.len() + "/actions".len()]
        }
        _ => id,
    }
}

/// A source repository without the decorations that tools disagree about.
fn source(url: &str) -> &str {
    let url = without_ref(url.strip_prefix("git+").unwrap_or(url));
    let url = url.split('#').next().unwrap_or(url).trim_end_matches('/');
    url.strip_suffix(".git").unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_and_runs_are_no_other_origin() {
        let workflow = "https://github.com/acme/web/.github/workflows/release.yml";
        assert_eq!(without_ref(&format!("{workflow}@refs/tags/v1.4")), workflow);
        assert_eq!(without_ref("dev@acme.io"), "dev@acme.io");
        for run in ["1", "22/attempts/3"] {
            let id = format!("https://github.com/acme/web/actions/runs/{run}");
            assert_eq!(builder(&id), "https://github.com/acme/web/actions");
        }
        assert_eq!(builder("https://x/actions/runs/y"), "https://x/actions/runs/y");
        for url in ["git+https://x/a.git@refs/heads/main", "https://x/a/", "https://x/a#main"] {
            assert_eq!(source(url), "https://x/a", "{url}");
        }
    }
}
