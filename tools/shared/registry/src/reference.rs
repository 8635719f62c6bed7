//! Image references, as people write them and Docker and Kubernetes read them.
//!
//! Agrees with `ParseDockerRef` and `ParseAnyReference` of Go's `distribution/reference` v0.6.0,
//! which is what the kubelet's runtimes use: a registry that this misread would be asked about
//! somebody else's image. One thing is stricter: where Go gives a reference with an empty domain
//! (`foo_bar.com/app`, whose first part looks like a host and is none), this gives an error, since
//! there is nobody to ask.

mod grammar;
mod names;

use std::fmt;
use std::str::FromStr;

use records::text::shown;
use records::{Digest, DigestError};

pub(crate) use grammar::is_tag;
pub use names::{Repository, Tag, TagError};

/// The registry that a name without one means.
pub(crate) const DOCKER_HUB: &str = "docker.io";
/// What Docker Hub was called before; read as the same.
const LEGACY_DOCKER_HUB: &str = "index.docker.io";
/// Where Docker Hub keeps names without a namespace.
const OFFICIAL: &str = "library/";
const LATEST: &str = "latest";
/// The longest path of a repository, in bytes.
const MAX_PATH: usize = 255;

/// A reference, normalised: `nginx` is `docker.io/library/nginx:latest`.
///
/// `Display` is what Docker asks for: the digest when there is one, else the tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    repository: Repository,
    tag: Option<Tag>,
    digest: Option<Digest>,
    tag_defaulted: bool,
}

/// What [`Reference::parse_any`] may find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyReference {
    /// Nothing but a digest (`sha256:…`, or 64 hexadecimal digits): no repository is named.
    Digest(Digest),
    /// A reference.
    Reference(Reference),
}

/// Why a text is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing at all.
    #[error("the image reference is empty")]
    Empty,
    /// Not of the form of a reference.
    #[error("`{}` is no image reference: write [registry/]repository[:tag][@digest], as in `ghcr.io/acme/web:1.4`", shown(.0))]
    Format(String),
    /// A repository with capitals in it.
    #[error("`{}` is no image reference: the repository `{}` must be in lower case", shown(.reference), shown(.repository))]
    Uppercase {
        /// The whole text.
        reference: String,
        /// The part that must be in lower case.
        repository: String,
    },
    /// Exactly what an image id looks like.
    #[error("`{}` is an image id and names no repository", shown(.0))]
    ImageId(String),
    /// A path that no registry takes.
    #[error("`{}` is no image reference: its repository is longer than {MAX_PATH} characters", shown(.0))]
    TooLong(String),
    /// A first part that must be a registry and is no host name.
    #[error("`{}` is no image reference: `{}` is no registry's host name", shown(.reference), shown(.registry))]
    NoRegistry {
        /// The whole text.
        reference: String,
        /// The part that looks like a host and is none.
        registry: String,
    },
    /// A digest that is none.
    #[error("`{}` is no image reference", shown(.reference))]
    Digest {
        /// The whole text.
        reference: String,
        /// What is wrong with its digest.
        #[source]
        source: DigestError,
    },
}

/// What a manifest is asked by: a tag or a digest (OCI distribution specification, "Pulling
/// manifests", `<reference>`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TagOrDigest {
    /// A tag, which may mean something else tomorrow.
    Tag(Tag),
    /// A digest, which never does.
    Digest(Digest),
}

impl Reference {
    /// The repository.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The tag: the written one, also beside a digest; `latest` when there is neither.
    #[must_use]
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest, which makes the reference a pinned one.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Whether the tag is `latest` because nobody wrote one.
    #[must_use]
    pub fn tag_defaulted(&self) -> bool {
        self.tag_defaulted
    }

    /// The shortest way to write it: `nginx`, `acme/web:1.4`, `ghcr.io/acme/web`.
    #[must_use]
    pub fn familiar(&self) -> String {
        let (domain, path) = (self.repository.domain(), self.repository.path());
        let mut short = match path.strip_prefix(OFFICIAL) {
            Some(name) if domain == DOCKER_HUB && !name.contains('/') => name.to_owned(),
            _ if domain == DOCKER_HUB => path.to_owned(),
            _ => self.repository.to_string(),
        };
        let written = self.tag.as_ref().filter(|_| !self.tag_defaulted);
        if let Some(tag) = written {
            short.push_str(&format!(":{tag}"));
        }
        if let Some(digest) = &self.digest {
            short.push_str(&format!("@{digest}"));
        }
        short
    }

    /// What the registry is asked by: the digest when there is one, else the tag.
    #[must_use]
    pub fn tag_or_digest(&self) -> TagOrDigest {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => TagOrDigest::Digest(digest.clone()),
            (None, Some(tag)) => TagOrDigest::Tag(tag.clone()),
            (None, None) => TagOrDigest::Tag(Tag::new(LATEST)),
        }
    }

    /// Reads a reference or a mere digest, which may come without its algorithm.
    ///
    /// # Errors
    /// As [`Reference::from_str`].
    pub fn parse_any(text: &str) -> Result<AnyReference, ReferenceError> {
        let digest = match grammar::is_image_id(text) {
            true => format!("sha256:{text}").parse(),
            false => text.parse(),
        };
        match digest {
            Ok(digest) => Ok(AnyReference::Digest(digest)),
            Err(_) => text.parse().map(AnyReference::Reference),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if grammar::is_image_id(text) {
            return Err(ReferenceError::ImageId(text.to_owned()));
        }
        let (domain, rest) = split_domain(text);
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (&*rest, None),
        };
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        let parts = Parts { domain, path, tag, digest };
        parts.check(text)?;
        let digest: Option<Digest> = digest
            .map(str::parse)
            .transpose()
            .map_err(|source| ReferenceError::Digest { reference: text.to_owned(), source })?;
        let tag_defaulted = tag.is_none() && digest.is_none();
        let tag = tag.or(tag_defaulted.then_some(LATEST)).map(Tag::new);
        Ok(Self { repository: Repository::new(domain, path), tag, digest, tag_defaulted })
    }
}

