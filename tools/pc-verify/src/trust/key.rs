//! Keys that the configuration names: where each is to be had, and what is said of it.

use std::path::PathBuf;

use records::text::shown;

use super::pem;

/// The entry of a Secret that cosign keeps a public key in.
const COSIGN_PUB: &str = "cosign.pub";

/// The longest name of an object (Kubernetes, "Object Names and IDs", DNS subdomain names).
const MAX_NAME: usize = 253;

/// Where a key is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// In a file.
    File(PathBuf),
    /// Right here, as PEM.
    Text(String),
    /// In a variable of the environment.
    Variable(String),
    /// Elsewhere; it must be asked for.
    Wanted(Wanted),
}

/// Something that must be asked for before the configuration is whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// A key behind an https address.
    Https(PinnedAddress),
    /// A key in a Secret of the cluster.
    Secret(SecretKey),
}

/// An https address, and the SHA-256 of what must come from there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PinnedAddress {
    /// The address, without the hash.
    pub address: String,
    /// 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// An entry of a Secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecretKey {
    /// The Secret's namespace.
    pub namespace: String,
    /// The Secret's name.
    pub name: String,
}

/// Why a text names no key that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeySourceError {
    #[error("it is empty")]
    Empty,
    #[error(
        "keys in a key management service (`{0}`) cannot be used yet: give the public key itself"
    )]
    KeyManagement(String),
    #[error(
        "`{}`: a key from the web needs `#sha256=` and the 64 hexadecimal digits of its SHA-256 behind the address, since whoever answers there could say whom to trust",
        shown(.0)
    )]
    NoHash(String),
    #[error("`{}`: a key cannot come over plain http; write https", shown(.0))]
    PlainHttp(String),
    #[error("`{}`: write `k8s://namespace/secret`", shown(.0))]
    Secret(String),
    #[error("`{}`: write `env://NAME`", shown(.0))]
    Variable(String),
    #[error(
        "`{}` is no place that keys are read from: give a path, PEM text, `env://NAME`, `https://…#sha256=…` or `k8s://namespace/secret`",
        shown(.0)
    )]
    Scheme(String),
}

impl KeySource {
    /// Reads what `--key` takes.
    pub(crate) fn parse(text: &str) -> Result<Self, KeySourceError> {
        use KeySourceError as E;
        let owned = || text.to_owned();
        if text.trim().is_empty() {
            return Err(E::Empty);
        }
        if pem::looks_like_pem(text) {
            return Ok(Self::Text(owned()));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::File(text.into()));
        };
        match scheme {
            "env" if !rest.is_empty() && !rest.contains(['=', '\0']) => {
                Ok(Self::Variable(rest.to_owned()))
            }
            "env" => Err(E::Variable(owned())),
            "https" => pinned(text).map(|at| Self::Wanted(Wanted::Https(at))),
            "http" => Err(E::PlainHttp(owned())),
            "k8s" => {
                let named =
                    rest.split_once('/').and_then(|(space, name)| SecretKey::new(space, name));
                named.map(|at| Self::Wanted(Wanted::Secret(at))).ok_or_else(|| E::Secret(owned()))
            }
            scheme if is_key_management(text) => Err(E::KeyManagement(format!("{scheme}://"))),
            _ => Err(E::Scheme(owned())),
        }
    }

    /// What a key from there is called, where nothing better is known.
    pub(crate) fn name(&self, number: usize) -> String {
        match self {
            Self::File(path) => path.to_string_lossy().into_owned(),
            Self::Text(_) => format!("key {number}"),
            Self::Variable(name) => format!("env://{name}"),
            Self::Wanted(wanted) => wanted.to_string(),
        }
    }
}

/// Whether a text names a key in a key management service (sigstore, pkg/signature/kms).
pub(crate) fn is_key_management(text: &str) -> bool {
    ["awskms://", "gcpkms://", "azurekms://", "hashivault://"].iter().any(|s| text.starts_with(s))
}

fn pinned(text: &str) -> Result<PinnedAddress, KeySourceError> {
    let no_hash = || KeySourceError::NoHash(text.to_owned());
    let (address, hash) = text.split_once("#sha256=").ok_or_else(no_hash)?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hash || address.contains('#') {
        return Err(no_hash());
    }
    Ok(PinnedAddress { address: address.to_owned(), sha256: hash.to_ascii_lowercase() })
}

impl SecretKey {
    /// The Secret of these names; none where one is no name.
    pub(crate) fn new(namespace: &str, name: &str) -> Option<Self> {
        // Both go into a path.
        let named = is_name(namespace) && is_name(name);
        named.then(|| Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// Which of a Secret's entries is the key: `cosign.pub`, or the only one there is.
    pub(crate) fn entry<T>(entries: &std::collections::BTreeMap<String, T>) -> Option<&T> {
        match entries.get(COSIGN_PUB) {
            Some(entry) => Some(entry),
            None if entries.len() == 1 => entries.values().next(),
            None => None,
        }
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Https(at) => f.write_str(&at.address),
            Self::Secret(SecretKey { namespace, name }) => write!(f, "k8s://{namespace}/{name}"),
        }
    }
}

/// Whether a text is a DNS subdomain name (RFC 1123), as names of Secrets and namespaces are.
fn is_name(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &str| {
        let ends = [label.bytes().next(), label.bytes().last()];
        ends.iter().all(|byte| byte.is_some_and(is_inner))
            && label.bytes().all(|byte| is_inner(byte) || byte == b'-')
    };
    text.len() <= MAX_NAME && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_be_in_many_places() {
        let hash = "A1".repeat(32);
        let pinned = PinnedAddress {
            address: "https://acme.example/key.pub".into(),
            sha256: hash.to_ascii_lowercase(),
        };
        let secret = SecretKey { namespace: "trust".into(), name: "keys.v1".into() };
        for (text, expected) in [
            ("keys/cosign.pub", KeySource::File("keys/cosign.pub".into())),
            ("-----BEGIN PUBLIC KEY-----", KeySource::Text("-----BEGIN PUBLIC KEY-----".into())),
            ("env://COSIGN_KEY", KeySource::Variable("COSIGN_KEY".into())),
            (
                &*format!("https://acme.example/key.pub#sha256={hash}"),
                KeySource::Wanted(Wanted::Https(pinned)),
            ),
            ("k8s://trust/keys.v1", KeySource::Wanted(Wanted::Secret(secret))),
        ] {
            assert_eq!(KeySource::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_used_says_what_can() {
        for (text, why) in [
            ("", "empty"),
            (" ", "empty"),
            ("env://", "env://NAME"),
            ("env://A=B", "env://NAME"),
            ("https://acme.example/key.pub", "#sha256="),
            ("https://acme.example/key.pub#sha256=12", "#sha256="),
            (&*format!("https://acme.example/#a#sha256={}", "a".repeat(64)), "#sha256="),
            ("http://acme.example/key.pub", "plain http"),
            ("k8s://trust", "k8s://namespace/secret"),
            ("k8s://trust/../secrets", "k8s://namespace/secret"),
            ("k8s://trust/a/b", "k8s://namespace/secret"),
            ("awskms:///alias/release", "`awskms://`) cannot be used yet"),
            ("gcpkms://projects/a", "cannot be used yet"),
            ("azurekms://a/b", "cannot be used yet"),
            ("hashivault://a", "cannot be used yet"),
            ("pkcs11://a", "no place that keys are read from"),
            ("github://acme/web", "no place that keys are read from"),
        ] {
            let error = KeySource::parse(text).expect_err(text).to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
