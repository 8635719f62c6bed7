//! What a signed or unsigned statement says, and whether it is about the image.

use std::sync::Arc;

use bytes::Bytes;
use records::Digest;
use serde::Deserialize;
use serde_json::{Map, Value};
use sigstore_verify::types::ArtifactDigest;

use super::fault::Fault;
use super::{About, artifact};
use crate::judged::{Content, Reason};
use crate::statement::{Statement, StatementError};

/// The payload type of in-toto statements (in-toto attestation framework, spec/v1/envelope.md).
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// The predicate type by which cosign 3 says that a statement is a signature.
const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// What a payload says, as far as it could be read.
pub(super) struct Says {
    pub(super) content: Content,
    /// The digests that count and that it names; where it names none of them, those that it
    /// claims instead.
    pub(super) names: Vec<Digest>,
    /// Why it is not about the image, or could not be read.
    pub(super) fault: Option<Fault>,
}

impl Says {
    pub(super) fn nothing(fault: Fault) -> Self {
        Self { content: Content::Unreadable, names: Vec::new(), fault: Some(fault) }
    }

    /// The digest of the image that was signed. What is of a kind that is not judged is checked as
    /// if it were about the image, since it may be contradicted all the same, and comes with the
    /// reason why it is not judged.
    pub(super) fn subject(
        &self,
        about: &About<'_>,
    ) -> Result<(ArtifactDigest, Option<Fault>), Fault> {
        match (&self.fault, self.names.first()) {
            (Some(fault), _) if fault.reason == Reason::Format => {
                Ok((artifact(about.first()), Some(fault.clone())))
            }
            (Some(fault), _) => Err(fault.clone()),
            (None, Some(named)) => Ok((artifact(named), None)),
            (None, None) => Err(Fault::new(Reason::Subject, "the statement is about nothing")),
        }
    }
}

/// Reads the payload of an envelope.
pub(super) fn of_payload(payload_type: &str, payload: &Bytes, about: &About<'_>) -> Says {
    if payload_type != IN_TOTO {
        let detail = format!(
            "envelopes with payloads of type `{}` are not read here",
            records::text::shown(payload_type)
        );
        return Says::nothing(Fault::new(Reason::Format, detail));
    }
    of_statement(payload, about)
}

/// Reads a statement.
pub(super) fn of_statement(payload: &Bytes, about: &About<'_>) -> Says {
    let statement = match Statement::parse(payload) {
        Ok(statement) => statement,
        Err(error) => return Says::nothing(unreadable(&error)),
    };
    let mut names = about.that(|digest| statement.names(digest));
    let fault = names.is_empty().then(|| {
        names = claimed(&statement);
        Fault::new(Reason::Subject, "the statement is about something else")
    });
    let content = if statement.predicate_type == COSIGN_SIGN {
        Content::Signature { annotations: annotations(payload) }
    } else {
        Content::Statement(Arc::new(statement))
    };
    Says { content, names, fault }
}

fn unreadable(error: &StatementError) -> Fault {
    let reason = match error {
        StatementError::Type(_) => Reason::Format,
        _ => Reason::Malformed,
    };
    Fault::caused(reason, "the payload", error)
}

/// The first few digests that a statement is about.
fn claimed(statement: &Statement) -> Vec<Digest> {
    let digests = statement.subjects.iter().flat_map(|subject| &subject.digests);
    digests
        .filter_map(|(algorithm, hex)| format!("{algorithm}:{hex}").parse().ok())
        .take(records::text::MAX_LIST)
        .collect()
}

/// cosign 3 keeps a signature's annotations beside its subject.
fn annotations(payload: &[u8]) -> Option<Map<String, Value>> {
    #[derive(Deserialize)]
    struct Subjects {
        subject: Vec<Annotated>,
    }
    #[derive(Deserialize)]
    struct Annotated {
        #[serde(default)]
        annotations: Map<String, Value>,
    }
    let read: Subjects = serde_json::from_slice(payload).ok()?;
    let first = read.subject.into_iter().next()?.annotations;
    Some(first).filter(|annotations| !annotations.is_empty())
}
