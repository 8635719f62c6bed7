//! Trusted roots: which there are, and what each has, as far as a policy asks for it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use sigstore_verify::trust_root::{
    SIGSTORE_GITHUB_TRUSTED_ROOT, SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot,
};

/// The name of the public-good root.
pub(crate) const PUBLIC_GOOD: &str = "public-good";

/// The name of GitHub's root.
pub(crate) const GITHUB: &str = "github";

/// A trusted root that is configured. Its name is what [`CertifiedIdentity::root`] says.
///
/// [`CertifiedIdentity::root`]: crate::judged::CertifiedIdentity::root
#[derive(Debug, Clone)]
pub struct Root {
    name: String,
    source: RootSource,
    facts: Facts,
}

/// Where a root comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum RootSource {
    /// The public-good instance's, embedded.
    PublicGood,
    /// GitHub's, embedded.
    Github,
    /// This `trusted_root.json`.
    Json(Arc<str>),
}

impl fmt::Debug for RootSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PublicGood => "PublicGood",
            Self::Github => "Github",
            Self::Json(_) => "Json",
        })
    }
}

/// What a root has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The addresses of its certificate authorities.
    pub(crate) authorities: BTreeSet<Location>,
    /// The addresses of its transparency logs.
    pub(crate) logs: BTreeSet<Location>,
    /// Whether it has a certificate transparency log, so that certificates must be in one.
    pub(crate) certificate_logs: bool,
    /// Whether it has a timestamp authority.
    pub(crate) timestamps: bool,
}

/// An address in one spelling, for comparing: no `https://`, no slash at the end, lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Location(String);

impl Location {
    pub(crate) fn of(url: &str) -> Self {
        let rest = url.strip_prefix("https://").unwrap_or(url);
        Self(rest.trim_end_matches('/').to_ascii_lowercase())
    }
}

impl Root {
    /// The embedded root of the public-good instance.
    pub(crate) fn public_good() -> Self {
        let facts = Facts::of(SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap_or_default();
        Self { name: PUBLIC_GOOD.to_owned(), source: RootSource::PublicGood, facts }
    }

    /// The embedded root of GitHub's instance.
    pub(crate) fn github() -> Self {
        let facts = Facts::of(SIGSTORE_GITHUB_TRUSTED_ROOT).unwrap_or_default();
        Self { name: GITHUB.to_owned(), source: RootSource::Github, facts }
    }

    /// A root from its JSON (protobuf-specs, sigstore_trustroot.proto).
    pub(crate) fn from_json(name: &str, json: &str) -> Result<Self, String> {
        let facts = Facts::of(json)?;
        Ok(Self { name: name.to_owned(), source: RootSource::Json(json.into()), facts })
    }

    /// Its document, `trusted_root.json`.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.source {
            RootSource::PublicGood => SIGSTORE_PRODUCTION_TRUSTED_ROOT,
            RootSource::Github => SIGSTORE_GITHUB_TRUSTED_ROOT,
            RootSource::Json(text) => text,
        }
    }

    /// Its name: `public-good`, `github`, the path of a file, or `TrustRoot/` and the name of
    /// the document.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it comes from.
    #[must_use]
    pub fn source(&self) -> &RootSource {
        &self.source
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }
}

impl Facts {
    fn of(json: &str) -> Result<Self, String> {
        let root = TrustedRoot::from_json(json).map_err(|error| {
            let why = records::text::shown(&error.to_string());
            format!("it is no trusted root of Sigstore (`trusted_root.json`): {why}")
        })?;
        if root.certificate_authorities.is_empty()
            && root.tlogs.is_empty()
            && root.timestamp_authorities.is_empty()
        {
            return Err("it has no certificate authority, log or timestamp authority".to_owned());
        }
        Ok(Self {
            authorities: root
                .certificate_authorities
                .iter()
                .map(|ca| Location::of(&ca.uri))
                .collect(),
            logs: root.tlogs.iter().map(|log| Location::of(&log.base_url)).collect(),
            certificate_logs: !root.ctlogs.is_empty(),
            timestamps: !root.timestamp_authorities.is_empty(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_roots_are_known_by_their_addresses() {
        let (public, github) = (Root::public_good(), Root::github());
        let fulcio = Location::of("https://fulcio.sigstore.dev");
        assert!(public.facts().authorities.contains(&fulcio));
        assert!(public.facts().logs.contains(&Location::of("https://rekor.sigstore.dev/")));
        assert!(public.facts().certificate_logs);
        assert!(!github.facts().authorities.contains(&fulcio));
        assert!(!github.facts().authorities.is_empty());
        assert!(github.facts().logs.is_empty() && github.facts().timestamps);
    }

    #[test]
    fn what_is_no_root_is_refused() {
        for bad in ["", "{}", "[]", r#"{"mediaType": "x"}"#, "key.pub"] {
            assert!(Root::from_json("mine", bad).is_err(), "{bad}");
        }
        let again = Root::from_json("mine", SIGSTORE_PRODUCTION_TRUSTED_ROOT).expect("a root");
        assert_eq!(again.facts(), Root::public_good().facts());
    }
}
