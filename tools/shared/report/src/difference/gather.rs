//! Changes of one kind about one subject are one change, with all the containers that have it.

use std::borrow::Cow;
use std::collections::btree_set::BTreeSet;
use std::collections::{HashMap, hash_map::Entry};

use records::{ContainerType, Digest, Workload};

use super::{Change, ChangeSubject, Code, PLACES, Place};

/// A container of a workload, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PlaceRef<'a> {
    pub(super) namespace: Option<&'a str>,
    pub(super) workload: Option<&'a Workload>,
    pub(super) container_type: Option<ContainerType>,
    pub(super) container: Option<&'a str>,
}

impl PlaceRef<'_> {
    fn to_place(self) -> Place {
        Place {
            namespace: self.namespace.map(str::to_owned),
            workload: self.workload.cloned(),
            container_type: self.container_type,
            container: self.container.map(str::to_owned),
        }
    }
}

/// A change as it was found, its texts borrowed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Found<'a> {
    pub(super) code: Code,
    pub(super) namespace: Option<&'a str>,
    pub(super) release: Option<&'a str>,
    pub(super) repository: Option<&'a str>,
    pub(super) image: Option<&'a str>,
    pub(super) digest: Option<&'a Digest>,
    pub(super) about: Option<Cow<'a, str>>,
    pub(super) before: Vec<Cow<'a, str>>,
    pub(super) after: Vec<Cow<'a, str>>,
    pub(super) reason: Option<Cow<'a, str>>,
}

impl<'a> Found<'a> {
    pub(super) fn new(code: Code) -> Self {
        Self {
            code,
            namespace: None,
            release: None,
            repository: None,
            image: None,
            digest: None,
            about: None,
            before: Vec::new(),
            after: Vec::new(),
            reason: None,
        }
    }

    /// With one word for what was and one for what is.
    pub(super) fn words(mut self, before: &'a str, after: &'a str) -> Self {
        self.before = vec![before.into()];
        self.after = vec![after.into()];
        self
    }

    pub(super) fn about(mut self, about: impl Into<Cow<'a, str>>) -> Self {
        self.about = Some(about.into());
        self
    }

    fn into_change(self, uses: &Uses<'_>) -> Change {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let list = |list: Vec<Cow<'_, str>>| list.into_iter().map(Cow::into_owned).collect();
        Change {
            code: self.code.as_str().to_owned(),
            severity: self.code.severity(),
            subject: ChangeSubject {
                namespace: text(self.namespace),
                release_name: text(self.release),
                repository: text(self.repository),
                image: text(self.image),
                digest: self.digest.cloned(),
                about: self.about.map(Cow::into_owned),
            },
            before: list(self.before),
            after: list(self.after),
            reason: self.reason.map(Cow::into_owned),
            uses: uses.count,
            places: uses.first.iter().map(|place| place.to_place()).collect(),
        }
    }
}

#[derive(Debug, Default)]
struct Uses<'a> {
    count: u64,
    first: BTreeSet<PlaceRef<'a>>,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Gather<'a>(HashMap<Found<'a>, Uses<'a>>);

impl<'a> Gather<'a> {
    /// A change that is about no container by itself.
    pub(super) fn add(&mut self, found: Found<'a>) {
        self.0.entry(found).or_default();
    }

    /// A change in a container.
    pub(super) fn add_at(&mut self, place: PlaceRef<'a>, found: Found<'a>) {
        let uses = match self.0.entry(found) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Uses::default()),
        };
        uses.count += 1;
        uses.first.insert(place);
        if uses.first.len() > PLACES {
            uses.first.pop_last();
        }
    }

    /// All of them, the gravest first, then by subject.
    pub(super) fn finish(self) -> Vec<Change> {
        let mut changes: Vec<Change> =
            self.0.into_iter().map(|(found, uses)| found.into_change(&uses)).collect();
        changes.sort_by(|a, b| {
            fn key(change: &Change) -> impl Ord + '_ {
                (
                    (change.severity, &change.subject, &change.code),
                    (&change.before, &change.after, &change.reason),
                )
            }
            key(a).cmp(&key(b))
        });
        changes
    }
}
