//! The pods' pull secrets, read from the cluster: only those that a pod names, each once.
//!
//! What a Secret holds goes from the API server into the keychain and nowhere else: it is in no
//! record, no message and no log.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cluster::resource::SECRETS;
use cluster::{Cluster, Scope, View};
use records::text::shown;
use registry::{PullSecret, PullSecrets, SecretForm, SecretName};
use serde::Deserialize;
use tokio::sync::{OnceCell, Semaphore};

/// How many Secrets are read at a time.
const IN_FLIGHT: usize = 8;

/// The longest name of an object (Kubernetes, "Object Names and IDs", DNS subdomain names).
const MAX_NAME: usize = 253;

/// A Secret, as far as it is read. It has no `Debug`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Secret {
    r#type: String,
    /// Values are base64.
    data: BTreeMap<String, String>,
}

/// Reads pull secrets, each once a run. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Secrets(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    cluster: Cluster,
    read: Mutex<HashMap<SecretName, Arc<OnceCell<PullSecret>>>>,
    turns: Semaphore,
}

impl Secrets {
    /// Reads from this cluster.
    pub(crate) fn of(cluster: Cluster) -> Self {
        let turns = Semaphore::new(IN_FLIGHT);
        Self(Arc::new(Inner { cluster, read: Mutex::default(), turns }))
    }

    /// The requests to the API server so far, by resource.
    pub(crate) fn requests(&self) -> BTreeMap<String, u64> {
        self.0.cluster.requests()
    }

    /// The secrets of these names. One that cannot be had is among them and says why when it is
    /// missed.
    pub(crate) async fn named(&self, names: &[SecretName]) -> PullSecrets {
        let mut secrets = Vec::new();
        for name in names {
            let cell = {
                let mut read = self.0.read.lock().unwrap_or_else(PoisonError::into_inner);
                Arc::clone(read.entry(name.clone()).or_default())
            };
            secrets.push(cell.get_or_init(|| self.read(name)).await.clone());
        }
        PullSecrets::new(secrets)
    }

    async fn read(&self, name: &SecretName) -> PullSecret {
        let unusable = |why: &str| PullSecret::unusable(name.clone(), why);
        // Names come from pods, and go into a path.
        if !is_name(&name.namespace) || !is_name(&name.name) {
            return unusable("it is no name of a Secret");
        }
        // The semaphore is never closed.
        let _turn = self.0.turns.acquire().await;
        let scope = Scope::Namespace(name.namespace.clone());
        match self.0.cluster.get::<Secret>(SECRETS, scope, &name.name, View::Whole).await {
            Ok(secret) => parse(name, &secret),
            Err(error) => unusable(&error.message()),
        }
    }
}

/// What a Secret gives.
fn parse(name: &SecretName, secret: &Secret) -> PullSecret {
    let unusable = |why: &str| PullSecret::unusable(name.clone(), why);
    let Some(form) = SecretForm::of_type(&secret.r#type) else {
        return unusable(&format!(
            "it is of type `{}`, and pull secrets are of `kubernetes.io/dockerconfigjson` or `kubernetes.io/dockercfg`",
            shown(&secret.r#type)
        ));
    };
    let document = secret.data.get(form.key()).map(|text| STANDARD.decode(text));
    match document {
        Some(Ok(document)) => PullSecret::parse(name.clone(), form, &document),
        Some(Err(_)) => unusable(&format!("its `{}` is not base64", form.key())),
        None => unusable(&format!("it has no `{}`", form.key())),
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
    fn names_that_are_none_are_not_asked_for() {
        for name in ["regcred", "a.b-c.d0"] {
            assert!(is_name(name), "{name}");
        }
        let long = "a".repeat(254);
        for name in ["", ".", "..", "a/b", "A", "-a", "a-", "a..b", "a?b", "a%2f", &long] {
            assert!(!is_name(name), "{name}");
        }
    }
}
