//! Why a question has no definite answer.

use records::{Failure, FailureCode, Record, Update};
use stage::exit::chain;

/// What went wrong, before it is known whose question suffers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: FailureCode,
    pub(crate) message: String,
    pub(crate) host: Option<String>,
    pub(crate) status: Option<u16>,
}

impl Problem {
    pub(crate) fn new(code: FailureCode, message: String) -> Self {
        Self { code, message, host: None, status: None }
    }

    /// What a registry did.
    pub(crate) fn of(error: &registry::Error) -> Self {
        Self {
            code: error.code(),
            message: chain(error),
            host: error.host().map(ToString::to_string),
            status: error.status().map(|status| status.as_u16()),
        }
    }

    /// As a record about this answer.
    pub(crate) fn failure(&self, update: &Update) -> Failure {
        let key = |key: &Option<String>| key.clone().map(Some);
        Failure {
            image: key(&update.image),
            image_id: update.image_id.clone(),
            platform: update.platform.clone(),
            namespace: key(&update.namespace),
            release_name: key(&update.release_name),
            rule: Some(Some(update.rule.clone())),
            host: self.host.clone(),
            status: self.status,
            ..Failure::new(env!("CARGO_PKG_NAME"), &[Update::TYPE], self.code, &self.message)
        }
    }
}
