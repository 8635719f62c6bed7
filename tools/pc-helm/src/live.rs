//! Releases from the API server: first the metadata of all revisions, then the few objects that
//! are worth reading.

use cluster::resource::NAMESPACES;
use cluster::types::{NamedObject, Text, or_default};
use cluster::{AskError, Cluster, Scope, View, Why};
use futures::StreamExt;
use records::Failure;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Semaphore;

use crate::answer::{Read, Revisions, answer};
use crate::choose::{Choice, Releases};
use crate::decode::{ORDINARY, UNPACKED, Unreadable};
use crate::failures::{self, Unread};
use crate::object::{Driver, SELECTOR, object};
use crate::origin::{Origins, ask};
use crate::output::{Closed, Output};
use crate::settings::Settings;
use crate::stored::Stored;

/// How many releases are read at a time.
const AT_ONCE: usize = 8;

/// How many of them are unpacked at a time; one that is larger than [`ORDINARY`] is alone then.
const UNPACKING: u32 = 2;

/// A revision's object in a list of metadata.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Listed {
    metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: Text,
    namespace: Text,
    #[serde(deserialize_with = "or_default")]
    labels: Labels,
    #[serde(deserialize_with = "or_default")]
    creation_timestamp: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Labels {
    status: Text,
}

/// One reading of a cluster.
pub(crate) struct Live<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) settings: &'a Settings,
}

