//! A piece of evidence, judged alone.

use std::sync::Arc;

use records::{Digest, FindVerdict, LogEntry, Signer};

use crate::statement::Statement;

/// What a judge says of one piece of evidence. Whether its signer is *trusted* is not his to say:
/// that is what the configuration adds.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The format with its version: `cosign/simple`, `dsse/in-toto`, `bundle/0.3`,
    /// `in-toto/unsigned`, `spdx/2.3+json`, `notation/jws`.
    pub format: String,
    /// A digest over store-independent bytes, `sha256:…`: the same evidence in two stores has the
    /// same.
    pub id: String,
    /// The judgement; never `trusted`.
    pub verdict: FindVerdict,
    /// Why it is not valid.
    pub reason: Option<Reason>,
    /// The same for people: one line, foreign text in it cleaned and cut.
    pub detail: Option<String>,
    /// Which of the digests that it was to be about it really names. Of an invalid find this is
    /// what it claims.
    pub names: Vec<Digest>,
    /// Who signed, for the record. Filled in only as far as it is proven.
    pub signer: Option<Signer>,
    /// Who signed, for those who decide on trust; nobody where that is not proven.
    pub signed_by: Option<SignedBy>,
    /// The log entry that was checked.
    pub log: Option<LogEntry>,
    /// The earliest proven time of signing.
    pub time: Option<jiff::Timestamp>,
    /// Who proves that time.
    pub time_from: Option<TimeFrom>,
    /// Whether a timestamp authority proves a time, be it that one or a later one.
    pub stamped: bool,
    /// What it says.
    pub content: Content,
}

impl Judged {
    /// Takes a judgement back: what was read afterwards speaks against it. What was contradicted
    /// already stays so.
    pub(crate) fn refuse(&mut self, reason: Reason, why: &dyn std::fmt::Display) {
        if self.verdict == FindVerdict::Invalid {
            return;
        }
        self.verdict = reason.verdict();
        self.reason = Some(reason);
        self.detail = Some(records::text::shown(&why.to_string()));
    }
}

/// What a piece of evidence says.
#[derive(Debug, Clone)]
pub enum Content {
    /// That the image is the signer's: a signature in the narrow sense.
    Signature {
        /// cosign's `optional` annotations in the signed payload, as JSON.
        annotations: Option<serde_json::Map<String, serde_json::Value>>,
    },
    /// An in-toto statement.
    Statement(Arc<Statement>),
    /// A bill of materials without a statement around it; nothing of one that cannot be read.
    Sbom(Option<Arc<crate::sbom::Facts>>),
    /// It could not be read so far.
    Unreadable,
}

/// A proven signer.
#[expect(clippy::large_enum_variant, reason = "one a find, and read by everybody")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedBy {
    /// The holder of a certificate, by an authority of a root that is configured.
    Certificate(CertifiedIdentity),
    /// The holder of a configured key.
    Key(KeyId),
}

/// What a certificate vouches for (Fulcio, docs/oid-info.md).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertifiedIdentity {
    /// The subject alternative name. None where it is of a kind that names nobody (an
    /// `otherName`): then no rule fits, not even one that takes everything.
    pub identity: Option<String>,
    /// The OIDC issuer.
    pub issuer: Option<String>,
    /// The root that vouches: `public-good`, `github`, or the name of a configured one.
    pub root: String,
    /// The URI of the workflow that signed (1.3.6.1.4.1.57264.1.9).
    pub build_signer_uri: Option<String>,
    /// The commit of that workflow (….1.10).
    pub build_signer_digest: Option<String>,
    /// `github-hosted` or `self-hosted` (….1.11).
    pub runner_environment: Option<String>,
    /// The source repository's URI (….1.12).
    pub source_repository: Option<String>,
    /// The commit (….1.13).
    pub source_commit: Option<String>,
    /// The ref (….1.14).
    pub source_ref: Option<String>,
    /// What triggered the build (….1.20).
    pub build_trigger: Option<String>,
    /// The URI of the run (….1.21).
    pub run_invocation: Option<String>,
    /// Not before, and not after.
    pub lifetime: Option<(jiff::Timestamp, jiff::Timestamp)>,
}

