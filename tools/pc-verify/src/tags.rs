//! What is known of repositories' tags from the stream, so that nobody asks for what is not there.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use records::RepositoryRecord;

/// The evidence tags of repositories whose list was read whole.
#[derive(Debug, Default)]
pub struct KnownTags(Mutex<HashMap<String, HashSet<String>>>);

impl KnownTags {
    /// Takes a record in. A list that was cut says nothing about what is not in it.
    pub fn note(&self, record: RepositoryRecord) {
        if record.dropped == 0 {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(record.repository, record.evidence.into_iter().collect());
        }
    }

    /// Whether a repository is known to have no such tag.
    #[must_use]
    pub fn lacks(&self, repository: &str, tag: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(repository).is_some_and(|tags| !tags.contains(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(dropped: u64) -> RepositoryRecord {
        let evidence = vec!["sha256-aa.sig".to_owned()];
        RepositoryRecord { repository: "r.io/a".into(), tags: 7, evidence, dropped }
    }

    #[test]
    fn only_a_whole_list_says_what_is_not_there() {
        let known = KnownTags::default();
        assert!(!known.lacks("r.io/a", "sha256-aa.att"));
        known.note(record(1));
        assert!(!known.lacks("r.io/a", "sha256-aa.att"));
        known.note(record(0));
        assert!(known.lacks("r.io/a", "sha256-aa.att"));
        assert!(!known.lacks("r.io/a", "sha256-aa.sig"));
        assert!(!known.lacks("r.io/b", "sha256-aa.att"));
    }
}
