//! The index object: which names there are and in which ConfigMaps their bytes lie, and beside that
//! the newest report. All that readers go by is in this one object, so that each change is one step.

use std::collections::BTreeMap;

use cluster::ConfigMap;
use k8s_openapi::ByteString;
use records::Digest;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::MapError;
use super::pack::{self, Coding, ROOM};

const INDEX: &str = "index.json";
pub(super) const REPORT: &str = "report.json";
pub(super) const PACKED: &str = "report.json.gz";
const GENERATED: &str = "generated";

/// The largest part of a report that stands for all of it, in bytes.
const LARGEST_PARTIAL: usize = 250_000;

/// Bytes that lie in ConfigMaps of the ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    /// What the parts of these bytes, and no others, are marked by.
    pub(super) id: String,
    /// The numbers of the ConfigMaps with the parts, in order.
    pub(super) slots: Vec<u16>,
    /// How the parts together hold the bytes.
    pub(super) coding: Coding,
    /// How many bytes there are.
    pub(super) size: u64,
    /// Their hash.
    pub(super) digest: Digest,
}

/// The newest report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Latest {
    #[serde(flatten)]
    entry: Entry,
    /// How it is in the index object itself; `None` where it is too large for that.
    here: Option<Coding>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Index {
    names: BTreeMap<String, Entry>,
    #[serde(default)]
    latest: Option<Latest>,
    /// Where the search for a free ConfigMap begins.
    #[serde(default)]
    next: u16,
}

/// The index object, as it was read.
#[derive(Debug)]
pub(super) struct Object {
    map: ConfigMap,
    index: Index,
}

