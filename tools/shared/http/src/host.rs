//! Hosts to ask, and which of them are asked over plain http.

use std::fmt;
use std::str::FromStr;

use records::text::shown;
use url::Url;

use crate::hosts::{DOCKER_HUB, DOCKER_HUB_HOST};

/// Where Docker Hub's tokens come from.
const DOCKER_HUB_TOKENS: &str = "auth.docker.io";

/// A host and, if not the scheme's own, a port: `ghcr.io`, `registry:5000`, `[::1]:5000`.
///
/// Lower case, and safe to put into a URL as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(Box<str>);

/// A text that is no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no host: write a name or an address, and a port from 1 to 65535 if needed, as in `registry.example.com:5000`", shown(.0))]
pub struct HostError(String);

impl Host {
    /// The host as it stands in a URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name or address without the port.
    #[must_use]
    pub fn name(&self) -> &str {
        self.split().0
    }

    /// The port, where one is given.
    #[must_use]
    pub fn port(&self) -> Option<&str> {
        self.split().1
    }

    /// The host of a URL.
    ///
    /// # Errors
    /// When the URL has none.
    pub(crate) fn of(url: &Url) -> Result<Self, HostError> {
        let name = url.host_str().unwrap_or_default();
        match url.port() {
            Some(port) => format!("{name}:{port}").parse(),
            None => name.parse(),
        }
    }

    /// Name and port. The colons of an IPv6 address stand inside brackets.
    fn split(&self) -> (&str, Option<&str>) {
        match self.0.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, Some(port)),
            _ => (&self.0, None),
        }
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || HostError(text.to_owned());
        let allowed = |b: u8| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']')
        };
        if text.is_empty() || text.len() > 300 || !text.bytes().all(allowed) {
            return Err(bad());
        }
        let host = Self(text.to_ascii_lowercase().into());
        // The URL parser is the judge of addresses; ports are judged here, since it knows only
        // those that are not the scheme's own, and allows an empty one.
        if host.port().is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == 0)) {
            return Err(bad());
        }
        Url::parse(&format!("https://{host}/")).map_err(|_| bad())?;
        Ok(host)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The hosts that are asked over plain http. No host is by itself, loopback neither.
#[derive(Debug, Clone, Default)]
pub struct PlainHttp(Vec<Host>);

impl PlainHttp {
    /// A list from its entries. An entry without a port stands for every port of that host.
    #[must_use]
    pub fn new(hosts: Vec<Host>) -> Self {
        Self(hosts)
    }

    /// Whether `host` is asked over plain http.
    #[must_use]
    pub fn contains(&self, host: &Host) -> bool {
        self.0.iter().any(|entry| {
            entry.name() == host.name() && (entry.port().is_none() || entry.port() == host.port())
        })
    }
}

impl PlainHttp {
    /// Whether a host of this name, on whatever port, is listed: then the operator named it.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.0.iter().any(|entry| entry.name().eq_ignore_ascii_case(name))
    }
}

/// Which hosts may be asked at all: everyone, unless there are lists. Then each must have it.
#[derive(Debug, Clone, Default)]
pub struct AllowedHosts(Vec<Vec<Pattern>>);

#[derive(Debug, Clone)]
enum Pattern {
    /// This host.
    Exactly(Host),
    /// Hosts whose name ends so, the dot included.
    Below(Box<str>),
}

impl AllowedHosts {
    /// The hosts that these patterns (`ghcr.io`, `*.example.com`) allow; everyone where there is
    /// none. `docker.io` stands for the hosts that are asked for it, that of its tokens too.
    ///
    /// # Errors
    /// On the first that is neither a host nor `*.` and a host.
    pub fn parse<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, HostError> {
        let mut list = Vec::new();
        for pattern in patterns {
            match pattern.strip_prefix("*.") {
                Some(parent) => {
                    let parent: Host = parent.parse()?;
                    list.push(Pattern::Below(format!(".{parent}").into()));
                }
                None if DOCKER_HUB.contains(&pattern) => {
                    for asked in [DOCKER_HUB_HOST, DOCKER_HUB_TOKENS] {
                        list.push(Pattern::Exactly(asked.parse()?));
                    }
                }
                None => list.push(Pattern::Exactly(pattern.parse()?)),
            }
        }
        Ok(Self(if list.is_empty() { Vec::new() } else { vec![list] }))
    }

