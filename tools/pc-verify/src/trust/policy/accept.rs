//! Whether a find is by somebody whom an authority names, and what it lacks if not.

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;

use records::FindVerdict;
use records::text::shown;

use super::{Authority, FormatDemanded, LogDemanded, Signer, TimestampDemanded};
use crate::judged::{CertifiedIdentity, Content, Judged, KeyId, SignedBy};
use crate::trust::identity::{IdentityRule, SourceRepository, names_source};
use crate::trust::pattern::Fit;
use crate::trust::root::Location;

/// A find, and what its statement says of the source.
#[derive(Debug, Clone, Copy)]
pub struct Find<'a> {
    /// The find, as it was judged.
    pub judged: &'a Judged,
    /// The source repository that its statement names, if it is provenance and names one.
    pub source_repository: Option<&'a str>,
}

/// What is needed to tell whether a shared builder built for somebody who is trusted.
pub(crate) struct Rules<'a> {
    pub(crate) is_shared: &'a (dyn Fn(&CertifiedIdentity) -> bool + Send + Sync),
    pub(crate) sources: Vec<&'a SourceRepository>,
}

/// Why a find does not count, in order of how close it came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// It is not valid.
    NotValid { verdict: &'static str, reason: Option<&'static str> },
    /// Somebody else signed it.
    OtherSigner(String),
    /// The identity fits the expression in part.
    InPart(String),
    /// It is by a shared builder, for a source that is not configured.
    Source(String),
    /// It is not in the format that is demanded.
    Format(&'static str),
    /// It is in none of the logs that are demanded.
    NoLog,
    /// No timestamp authority proves when it was made.
    NoTimestamp,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotValid { verdict, reason: Some(reason) } => {
                write!(f, "it is {verdict} ({reason})")
            }
            Self::NotValid { verdict, reason: None } => write!(f, "it is {verdict}"),
            Self::OtherSigner(who) => write!(f, "it is signed by {who}, who is not named"),
            Self::InPart(who) => write!(
                f,
                "it is signed by {who}, who fits the regular expression in part, and must from end to end"
            ),
            Self::Source(source) => write!(
                f,
                "it is signed by a builder that anybody can use, for {source}, which is not named as a source repository"
            ),
            Self::Format(wanted) => write!(f, "it is not in the format `{wanted}`"),
            Self::NoLog => f.write_str("it is in none of the transparency logs that are demanded"),
            Self::NoTimestamp => f.write_str("no timestamp authority proves when it was made"),
        }
    }
}

/// Who signed, for people.
pub(crate) fn who(signed_by: &SignedBy) -> String {
    match signed_by {
        SignedBy::Key(id) => format!("the key {}", id.0),
        SignedBy::Certificate(certified) => {
            let said = |text: &Option<String>| {
                text.as_ref()
                    .map_or_else(|| "nobody".to_owned(), |text| format!("`{}`", shown(text)))
            };
            let (identity, issuer) = (said(&certified.identity), said(&certified.issuer));
            format!("{identity} (issuer {issuer}, root `{}`)", shown(&certified.root))
        }
    }
}

/// The signer of a valid find.
pub(crate) fn signer(judged: &Judged) -> Result<&SignedBy, Refusal> {
    let not_valid = |verdict| Refusal::NotValid {
        verdict,
        reason: judged.reason.map(crate::judged::Reason::as_str),
    };
    match (judged.verdict, &judged.signed_by) {
        (FindVerdict::Valid | FindVerdict::Trusted, Some(signer)) => Ok(signer),
        (FindVerdict::Valid | FindVerdict::Trusted, None) => {
            Err(Refusal::OtherSigner("nobody who is proven".to_owned()))
        }
        (FindVerdict::Present, _) => Err(not_valid("present")),
        (FindVerdict::Invalid, _) => Err(not_valid("invalid")),
        (FindVerdict::Unknown, _) => Err(not_valid("unknown")),
    }
}

