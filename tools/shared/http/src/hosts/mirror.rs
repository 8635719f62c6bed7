//! Mirrors: other hosts that serve what a host serves.

use std::fmt;

use records::text::shown;

use super::HostsError;
use crate::Host;

/// A place that serves the repositories of another host, below a path of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    host: Host,
    path: Option<String>,
}

/// Whether the host itself is asked for what its mirrors do not give.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Upstream {
    /// Yes, after the mirrors.
    #[default]
    Fallback,
    /// No: its mirrors are all there is. What none of them has is not known to be absent.
    Never,
}

impl Mirror {
    /// The host that is asked.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The repository of this mirror that serves `path`, a repository's path at the mirrored host.
    #[must_use]
    pub fn path_of(&self, path: &str) -> String {
        self.path.as_ref().map_or_else(|| path.to_owned(), |prefix| format!("{prefix}/{path}"))
    }

    /// Reads `HOST[:PORT][/PATH]`; `of` is the entry that it stands in.
    pub(super) fn parse(text: &str, of: &str) -> Result<Self, HostsError> {
        let wrong = |why: &str| HostsError::Setting {
            host: shown(of),
            why: format!("the mirror `{}` {why}", shown(text)),
        };
        if text.contains("://") {
            return Err(wrong(
                "must be written HOST/PATH, without a scheme; `plainHttp` is a setting of its own entry",
            ));
        }
        let (host, path) = match text.trim_end_matches('/').split_once('/') {
            Some((host, path)) => (host, Some(path)),
            None => (text.trim_end_matches('/'), None),
        };
        let path = match path {
            Some(path) if path.split('/').all(is_component) => Some(path.to_owned()),
            Some(_) => {
                return Err(wrong(
                    "has a path that no repository can have: small letters and digits, with `.`, `_` or `-` between them",
                ));
            }
            None => None,
        };
        let host: Host = host.parse().map_err(HostsError::Host)?;
        if path.is_none() && of.parse().is_ok_and(|of: Host| of == host) {
            return Err(wrong("is the host itself"));
        }
        Ok(Self { host, path })
    }
}

/// As it is written in the file.
impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}/{path}", self.host),
            None => self.host.fmt(f),
        }
    }
}

impl Upstream {
    /// The word in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fallback => "fallback",
            Self::Never => "never",
        }
    }
}

/// Whether a text may stand between the slashes of a repository's path (OCI distribution
/// specification, "Pulling manifests", `<name>`).
fn is_component(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [text.bytes().next(), text.bytes().last()];
    ends.iter().all(|byte| byte.is_some_and(is_inner))
        && text.bytes().all(|byte| is_inner(byte) || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_a_host_and_perhaps_a_path() {
        let mirror = Mirror::parse("Mirror.example:5000/hub/", "docker.io").expect("a mirror");
        assert_eq!(mirror.host().as_str(), "mirror.example:5000");
        assert_eq!(mirror.to_string(), "mirror.example:5000/hub");
        assert_eq!(mirror.path_of("library/nginx"), "hub/library/nginx");
        let bare = Mirror::parse("mirror.example", "docker.io").expect("a mirror");
        assert_eq!(bare.path_of("library/nginx"), "library/nginx");
        for (text, wanted) in [
            ("https://mirror.example", "without a scheme"),
            ("mirror.example/Hub", "no repository can have"),
            ("mirror.example/a//b", "no repository can have"),
            ("mirror.example/../b", "no repository can have"),
            ("docker.io", "the host itself"),
        ] {
            let error = Mirror::parse(text, "docker.io").expect_err(text).to_string();
            assert!(error.contains(wanted), "{error}");
        }
        assert!(matches!(Mirror::parse("a b", "docker.io"), Err(HostsError::Host(_))));
    }
}
