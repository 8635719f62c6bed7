//! Keys that lie elsewhere: behind an https address with a hash, or in a Secret.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cluster::{Cluster, Resource, Scope, View};
use http_asking::{Address, Client, Kind, Request};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::key::{PinnedAddress, SecretKey, Wanted};

/// The largest key that is read, in bytes.
const MAX_KEY: u64 = 64 * 1024;

const SECRETS: Resource = Resource { group: "", version: "v1", plural: "secrets", kind: "Secret" };

/// A Secret, as far as it is read. It has no `Debug`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Secret {
    /// Values are base64.
    data: BTreeMap<String, String>,
}

/// What was asked for, as text.
#[derive(Debug, Default)]
pub struct Fetched(HashMap<Wanted, String>);

/// A key cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("the key `{wanted}` cannot be had: {why}")]
pub struct FetchError {
    wanted: Wanted,
    why: String,
}

impl Fetched {
    /// What was fetched, if it was.
    pub(crate) fn get(&self, wanted: &Wanted) -> Option<&str> {
        self.0.get(wanted).map(String::as_str)
    }
}

/// Asks for each, one after the other, by the means that are handed over: [`get`] and
/// [`read_secret`] are such means. What comes from an address must have the hash that stands
/// beside it.
///
/// # Errors
/// For the first that cannot be had.
pub async fn fetch<H, S>(wanted: &[Wanted], https: H, secret: S) -> Result<Fetched, FetchError>
where
    H: AsyncFn(&PinnedAddress) -> Result<Vec<u8>, String>,
    S: AsyncFn(&SecretKey) -> Result<Vec<u8>, String>,
{
    let mut fetched = Fetched::default();
    for one in wanted {
        let bytes = match one {
            Wanted::Https(at) => https(at).await.and_then(|bytes| check(at, bytes)),
            Wanted::Secret(at) => secret(at).await,
        };
        let text = bytes
            .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is no text".to_owned()))
            .map_err(|why| FetchError { wanted: one.clone(), why })?;
        fetched.0.insert(one.clone(), text);
    }
    Ok(fetched)
}

fn check(at: &PinnedAddress, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let found = hex::encode(Sha256::digest(&bytes));
    if found == at.sha256 {
        return Ok(bytes);
    }
    Err(format!("what came has the SHA-256 {found}, and {} is demanded", at.sha256))
}

/// Asks an https address.
///
/// # Errors
/// Why nothing came, in words.
pub async fn get(client: &Client, at: &PinnedAddress) -> Result<Vec<u8>, String> {
    let address: Address = at.address.parse().map_err(|error| format!("{error}"))?;
    let request = Request::get(Kind::Blob, address).limit(MAX_KEY);
    let answer = client.ask(request).await.map_err(|error| words(&error))?;
    match answer.status.is_success() {
        true => Ok(answer.body.to_vec()),
        false => Err(words(&answer.refusal())),
    }
}

/// Reads a Secret: its entry `cosign.pub`, or the only one that it has.
///
/// # Errors
/// Why there is no such entry, in words.
pub async fn read_secret(cluster: &Cluster, at: &SecretKey) -> Result<Vec<u8>, String> {
    let scope = Scope::Namespace(at.namespace.clone());
    let secret = cluster
        .get::<Secret>(SECRETS, scope, &at.name, View::Whole)
        .await
        .map_err(|error| error.message())?;
    entry(&secret.data)
}

fn entry(data: &BTreeMap<String, String>) -> Result<Vec<u8>, String> {
    let Some(text) = SecretKey::entry(data) else {
        let count = data.len();
        return Err(format!("the Secret has {count} entries and none is named `cosign.pub`"));
    };
    STANDARD.decode(text).map_err(|_| "the Secret's entry is not base64".to_owned())
}

/// An error with its causes.
fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(&format!(": {error}"));
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pinned(body: &[u8]) -> PinnedAddress {
        let sha256 = hex::encode(Sha256::digest(body));
        PinnedAddress { address: "https://acme.example/key.pub".into(), sha256 }
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(future)
    }

    #[test]
    fn what_comes_must_have_its_hash() {
        let secret = SecretKey::new("trust", "keys").expect("names");
        let wanted = [Wanted::Https(pinned(b"key")), Wanted::Secret(secret)];
        let asked = |body: &'static str| {
            run(fetch(
                &wanted,
                async |_| Ok(body.as_bytes().to_vec()),
                async |at| Ok(at.name.clone().into_bytes()),
            ))
        };
        let fetched = asked("key").expect("both");
        assert_eq!(fetched.get(&wanted[0]), Some("key"));
        assert_eq!(fetched.get(&wanted[1]), Some("keys"));
        let error = asked("another").expect_err("refused").to_string();
        assert!(error.contains("https://acme.example/key.pub") && error.contains("SHA-256"));
    }

    #[test]
    fn what_fails_says_which_and_why() {
        let wanted = [Wanted::Secret(SecretKey::new("trust", "keys").expect("names"))];
        let fetched = |secret: Result<Vec<u8>, String>| {
            run(fetch(&wanted, async |_| Err("unused".into()), async |_| secret.clone()))
        };
        let error = fetched(Err("forbidden".into())).expect_err("refused").to_string();
        assert_eq!(error, "the key `k8s://trust/keys` cannot be had: forbidden");
        assert!(fetched(Ok(vec![0xff])).expect_err("binary").to_string().contains("no text"));
    }

    #[test]
    fn a_secret_has_its_key_under_one_name_or_alone() {
        let data = |pairs: &[(&str, &str)]| {
            let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            entry(&pairs.iter().map(pair).collect())
        };
        assert_eq!(data(&[("cosign.pub", "a2V5"), ("cosign.key", "eA==")]), Ok(b"key".to_vec()));
        assert_eq!(data(&[("release.pub", "a2V5")]), Ok(b"key".to_vec()));
        assert!(data(&[("a", "a2V5"), ("b", "a2V5")]).expect_err("two").contains("2 entries"));
        assert!(data(&[]).is_err() && data(&[("a", "%")]).is_err());
    }
}
