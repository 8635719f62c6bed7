//! Releases from a dump: the objects come in any order, and what is worth reading is unpacked as
//! soon as it comes, so that one packed release is in memory at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::BufRead;

use cluster::types::{Metadata, Text};
use cluster::{DumpError, Gather, ObjectKind, gather_dump, pass_over};
use serde::de::{Error, MapAccess};
use serde_json::value::RawValue;

use crate::answer::{Read, Revisions, answer};
use crate::choose::{Choice, Releases};
use crate::contents::Contents;
use crate::decode::UNPACKED;
use crate::failures::{self, Unread};
use crate::object::{Driver, Key, Name, name};
use crate::origin::{Asked, Kind, Objects, Origins, Place, ask};
use crate::output::{Closed, Output};
use crate::settings::Settings;
use crate::stored::Data;

/// What of a dump's object matters here.
enum Found {
    /// What may hold a release.
    Stored { driver: Driver, metadata: Box<Metadata>, data: Box<Data> },
    /// What may say where a chart comes from.
    Speaks { kind: Kind, place: Place, spec: Option<Box<RawValue>> },
    /// Something else.
    Other,
}

/// The parts of an object, as text until it is known what it is: kubectl puts `data` before
/// `kind`.
#[derive(Default)]
struct Parts {
    data: Option<Box<RawValue>>,
    spec: Option<Box<RawValue>>,
}

fn driver(kind: &ObjectKind) -> Option<Driver> {
    let is = |driver: &Driver| driver.resource().is(&kind.api_version, &kind.kind);
    [Driver::Secret, Driver::ConfigMap].into_iter().find(is)
}

fn speaks(kind: &ObjectKind) -> Option<Kind> {
    Kind::of(&kind.api_version, &kind.kind)
}

impl Gather for Parts {
    type Object = Found;

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        kind: Option<&ObjectKind>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match name {
            "data" if kind.is_none_or(|kind| driver(kind).is_some()) => {
                self.data = map.next_value()?;
            }
            "spec" if kind.is_none_or(|kind| speaks(kind).is_some()) => {
                self.spec = map.next_value()?;
            }
            _ => pass_over(map)?,
        }
        Ok(())
    }

    fn finish<E: Error>(self, kind: &ObjectKind, metadata: Metadata) -> Result<Found, E> {
        if let Some(driver) = driver(kind) {
            // Whatever else it may hold, a release that cannot be read is told as that.
            let data = self.data.filter(|_| is_helms(&metadata));
            let data = data.and_then(|data| serde_json::from_str(data.get()).ok());
            let (metadata, data) = (Box::new(metadata), Box::new(data.unwrap_or_default()));
            return Ok(Found::Stored { driver, metadata, data });
        }
        Ok(match speaks(kind) {
            Some(kind) => {
                let Metadata { namespace, name, .. } = metadata;
                Found::Speaks { kind, place: Place { namespace, name }, spec: self.spec }
            }
            None => Found::Other,
        })
    }
}

/// Whether it has the label by which Helm finds its own.
fn is_helms(metadata: &Metadata) -> bool {
    metadata.labels.get("owner").is_some_and(|owner| &**owner == "helm")
}

/// The revisions of a release that were read.
type Unpacked = BTreeMap<u64, Result<Box<Contents>, crate::decode::Unreadable>>;

/// A dump, read to its end.
pub(crate) struct Dump {
    settings: Settings,
    releases: Releases,
    unpacked: HashMap<(Key, Driver), Unpacked>,
    /// Dumps may overlap.
    objects_seen: BTreeSet<(Driver, Text, Text)>,
    objects: Objects,
    /// Whether there is anything that could hold a release.
    has_stores: bool,
}

impl Dump {
    /// Reads a dump.
    ///
    /// # Errors
    /// [`DumpError`].
    pub(crate) fn read(from: impl BufRead, settings: Settings) -> Result<Self, DumpError> {
        let mut dump = Self {
            settings,
            releases: Releases::default(),
            unpacked: HashMap::new(),
            objects_seen: BTreeSet::new(),
            objects: Objects::default(),
            has_stores: false,
        };
        if !dump.settings.origins.contains(&ask::Origin::None) {
            dump.objects.asked = Asked::Objects;
        }
        gather_dump::<Parts>(from, |found| dump.take(found))?;
        dump.objects.finish();
        Ok(dump)
    }

    fn take(&mut self, found: Found) {
        match found {
            Found::Stored { driver, metadata, data } => {
                self.has_stores = true;
                let chosen = self.settings.namespaces.selects(&metadata.namespace)
                    && self.settings.drivers.contains(&driver);
                if chosen && is_helms(&metadata) {
                    self.take_stored(driver, *metadata, &data);
                }
            }
            Found::Speaks { kind, place, spec } if self.objects.asked == Asked::Objects => {
                self.objects.take(kind, &place, spec.as_ref().map_or("{}", |spec| spec.get()));
            }
            Found::Speaks { .. } | Found::Other => {}
        }
    }

    fn take_stored(&mut self, driver: Driver, metadata: Metadata, data: &Data) {
        let Metadata { namespace, name: object, creation_timestamp, mut labels, .. } = metadata;
        if !self.objects_seen.insert((driver, namespace.clone(), object.clone())) {
            return;
        }
        let status = labels.remove("status").unwrap_or_default();
        self.releases.take(driver, &namespace, &object, status, creation_timestamp);
        let Name::Revision { release, number } = name(&object) else { return };
        let key = Key { namespace, name: release };
        let Some(kept) = self.releases.kept(&key, driver) else { return };
        let wanted = [Some(&kept.newest), kept.deployed.as_ref()];
        let wanted: Vec<u64> = wanted.into_iter().flatten().map(|one| one.number).collect();
        if wanted.contains(&number) && self.settings.holds(&key.text()) {
            let unpacked = data.unpack(driver, &key.name, number, UNPACKED);
            let held = self.unpacked.entry((key, driver)).or_default();
            held.insert(number, unpacked);
            held.retain(|number, _| wanted.contains(number));
        }
    }

    /// Says what was found.
    pub(crate) async fn say(self, mut out: Output, origins: Origins) -> Result<(), Closed> {
        let Self { settings, releases, mut unpacked, objects, has_stores, .. } = self;
        let origins = Origins { objects, ..origins };
        if !has_stores {
            out.failure(&failures::nothing_in_dump()).await?;
        }
        for ((namespace, object), driver) in &releases.strange {
            if settings.holds(&format!("{namespace}/{object}")) {
                out.failure(&failures::strange(*driver, namespace, object)).await?;
            }
        }
        for choice in releases.into_choices() {
            if settings.holds(&choice.key.text()) {
                let held = unpacked.remove(&(choice.key.clone(), choice.driver));
                let revisions = revisions(&choice, held.unwrap_or_default());
                let answer = answer(&choice, revisions, |chart| origins.of(&choice.key, chart));
                out.answer(&choice, answer).await?;
            }
        }
        out.whole().await
    }
}

fn revisions(choice: &Choice, mut held: Unpacked) -> Revisions {
    let mut take = |number: u64| -> Read {
        held.remove(&number).ok_or(Unread::Lost)?.map_err(Unread::Unreadable)
    };
    let newest = take(choice.kept.newest.number);
    Revisions { newest, deployed: choice.kept.deployed_before().map(|one| take(one.number)) }
}