impl Live<'_> {
    /// Asks for everything and says it, until all is said or nobody listens.
    pub(crate) async fn run(self, origins: Origins, mut out: Output) -> Result<(), Closed> {
        let mut releases = Releases::default();
        let mut failures = Vec::new();
        for driver in self.settings.drivers.clone() {
            self.list(driver, &mut releases, &mut failures).await;
        }
        if failures.is_empty() {
            self.check_named(&releases, &mut failures).await;
        }
        let (objects, unread) = ask::ask(self.cluster, &self.settings.origins).await;
        let origins = Origins { objects, ..origins };
        for failure in failures.iter().chain(&unread) {
            out.failure(failure).await?;
        }
        self.read(releases, &origins, &mut out).await?;
        out.whole().await
    }

    /// Lists a store, as a whole or namespace by namespace.
    async fn list(&self, driver: Driver, all: &mut Releases, failures: &mut Vec<Failure>) {
        if let Some(names) = self.settings.namespaces.listed() {
            for (namespace, error) in self.one_by_one(driver, &names, all).await {
                failures.push(failures::unlisted(Some(&namespace), self.cluster.host(), &error));
            }
            return;
        }
        match self.list_in(driver, Scope::Cluster).await {
            Ok(found) => all.extend(found),
            Err(error) if matches!(error.why, Why::Forbidden { .. }) => {
                self.not_whole(driver, error, all, failures).await;
            }
            Err(error) => failures.push(failures::unlisted(None, self.cluster.host(), &error)),
        }
    }

    /// The store may not be read as a whole; perhaps it may in some namespaces.
    async fn not_whole(
        &self,
        driver: Driver,
        error: AskError,
        all: &mut Releases,
        failures: &mut Vec<Failure>,
    ) {
        let host = self.cluster.host();
        let list = self.cluster.list::<NamedObject>(NAMESPACES, Scope::Cluster, View::Metadata);
        let chosen = &self.settings.namespaces;
        let Ok(found) = list.all(|one| chosen.selects(&one.metadata.name)).await else {
            failures.push(failures::unlisted(None, host, &error));
            return;
        };
        tracing::info!(
            store = driver.as_str(),
            "may not be listed cluster-wide: asking each namespace"
        );
        let names: BTreeSet<String> =
            found.iter().map(|namespace| namespace.metadata.name.to_string()).collect();
        let refused = self.one_by_one(driver, &names, all).await;
        if refused.len() == names.len() {
            // One right is missing, and not one for each namespace.
            failures.push(failures::unlisted(None, host, &error));
            return;
        }
        for (namespace, error) in &refused {
            failures.push(failures::unlisted(Some(namespace), host, error));
        }
    }

    async fn one_by_one(
        &self,
        driver: Driver,
        names: &BTreeSet<String>,
        all: &mut Releases,
    ) -> Vec<(String, AskError)> {
        let mut refused = Vec::new();
        for namespace in names {
            match self.list_in(driver, Scope::Namespace(namespace.clone())).await {
                Ok(found) => all.extend(found),
                Err(error) => refused.push((namespace.clone(), error)),
            }
        }
        refused
    }

    /// A whole list, or nothing of it: half a list may lack the newest revision of any release.
    async fn list_in(&self, driver: Driver, scope: Scope) -> Result<Releases, AskError> {
        let list = self.cluster.list::<Listed>(driver.resource(), scope, View::Metadata);
        let mut list = list.labels(Some(SELECTOR.to_owned()));
        let mut found = Releases::default();
        while let Some(page) = list.page().await? {
            if page.restarted {
                found = Releases::default();
            }
            for Listed { metadata } in page.items {
                if self.settings.namespaces.selects(&metadata.namespace) {
                    let Metadata { name, namespace, labels, creation_timestamp } = metadata;
                    found.take(driver, &namespace, &name, labels.status, creation_timestamp);
                }
            }
        }
        Ok(found)
    }

    /// Whether the namespaces that were named, and have no releases, are there at all: the API
    /// server lists one that is not as an empty one.
    async fn check_named(&self, releases: &Releases, failures: &mut Vec<Failure>) {
        let mut named = self.settings.namespaces.named();
        releases.namespaces().for_each(|seen| {
            named.remove(&**seen);
        });
        for namespace in named {
            let (all, host) = (Scope::Cluster, self.cluster.host());
            let asked =
                self.cluster.get::<NamedObject>(NAMESPACES, all, &namespace, View::Metadata).await;
            match asked {
                Ok(_) => {}
                Err(AskError { why: Why::NotFound { .. }, .. }) => {
                    failures.push(failures::no_namespace(&namespace));
                }
                Err(error) => failures.push(failures::unseen_namespace(&namespace, host, &error)),
            }
        }
    }

    /// Reads each release that is ours, and says it, in order.
    async fn read(
        &self,
        releases: Releases,
        origins: &Origins,
        out: &mut Output,
    ) -> Result<(), Closed> {
        for ((namespace, object), driver) in &releases.strange {
            if self.settings.holds(&format!("{namespace}/{object}")) {
                out.failure(&failures::strange(*driver, namespace, object)).await?;
            }
        }
        let unpacking = Semaphore::new(UNPACKING as usize);
        let ours = releases.into_choices().filter(|choice| self.settings.holds(&choice.key.text()));
        let mut read = std::pin::pin!(
            futures::stream::iter(ours)
                .map(|choice| self.revisions(choice, &unpacking))
                .buffered(AT_ONCE)
        );
        while let Some((choice, revisions)) = read.next().await {
            let answer = answer(&choice, revisions, |chart| origins.of(&choice.key, chart));
            out.answer(&choice, answer).await?;
        }
        Ok(())
    }

    async fn revisions(&self, choice: Choice, unpacking: &Semaphore) -> (Choice, Revisions) {
        let newest = self.revision(&choice, choice.kept.newest.number, unpacking).await;
        let deployed = match choice.kept.deployed_before() {
            Some(before) => Some(self.revision(&choice, before.number, unpacking).await),
            None => None,
        };
        (choice, Revisions { newest, deployed })
    }

    async fn revision(&self, choice: &Choice, number: u64, unpacking: &Semaphore) -> Read {
        let (driver, release) = (choice.driver, choice.key.name.clone());
        let scope = Scope::Namespace(choice.key.namespace.to_string());
        let name = object(&release, number);
        let stored = self.cluster.get::<Stored>(driver.resource(), scope, &name, View::Whole).await;
        let stored = stored.map_err(|error| Unread::Unasked(Box::new(error)))?;
        let data = Arc::new(stored.data);
        // Nobody closes the semaphore. What is too large is begun anew, without the others.
        for (places, limit) in [(1, ORDINARY), (UNPACKING, UNPACKED)] {
            let _taken = unpacking.acquire_many(places).await;
            let (data, release) = (Arc::clone(&data), release.clone());
            let unpack = move || data.unpack(driver, &release, number, limit);
            match tokio::task::spawn_blocking(unpack).await {
                Ok(Err(Unreadable::TooLarge(ORDINARY))) => {}
                Ok(unpacked) => return unpacked.map_err(Unread::Unreadable),
                Err(_) => break,
            }
        }
        Err(Unread::Lost)
    }
}
