//! Who asks about which repository.

use crate::Repository;
use crate::keychain::{Identity, PullSecrets};

/// A repository as somebody sees it: the collector, or pods with their pull secrets. Answers are
/// kept by this, so that what one tenant's secret shows is never another's answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct View {
    pub(crate) repository: Repository,
    pub(crate) secrets: PullSecrets,
}

impl View {
    /// As the collector sees it, which is everybody's answer.
    pub(crate) fn shared(repository: &Repository) -> Self {
        Self { repository: repository.clone(), secrets: PullSecrets::none() }
    }

    /// The same eyes, at another repository.
    pub(crate) fn at(&self, repository: Repository) -> Self {
        Self { repository, secrets: self.secrets.clone() }
    }

    /// As whom to ask, one after the other: by the pull secrets that fit, else as the collector.
    pub(crate) fn identities(&self) -> Vec<Identity> {
        let identities = self.secrets.identities(&self.repository);
        if identities.is_empty() { vec![Identity::Collector] } else { identities }
    }
}
