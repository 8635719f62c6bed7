//! Changes as CloudEvents 1.0 (<https://github.com/cloudevents/spec>), structured, in a batch.
//!
//! An event's id is made of the newer report's hash and of what changed, so that comparing the same
//! reports again gives the same events, and whoever gets one twice can tell (by `source` and `id`).

use hex::encode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use report::difference::{Change, ChangeSubject, Code, Compared, Difference};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// What all types begin with.
const TYPE: &str = "dev.nebari.provenance.";

/// What they end with.
const VERSION: &str = ".v1";

/// What stays as it is in a segment of a path (RFC 3986, section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Event<'a> {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    time: &'a str,
    datacontenttype: &'static str,
    data: Data<'a>,
}

/// What an event says: the change, and between which reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Data<'a> {
    older: &'a Compared,
    newer: &'a Compared,
    change: &'a Change,
}

/// An event for each change, in the order of the changes.
pub(super) fn of(difference: &Difference) -> Vec<Event<'_>> {
    let source = source(&difference.newer);
    let report = difference.newer.digest.as_ref().map_or("", |digest| digest.hex());
    let report = report.get(..16).unwrap_or(report);
    let event = |change| Event {
        specversion: "1.0",
        id: format!("{report}-{}", fingerprint(change)),
        source: source.clone(),
        kind: kind(change),
        subject: subject(&change.subject),
        time: &difference.newer.generated_at,
        datacontenttype: "application/json",
        data: Data { older: &difference.older, newer: &difference.newer, change },
    };
    difference.changes.iter().map(event).collect()
}

/// `/clusters/NAME/provenance`: a URI-reference, as the specification demands.
fn source(report: &Compared) -> String {
    let name = report.cluster_name.as_deref().unwrap_or("unnamed");
    format!("/clusters/{}/provenance", utf8_percent_encode(name, SEGMENT))
}

fn kind(change: &Change) -> String {
    // Whatever its code: an event has a type.
    let event = change.code.parse().map_or("changed", Code::event);
    format!("{TYPE}{event}{VERSION}")
}

/// What identifies a change among those of one report.
fn fingerprint(change: &Change) -> String {
    let Change { code, subject, before, after, reason, .. } = change;
    // What was derived from these types is JSON, and a list has one form.
    let text = serde_json::to_vec(&(code, subject, before, after, reason)).unwrap_or_default();
    let mut hash = encode(Sha256::digest(text));
    hash.truncate(16);
    hash
}

/// `registry/repository@sha256:…` where one digest is meant, else what there is.
fn subject(subject: &ChangeSubject) -> Option<String> {
    let ChangeSubject { namespace, release_name, repository, image, digest, about } = subject;
    match (release_name, repository, digest, image) {
        (Some(release), ..) => {
            let namespace = namespace.as_deref().unwrap_or_default();
            Some(format!("releases/{namespace}/{release}"))
        }
        (_, Some(repository), Some(digest), _) => Some(format!("{repository}@{digest}")),
        (_, _, _, Some(image)) => Some(image.clone()),
        (_, Some(repository), ..) => Some(repository.clone()),
        _ => {
            let namespace = namespace.as_ref().map(|name| format!("namespaces/{name}"));
            namespace.or_else(|| about.clone())
        }
    }
}