/// Whether one of these rules names a certified identity; a shared builder counts only with a
/// source that is configured.
pub(crate) fn certified_by<'r>(
    rules: impl IntoIterator<Item = &'r IdentityRule>,
    certified: &CertifiedIdentity,
    find: &Find<'_>,
    how: &Rules<'_>,
) -> Result<(), Refusal> {
    let who = || who(&SignedBy::Certificate(certified.clone()));
    match rules.into_iter().map(|rule| rule.fit(certified)).max() {
        Some(Fit::Whole) => {}
        Some(Fit::InPart) => return Err(Refusal::InPart(who())),
        Some(Fit::No) | None => return Err(Refusal::OtherSigner(who())),
    }
    let (certificate, statement) = (certified.source_repository.as_deref(), find.source_repository);
    if !(how.is_shared)(certified) || names_source(&how.sources, certificate, statement) {
        return Ok(());
    }
    let source = certificate.or(statement);
    Err(Refusal::Source(
        source.map_or("nobody it says".into(), |source| format!("`{}`", shown(source))),
    ))
}

impl Authority {
    /// Whether the find's signer is one that this authority names, with all that it demands.
    pub(crate) fn accepts(&self, find: &Find<'_>, how: &Rules<'_>) -> Result<(), Refusal> {
        let by = signer(find.judged)?;
        match (&self.signer, by) {
            (Signer::Keys(keys), SignedBy::Key(id)) if keys.contains(id) => {}
            (Signer::Keyless { roots, identities }, SignedBy::Certificate(certified))
                if roots.contains(&certified.root) =>
            {
                certified_by(identities, certified, find, how)?;
            }
            _ => return Err(Refusal::OtherSigner(who(by))),
        }
        self.demands(find.judged)?;
        self.used.fetch_add(1, Relaxed);
        Ok(())
    }

    fn demands(&self, judged: &Judged) -> Result<(), Refusal> {
        let is = |format: &str| judged.format.starts_with(format);
        match self.format {
            FormatDemanded::Legacy if is("bundle/") => return Err(Refusal::Format("legacy")),
            FormatDemanded::Bundle if !is("bundle/") => return Err(Refusal::Format("bundle")),
            FormatDemanded::Any | FormatDemanded::Legacy | FormatDemanded::Bundle => {}
        }
        if let LogDemanded::In(logs) = &self.log {
            let log = judged.log.as_ref().filter(|log| log.promise || log.proof);
            let url = log.and_then(|log| log.url.as_deref()).map(Location::of);
            if !url.is_some_and(|url| logs.contains(&url)) {
                return Err(Refusal::NoLog);
            }
        }
        if self.timestamp == TimestampDemanded::Yes && !judged.stamped {
            return Err(Refusal::NoTimestamp);
        }
        Ok(())
    }

    /// Whether it says anything of evidence of this content: one that demands attestations speaks
    /// of these alone.
    pub(crate) fn speaks_of(&self, content: &Content) -> bool {
        match (self.attestations.as_slice(), predicate_type(content)) {
            ([], _) => true,
            (demanded, Some(found)) => demanded.iter().any(|one| one.predicate_type == found),
            (_, None) => false,
        }
    }
}

/// The predicate type of a statement.
pub(crate) fn predicate_type(content: &Content) -> Option<&str> {
    match content {
        Content::Statement(statement) => Some(&statement.predicate_type),
        Content::Signature { .. } | Content::Sbom(_) | Content::Unreadable => None,
    }
}

/// Whether a find by a key is what a setting demands.
pub(crate) fn by_key(judged: &Judged, id: &KeyId, log_demanded: bool) -> bool {
    let by = matches!(signer(judged), Ok(SignedBy::Key(by)) if by == id);
    by && (!log_demanded || judged.log.as_ref().is_some_and(|log| log.promise || log.proof))
}
