//! A question that could not be answered, and why: the `failure` record.

mod remedy;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Digest, Record, Workload};

/// Why something could not be found out: stable words that scripts may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureCode {
    /// The image reference is malformed.
    BadReference,
    /// A name or an answer is not of the form that it must have.
    BadResponse,
    /// The registry wants credentials, or does not accept those it got.
    Unauthorized,
    /// The registry or API server knows who asks, and refuses.
    Forbidden,
    /// What was asked for is not there.
    NotFound,
    /// The host says that it is asked too often.
    RateLimited,
    /// The host answered with an error of its own (5xx).
    ServerError,
    /// The host could not be reached.
    HostUnreachable,
    /// The host's name has no address.
    NameNotResolved,
    /// The host took too long.
    Timeout,
    /// The run's time was over before this could be asked.
    Deadline,
    /// The host's certificate is not signed by an authority that is known here, or TLS failed.
    Tls,
    /// The proxy between cannot be reached, or does not let us in.
    Proxy,
    /// The answer is larger than its limit.
    TooLarge,
    /// The answer is packed in a way that is not understood, or not as it says.
    BadCoding,
    /// The bytes do not have the digest that they were asked by.
    DigestMismatch,
    /// The registry names a place for tokens that credentials may not go to.
    RealmRefused,
    /// The answer leads somewhere that may not be asked.
    RedirectRefused,
    /// The host is at an address that an image's name may not make us ask.
    AddressRefused,
    /// The host is not among those that may be asked.
    HostNotAllowed,
    /// The credentials could not be had from their store.
    Credentials,
    /// No manifest fits the platform, or several do.
    PlatformUnknown,
    /// It is not settled which index lists the manifest.
    IndexUnknown,
    /// Whether the repository still has the manifest was not answered.
    PresentUnknown,
    /// What runs has no imageID that is known to be that of a manifest of the tag.
    ImageIdUnproven,
    /// What runs is not what the reference's digest names.
    PinContradicted,
    /// No mirror has it, and the registry itself is not to be asked.
    Mirror,
    /// The layout directory cannot be read.
    Layout,
    /// A namespace that was named does not exist.
    NamespaceNotFound,
    /// What Helm stored is no release that can be read.
    ReleaseUnreadable,
    /// Two stores of Helm have a release of one name.
    ReleaseTwice,
}

impl FailureCode {
    /// Every code, for documents and tests.
    pub const ALL: [Self; 31] = [
        Self::BadReference,
        Self::BadResponse,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::RateLimited,
        Self::ServerError,
        Self::HostUnreachable,
        Self::NameNotResolved,
        Self::Timeout,
        Self::Deadline,
        Self::Tls,
        Self::Proxy,
        Self::TooLarge,
        Self::BadCoding,
        Self::DigestMismatch,
        Self::RealmRefused,
        Self::RedirectRefused,
        Self::AddressRefused,
        Self::HostNotAllowed,
        Self::Credentials,
        Self::PlatformUnknown,
        Self::IndexUnknown,
        Self::PresentUnknown,
        Self::ImageIdUnproven,
        Self::PinContradicted,
        Self::Mirror,
        Self::Layout,
        Self::NamespaceNotFound,
        Self::ReleaseUnreadable,
        Self::ReleaseTwice,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadReference => "bad-reference",
            Self::BadResponse => "bad-response",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::RateLimited => "rate-limited",
            Self::ServerError => "server-error",
            Self::HostUnreachable => "host-unreachable",
            Self::NameNotResolved => "name-not-resolved",
            Self::Timeout => "timeout",
            Self::Deadline => "deadline",
            Self::Tls => "tls",
            Self::Proxy => "proxy",
            Self::TooLarge => "too-large",
            Self::BadCoding => "bad-coding",
            Self::DigestMismatch => "digest-mismatch",
            Self::RealmRefused => "realm-refused",
            Self::RedirectRefused => "redirect-refused",
            Self::AddressRefused => "address-refused",
            Self::HostNotAllowed => "host-not-allowed",
            Self::Credentials => "credentials",
            Self::PlatformUnknown => "platform-unknown",
            Self::IndexUnknown => "index-unknown",
            Self::PresentUnknown => "present-unknown",
            Self::ImageIdUnproven => "image-id-unproven",
            Self::PinContradicted => "pin-contradicted",
            Self::Mirror => "mirror",
            Self::Layout => "layout",
            Self::NamespaceNotFound => "namespace-not-found",
            Self::ReleaseUnreadable => "release-unreadable",
            Self::ReleaseTwice => "release-twice",
        }
    }

    /// Whether asking again later may help without anybody changing anything.
    #[must_use]
    pub fn retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::ServerError
                | Self::HostUnreachable
                | Self::Proxy
                | Self::NameNotResolved
                | Self::Timeout
                | Self::Deadline
        )
    }

    /// What it means, for documents.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::BadReference => "the image reference is malformed",
            Self::BadResponse => "a name or an answer is not of the form that it must have",
            Self::Unauthorized => "the registry wants credentials, or does not accept those it got",
            Self::Forbidden => "the registry or API server knows who asks, and refuses",
            Self::NotFound => "what was asked for is not there",
            Self::RateLimited => "the host says that it is asked too often",
            Self::ServerError => "the host answered with an error of its own (5xx)",
            Self::HostUnreachable => "the host could not be reached",
            Self::NameNotResolved => "the host's name has no address",
            Self::Timeout => "the host took too long",
            Self::Deadline => "the run's time was over before this could be asked",
            Self::Tls => {
                "the host's certificate is not signed by an authority that is known here, or TLS failed"
            }
            Self::Proxy => "the proxy between cannot be reached, or does not let us in",
            Self::TooLarge => "the answer is larger than its limit",
            Self::BadCoding => {
                "the answer is packed in a way that is not understood, or not as it says"
            }
            Self::DigestMismatch => "the bytes do not have the digest that they were asked by",
            Self::RealmRefused => {
                "the registry names a place for tokens that credentials may not go to"
            }
            Self::RedirectRefused => "the answer leads somewhere that may not be asked",
            Self::AddressRefused => {
                "the host is at an address that an image's name may not make us ask"
            }
            Self::HostNotAllowed => "the host is not among those that may be asked",
            Self::Credentials => "the credentials could not be had from their store",
            Self::PlatformUnknown => "no manifest fits the platform, or several do",
            Self::IndexUnknown => "it is not settled which index lists the manifest",
            Self::PresentUnknown => {
                "whether the repository still has the manifest was not answered"
            }
            Self::ImageIdUnproven => {
                "what runs has no imageID that is known to be that of a manifest of the tag"
            }
            Self::PinContradicted => "what runs is not what the reference's digest names",
            Self::Mirror => "no mirror has it, and the registry itself is not to be asked",
            Self::Layout => "the layout directory cannot be read",
            Self::NamespaceNotFound => "a namespace that was named does not exist",
            Self::ReleaseUnreadable => "what Helm stored is no release that can be read",
            Self::ReleaseTwice => "two stores of Helm have a release of one name",
        }
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A subject key that is there, with a value or null; absent keys are the outer `None`.
type Key<T> = Option<Option<T>>;

