//! Attacks on what reads addresses and the file of hosts; see `testkit::fuzz`.

use std::path::Path;

use crate::{Address, Host, Hosts};

/// A file of hosts. It is the operator's own, so what must hold is that it is read or refused,
/// and that every host that it is about can be looked up.
pub fn hosts(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(hosts) = Hosts::parse(Path::new("hosts.yaml"), text) else { return };
    for name in
        ["registry.example.com", "a.b.example.com:5000", "[::1]:443", "registry-1.docker.io"]
    {
        let _ = hosts.of(&name.parse().expect("a host"));
    }
    for (host, _) in hosts.mirrored() {
        assert!(hosts.of(host).is_some(), "{host}");
    }
}

/// An address, or a host: what is read prints to what is read as the same.
pub fn address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(address) = text.parse::<Address>() {
        let printed = address.url().to_string();
        let again: Address = printed.parse().expect(&printed);
        assert_eq!((again.host(), again.scheme()), (address.host(), address.scheme()), "{printed}");
        assert!(address.url().username().is_empty() && address.url().password().is_none());
    }
    if let Ok(host) = text.parse::<Host>() {
        let printed = host.to_string();
        let again: Host = printed.parse().expect(&printed);
        assert_eq!(again, host);
    }
}

#[cfg(test)]
mod tests {
    use testkit::fuzz::{Target, attack};

    const HERE: &str = env!("CARGO_MANIFEST_DIR");

    #[test]
    fn files_of_hosts_under_attack() {
        let words = &["hosts:", "allowHosts:", "mirrors:", "plainHttp: true", "  ", "- ", "*."];
        attack(Target::new(HERE, "hosts", super::hosts, words), Vec::new());
    }

    #[test]
    fn addresses_under_attack() {
        let words =
            &["https://", "http://", "[", "]", "::", ":443", "@", "%2f", "2130706433", "xn--"];
        attack(Target::new(HERE, "address", super::address, words).share(500), Vec::new());
    }
}