/// The SHA-256 of a public key's SubjectPublicKeyInfo in DER, `sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub String);

/// Who proves a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFrom {
    /// A transparency log, by its promise.
    Log,
    /// A timestamp authority (RFC 3161).
    Authority,
}

impl TimeFrom {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Authority => "authority",
        }
    }
}

/// Why a find is not valid: stable words that scripts may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// `present`: nobody signed it.
    Unsigned,
    /// `present`: no configured key made it.
    NoKey,
    /// `present`: its authority, log or timestamp authority is in no configured root, or the root
    /// is too old.
    NoRoot,
    /// `present`: nothing proves when it was signed.
    NoTime,
    /// `present`: it is in no transparency log, and its root or key demands one.
    NoLog,
    /// `present`: a format that is not judged.
    Format,
    /// `invalid`: it is not what its format says.
    Malformed,
    /// `invalid`: the signature is not of these bytes by this key.
    Signature,
    /// `invalid`: it names another digest.
    Subject,
    /// `invalid`: the certificate was not valid at the proven time, or is none for signing.
    Certificate,
    /// `invalid`: an entry, proof, promise or checkpoint of a known log does not hold.
    Log,
    /// `invalid`: a timestamp of a known authority does not hold.
    Timestamp,
    /// `unknown`: larger than what is judged.
    TooLarge,
    /// `unknown`: seen, but it could not be fetched.
    NotFetched,
}

impl Reason {
    /// Every reason, for documents and tests.
    pub const ALL: [Self; 14] = [
        Self::Unsigned,
        Self::NoKey,
        Self::NoRoot,
        Self::NoTime,
        Self::NoLog,
        Self::Format,
        Self::Malformed,
        Self::Signature,
        Self::Subject,
        Self::Certificate,
        Self::Log,
        Self::Timestamp,
        Self::TooLarge,
        Self::NotFetched,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::NoKey => "no-key",
            Self::NoRoot => "no-root",
            Self::NoTime => "no-time",
            Self::NoLog => "no-log",
            Self::Format => "format",
            Self::Malformed => "malformed",
            Self::Signature => "signature",
            Self::Subject => "subject",
            Self::Certificate => "certificate",
            Self::Log => "log",
            Self::Timestamp => "timestamp",
            Self::TooLarge => "too-large",
            Self::NotFetched => "not-fetched",
        }
    }

    /// What it means, for documents.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Unsigned => "nobody signed it",
            Self::NoKey => "no configured key made it",
            Self::NoRoot => {
                "its authority, log or timestamp authority is in no configured root, or the root is too old"
            }
            Self::NoTime => "nothing proves when it was signed",
            Self::NoLog => {
                "it is in no transparency log, and its root or key demands one (`--insecure-ignore-tlog`)"
            }
            Self::Format => "it is in a format that is not judged",
            Self::Malformed => "it is not what its format says",
            Self::Signature => "the signature is not of these bytes by this key",
            Self::Subject => "it names another digest",
            Self::Certificate => {
                "the certificate was not valid at the proven time, or is none for signing"
            }
            Self::Log => "an entry, proof, promise or checkpoint of a known log does not hold",
            Self::Timestamp => "a timestamp of a known authority does not hold",
            Self::TooLarge => "it is larger than what is judged",
            Self::NotFetched => "it is there, and could not be fetched",
        }
    }

    /// The verdict that it stands for.
    #[must_use]
    pub fn verdict(self) -> FindVerdict {
        match self {
            Self::Unsigned
            | Self::NoKey
            | Self::NoRoot
            | Self::NoTime
            | Self::NoLog
            | Self::Format => FindVerdict::Present,
            Self::Malformed
            | Self::Signature
            | Self::Subject
            | Self::Certificate
            | Self::Log
            | Self::Timestamp => FindVerdict::Invalid,
            Self::TooLarge | Self::NotFetched => FindVerdict::Unknown,
        }
    }
}
