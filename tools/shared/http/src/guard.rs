//! Which addresses may be asked.
//!
//! Hosts come from pod specs, and tenants write those. An image called `169.254.169.254/x:1` must
//! not make the collector ask the cloud's metadata service, from inside the cluster. Addresses are
//! checked when connecting: those that a name resolves to by the resolver here, which hands out
//! only what passed (so there is no second look-up to be lied to), and literals before they are
//! sent, since no resolver sees those.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::{Address, Host, Hosts, Network, PlainHttp, Problem};

/// The rules of one run.
#[derive(Debug, Clone)]
pub(crate) struct Guard(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    /// Networks that may be asked whatever they are.
    allowed: Vec<Network>,
    /// Hosts that the operator named for plain http: whoever names a host there means it.
    named: PlainHttp,
    /// What the hosts file allows to single hosts.
    hosts: Hosts,
    /// The API server's address in the cluster, as Kubernetes tells its pods; outside a pod it is not
    /// known, and neither are the endpoints behind it.
    apiserver: Option<IpAddr>,
}

/// An address that may not be asked; what the resolver gives in place of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{address}` is {kind}")]
pub(crate) struct Refused {
    pub(crate) address: IpAddr,
    pub(crate) kind: &'static str,
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        Self::AddressRefused { address: refused.address, kind: refused.kind }
    }
}

impl Guard {
    pub(crate) fn new(allowed: Vec<Network>, named: PlainHttp, hosts: Hosts) -> Self {
        let apiserver = std::env::var("KUBERNETES_SERVICE_HOST").ok();
        let apiserver = apiserver.and_then(|address| address.parse().ok());
        Self(Arc::new(Rules { allowed, named, hosts, apiserver }))
    }

    /// Checks an address whose host is a literal one in any of its forms: the URL parser has made
    /// decimal, octal and hexadecimal ones into addresses already.
    ///
    /// What the operator said of a host is said of its port too: who may ask a registry on
    /// loopback may not ask everything there.
    pub(crate) fn check(&self, address: &Address) -> Result<(), Refused> {
        let literal = match address.url().host() {
            Some(url::Host::Ipv4(literal)) => IpAddr::V4(literal),
            Some(url::Host::Ipv6(literal)) => IpAddr::V6(literal),
            _ => return Ok(()),
        };
        // As the parser wrote it: the operator need not have thought of every form.
        let host = Host::of(address.url()).unwrap_or_else(|_| address.host().clone());
        let meant = self.0.named.contains(&host)
            || self.0.hosts.of(&host).is_some_and(|set| set.allows(literal));
        if meant { Ok(()) } else { self.0.refuse(literal) }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let passed = rules.passed(name.as_str(), found)?;
            Ok(Box::new(passed.into_iter()) as Addrs)
        })
    }
}

impl Rules {
    /// Those of the addresses of a name that may be asked. A connection goes to one of these and
    /// to no other: what the name resolves to at the next look-up is judged then.
    fn passed(
        &self,
        name: &str,
        found: impl IntoIterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Refused> {
        let (mut passed, mut refused) = (Vec::new(), None);
        for address in found {
            match self.check(name, address.ip()) {
                Ok(()) => passed.push(address),
                Err(why) => refused = Some(why),
            }
        }
        match refused {
            Some(why) if passed.is_empty() => Err(why),
            _ => Ok(passed),
        }
    }

    /// Whether the host of this name may be asked at this address. Resolvers are not told the port.
    fn check(&self, name: &str, address: IpAddr) -> Result<(), Refused> {
        let meant = self.named.names(name) || self.hosts.allows(name, address);
        if meant { Ok(()) } else { self.refuse(address) }
    }

    /// Refuses an address that nothing but its kind speaks for.
    fn refuse(&self, address: IpAddr) -> Result<(), Refused> {
        let real = embedded(address);
        let fits = |network: &Network| network.contains(address) || network.contains(real);
        if self.allowed.iter().any(fits) {
            return Ok(());
        }
        match self.kind(real) {
            Some(kind) => Err(Refused { address, kind }),
            None => Ok(()),
        }
    }

    /// What kind of forbidden address this is, if it is one.
    fn kind(&self, address: IpAddr) -> Option<&'static str> {
        if self.apiserver == Some(address) {
            return Some("the Kubernetes API server's address");
        }
        match address {
            IpAddr::V4(address) => kind_v4(address),
            IpAddr::V6(address) => kind_v6(address),
        }
    }
}

/// Addresses at which clouds tell machines their secrets, beside 169.254.169.254.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba Cloud
    Ipv4Addr::new(168, 63, 129, 16),   // Azure
    Ipv4Addr::new(192, 0, 0, 192),     // Oracle Cloud
];

/// AWS's metadata service.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

fn kind_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address {
        address if METADATA_V4.contains(&address) => Some("a cloud's metadata service"),
        address if address.is_loopback() => Some("a loopback address"),
        address if address.is_link_local() => Some("a link-local address"),
        address if address.octets()[0] == 0 => Some("an unspecified address"),
        address if address.is_multicast() => Some("a multicast address"),
        Ipv4Addr::BROADCAST => Some("the broadcast address"),
        _ => None,
    }
}