/// A reference taken apart at its separators, nothing checked yet.
struct Parts<'a> {
    domain: &'a str,
    path: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl Parts<'_> {
    /// Checks each part by the grammar; whether a digest is one is the digest's own question.
    fn check(&self, text: &str) -> Result<(), ReferenceError> {
        let reference = || text.to_owned();
        if self.path.to_lowercase() != self.path {
            let repository = self.path.to_owned();
            return Err(ReferenceError::Uppercase { reference: reference(), repository });
        }
        let well_formed = grammar::is_path(self.path)
            && self.tag.is_none_or(is_tag)
            && self.digest.is_none_or(grammar::looks_like_digest);
        if !well_formed {
            return Err(ReferenceError::Format(reference()));
        }
        if !grammar::is_domain(self.domain) {
            // Go reads `foo_bar.com/app` as a path without a registry.
            let registry = self.domain.to_owned();
            return Err(match grammar::is_path(self.domain) {
                true => ReferenceError::NoRegistry { reference: reference(), registry },
                false => ReferenceError::Format(reference()),
            });
        }
        match self.path.len() > MAX_PATH {
            true => Err(ReferenceError::TooLong(reference())),
            false => Ok(()),
        }
    }
}

/// The registry, and what follows it. The first part is a registry when it looks like a host:
/// a dot, a port, `localhost`, or capitals, which no path may have.
fn split_domain(text: &str) -> (&str, String) {
    let (domain, rest) = match text.split_once('/') {
        Some((first, rest)) if looks_like_host(first) => (first, rest),
        _ => (DOCKER_HUB, text),
    };
    let domain = if domain == LEGACY_DOCKER_HUB { DOCKER_HUB } else { domain };
    match domain == DOCKER_HUB && !rest.contains('/') {
        true => (domain, format!("{OFFICIAL}{rest}")),
        false => (domain, rest.to_owned()),
    }
}

/// Whether the first part of a reference is a registry and not the beginning of a path.
pub(crate) fn looks_like_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.to_lowercase() != first
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tag_or_digest() {
            TagOrDigest::Digest(digest) => write!(f, "{}@{digest}", self.repository),
            TagOrDigest::Tag(tag) => write!(f, "{}:{tag}", self.repository),
        }
    }
}

impl From<&Tag> for TagOrDigest {
    fn from(tag: &Tag) -> Self {
        Self::Tag(tag.clone())
    }
}

impl From<&Digest> for TagOrDigest {
    fn from(digest: &Digest) -> Self {
        Self::Digest(digest.clone())
    }
}

impl fmt::Display for TagOrDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Reference {
        text.parse().expect(text)
    }

    #[test]
    fn normalises_as_docker_does() {
        for (text, display, familiar) in [
            ("nginx", "docker.io/library/nginx:latest", "nginx"),
            ("index.docker.io/nginx:1", "docker.io/library/nginx:1", "nginx:1"),
            ("acme/web", "docker.io/acme/web:latest", "acme/web"),
            ("localhost/web", "localhost/web:latest", "localhost/web"),
            ("[::1]:5000/web:x", "[::1]:5000/web:x", "[::1]:5000/web:x"),
        ] {
            assert_eq!(parse(text).to_string(), display);
            assert_eq!(parse(text).familiar(), familiar);
        }
    }

    #[test]
    fn a_digest_goes_before_a_tag() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let reference = parse(&format!("nginx:1.27@{digest}"));
        assert_eq!(reference.tag().map(Tag::as_str), Some("1.27"));
        assert_eq!(reference.to_string(), format!("docker.io/library/nginx@{digest}"));
        let only = parse(&format!("nginx@{digest}"));
        assert_eq!((only.tag(), only.tag_defaulted()), (None, false));
    }

    #[test]
    fn every_fault_has_its_own_words() {
        for (text, words) in [
            ("", "is empty"),
            ("nginx:", "write [registry/]repository"),
            ("acme/Web", "`acme/Web` must be in lower case"),
            ("foo_bar.com/app", "`foo_bar.com` is no registry's host name"),
            (&"a".repeat(64), "is an image id"),
            (&format!("ghcr.io/{}", "a".repeat(256)), "longer than 255"),
            ("a\u{1b}[2J", "\u{fffd}[2J"),
        ] {
            let error = text.parse::<Reference>().expect_err(text).to_string();
            assert!(error.contains(words), "{error}");
        }
        let short = "nginx@sha256:ffffffffffffffffffffffffffffffff".parse::<Reference>();
        assert!(matches!(short, Err(ReferenceError::Digest { .. })));
    }

    #[test]
    fn a_mere_digest_names_no_repository() {
        let hex = "b".repeat(64);
        let digest: Digest = format!("sha256:{hex}").parse().expect("a digest");
        for text in [hex.clone(), format!("sha256:{hex}")] {
            assert_eq!(Reference::parse_any(&text), Ok(AnyReference::Digest(digest.clone())));
        }
        let named = Reference::parse_any("nginx");
        assert_eq!(named, Ok(AnyReference::Reference(parse("nginx"))));
    }
}
