//! What a store holds, by its log.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use records::Digest;

use super::entry::{Entry, Event};
use crate::names::ReportName;
use crate::place::Fingerprint;

/// Something that belongs to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its bytes.
    pub print: Fingerprint,
    /// When the report was generated; nothing for what is no report.
    pub generated_at: Option<Timestamp>,
    /// The entry that says so.
    pub sequence: u64,
}

/// What a log comes to.
#[derive(Debug, Default)]
pub struct State {
    held: BTreeMap<String, Held>,
    gone: HashMap<String, Event>,
    /// The bytes of all reports that ever belonged to the store.
    known: HashSet<Digest>,
    last: Option<Entry>,
    unknown: u64,
}

impl State {
    /// Goes on by one entry.
    pub fn apply(&mut self, entry: &Entry) {
        self.last = Some(entry.clone());
        if entry.event == Event::Unknown {
            self.unknown += 1;
        }
        let Some(name) = &entry.name else {
            return;
        };
        if entry.event.adds() {
            let print = Fingerprint { digest: entry.digest.clone(), size: entry.size };
            let (generated_at, sequence) = (entry.generated_at, entry.sequence);
            self.known.insert(entry.digest.clone());
            self.gone.remove(name);
            self.held.insert(name.clone(), Held { print, generated_at, sequence });
        } else if entry.event.drops() {
            self.held.remove(name);
            self.gone.insert(name.clone(), entry.event);
        }
    }

    /// The last line is none that can be believed, so nothing is known to be unfinished.
    pub(super) fn forget_last(&mut self) {
        self.last = None;
    }

    /// What belongs to the store, by name.
    #[must_use]
    pub fn held(&self) -> &BTreeMap<String, Held> {
        &self.held
    }

    /// What no longer belongs to the store, and by what event.
    #[must_use]
    pub fn gone(&self) -> &HashMap<String, Event> {
        &self.gone
    }

    /// Whether these are the bytes of something that belongs to the store or did.
    #[must_use]
    pub fn knows(&self, digest: &Digest) -> bool {
        self.known.contains(digest)
    }

    /// The last entry, the only one that can be unfinished.
    #[must_use]
    pub fn last(&self) -> Option<&Entry> {
        self.last.as_ref()
    }

    /// How many entries say what this version does not know.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// The reports of the store, from the newest, by their own times and then by their order in the
    /// log.
    #[must_use]
    pub fn reports(&self) -> Vec<(ReportName, &Held)> {
        let named = self.held.iter().filter_map(|(name, held)| Some((name.parse().ok()?, held)));
        let mut reports: Vec<(ReportName, &Held)> = named.collect();
        reports.sort_by_key(|(_, held)| std::cmp::Reverse((held.generated_at, held.sequence)));
        reports
    }

    /// All names of reports that the log ever had.
    pub(crate) fn report_names(&self) -> impl Iterator<Item = ReportName> {
        self.held.keys().chain(self.gone.keys()).filter_map(|name| name.parse().ok())
    }
}
