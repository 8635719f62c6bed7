//! What every test needs: a registry to ask, names, credentials.

use std::fs;
use std::path::Path;
use std::time::Duration;

use http_asking::{Client, HttpArgs};
use registry::{Denial, Descriptor, Error, Keychain, Registry, Repository, Tag, TagOrDigest};
use testkit::registry::{Access, Bearer, FakeRegistry};

pub(crate) fn http_args() -> HttpArgs {
    HttpArgs {
        registry_timeout: Duration::from_secs(10),
        ca_file: Vec::new(),
        plain_http: vec!["127.0.0.1".into(), "localhost".into()],
        max_in_flight: 64,
        max_in_flight_per_host: 64,
        max_in_flight_new: 16,
        max_tries: 1,
        deadline: None,
        hosts_file: None,
        allow_host: Vec::new(),
        allow_address: vec!["127.0.0.0/8".into(), "::1".into()],
    }
}

pub(crate) fn client() -> Client {
    Client::new(http_args().settings().expect("settings")).expect("a client")
}

/// What a name stands for, where it does not matter who said so.
pub(crate) trait Found {
    async fn found(
        &self,
        repository: &Repository,
        what: impl Into<TagOrDigest>,
    ) -> Result<Option<Descriptor>, Error>;
}

impl Found for Registry {
    async fn found(
        &self,
        repository: &Repository,
        what: impl Into<TagOrDigest>,
    ) -> Result<Option<Descriptor>, Error> {
        self.head(repository, what).await.map(|found| found.map(|answer| answer.value))
    }
}

/// Asks without credentials.
pub(crate) fn anonymous() -> Registry {
    Registry::remote(client(), Keychain::empty())
}

/// Asks with the credentials of a Docker configuration.
pub(crate) fn with_config(config: &str) -> Registry {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.json");
    fs::write(&path, config).expect("written");
    Registry::remote(client(), keychain(&path))
}

pub(crate) fn keychain(path: &Path) -> Keychain {
    Keychain::load(Some(path)).expect("a keychain")
}

/// Asks as `user:secret`.
pub(crate) fn as_user(fake: &FakeRegistry) -> Registry {
    let host = fake.host();
    with_config(&format!(r#"{{"auths":{{"{host}":{{"username":"user","password":"secret"}}}}}}"#))
}

pub(crate) fn repository(fake: &FakeRegistry, path: &str) -> Repository {
    format!("{}/{path}", fake.host()).parse().expect("a repository")
}

pub(crate) fn tag(text: &str) -> Tag {
    text.parse().expect(text)
}

/// A registry that wants tokens, with fifty tags in one repository and fifty repositories.
pub(crate) fn tokens(bearer: Bearer) -> FakeRegistry {
    let fake = FakeRegistry::start();
    for tag in 0..50 {
        fake.push_image("acme/web", Some(&tag.to_string()), &tag.to_string());
        fake.push_image(&format!("acme/app-{tag}"), Some("1"), "amd64");
    }
    fake.switch(|switches| switches.access = Access::Bearer(bearer));
    fake
}

/// The user whom [`as_user`] is.
pub(crate) fn user() -> Option<(String, String)> {
    Some(("user".into(), "secret".into()))
}

/// How many requests were answered so.
pub(crate) fn of_status(fake: &FakeRegistry, status: u16) -> usize {
    fake.log().iter().filter(|asked| asked.status == status).count()
}

/// Why we were not let in.
pub(crate) fn denial(error: &Error) -> Option<&Denial> {
    match error {
        Error::Denied { why, .. } => Some(why),
        _ => None,
    }
}
