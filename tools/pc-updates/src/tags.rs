//! The tags of a repository: asked once, kept small, and what is told of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use records::text::MAX_LIST;
use records::{FailureCode, MAX_EVIDENCE, RepositoryRecord};
use registry::{Registry, Repository};
use tokio::sync::OnceCell;

use crate::problem::Problem;
use crate::version::is_evidence;

/// The longest tag (OCI distribution specification, "Pulling manifests": 128 characters).
const MAX_TAG: usize = 128;

/// A list of tags that was read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// The tags that are no evidence, each on a line.
    tags: Arc<str>,
    /// How many there are in all.
    count: u64,
    /// Those that are evidence.
    evidence: Arc<[String]>,
    /// Whether the registry itself listed them. A mirror's list may be half.
    pub(crate) is_authoritative: bool,
}

impl Listed {
    fn of(tags: &[String], is_authoritative: bool) -> Self {
        let is_tag = |tag: &&String| {
            let bytes = tag.as_bytes();
            (1..=MAX_TAG).contains(&bytes.len())
                && bytes
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        let (evidence, others): (Vec<&String>, Vec<&String>) =
            tags.iter().filter(is_tag).partition(|tag| is_evidence(tag));
        let mut lines = String::with_capacity(others.iter().map(|tag| tag.len() + 1).sum());
        for tag in others {
            lines.push_str(tag);
            lines.push('\n');
        }
        Self {
            tags: lines.into(),
            count: tags.len() as u64,
            evidence: evidence.into_iter().cloned().collect(),
            is_authoritative,
        }
    }

    /// The tags that are no evidence.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags.lines()
    }

    /// What is told of the repository; nothing where only a mirror has listed it, since then
    /// nothing may be called absent.
    pub(crate) fn record(&self, repository: &str) -> Option<RepositoryRecord> {
        let whole = self.evidence.iter().map(|tag| tag.len()).sum::<usize>() <= MAX_EVIDENCE;
        let listed = if whole { self.evidence.len() } else { MAX_LIST.min(self.evidence.len()) };
        self.is_authoritative.then(|| RepositoryRecord {
            repository: repository.to_owned(),
            tags: self.count,
            evidence: self.evidence[..listed].to_vec(),
            dropped: (self.evidence.len() - listed) as u64,
        })
    }
}

type Answer = Result<Listed, Problem>;

/// The lists of this run, each asked for once.
#[derive(Debug)]
pub(crate) struct Lists {
    registry: Registry,
    lists: Mutex<HashMap<Repository, Arc<OnceCell<Answer>>>>,
}

impl Lists {
    pub(crate) fn new(registry: Registry) -> Self {
        Self { registry, lists: Mutex::default() }
    }

    /// The tags of a repository, or why there is no whole list of them.
    pub(crate) async fn of(&self, repository: &Repository) -> Answer {
        let cell = {
            let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(lists.entry(repository.clone()).or_default())
        };
        cell.get_or_init(|| self.ask(repository)).await.clone()
    }

    async fn ask(&self, repository: &Repository) -> Answer {
        match self.registry.tags(repository).await {
            Ok(Some(tags)) => Ok(Listed::of(&tags.value, tags.is_authoritative())),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(tags: &[String]) -> Listed {
        Listed::of(tags, true)
    }

    #[test]
    fn evidence_is_told_whole_or_not_at_all() {
        let signed = |count: usize| -> Vec<String> {
            (0..count).map(|n| format!("sha256-{n:064x}.sig")).chain(["1.0".into()]).collect()
        };
        let record = listed(&signed(5000)).record("r.io/a").expect("a record");
        assert_eq!((record.tags, record.evidence.len(), record.dropped), (5001, 5000, 0));
        let mut line = Vec::new();
        records::wire::write(&mut line, &record).expect("a record");
        let record = listed(&signed(20_000)).record("r.io/a").expect("a record");
        assert_eq!((record.tags, record.evidence.len(), record.dropped), (20_001, 100, 19_900));
        // The largest that is written whole fits into a record.
        let most = listed(&signed(MAX_EVIDENCE / 75)).record("r.io/a").expect("a record");
        assert_eq!(most.dropped, 0);
        records::wire::write(&mut line, &most).expect("a record");
        assert!(Listed::of(&signed(3), false).record("r.io/a").is_none());
    }

    #[test]
    fn what_is_no_tag_is_not_kept() {
        let tags = ["1.0", "", "a b", "é", &"x".repeat(129), "1.1"].map(str::to_owned);
        assert_eq!(listed(&tags).tags().collect::<Vec<_>>(), ["1.0", "1.1"]);
    }
}
