//! Which revisions are read: of each release the newest, and the newest that is deployed.

use std::collections::BTreeMap;

use cluster::types::Text;

use crate::object::{DEPLOYED, Driver, Key, Name, Revision, name};

/// The revisions of one release in one store, summed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The newest.
    pub(crate) newest: Revision,
    /// The newest that is deployed.
    pub(crate) deployed: Option<Revision>,
    /// How many there are.
    pub(crate) revisions: u64,
}

impl Kept {
    fn of(revision: Revision) -> Self {
        let deployed = (&*revision.status == DEPLOYED).then(|| revision.clone());
        Self { newest: revision, deployed, revisions: 1 }
    }

    fn add(&mut self, revision: Revision) {
        self.revisions += 1;
        let newer = |than: &Revision| revision.number > than.number;
        if &*revision.status == DEPLOYED && self.deployed.as_ref().is_none_or(newer) {
            self.deployed = Some(revision.clone());
        }
        if newer(&self.newest) {
            self.newest = revision;
        }
    }

    /// The deployed revision, where it is not the newest.
    pub(crate) fn deployed_before(&self) -> Option<&Revision> {
        self.deployed.as_ref().filter(|deployed| deployed.number != self.newest.number)
    }
}

/// The releases of a cluster, by what the metadata of their objects says.
#[derive(Debug, Default)]
pub(crate) struct Releases {
    releases: BTreeMap<Key, BTreeMap<Driver, Kept>>,
    /// Objects whose names belong to Helm and are not understood.
    pub(crate) strange: BTreeMap<(Text, Text), Driver>,
}

/// One release, and where it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Which.
    pub(crate) key: Key,
    /// The store.
    pub(crate) driver: Driver,
    /// Its revisions there.
    pub(crate) kept: Kept,
    /// Another store that has a release of the same name, which is passed over.
    pub(crate) other: Option<Driver>,
}

impl Releases {
    /// Takes an object of Helm's by its metadata. Whether it is a revision.
    pub(crate) fn take(
        &mut self,
        driver: Driver,
        namespace: &Text,
        object: &Text,
        status: Text,
        created: Text,
    ) -> bool {
        match name(object) {
            Name::Revision { release, number } => {
                let key = Key { namespace: namespace.clone(), name: release };
                let revision = Revision { number, status, created };
                let stores = self.releases.entry(key).or_default();
                match stores.get_mut(&driver) {
                    Some(kept) => kept.add(revision),
                    None => drop(stores.insert(driver, Kept::of(revision))),
                }
                true
            }
            Name::Strange => {
                self.strange.insert((namespace.clone(), object.clone()), driver);
                false
            }
            Name::Foreign => {
                tracing::debug!(%namespace, %object, "labelled as Helm's, and no release");
                false
            }
        }
    }

    /// What is known of a release in a store so far.
    pub(crate) fn kept(&self, key: &Key, driver: Driver) -> Option<&Kept> {
        self.releases.get(key)?.get(&driver)
    }

    /// The namespaces that have any.
    pub(crate) fn namespaces(&self) -> impl Iterator<Item = &Text> {
        let strange = self.strange.keys().map(|(namespace, _)| namespace);
        self.releases.keys().map(|key| &key.namespace).chain(strange)
    }

    /// Adds what another list found.
    pub(crate) fn extend(&mut self, more: Self) {
        for (key, stores) in more.releases {
            self.releases.entry(key).or_default().extend(stores);
        }
        self.strange.extend(more.strange);
    }

    /// The releases in order, one for each name. Where both stores have one, Helm was moved from
    /// one to the other or is used both ways: the one whose newest revision was made later counts.
    pub(crate) fn into_choices(self) -> impl Iterator<Item = Choice> {
        self.releases.into_iter().filter_map(|(key, stores)| {
            let drivers: Vec<Driver> = stores.keys().copied().collect();
            let later = |(driver, kept): &(Driver, Kept)| {
                let newest = &kept.newest;
                (newest.created.clone(), newest.number, std::cmp::Reverse(*driver))
            };
            let (driver, kept) = stores.into_iter().max_by_key(later)?;
            let other = drivers.into_iter().find(|other| *other != driver);
            Some(Choice { key, driver, kept, other })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::object;

    fn take(releases: &mut Releases, driver: Driver, number: u64, status: &str, created: &str) {
        let name = object("web", number).as_str().into();
        assert!(releases.take(driver, &"shop".into(), &name, status.into(), created.into()));
    }

    #[test]
    fn revisions_are_compared_as_numbers() {
        let mut releases = Releases::default();
        for (number, status) in [
            (10, "failed"),
            (2, "superseded"),
            (9, "deployed"),
            (1, "deployed"),
            (11, "pending-upgrade"),
        ] {
            take(&mut releases, Driver::Secret, number, status, "");
        }
        let choice = releases.into_choices().next().expect("a release");
        let deployed = choice.kept.deployed_before().map(|revision| revision.number);
        assert_eq!((choice.kept.newest.number, deployed, choice.kept.revisions), (11, Some(9), 5));
        assert_eq!((choice.driver, choice.other), (Driver::Secret, None));
    }

    #[test]
    fn the_newest_that_is_deployed_is_read_once() {
        let mut releases = Releases::default();
        take(&mut releases, Driver::ConfigMap, 1, "superseded", "");
        take(&mut releases, Driver::ConfigMap, 2, "deployed", "");
        let choice = releases.into_choices().next().expect("a release");
        assert_eq!((choice.kept.deployed_before(), choice.driver), (None, Driver::ConfigMap));
    }

    #[test]
    fn of_two_stores_the_one_that_was_written_last_counts() {
        for (secret, config_map, wanted) in [
            ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", Driver::Secret),
            ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", Driver::ConfigMap),
            ("", "", Driver::Secret),
        ] {
            let mut releases = Releases::default();
            take(&mut releases, Driver::Secret, 3, "deployed", secret);
            take(&mut releases, Driver::ConfigMap, 3, "deployed", config_map);
            let choices: Vec<Choice> = releases.into_choices().collect();
            assert_eq!(choices.len(), 1);
            assert!(choices[0].driver == wanted && choices[0].other.is_some(), "{choices:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_not_forgotten() {
        let mut releases = Releases::default();
        for name in ["sh.helm.release.v9.web.v1", "other"] {
            let text = Text::default;
            assert!(!releases.take(Driver::Secret, &"shop".into(), &name.into(), text(), text()));
        }
        assert_eq!(releases.strange.len(), 1);
        assert_eq!(releases.namespaces().count(), 1);
    }
}
