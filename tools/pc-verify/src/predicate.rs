//! Predicate types, as people name them: a word of cosign's, or the URI itself.

use std::fmt;
use std::str::FromStr;

use records::text::shown;

use crate::check::Check;
use crate::statement::Kind;

/// cosign's words (cosign, cmd/cosign/cli/options/predicate.go).
const WORDS: [(&str, &str); 10] = [
    ("custom", "https://cosign.sigstore.dev/attestation/v1"),
    ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
    ("spdx", "https://spdx.dev/Document"),
    ("spdxjson", "https://spdx.dev/Document"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("link", "https://in-toto.io/Link/v1"),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ("openvex", "https://openvex.dev/ns"),
];

/// A predicate type. It is compared to the letter, as cosign and policy-controller do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredicateType {
    /// As it was given: a word, or a URI.
    written: String,
    uri: String,
}

/// A text that names no predicate type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no predicate type: write a URI, or one of {}",
    shown(.0),
    WORDS.map(|(word, _)| word).join(", ")
)]
pub struct PredicateTypeError(String);

impl FromStr for PredicateType {
    type Err = PredicateTypeError;

    fn from_str(text: &str) -> Result<Self, PredicateTypeError> {
        let written = text.to_owned();
        if let Some((_, uri)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(Self { written, uri: (*uri).to_owned() });
        }
        let is_uri = text.contains("://") && !text.contains(char::is_whitespace);
        if is_uri {
            Ok(Self { uri: written.clone(), written })
        } else {
            Err(PredicateTypeError(written))
        }
    }
}

impl PredicateType {
    /// The URI that it stands for.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The check whose evidence statements of this type are.
    #[must_use]
    pub fn check(&self) -> Check {
        match Kind::of(&self.uri) {
            Kind::Signature => Check::Signature,
            Kind::Provenance => Check::Provenance,
            Kind::Sbom => Check::Sbom,
            Kind::Other => Check::Attestation,
        }
    }
}

/// As it was given.
impl fmt::Display for PredicateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.written))
    }
}

/// Which statements somebody wants: those of any of these types, or all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantedTypes(Vec<PredicateType>);

impl WantedTypes {
    /// The statements of these types; none named means whatever there is.
    #[must_use]
    pub fn new(types: Vec<PredicateType>) -> Self {
        Self(types)
    }

    /// Whether something with this predicate type is wanted. What has none, a signature or a bare
    /// bill of materials, is wanted only where nothing narrows it down.
    #[must_use]
    pub fn take(&self, predicate_type: Option<&str>) -> bool {
        let is = |uri: &str| self.0.iter().any(|wanted| wanted.uri == uri);
        self.0.is_empty() || predicate_type.is_some_and(is)
    }

    /// The types, where there are some.
    #[must_use]
    pub fn named(&self) -> &[PredicateType] {
        &self.0
    }
}

impl From<PredicateType> for WantedTypes {
    fn from(one: PredicateType) -> Self {
        Self(vec![one])
    }
}

/// `vuln`, or `vuln or openvex`.
impl fmt::Display for WantedTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> PredicateType {
        text.parse().expect("a predicate type")
    }

    #[test]
    fn words_are_cosigns_and_anything_else_is_a_uri() {
        for (text, uri, check) in [
            ("slsaprovenance", "https://slsa.dev/provenance/v0.2", Check::Provenance),
            ("slsaprovenance1", "https://slsa.dev/provenance/v1", Check::Provenance),
            ("spdxjson", "https://spdx.dev/Document", Check::Sbom),
            ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1", Check::Attestation),
            ("custom", "https://cosign.sigstore.dev/attestation/v1", Check::Attestation),
            ("https://acme.example/Test/v1", "https://acme.example/Test/v1", Check::Attestation),
            (
                "https://sigstore.dev/cosign/sign/v1",
                "https://sigstore.dev/cosign/sign/v1",
                Check::Signature,
            ),
        ] {
            let one = named(text);
            assert_eq!((one.uri(), one.check(), &*one.to_string()), (uri, check, text));
        }
        for bad in ["", "SPDX", "spdx ", "acme.example/Test", "https://a b"] {
            let error = bad.parse::<PredicateType>().expect_err(bad).to_string();
            assert!(error.contains("slsaprovenance1, spdx, "), "{error}");
        }
    }

    #[test]
    fn without_a_type_everything_is_wanted_and_with_one_only_what_has_it() {
        let all = WantedTypes::default();
        assert!(all.take(None) && all.take(Some("https://acme.example/x")));
        let some = WantedTypes::new(vec![named("vuln"), named("openvex")]);
        assert!(some.take(Some("https://openvex.dev/ns")));
        // cosign compares to the letter.
        assert!(!some.take(Some("https://openvex.dev/ns/v0.2.0")) && !some.take(None));
        assert_eq!(some.to_string(), "vuln or openvex");
    }
}
