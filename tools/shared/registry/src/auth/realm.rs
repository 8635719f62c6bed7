//! Whether credentials may go to the place that a registry names for tokens.
//!
//! Whoever answers for a registry's host name names that place. Credentials were given for the
//! registry, so they go to nobody but its own party.

use http_asking::{Address, Host, Scheme};

/// What a realm may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Credentials.
    Trusted,
    /// That somebody wants a token, and no credentials.
    Foreign,
    /// Nothing: it would be asked over plain http, and the registry is not.
    Refused,
}

/// What `realm` may be told of credentials for `registry`, which is asked by `scheme`; `named` are
/// the realms that the operator trusts with them.
pub(crate) fn standing(
    registry: &Host,
    scheme: Scheme,
    realm: &Address,
    named: &[Host],
) -> Standing {
    match (scheme, realm.scheme()) {
        (Scheme::Https, Scheme::Http) => Standing::Refused,
        _ if named.contains(realm.host()) => Standing::Trusted,
        _ if same_party(registry.name(), realm.host().name()) => Standing::Trusted,
        _ => Standing::Foreign,
    }
}

/// Whether two names belong to one party: the same name, or the same domain below a public one
/// (`registry-1.docker.io` and `auth.docker.io`). Addresses and single labels have no domain.
fn same_party(a: &str, b: &str) -> bool {
    let domains = (registrable(a), registrable(b));
    a == b || matches!(domains, (Some(a), Some(b)) if a == b)
}

/// The last two labels; the last three where the last two are of the kind of `co.uk`.
fn registrable(name: &str) -> Option<&str> {
    let is_address = |label: &str| label.bytes().all(|b| b.is_ascii_digit());
    let mut starts = name.rmatch_indices('.').map(|(at, _)| at + 1);
    let last = starts.next()?;
    if name.starts_with('[') || is_address(&name[last..]) {
        return None;
    }
    let second = starts.next().unwrap_or(0);
    let of_a_country = name.len() - last == 2;
    let short = last - 1 - second <= 3;
    match (of_a_country && short && second > 0, starts.next()) {
        (true, third) => Some(&name[third.unwrap_or(0)..]),
        (false, _) => Some(&name[second..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(registry: &str, realm: &str) -> Standing {
        let realm = realm.parse().expect("an address");
        standing(&registry.parse().expect("a host"), Scheme::Https, &realm, &[])
    }

    #[test]
    fn one_party() {
        for (registry, realm) in [
            ("registry-1.docker.io", "https://auth.docker.io/token"),
            ("ghcr.io", "https://ghcr.io/token"),
            ("registry.gitlab.com", "https://gitlab.com/jwt/auth"),
            ("r.acme.co.uk", "https://auth.acme.co.uk/"),
            ("registry:5000", "https://registry:5001/"),
            ("10.0.0.1:5000", "https://10.0.0.1/"),
            ("[::1]:5000", "https://[::1]/"),
        ] {
            assert_eq!(of(registry, realm), Standing::Trusted, "{registry} {realm}");
        }
    }

    #[test]
    fn others() {
        for (registry, realm) in [
            ("ghcr.io", "https://evil.io/"),
            ("ghcr.io", "https://ghcr.io.evil.com/"),
            ("r.acme.co.uk", "https://evil.co.uk/"),
            ("acme.co.uk", "https://evil.co.uk/"),
            ("registry", "https://other/"),
            ("registry", "https://evil.registry/"),
            ("10.0.0.1", "https://10.0.0.2/"),
            ("10.0.0.1", "https://11.0.0.1/"),
            ("[::1]", "https://[::2]/"),
        ] {
            assert_eq!(of(registry, realm), Standing::Foreign, "{registry} {realm}");
        }
    }

    #[test]
    fn a_plain_realm_of_an_https_registry_is_told_nothing() {
        assert_eq!(of("ghcr.io", "http://ghcr.io/token"), Standing::Refused);
        let (registry, realm) =
            ("r".parse().expect("a host"), "http://r/token".parse().expect("an address"));
        assert_eq!(standing(&registry, Scheme::Http, &realm, &[]), Standing::Trusted);
    }
}
