//! The pods' own pull secrets: credentials that tenants gave for the images of their pods.
//!
//! A secret is for the images of the pods of its namespace that name it, and for nothing else:
//! who asks says on whose behalf ([`PullSecrets`]), and an answer that was had by a secret is no
//! answer for anybody without it. Entries fit as the kubelet's do (the longest path first, `*`
//! within a label of the host, ports in full), but for paths, which end at a slash here. Helpers
//! that such a document names are never run: tenants write it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use records::text::shown;

use super::Credential;
use super::config::ConfigFile;
use super::pattern::{Pattern, Specificity};
use crate::Repository;

/// How many credentials of pull secrets are tried for one repository. A tenant may write any
/// number of them, and each failed one counts against us at the registry.
const MAX_TRIED: usize = 5;

/// Which Secret of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", shown(&self.namespace), shown(&self.name))
    }
}

/// The two types of Secret that hold pull credentials (Kubernetes, "Types of Secret").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretForm {
    /// `kubernetes.io/dockerconfigjson`: a Docker `config.json`.
    DockerConfigJson,
    /// `kubernetes.io/dockercfg`: the older file, which is its `auths` alone.
    DockerCfg,
}

impl SecretForm {
    /// The form of a Secret of this type, if it is one of pull credentials.
    #[must_use]
    pub fn of_type(text: &str) -> Option<Self> {
        match text {
            "kubernetes.io/dockerconfigjson" => Some(Self::DockerConfigJson),
            "kubernetes.io/dockercfg" => Some(Self::DockerCfg),
            _ => None,
        }
    }

    /// The key in the Secret's data under which the document lies.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::DockerConfigJson => ".dockerconfigjson",
            Self::DockerCfg => ".dockercfg",
        }
    }
}

/// One pull secret: its credentials, or why there are none. `Debug` shows no credential.
#[derive(Debug, Clone)]
pub struct PullSecret {
    name: SecretName,
    entries: Result<Arc<[(Pattern, Credential)]>, Arc<str>>,
}

impl PullSecret {
    /// Reads a document. One that cannot be read makes a secret that lets nobody in and says why
    /// when it is missed; the document's own words are not repeated.
    #[must_use]
    pub fn parse(name: SecretName, form: SecretForm, document: &[u8]) -> Self {
        let parsed = match form {
            SecretForm::DockerConfigJson => ConfigFile::parse(document),
            SecretForm::DockerCfg => ConfigFile::parse_auths(document),
        };
        let entries = parsed.map(|file| file.into_stored().into());
        Self { name, entries: entries.map_err(|fault| fault.to_string().into()) }
    }

    /// A secret that could not be had; `why` goes on from "its pull secret … cannot be used: ".
    #[must_use]
    pub fn unusable(name: SecretName, why: &str) -> Self {
        Self { name, entries: Err(why.into()) }
    }

    fn fitting(
        &self,
        repository: &Repository,
    ) -> impl Iterator<Item = (Specificity, Identity)> + use<> {
        let entries = self.entries.as_deref().unwrap_or_default();
        let fitting: Vec<_> = entries
            .iter()
            .enumerate()
            .filter_map(|(entry, (pattern, credential))| {
                let (secret, credential) = (self.name.clone(), credential.clone());
                let identity = Identity::Pod { secret, entry, credential };
                pattern.fits(repository).map(|specificity| (specificity, identity))
            })
            .collect();
        fitting.into_iter()
    }
}

/// The pull secrets on whose behalf something is asked: none, or those that a pod names. Cheap to
/// clone. Two are equal when they name the same secrets, which have one content in a run.
#[derive(Debug, Clone, Default)]
pub struct PullSecrets(Option<Arc<[PullSecret]>>);

impl PullSecrets {
    /// No secrets: what is asked so, is asked on behalf of everybody.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// These secrets; a name that comes twice counts once.
    #[must_use]
    pub fn new(secrets: impl IntoIterator<Item = PullSecret>) -> Self {
        let mut secrets: Vec<_> = secrets.into_iter().collect();
        secrets.sort_by(|a, b| a.name.cmp(&b.name));
        secrets.dedup_by(|a, b| a.name == b.name);
        Self((!secrets.is_empty()).then(|| secrets.into()))
    }

    /// As whom a repository may be asked, the most specific entry first.
    pub(crate) fn identities(&self, repository: &Repository) -> Vec<Identity> {
        let mut fitting: Vec<_> =
            self.all().iter().flat_map(|secret| secret.fitting(repository)).collect();
        fitting.sort_by_key(|(specificity, _)| std::cmp::Reverse(*specificity));
        let mut identities: Vec<Identity> = Vec::new();
        for (_, identity) in fitting {
            let known = identities.iter().any(|known| known.credential() == identity.credential());
            if !known && identities.len() < MAX_TRIED {
                identities.push(identity);
            }
        }
        identities
    }

    /// A secret that lets nobody in, and why.
    pub(crate) fn unusable(&self) -> Option<(&SecretName, &Arc<str>)> {
        self.all()
            .iter()
            .find_map(|secret| secret.entries.as_ref().err().map(|why| (&secret.name, why)))
    }

