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

/// Something that no longer belongs to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// Since this happened.
    pub event: Event,
    /// The hash of its bytes.
    pub digest: Digest,
}

/// What a log comes to.
#[derive(Debug, Default)]
pub struct State {
    held: BTreeMap<String, Held>,
    gone: HashMap<String, Gone>,
    /// The bytes of all reports that ever belonged to the store.
    known: HashSet<Digest>,
    last: Option<Entry>,
    adopted: u64,
}

impl State {
    /// Goes on by one entry.
    pub fn apply(&mut self, entry: &Entry) {
        self.last = Some(entry.clone());
        self.adopted += u64::from(entry.event == Event::Adopted);
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
            let gone = Gone { event: entry.event, digest: entry.digest.clone() };
            self.gone.insert(name.clone(), gone);
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

    /// What no longer belongs to the store.
    #[must_use]
    pub fn gone(&self) -> &HashMap<String, Gone> {
        &self.gone
    }

    /// Whether these are the bytes of a report that somebody had removed, or knows to be lost, and
    /// that the store has under no other name.
    #[must_use]
    pub(crate) fn is_removed(&self, digest: &Digest) -> bool {
        self.gone.values().any(|gone| {
            gone.digest == *digest && matches!(gone.event, Event::Removed | Event::Lost)
        }) && !self.held.values().any(|held| held.print.digest == *digest)
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

    /// How many names were adopted.
    #[must_use]
    pub fn adopted(&self) -> u64 {
        self.adopted
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
