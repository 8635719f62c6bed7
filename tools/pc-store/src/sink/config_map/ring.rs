//! The ring: ConfigMaps of fixed names, each with a part of some bytes. They are made, read and
//! deleted, never changed, so that a part is that of one entry or of none.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use cluster::{ConfigMap, Written};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};

use super::error::MapError;
use super::index::{Entry, PACKED, REPORT};
use super::pack::{self, Coding};
use super::{ConfigMapStore, Role};
use crate::document::digest;
use crate::names::ReportName;

/// The annotation that says of what a ConfigMap holds a part.
const PART: &str = "provenance.nebari.dev/part";

/// How old a part is that nothing refers to and no living run is about to publish.
const DEAD: SignedDuration = SignedDuration::from_hours(1);

/// How often a ConfigMap is made that is neither made nor there.
const TRIES: u32 = 3;

/// What a ConfigMap of the ring says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Part {
    /// Which of the parts, from 0.
    part: usize,
    #[serde(flatten)]
    entry: Stamp,
}

/// What all parts of the same bytes say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    id: String,
    parts: usize,
    coding: Coding,
    size: u64,
    digest: records::Digest,
}

/// What the bytes that are staged are known by: `ID.SLOT-SLOT`.
pub(super) struct Staged {
    pub(super) id: String,
    slots: Vec<u16>,
}

impl Staged {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (id, slots) = text.split_once('.')?;
        let hexadecimal = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let slots = slots.split('-').map(|slot| slot.parse().ok()).collect::<Option<_>>()?;
        hexadecimal.then(|| Self { id: id.to_owned(), slots })
    }

    fn text(entry: &Entry) -> String {
        let slots: Vec<String> = entry.slots.iter().map(|slot| format!("{slot:03}")).collect();
        format!("{}.{}", entry.id, slots.join("-"))
    }
}

/// What became of a ConfigMap that was to be made.
enum Made {
    Ours,
    Taken,
}

impl ConfigMapStore {
    /// Writes bytes into free ConfigMaps. Of what fails nothing is left.
    pub(super) fn stage_bytes(&self, bytes: &[u8]) -> Result<String, MapError> {
        let packed = pack::pack(bytes).map_err(MapError::Pack)?;
        let mut entry = Entry {
            id: format!("{:016x}", RandomState::new().hash_one(std::process::id())),
            slots: Vec::new(),
            coding: packed.coding,
            size: bytes.len() as u64,
            digest: digest(bytes),
        };
        let object = self.object()?;
        let mut free = object.ring(self.slots).filter(|slot| !object.uses(*slot));
        let parts = packed.parts.len();
        // No report is to be removed in vain, and the newest one never.
        if parts + object.newest_parts() > usize::from(self.slots) {
            return Err(MapError::TooManyParts { parts, slots: self.slots });
        }
        let label = report::Head::from_slice(bytes).ok().map(|head| head.generated_at);
        for (number, bytes) in packed.parts.into_iter().enumerate() {
            let part = Part { part: number, entry: stamp(&entry, parts) };
            let taken = self.take(&mut free, &part, bytes, label);
            match taken {
                Ok(slot) => entry.slots.push(slot),
                Err(error) => {
                    self.free(&entry);
                    return Err(error);
                }
            }
        }
        Ok(Staged::text(&entry))
    }

    fn take(
        &self,
        free: &mut impl Iterator<Item = u16>,
        part: &Part,
        bytes: Vec<u8>,
        generated_at: Option<Timestamp>,
    ) -> Result<u16, MapError> {
        let mut map = self.part(part, bytes, generated_at)?;
        for slot in free {
            map.metadata.name = Some(self.slot_name(slot));
            match self.make(&map, slot, &part.entry.id)? {
                Made::Ours => return Ok(slot),
                Made::Taken => {}
            }
        }
        Err(MapError::NoRoom { name: self.name.clone(), slots: self.slots })
    }

