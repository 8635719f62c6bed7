//! The tags of a repository, and what is told of them.
//!
//! Each list is asked for once and kept within a budget by [`Registry`]; nothing is kept here.

use std::sync::Arc;

use records::text::MAX_LIST;
use records::{Digest, FailureCode, MAX_EVIDENCE, RepositoryRecord};
use registry::{Registry, Repository, Tags};

use crate::problem::Problem;
use crate::version::is_evidence;

/// A list of tags that was read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    tags: Arc<Tags>,
    /// Whether the registry itself listed them. A mirror's list may be half.
    pub(crate) is_authoritative: bool,
}

impl Listed {
    /// The tags that are no evidence.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().filter(|tag| !is_evidence(tag))
    }

    /// The tags that stand for a digest, where the list says so.
    pub(crate) fn of_digest(&self, digest: &Digest) -> Option<Vec<&str>> {
        let tags = self.tags.of_digest(digest)?;
        Some(tags.into_iter().filter(|tag| !is_evidence(tag)).collect())
    }

    /// What is told of the repository; nothing where only a mirror has listed it, since then
    /// nothing may be called absent.
    pub(crate) fn record(&self, repository: &str) -> Option<RepositoryRecord> {
        let evidence = || self.tags.iter().filter(|tag| is_evidence(tag));
        let (count, size) =
            evidence().fold((0, 0), |(count, size), tag| (count + 1, size + tag.len()));
        let listed = if size <= MAX_EVIDENCE { count } else { MAX_LIST.min(count) };
        self.is_authoritative.then(|| RepositoryRecord {
            repository: repository.to_owned(),
            tags: self.tags.len() as u64,
            evidence: evidence().take(listed).map(str::to_owned).collect(),
            dropped: (count - listed) as u64,
        })
    }
}

/// The tags of a repository, or why there is no whole list of them.
pub(crate) async fn list(registry: &Registry, repository: &Repository) -> Result<Listed, Problem> {
    match registry.tags(repository).await {
        Ok(Some(tags)) => {
            Ok(Listed { is_authoritative: tags.is_authoritative(), tags: tags.value })
        }
        Ok(None) => Err(Problem {
            host: Some(repository.domain().to_owned()),
            status: Some(404),
            ..Problem::new(
                FailureCode::NotFound,
                format!(
                    "`{repository}` has no list of tags, or does not show it to us: the repository was removed, credentials for it are missing, or its registry does not list tags"
                ),
            )
        }),
        Err(error) => Err(Problem::of(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(tags: &[String], is_authoritative: bool) -> Listed {
        let tags = Arc::new(tags.iter().map(String::as_str).collect());
        Listed { tags, is_authoritative }
    }

    #[test]
    fn evidence_is_told_whole_or_not_at_all() {
        let signed = |count: usize| -> Vec<String> {
            (0..count).map(|n| format!("sha256-{n:064x}.sig")).chain(["1.0".into()]).collect()
        };
        let listed = |count| listed(&signed(count), true);
        let record = listed(5000).record("r.io/a").expect("a record");
        assert_eq!((record.tags, record.evidence.len(), record.dropped), (5001, 5000, 0));
        assert_eq!(listed(5000).tags().collect::<Vec<_>>(), ["1.0"]);
        let mut line = Vec::new();
        records::wire::write(&mut line, &record).expect("a record");
        let record = listed(20_000).record("r.io/a").expect("a record");
        assert_eq!((record.tags, record.evidence.len(), record.dropped), (20_001, 100, 19_900));
        // The largest that is written whole fits into a record.
        let most = listed(MAX_EVIDENCE / 75).record("r.io/a").expect("a record");
        assert_eq!(most.dropped, 0);
        records::wire::write(&mut line, &most).expect("a record");
    }

    #[test]
    fn a_mirrors_list_says_nothing_of_the_repository() {
        assert_eq!(listed(&["1.0".to_owned()], false).record("r.io/a"), None);
    }
}