/// Where the bytes of the newest report are.
#[derive(Debug)]
pub(super) enum Newest<'o> {
    /// There is none.
    None,
    /// There is one of somebody else.
    NotOurs(&'o str),
    /// In the index object, so packed.
    Here(&'o Entry, Coding, &'o [u8]),
    /// In the ring.
    There(&'o Entry),
}

impl Object {
    /// Takes an object apart. One without an index is somebody else's, to which ours is added.
    pub(super) fn parse(map: ConfigMap) -> Result<Self, serde_json::Error> {
        let text = map.data.as_ref().and_then(|data| data.get(INDEX));
        let index = text.map_or_else(|| Ok(Index::default()), |text| serde_json::from_str(text))?;
        Ok(Self { map, index })
    }

    /// The object as it is to be written.
    pub(super) fn written(mut self, whereabouts: &str, whole: &str) -> Result<ConfigMap, MapError> {
        let text = serde_json::to_string(&self.index).map_err(MapError::Json)?;
        self.data().insert(INDEX.to_owned(), text);
        if self.size() > ROOM {
            // The index grew: what does not have to be here makes room.
            if let Newest::Here(entry, Coding::Plain, bytes) = self.newest() {
                let (entry, bytes) = (entry.clone(), bytes.to_vec());
                self.put_latest(entry, &bytes, whole)?;
                let text = serde_json::to_string(&self.index).map_err(MapError::Json)?;
                self.data().insert(INDEX.to_owned(), text);
            }
        }
        if self.size() > ROOM {
            return Err(MapError::IndexTooLarge(whereabouts.to_owned()));
        }
        Ok(self.map)
    }

    /// Whether the API server has it already.
    pub(super) fn is_there(&self) -> bool {
        self.map.metadata.resource_version.is_some()
    }

    pub(super) fn names(&self) -> &BTreeMap<String, Entry> {
        &self.index.names
    }

    pub(super) fn names_mut(&mut self) -> &mut BTreeMap<String, Entry> {
        &mut self.index.names
    }

    /// Says that these ConfigMaps were the last to be taken.
    pub(super) fn went_on(&mut self, entry: &Entry, slots: u16) {
        let last = entry.slots.last().copied().unwrap_or_default();
        self.index.next = (last + 1) % slots.max(1);
    }

    /// The numbers of all ConfigMaps of the ring, in the order in which they are to be taken.
    pub(super) fn ring(&self, slots: u16) -> impl Iterator<Item = u16> + use<> {
        let next = self.index.next % slots.max(1);
        (next..slots).chain(0..next)
    }

    /// Whether anything has its bytes in this ConfigMap of the ring.
    pub(super) fn uses(&self, slot: u16) -> bool {
        self.entries().any(|entry| entry.slots.contains(&slot))
    }

    /// Whether anything has these bytes.
    pub(super) fn has(&self, id: &str) -> bool {
        self.entries().any(|entry| entry.id == id)
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        let latest = self.index.latest.iter().map(|latest| &latest.entry);
        self.index.names.values().chain(latest)
    }

    /// Where the newest report is.
    pub(super) fn newest(&self) -> Newest<'_> {
        let plain = self.map.data.as_ref().and_then(|data| data.get(REPORT));
        let Some(latest) = &self.index.latest else {
            return plain.map_or(Newest::None, |text| Newest::NotOurs(text));
        };
        let packed = || self.map.binary_data.as_ref().and_then(|data| data.get(PACKED));
        match latest.here {
            None => Newest::There(&latest.entry),
            Some(Coding::Plain) => {
                let bytes = plain.map_or(&b""[..], |text| text.as_bytes());
                Newest::Here(&latest.entry, Coding::Plain, bytes)
            }
            Some(Coding::Gzip) => {
                let bytes = packed().map_or(&b""[..], |packed| &packed.0);
                Newest::Here(&latest.entry, Coding::Gzip, bytes)
            }
        }
    }

    /// How many ConfigMaps of the ring the newest report has.
    pub(super) fn newest_parts(&self) -> usize {
        self.index.latest.as_ref().map_or(0, |latest| latest.entry.slots.len())
    }

    /// Makes these bytes the newest report; `whole` is the command that prints it.
    pub(super) fn put_latest(
        &mut self,
        entry: Entry,
        bytes: &[u8],
        whole: &str,
    ) -> Result<(), MapError> {
        self.clear_latest();
        if let Ok(head) = report::Head::from_slice(bytes) {
            let time = head.generated_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            self.data().insert(GENERATED.to_owned(), time);
        }
        let room = ROOM.saturating_sub(self.size());
        let parts = entry.slots.len();
        self.index.latest = Some(Latest { entry, here: None });
        if bytes.len() <= room
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            self.data().insert(REPORT.to_owned(), text.to_owned());
            self.set_here(Coding::Plain);
            return Ok(());
        }
        let partial = partial(bytes, whole)?;
        let room = room.saturating_sub(partial.len());
        self.data().insert(REPORT.to_owned(), partial);
        // What takes several ConfigMaps does not fit into this one.
        if parts > 1 {
            return Ok(());
        }
        let packed = pack::gzip(bytes).map_err(MapError::Pack)?;
        if packed.len() <= room {
            let data = self.map.binary_data.get_or_insert_default();
            data.insert(PACKED.to_owned(), ByteString(packed));
            self.set_here(Coding::Gzip);
        }
        Ok(())
    }

    fn set_here(&mut self, coding: Coding) {
        if let Some(latest) = &mut self.index.latest {
            latest.here = Some(coding);
        }
    }

    /// Takes the newest report out; whether there was one.
    pub(super) fn clear_latest(&mut self) -> bool {
        let was = self.index.latest.take().is_some();
        self.data().remove(REPORT);
        self.data().remove(GENERATED);
        self.map.binary_data.get_or_insert_default().remove(PACKED);
        was
    }

    fn data(&mut self) -> &mut BTreeMap<String, String> {
        self.map.data.get_or_insert_default()
    }

    /// The size of all values, as the API server counts, with some of the index's own to come.
    fn size(&self) -> usize {
        let text = self.map.data.iter().flat_map(|data| data.values()).map(String::len);
        let binary = self.map.binary_data.iter().flat_map(|data| data.values());
        text.chain(binary.map(|bytes| bytes.0.len())).sum()
    }
}

/// What stands in place of a report that is too large: what it says of itself and its summary, and
/// how to get all of it. It says that it is a part.
fn partial(bytes: &[u8], whole: &str) -> Result<String, MapError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Parts<'r> {
        #[serde(borrow)]
        metadata: Option<&'r RawValue>,
        #[serde(borrow)]
        summary: Option<&'r RawValue>,
    }
    #[derive(Serialize)]
    struct Partial<'r> {
        partial: bool,
        whole: &'r str,
        #[serde(skip_serializing_if = "Option::is_none")]
        metadata: Option<&'r RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        summary: Option<&'r RawValue>,
    }
    let parts: Parts<'_> = serde_json::from_slice(bytes).map_err(MapError::Json)?;
    let fitting =
        |part: Option<&RawValue>| part.is_some_and(|part| part.get().len() <= LARGEST_PARTIAL);
    let partial = Partial {
        partial: true,
        whole,
        metadata: parts.metadata.filter(|part| fitting(Some(part))),
        summary: parts.summary.filter(|part| fitting(Some(part))),
    };
    serde_json::to_string(&partial).map_err(MapError::Json)
}