    fn make(&self, map: &ConfigMap, slot: u16, id: &str) -> Result<Made, MapError> {
        for _ in 0..TRIES {
            let made = self.wait(self.maps.create(map));
            if matches!(made, Ok(Written::Done)) {
                return Ok(Made::Ours);
            }
            // There is one, or the answer was lost.
            match self.wait(self.maps.metadata(&self.slot_name(slot)))? {
                Some(found) if part_of(&found).is_some_and(|part| part.entry.id == id) => {
                    return Ok(Made::Ours);
                }
                Some(found) => {
                    if !(self.is_dead(&found) && self.delete_dead(slot, &found)?) {
                        return Ok(Made::Taken);
                    }
                }
                None => {
                    made?;
                }
            }
        }
        Err(MapError::Busy(format!("ConfigMap `{}`", self.slot_name(slot))))
    }

    fn part(
        &self,
        part: &Part,
        bytes: Vec<u8>,
        generated_at: Option<Timestamp>,
    ) -> Result<ConfigMap, MapError> {
        let mut map = self.blank(Role::Part);
        let said = serde_json::to_string(part).map_err(MapError::Json)?;
        map.metadata.annotations = Some(BTreeMap::from([(PART.to_owned(), said)]));
        if let Some(time) = generated_at {
            let name = ReportName::new(time, 0).to_string();
            let name = name.strip_suffix(".json").unwrap_or(&name).to_owned();
            let labels = map.metadata.labels.get_or_insert_default();
            labels.insert(super::REPORT_LABEL.to_owned(), name);
        }
        match (part.entry.coding, String::from_utf8(bytes)) {
            (Coding::Plain, Ok(text)) => {
                map.data = Some(BTreeMap::from([(REPORT.to_owned(), text)]));
            }
            (_, bytes) => {
                let bytes = bytes.map_or_else(|error| error.into_bytes(), String::into_bytes);
                map.binary_data = Some(BTreeMap::from([(PACKED.to_owned(), ByteString(bytes))]));
            }
        }
        Ok(map)
    }

    /// What is staged as that, if all of it is there.
    pub(super) fn staged(&self, staged: &Staged) -> Result<Option<Entry>, MapError> {
        let mut stamp = None;
        for (number, slot) in staged.slots.iter().enumerate() {
            let found = self.wait(self.maps.metadata(&self.slot_name(*slot)))?;
            let part = found.as_ref().and_then(part_of).filter(|part| {
                part.entry.id == staged.id
                    && part.part == number
                    && part.entry.parts == staged.slots.len()
            });
            let Some(part) = part else {
                return Ok(None);
            };
            stamp = Some(part.entry);
        }
        Ok(stamp.map(|stamp| Entry {
            id: stamp.id,
            slots: staged.slots.clone(),
            coding: stamp.coding,
            size: stamp.size,
            digest: stamp.digest,
        }))
    }

    /// The bytes of an entry; what is wrong with its parts where they are not those any more.
    pub(super) fn assemble(&self, entry: &Entry) -> Result<Result<Vec<u8>, String>, MapError> {
        let mut packed = Vec::new();
        for (number, slot) in entry.slots.iter().enumerate() {
            let name = self.slot_name(*slot);
            let Some(mut map) = self.wait(self.maps.get(&name))? else {
                return Ok(Err(format!("ConfigMap `{name}` is gone")));
            };
            let fits = part_of(&map.metadata)
                .is_some_and(|part| part.entry.id == entry.id && part.part == number);
            let bytes = match entry.coding {
                Coding::Plain => {
                    map.data.as_mut().and_then(|data| data.remove(REPORT)).map(String::into_bytes)
                }
                Coding::Gzip => {
                    let data = map.binary_data.as_mut();
                    data.and_then(|data| data.remove(PACKED)).map(|bytes| bytes.0)
                }
            };
            match bytes {
                Some(bytes) if fits => packed.extend(bytes),
                _ => return Ok(Err(format!("ConfigMap `{name}` holds something else"))),
            }
        }
        Ok(unpacked(entry, entry.coding, packed))
    }