/// Tells a key with null from an absent one.
fn there<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Key<T>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// `failure`: why a question has no definite answer. It follows the answer that says `unknown`.
///
/// Subject: that of the question; only its keys are there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The stage that asked.
    pub stage: String,
    /// The record types whose answers suffer.
    pub about: Vec<String>,
    /// Subject.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub namespace: Key<String>,
    /// Subject.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub workload: Key<Workload>,
    /// Subject.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub container: Key<String>,
    /// Subject.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub container_type: Key<String>,
    /// Subject.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub image: Key<String>,
    /// Subject.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub image_id: Key<String>,
    /// Subject.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub platform: Key<String>,
    /// Subject.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub repository: Key<String>,
    /// Subject.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub index: Key<Digest>,
    /// Subject.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub manifest: Key<Digest>,
    /// Subject.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub release_name: Key<String>,
    /// Subject.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub rule: Key<String>,
    /// The store that failed, where the question was put to several.
    #[serde(default)]
    pub store: Option<String>,
    /// A stable word; see `docs/records.md`.
    pub code: String,
    /// What happened, and what would mend it.
    pub message: String,
    /// Whether asking again later may help.
    pub retryable: bool,
    /// The host that was asked.
    pub host: Option<String>,
    /// The HTTP status that it answered.
    pub status: Option<u16>,
}

impl Failure {
    /// A failure without a subject yet.
    #[must_use]
    pub fn new(stage: &str, about: &[&str], code: FailureCode, message: &str) -> Self {
        Self {
            stage: stage.to_owned(),
            about: about.iter().map(|kind| (*kind).to_owned()).collect(),
            code: code.as_str().to_owned(),
            message: crate::text::cut(message).into_owned(),
            retryable: code.retryable(),
            ..Self::default()
        }
    }
}

impl Record for Failure {
    const TYPE: &'static str = "failure";
    const VERSION: u32 = 1;

    fn verbatim(&self) -> Vec<&str> {
        [&self.image, &self.image_id, &self.platform, &self.rule]
            .into_iter()
            .filter_map(|key| key.as_ref()?.as_deref())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_words() {
        let mut words: Vec<&str> = FailureCode::ALL.iter().map(|code| code.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), FailureCode::ALL.len());
    }

    #[test]
    fn a_null_key_is_not_an_absent_one() {
        let failure = Failure {
            image: Some(Some("nginx".into())),
            image_id: Some(None),
            ..Failure::new("pc-digest", &["digest"], FailureCode::Timeout, "30 s are over")
        };
        let json = serde_json::to_value(&failure).expect("JSON");
        assert_eq!(json.get("imageId"), Some(&serde_json::Value::Null));
        assert_eq!(json.get("repository"), None);
        assert_eq!(serde_json::from_value::<Failure>(json).expect("read"), failure);
    }
}