    /// Whom both of these allow.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend_from_slice(&other.0);
        self
    }

    /// Whether this host may be asked.
    #[must_use]
    pub fn allows(&self, host: &Host) -> bool {
        self.0.iter().all(|list| list.iter().any(|pattern| pattern.fits(host)))
    }
}

impl Pattern {
    fn fits(&self, host: &Host) -> bool {
        match self {
            Self::Exactly(allowed) => {
                allowed.name() == host.name()
                    && (allowed.port().is_none() || allowed.port() == host.port())
            }
            Self::Below(parent) => host.name().ends_with(&**parent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Host {
        text.parse().expect(text)
    }

    #[test]
    fn parses_names_addresses_and_ports() {
        for (text, name, port) in [
            ("ghcr.io", "ghcr.io", None),
            ("LOCALDOMAIN", "localdomain", None),
            ("registry:5000", "registry", Some("5000")),
            ("[::1]", "[::1]", None),
            ("[2001:db8::1]:5000", "[2001:db8::1]", Some("5000")),
        ] {
            assert_eq!((host(text).name(), host(text).port()), (name, port), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_host() {
        for bad in [
            "",
            "a/b",
            "a@b",
            "host:99999999",
            "host:0",
            "host:",
            "::1",
            "[::1",
            "a b",
            "http://a",
            "a?b",
            "é",
        ] {
            assert!(bad.parse::<Host>().is_err(), "{bad}");
        }
    }

    #[test]
    fn of_a_url() {
        let url = Url::parse("https://user@Example.com:5000/x").expect("a URL");
        assert_eq!(Host::of(&url), Ok(host("example.com:5000")));
        let url = Url::parse("https://[::1]/x").expect("a URL");
        assert_eq!(Host::of(&url), Ok(host("[::1]")));
    }

    #[test]
    fn plain_http_is_by_name_and_port() {
        let list = PlainHttp::new(vec![host("any"), host("one:5000")]);
        assert!(list.contains(&host("any")) && list.contains(&host("any:80")));
        assert!(list.contains(&host("ONE:5000")));
        assert!(!list.contains(&host("one")) && !list.contains(&host("one:5001")));
        assert!(!PlainHttp::default().contains(&host("127.0.0.1:5000")));
    }

    #[test]
    fn only_allowed_hosts_are_allowed() {
        let allowed = AllowedHosts::parse(["ghcr.io", "*.example.com"]).expect("patterns");
        for (name, wanted) in [
            ("ghcr.io", true),
            ("ghcr.io:443", true),
            ("a.example.com", true),
            ("a.b.example.com:5000", true),
            ("example.com", false),
            ("badexample.com", false),
            ("xghcr.io", false),
        ] {
            assert_eq!(allowed.allows(&host(name)), wanted, "{name}");
        }
        assert!(AllowedHosts::default().allows(&host("anything")));
        let hub = AllowedHosts::parse(["docker.io"]).expect("patterns");
        assert!(hub.allows(&host("registry-1.docker.io")) && hub.allows(&host("auth.docker.io")));
        assert!(!hub.allows(&host("evil.docker.io")));
        let both = allowed.and(&AllowedHosts::parse(["ghcr.io", "quay.io"]).expect("patterns"));
        let asked = ["ghcr.io", "quay.io", "a.example.com"].map(|name| both.allows(&host(name)));
        assert_eq!(asked, [true, false, false]);
        assert!(AllowedHosts::parse(["*.*"]).is_err());
    }
}