    /// Deletes the ConfigMaps of an entry that nothing refers to any more. What stays is swept later.
    pub(super) fn free(&self, entry: &Entry) {
        for slot in &entry.slots {
            let freed = self.wait(self.maps.metadata(&self.slot_name(*slot))).and_then(|found| {
                let ours = |found: &ObjectMeta| {
                    part_of(found).is_some_and(|part| part.entry.id == entry.id)
                };
                match found.filter(ours).and_then(|found| found.uid) {
                    Some(uid) => {
                        self.wait(self.maps.delete(&self.slot_name(*slot), &uid)).map(drop)
                    }
                    None => Ok(()),
                }
            });
            if let Err(error) = freed {
                let error = stage::exit::chain(&error);
                tracing::warn!("a ConfigMap is left, a later run deletes it: {error}");
            }
        }
    }

    /// Forgets what is staged, unless it was published.
    pub(super) fn discard_staged(&self, staged: &str) -> Result<(), MapError> {
        let Some(staged) = Staged::parse(staged) else {
            return Ok(());
        };
        if self.object()?.has(&staged.id) {
            return Ok(());
        }
        let Some(entry) = self.staged(&staged)? else {
            return Ok(());
        };
        self.free(&entry);
        Ok(())
    }

    /// Deletes what dead runs left in the ring.
    pub(super) fn sweep_ring(&self) -> Result<(), MapError> {
        let object = self.object()?;
        for slot in (0..self.slots).filter(|slot| !object.uses(*slot)) {
            let found = self.wait(self.maps.metadata(&self.slot_name(slot)))?;
            if let Some(found) = found.filter(|found| self.is_dead(found)) {
                self.delete_dead(slot, &found)?;
            }
        }
        Ok(())
    }

    /// Whether it is ours, and old enough to be nobody's work.
    fn is_dead(&self, found: &ObjectMeta) -> bool {
        let made = found.creation_timestamp.as_ref().map(|time| time.0);
        self.is_ours(found)
            && part_of(found).is_some()
            && made.is_some_and(|made| made.duration_until(Timestamp::now()) > DEAD)
    }

    /// Deletes a dead part, unless it was published meanwhile; whether it is gone.
    fn delete_dead(&self, slot: u16, found: &ObjectMeta) -> Result<bool, MapError> {
        let (Some(uid), Some(part)) = (&found.uid, part_of(found)) else {
            return Ok(false);
        };
        if self.object()?.has(&part.entry.id) {
            return Ok(false);
        }
        tracing::debug!("deleting `{}`, which a dead run left", self.slot_name(slot));
        self.wait(self.maps.delete(&self.slot_name(slot), uid))?;
        Ok(true)
    }
}

/// What packed bytes hold, if that is what the entry says.
pub(super) fn unpacked(entry: &Entry, coding: Coding, packed: Vec<u8>) -> Result<Vec<u8>, String> {
    let bytes = pack::unpack(coding, packed, entry.size).map_err(|error| error.to_string())?;
    if digest(&bytes) != entry.digest {
        return Err("it is not what was stored".to_owned());
    }
    Ok(bytes)
}

fn stamp(entry: &Entry, parts: usize) -> Stamp {
    Stamp {
        id: entry.id.clone(),
        parts,
        coding: entry.coding,
        size: entry.size,
        digest: entry.digest.clone(),
    }
}

fn part_of(found: &ObjectMeta) -> Option<Part> {
    let said = found.annotations.as_ref()?.get(PART)?;
    serde_json::from_str(said).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_staged_reads_back() {
        let entry = Entry {
            id: "00ff00ff00ff00ff".into(),
            slots: vec![7, 0, 112],
            coding: Coding::Plain,
            size: 2,
            digest: digest(b"{}"),
        };
        let text = Staged::text(&entry);
        assert_eq!(text, "00ff00ff00ff00ff.007-000-112");
        let staged = Staged::parse(&text).expect("parsed");
        assert_eq!((staged.id, staged.slots), (entry.id, entry.slots));
        for other in ["", "provenance-20261124-060000.json", "00ff00ff00ff00ff.", "00ff.001"] {
            assert!(Staged::parse(other).is_none(), "{other}");
        }
    }
}