    fn all(&self) -> &[PullSecret] {
        self.0.as_deref().unwrap_or_default()
    }

    fn names(&self) -> impl Iterator<Item = &SecretName> {
        self.all().iter().map(|secret| &secret.name)
    }
}

impl PartialEq for PullSecrets {
    fn eq(&self, other: &Self) -> bool {
        self.names().eq(other.names())
    }
}

impl Eq for PullSecrets {}

impl Hash for PullSecrets {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.names().for_each(|name| name.hash(state));
    }
}

/// As whom a question is put.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    /// As the collector, with whatever its keychain has.
    Collector,
    /// As a pod, with an entry of a pull secret.
    Pod {
        /// The secret.
        secret: SecretName,
        /// Which of its entries.
        entry: usize,
        /// The entry's credential.
        credential: Credential,
    },
}

/// What tells identities apart.
pub(crate) type IdentityKey = Option<(SecretName, usize)>;

impl Identity {
    pub(crate) fn key(&self) -> IdentityKey {
        match self {
            Self::Collector => None,
            Self::Pod { secret, entry, .. } => Some((secret.clone(), *entry)),
        }
    }

    fn credential(&self) -> Option<&Credential> {
        match self {
            Self::Collector => None,
            Self::Pod { credential, .. } => Some(credential),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> SecretName {
        SecretName { namespace: "shop".into(), name: name.into() }
    }

    fn secret(called: &str, keys: &[&str]) -> PullSecret {
        let auths: serde_json::Map<_, _> = keys
            .iter()
            .map(|key| {
                let user = format!("{called} {key}");
                ((*key).to_owned(), serde_json::json!({"username": user, "password": "p"}))
            })
            .collect();
        let document = serde_json::json!({"auths": auths}).to_string();
        PullSecret::parse(name(called), SecretForm::DockerConfigJson, document.as_bytes())
    }

    fn users(secrets: &PullSecrets, repository: &str) -> Vec<String> {
        let repository = repository.parse().expect("a repository");
        let user = |identity: &Identity| match identity.credential() {
            Some(Credential::Password { user, .. }) => user.clone(),
            other => unreachable!("{other:?}"),
        };
        secrets.identities(&repository).iter().map(user).collect()
    }

    #[test]
    fn the_longest_entry_of_all_secrets_is_tried_first() {
        let secrets = PullSecrets::new([
            secret("a", &["r.io", "*.io", "r.io:5000"]),
            secret("b", &["r.io/team", "https://index.docker.io/v1/"]),
        ]);
        for (repository, wanted) in [
            ("r.io/team/web", &["b r.io/team", "a r.io", "a *.io"][..]),
            ("r.io/teamwork/web", &["a r.io", "a *.io"]),
            ("x.io/web", &["a *.io"]),
            ("r.io:5000/web", &["a r.io:5000"]),
            ("nginx", &["b https://index.docker.io/v1/", "a *.io"]),
            ("r.io:5001/web", &[]),
            ("evil-r.example/web", &[]),
        ] {
            assert_eq!(users(&secrets, repository), wanted, "{repository}");
        }
    }

    #[test]
    fn sets_are_the_same_by_their_names() {
        let set =
            |names: &[&str]| PullSecrets::new(names.iter().map(|name| secret(name, &["r.io"])));
        assert_eq!(set(&["a", "b", "a"]), set(&["b", "a"]));
        assert_ne!(set(&["a"]), set(&["b"]));
        assert_eq!(set(&[]), PullSecrets::none());
    }

    #[test]
    fn few_are_tried_and_none_twice() {
        let many: Vec<_> = (0..9).map(|n| secret(&format!("s{n}"), &["r.io"])).collect();
        assert_eq!(users(&PullSecrets::new(many), "r.io/x").len(), MAX_TRIED);
        let document = br#"{"r.io": {"username": "u", "password": "p", "email": "e"}}"#;
        let same = ["a", "b"]
            .map(|called| PullSecret::parse(name(called), SecretForm::DockerCfg, document));
        assert_eq!(users(&PullSecrets::new(same), "r.io/x"), ["u"]);
    }

    #[test]
    fn helpers_of_tenants_are_not_run_and_faults_are_kept_without_secrets() {
        let document = br#"{"credHelpers": {"r.io": "evil"}, "credsStore": "evil"}"#;
        let helper = PullSecret::parse(name("h"), SecretForm::DockerConfigJson, document);
        assert!(users(&PullSecrets::new([helper]), "r.io/x").is_empty());
        for document in [&b"{\"auths\": {\"r.io\": {\"auth\": \"hunter2!\"}}}"[..], b"hunter2"] {
            let bad = PullSecret::parse(name("bad"), SecretForm::DockerConfigJson, document);
            let secrets = PullSecrets::new([bad]);
            let (of, why) = secrets.unusable().expect("a fault");
            assert_eq!(of.to_string(), "shop/bad");
            assert!(!format!("{why} {secrets:?}").contains("hunter2"), "{why}");
        }
        let gone = PullSecrets::new([PullSecret::unusable(name("gone"), "it is not there")]);
        assert!(gone.unusable().is_some() && PullSecrets::none().unusable().is_none());
    }
}
