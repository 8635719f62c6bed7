//! Putting one question to a registry: what it said, or a failure that says why it did not.

use std::sync::Arc;

use records::{Digest, Failure, FailureCode};
use registry::{Manifest, Repository, TagOrDigest};
use stage::exit::chain;

use super::{Inquiry, Tagged};

/// What a repository said of a name.
pub(super) enum Asked<T> {
    Found(T),
    Absent,
    Failed,
}

/// Why something is not known.
pub(super) struct Problem {
    pub(super) code: FailureCode,
    pub(super) message: String,
    pub(super) host: Option<String>,
    pub(super) status: Option<u16>,
}

impl Problem {
    pub(super) fn of(code: FailureCode, message: String) -> Self {
        Self { code, message, host: None, status: None }
    }
}

impl Inquiry<'_> {
    /// What a name means, by a HEAD.
    pub(super) async fn head(
        &mut self,
        repository: &Repository,
        name: &TagOrDigest,
    ) -> Asked<Tagged> {
        match self.registry.head(repository, name.clone()).await {
            Ok(Some(found)) => Asked::Found(found),
            Ok(None) => Asked::Absent,
            Err(error) => {
                self.failed::<Tagged>(&error);
                Asked::Failed
            }
        }
    }

    /// A manifest or index.
    pub(super) async fn get(
        &mut self,
        repository: &Repository,
        digest: &Digest,
    ) -> Option<Arc<Manifest>> {
        let found = self.registry.manifest(repository, digest).await;
        found.unwrap_or_else(|error| self.failed(&error))
    }

    /// The image id of a manifest: the digest of its configuration.
    pub(super) async fn config(
        &mut self,
        repository: &Repository,
        digest: &Digest,
    ) -> Option<Digest> {
        let config = self.registry.config_digest(repository, digest).await;
        config.unwrap_or_else(|error| self.failed(&error))
    }

    /// Notes why a question has no answer.
    pub(super) fn failed<T>(&mut self, error: &registry::Error) -> Option<T> {
        self.note(Problem {
            code: error.code(),
            message: chain(error),
            host: error.host().map(ToString::to_string),
            status: error.status().map(|status| status.as_u16()),
        });
        None
    }

    /// Notes a problem, once.
    pub(super) fn note(&mut self, problem: Problem) {
        let Problem { code, message, host, status } = problem;
        let failure = Failure {
            image: Some(Some(self.question.image.clone())),
            image_id: Some(self.question.image_id.clone()),
            platform: Some(self.question.platform.clone()),
            host,
            status,
            ..Failure::new(env!("CARGO_PKG_NAME"), &["digest"], code, &message)
        };
        if !self.failures.contains(&failure) {
            self.failures.push(failure);
        }
    }
}
