//! Addresses: URLs that can be asked.

use std::str::FromStr;

use records::text::shown;
use url::Url;

use crate::Host;

/// The schemes that are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain http.
    Http,
    /// https.
    Https,
}

/// An http or https URL with a host, and neither user name nor password in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    scheme: Scheme,
    host: Host,
    url: Url,
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no http or https URL (without user name) of a host", shown(.0))]
pub struct AddressError(String);

impl AddressError {
    /// Of a text, as far as it can be told: what stands before an `@` may be a password, and what
    /// stands behind a `?` a token.
    fn of(text: &str) -> Self {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (format!("{scheme}://"), rest),
            None => (String::new(), text),
        };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let authority = rest.split('/').next().unwrap_or_default();
        let told = match authority.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}…@{host}{}", &rest[authority.len()..]),
            None if rest.contains('@') => format!("{scheme}…"),
            None => format!("{scheme}{rest}"),
        };
        Self(told)
    }
}

impl Address {
    /// `path` (beginning with `/`) at `host`.
    pub(crate) fn new(scheme: Scheme, host: &Host, path: &str) -> Self {
        let prefix = match scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        // A host is checked to fit into a URL, and the URL parser escapes whatever a path holds.
        let url = Url::parse(&format!("{prefix}://{host}"))
            .map(|mut url| {
                url.set_path(path);
                url
            })
            .expect("a host is checked by this very parser");
        Self { scheme, host: host.clone(), url }
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host, with its port where that is not the scheme's own.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The whole URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// This address with `pairs` appended to its query.
    #[must_use]
    pub fn with_query(mut self, pairs: &[(&str, &str)]) -> Self {
        self.url.query_pairs_mut().extend_pairs(pairs);
        self
    }
}

impl TryFrom<Url> for Address {
    type Error = AddressError;

    fn try_from(url: Url) -> Result<Self, Self::Error> {
        let scheme = match url.scheme() {
            "http" => Some(Scheme::Http),
            "https" => Some(Scheme::Https),
            _ => None,
        };
        let anonymous = url.username().is_empty() && url.password().is_none();
        match (scheme, Host::of(&url)) {
            (Some(scheme), Ok(host)) if anonymous => Ok(Self { scheme, host, url }),
            _ => Err(AddressError::of(url.as_str())),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Url::parse(text).map_err(|_| AddressError::of(text))?.try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_url_that_can_be_asked() {
        let address: Address = "https://A.example:5000/x?y=1".parse().expect("an address");
        assert_eq!(address.scheme(), Scheme::Https);
        assert_eq!(address.host().as_str(), "a.example:5000");
        let more = address.with_query(&[("scope", "repository:a/b:pull")]);
        assert_eq!(more.url().query(), Some("y=1&scope=repository%3Aa%2Fb%3Apull"));
    }

    #[test]
    fn refuses_the_rest() {
        for bad in ["", "/x", "ftp://a/", "file:///x", "https://", "https://u@a/", "https://u:p@a/"]
        {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_cannot_leave_its_place() {
        let host: Host = "[::1]:5000".parse().expect("a host");
        let address = Address::new(Scheme::Http, &host, "/v2/a/manifests/x?y#z");
        assert_eq!(address.url().as_str(), "http://[::1]:5000/v2/a/manifests/x%3Fy%23z");
    }
}