fn kind_v6(address: Ipv6Addr) -> Option<&'static str> {
    match address {
        METADATA_V6 => Some("a cloud's metadata service"),
        address if address.is_loopback() => Some("a loopback address"),
        address if address.is_unicast_link_local() => Some("a link-local address"),
        address if address.is_unspecified() => Some("an unspecified address"),
        address if address.is_multicast() => Some("a multicast address"),
        _ => None,
    }
}

/// The IPv4 address that an IPv6 one only wraps: mapped and compatible (RFC 4291, section 2.5.5),
/// 6to4 (RFC 3056), NAT64 (RFC 6052).
pub(crate) fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let bytes = v6.octets();
    let at = |from: usize| {
        IpAddr::V4(Ipv4Addr::new(bytes[from], bytes[from + 1], bytes[from + 2], bytes[from + 3]))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => at(12),
        // ::1 and :: are not wrapped addresses.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 || low > 1 => at(12),
        [0x2002, ..] => at(2),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allowed: &[&str], named: &[&str]) -> Guard {
        let allowed = allowed.iter().map(|text| text.parse().expect("a network")).collect();
        let named = named.iter().map(|text| text.parse().expect("a host")).collect();
        Guard::new(allowed, PlainHttp::new(named), Hosts::default())
    }

    fn kind(guard: &Guard, host: &str) -> Option<&'static str> {
        let address = format!("https://{host}/v2/").parse().expect(host);
        guard.check(&address).err().map(|refused| refused.kind)
    }

    #[test]
    fn literals_in_every_form_are_seen_through() {
        let guard = guard(&[], &[]);
        for loopback in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "017700000001",
            "127.0.0.1:5000",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
        ] {
            assert_eq!(kind(&guard, loopback), Some("a loopback address"), "{loopback}");
        }
        for (host, wanted) in [
            ("169.254.169.254", "a link-local address"),
            ("[fe80::1]", "a link-local address"),
            ("[fd00:ec2::254]", "a cloud's metadata service"),
            ("100.100.100.200", "a cloud's metadata service"),
            ("[::ffff:169.254.169.254]", "a link-local address"),
            ("0.0.0.0", "an unspecified address"),
            ("0", "an unspecified address"),
            ("[::]", "an unspecified address"),
            ("224.0.0.1", "a multicast address"),
            ("255.255.255.255", "the broadcast address"),
        ] {
            assert_eq!(kind(&guard, host), Some(wanted), "{host}");
        }
        for fine in ["10.0.0.1", "192.168.1.1", "8.8.8.8", "[2001:db8::1]", "ghcr.io"] {
            assert_eq!(kind(&guard, fine), None, "{fine}");
        }
    }

    #[test]
    fn what_the_operator_names_is_meant() {
        let guard = guard(&["169.254.0.0/16", "::1/128"], &["127.0.0.1:5000"]);
        assert_eq!(kind(&guard, "169.254.1.1"), None);
        assert_eq!(kind(&guard, "[::ffff:169.254.1.1]"), None);
        assert_eq!(kind(&guard, "[::1]"), None);
        assert_eq!(kind(&guard, "127.0.0.1:5000"), None);
        assert_eq!(kind(&guard, "2130706433:5000"), None);
        for other in ["127.0.0.2:5000", "127.0.0.1", "127.0.0.1:6443"] {
            assert_eq!(kind(&guard, other), Some("a loopback address"), "{other}");
        }
    }

    /// A name that means another address at every look-up gets nowhere by that.
    #[test]
    fn every_look_up_is_judged_by_itself() {
        let guard = guard(&[], &[]);
        let passed = |found: &[&str]| {
            let found = found.iter().map(|ip| SocketAddr::new(ip.parse().expect("an IP"), 0));
            let passed = guard.0.passed("rebinds.example", found);
            passed.map(|passed| passed.iter().map(|one| one.ip().to_string()).collect::<Vec<_>>())
        };
        assert_eq!(passed(&["203.0.113.7"]), Ok(vec!["203.0.113.7".to_owned()]));
        let second = passed(&["127.0.0.1"]).expect_err("refused");
        assert_eq!(second.kind, "a loopback address");
        let mixed = passed(&["127.0.0.1", "203.0.113.7", "::ffff:169.254.169.254", "::1"]);
        assert_eq!(mixed, Ok(vec!["203.0.113.7".to_owned()]), "no other is there to connect to");
    }

    #[tokio::test]
    async fn names_are_resolved_and_what_they_resolve_to_is_checked() {
        let resolve =
            |guard: Guard| async move { guard.resolve("localhost".parse().expect("a name")).await };
        let error = resolve(guard(&[], &[])).await.err().expect("refused");
        assert!(
            error
                .downcast_ref::<Refused>()
                .is_some_and(|refused| refused.kind == "a loopback address")
        );
        assert!(resolve(guard(&["127.0.0.0/8", "::1/128"], &[])).await.is_ok());
        assert!(resolve(guard(&[], &["localhost:5000"])).await.is_ok());
    }
}
