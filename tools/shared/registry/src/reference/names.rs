//! The names in a reference: repositories and tags.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use http_asking::{Host, HostError, Mirror};
use records::text::shown;

use super::{DOCKER_HUB, Reference, ReferenceError, grammar};

/// The host that serves Docker Hub.
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

/// A repository, normalised: `docker.io/library/nginx`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    domain: Arc<str>,
    path: Arc<str>,
}

impl Repository {
    /// From parts that the grammar has approved.
    pub(super) fn new(domain: &str, path: &str) -> Self {
        Self { domain: domain.into(), path: path.into() }
    }

    /// The place of a web server that is no registry, whose path may be any: for the keychain.
    pub(crate) fn of_server(host: &Host, path: &str) -> Self {
        Self::new(host.as_str(), path)
    }

    /// What a mirror calls this repository.
    pub(crate) fn at(&self, mirror: &Mirror) -> Self {
        Self::new(mirror.host().as_str(), &mirror.path_of(&self.path))
    }

    /// The registry as references name it, with its port: `docker.io`, `registry:5000`.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The name within the registry: `library/nginx`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The host that is asked for it. That of Docker Hub is called otherwise than its references.
    ///
    /// # Errors
    /// When the domain fits the grammar of references and is no host all the same, as
    /// `registry:99999999`.
    pub fn host(&self) -> Result<Host, HostError> {
        match &*self.domain {
            DOCKER_HUB => DOCKER_HUB_HOST.parse(),
            domain => domain.parse(),
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.path)
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A repository without tag or digest, in any form that a reference may have.
impl FromStr for Repository {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let reference: Reference = text.parse()?;
        match reference.tag_defaulted() {
            true => Ok(reference.repository),
            false => Err(ReferenceError::Format(text.to_owned())),
        }
    }
}

/// A tag. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

/// A text that is no tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no tag: up to 128 letters, digits, `_`, `.` and `-`, with neither of the last two in front", shown(.0))]
pub struct TagError(String);

impl Tag {
    /// From a text that the grammar has approved.
    pub(super) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The tag's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match grammar::is_tag(text) {
            true => Ok(Self::new(text)),
            false => Err(TagError(text.to_owned())),
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_parse_alone() {
        for (text, whole) in [("nginx", "docker.io/library/nginx"), ("ghcr.io/a/b", "ghcr.io/a/b")]
        {
            assert_eq!(text.parse::<Repository>().expect(text).to_string(), whole);
        }
        for bad in ["nginx:1", "", "A/b/C"] {
            assert!(bad.parse::<Repository>().is_err(), "{bad}");
        }
    }

    #[test]
    fn docker_hub_is_asked_elsewhere() {
        let host = |text: &str| text.parse::<Repository>().expect(text).host();
        assert_eq!(host("nginx").map(|host| host.to_string()), Ok("registry-1.docker.io".into()));
        assert_eq!(host("LOCALDOMAIN/x").map(|host| host.to_string()), Ok("localdomain".into()));
        assert!(host("registry:99999999/x").is_err());
    }

    #[test]
    fn tags_parse_alone() {
        assert_eq!("1.27".parse::<Tag>().expect("a tag").as_str(), "1.27");
        assert!("-x".parse::<Tag>().is_err());
    }
}
