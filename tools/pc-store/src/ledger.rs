//! Changing a store: every change is an entry of the log first, and then done.
//!
//! Opening finishes what the last writer began, heals its torn line, and adopts reports that the log
//! does not know: those of versions without a log, and those that somebody put there.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::chain::{Entry, Event, Log, State, Tip};
use crate::history::{self, Wanted};
use crate::latest;
use crate::names::ReportName;
use crate::place::{Appended, Claim, Fingerprint, Guard, Kind, Place, PlaceError};

/// Who writes, as entries name it.
const BY: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// Why a store was not changed as it should be.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Nothing was changed.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// Another writer was quicker; nothing was changed, and all has to be looked at anew.
    #[error("another writer changed the log of the store in {0} at the same time")]
    Moved(String),
    /// The entry is written, what it says is not done: the next writer does it.
    #[error("`{name}` is in the log, but not in its place yet; the next run finishes it")]
    Pending {
        /// What the entry is about.
        name: String,
        /// Why it was not done.
        #[source]
        source: PlaceError,
    },
    /// The last writer's entry could not be finished, so no other may follow it.
    #[error("what the last run began with `{name}` could not be finished")]
    Unfinished {
        /// What the entry is about.
        name: String,
        /// Why not.
        #[source]
        source: PlaceError,
    },
    /// An entry cannot be written as JSON.
    #[error("cannot write an entry of the log")]
    Json(#[from] serde_json::Error),
}

/// A store that may be changed.
#[derive(Debug)]
pub struct Ledger<'a> {
    place: &'a dyn Place,
    state: State,
    tip: Tip,
    now: Timestamp,
    max_bytes: u64,
}

impl<'a> Ledger<'a> {
    /// Reads the log, and puts in order what the last writer left.
    ///
    /// # Errors
    /// When the log cannot be read or written, or the last entry cannot be finished.
    pub fn open(
        place: &'a dyn Place,
        _guard: &Guard,
        now: Timestamp,
        max_bytes: u64,
    ) -> Result<Self, LedgerError> {
        let log = Log::parse(&place.log()?);
        let mut ledger = Self { place, state: log.state(), tip: log.tip.clone(), now, max_bytes };
        ledger.finish()?;
        if !log.torn.is_empty() {
            tracing::warn!("the log ended in the middle of an entry, which a dead run left");
            ledger.append(ledger.entry(Event::Healed, None, Fingerprint::of(&log.torn)))?;
        }
        ledger.adopt()?;
        Ok(ledger)
    }

    /// Where the store is.
    #[must_use]
    pub fn place(&self) -> &'a dyn Place {
        self.place
    }

    /// What the store holds, by its log.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Where the log ends; its head is what to keep elsewhere.
    #[must_use]
    pub fn tip(&self) -> &Tip {
        &self.tip
    }

    /// The time now, by the writer's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The largest report that is read, in bytes.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Adds bytes under `name`: writes them, says so in the log, gives them their name. When the
    /// name is taken by something, the answer is [`Claim::Occupied`], and the log says that nothing
    /// came of it. The name survives a loss of power once [`Place::sync`] was asked.
    ///
    /// # Errors
    /// [`LedgerError::Pending`] when the next run finishes it; else the store is as it was, but for
    /// what the log says of it.
    pub fn add(
        &mut self,
        event: Event,
        name: &str,
        bytes: &[u8],
        generated_at: Option<Timestamp>,
    ) -> Result<Claim, LedgerError> {
        let print = Fingerprint::of(bytes);
        let staged = self.place.stage(bytes)?;
        let mut entry = self.entry(event, Some(name), print.clone());
        entry.generated_at = generated_at;
        entry.staged = Some(staged.clone());
        if let Err(error) = self.append(entry) {
            // Unless the entry is there all the same, and the next run looks for these bytes.
            if self.is_logged(&staged) {
                return Err(pending(name, error));
            }
            self.place.discard(&staged);
            return Err(error);
        }
        match self.publish(&staged, name, &print) {
            Ok(Claim::Taken) => Ok(Claim::Taken),
            refused => {
                let entry = self.entry(Event::Withdrawn, Some(name), print);
                if let Err(error) = self.append(entry) {
                    return Err(pending(name, error));
                }
                self.place.discard(&staged);
                Ok(refused?)
            }
        }
    }

    /// Removes what belongs to the store: says so in the log, then does it.
    ///
    /// # Errors
    /// When it cannot be removed; then the log says that it was kept.
    pub fn drop(&mut self, event: Event, name: &str) -> Result<(), LedgerError> {
        let Some(held) = self.state.held().get(name).cloned() else {
            return Ok(());
        };
        let mut entry = self.entry(event, Some(name), held.print);
        entry.generated_at = held.generated_at;
        self.append(entry.clone())?;
        match self.place.remove(name) {
            Err(error) if !error.is_missing() => {
                self.keep(&entry)?;
                Err(error.into())
            }
            // Before another entry follows: only the last one may be unfinished.
            _ => Ok(self.place.sync()?),
        }
    }

    /// What is under a name that belongs to the store; `None` where it does not.
    pub(crate) fn standing(&self, name: &str) -> Result<Option<Standing>, PlaceError> {
        let Some(held) = self.state.held().get(name) else {
            return Ok(None);
        };
        let standing = match self.place.fingerprint(name, held.print.size) {
            Ok(print) if print == held.print => Standing::Same,
            Err(error) if error.is_missing() => Standing::Missing,
            Err(error) if error.kind() == Kind::Other => return Err(error),
            Ok(_) | Err(_) => Standing::Changed,
        };
        Ok(Some(standing))
    }

    /// Says in the log that what it says of `name` is known to be lost.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub fn lose(&mut self, name: &str) -> Result<(), LedgerError> {
        let Some(held) = self.state.held().get(name).cloned() else {
            return Ok(());
        };
        let mut entry = self.entry(Event::Lost, Some(name), held.print);
        entry.generated_at = held.generated_at;
        self.append(entry)
    }

    fn keep(&mut self, dropped: &Entry) -> Result<(), LedgerError> {
        let print = Fingerprint { digest: dropped.digest.clone(), size: dropped.size };
        let mut entry = self.entry(Event::Kept, dropped.name.as_deref(), print);
        entry.generated_at = dropped.generated_at;
        self.append(entry)
    }

    fn entry(&self, event: Event, name: Option<&str>, print: Fingerprint) -> Entry {
        Entry {
            sequence: self.tip.entries + 1,
            event,
            name: name.map(str::to_owned),
            digest: print.digest,
            size: print.size,
            generated_at: None,
            staged: None,
            at: self.now,
            by: BY.to_owned(),
            previous: self.tip.head.clone(),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "an entry is written once")]
    fn append(&mut self, entry: Entry) -> Result<(), LedgerError> {
        let line = entry.line()?;
        match self.place.append(&self.tip, &line)? {
            Appended::Moved => Err(LedgerError::Moved(self.place.whereabouts())),
            Appended::Added => {
                self.tip = self.tip.behind(&line);
                self.state.apply(&entry);
                Ok(())
            }
        }
    }

    fn is_logged(&self, staged: &str) -> bool {
        let log = self.place.log().map(|bytes| Log::parse(&bytes));
        // What cannot be read could hold it.
        log.map_or(true, |log| {
            let entries = log.lines.iter().filter_map(|line| line.entry.as_ref().ok());
            entries.rev().any(|entry| entry.staged.as_deref() == Some(staged))
        })
    }

    fn publish(&self, staged: &str, name: &str, print: &Fingerprint) -> Result<Claim, PlaceError> {
        match self.place.publish(staged, name) {
            // Another writer of a place without locks finished it.
            Err(error) if error.is_missing() && is_there(self.place, name, print)? => {
                Ok(Claim::Taken)
            }
            result => result,
        }
    }

    /// Does what the last entry says where its writer died before.
    fn finish(&mut self) -> Result<(), LedgerError> {
        let Some(entry) = self.state.last().cloned() else {
            return Ok(());
        };
        match Unfinished::of(self.place, &entry)? {
            None => Ok(()),
            Some(Unfinished::Name { staged, name }) => {
                let unfinished = |source| LedgerError::Unfinished { name: name.clone(), source };
                self.place.publish(&staged, &name).map_err(unfinished)?;
                self.place.sync().map_err(unfinished)?;
                // Before the next entry, so that `latest` is never more than one behind.
                latest::mend(self).map_err(unfinished)?;
                tracing::warn!("finished what a dead run began: `{name}` is stored");
                Ok(())
            }
            Some(Unfinished::Removal { name }) => {
                tracing::info!("finished what a dead run began: `{name}` is removed");
                match self.place.remove(&name) {
                    Err(error) if !error.is_missing() => {
                        tracing::warn!("{}", stage::exit::chain(&error));
                        self.keep(&entry)
                    }
                    _ => Ok(self.place.sync()?),
                }
            }
        }
    }

    /// Takes reports that the log does not know into the store, and their signatures.
    fn adopt(&mut self) -> Result<(), LedgerError> {
        let there: HashSet<String> = self.place.names()?.into_iter().collect();
        for name in history::names(self.place)?.into_iter().rev() {
            let (file, signature) = (name.to_string(), name.signature());
            if !self.state.held().contains_key(&file) {
                match history::read(self.place, Wanted::Named(name), self.max_bytes) {
                    Ok(stored) => {
                        let print = Fingerprint::of(&stored.bytes);
                        self.take(&file, print, Some(stored.head.generated_at))?;
                    }
                    Err(why) => {
                        tracing::debug!("not taken into the log: {why}");
                        continue;
                    }
                }
            }
            if there.contains(&signature) && !self.state.held().contains_key(&signature) {
                match self.place.fingerprint(&signature, self.max_bytes) {
                    Ok(print) => self.take(&signature, print, None)?,
                    Err(why) => tracing::debug!("not taken into the log: {why}"),
                }
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        name: &str,
        print: Fingerprint,
        generated_at: Option<Timestamp>,
    ) -> Result<(), LedgerError> {
        tracing::warn!("`{name}` was not in the log, and is from now on");
        let mut entry = self.entry(Event::Adopted, Some(name), print);
        entry.generated_at = generated_at;
        self.append(entry)
    }

    /// The number for one more report of `time`: behind all that are there or ever were, so that
    /// the order of names stays the order of arrival.
    pub(crate) fn next_number(&self, time: Timestamp) -> Result<u32, PlaceError> {
        let there = history::names(self.place)?;
        Ok(next_number(there.into_iter().chain(self.state.report_names()), time))
    }
}

fn pending(name: &str, error: LedgerError) -> LedgerError {
    match error {
        LedgerError::Place(source) => LedgerError::Pending { name: name.to_owned(), source },
        other => other,
    }
}

/// What is under a name that belongs to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// What was stored.
    Same,
    /// Nothing.
    Missing,
    /// Something else.
    Changed,
}

/// What the last entry of a log says that is not done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfinished {
    /// Bytes have no name yet.
    Name {
        /// What they are staged as.
        staged: String,
        /// Their name.
        name: String,
    },
    /// A name is still there.
    Removal {
        /// Which.
        name: String,
    },
}

impl Unfinished {
    /// What `last` says that is not done. Only exactly the bytes of the entry are given their name,
    /// or removed.
    pub(crate) fn of(place: &dyn Place, last: &Entry) -> Result<Option<Self>, PlaceError> {
        let Some(name) = last.name.clone() else {
            return Ok(None);
        };
        let print = Fingerprint { digest: last.digest.clone(), size: last.size };
        match (last.event, &last.staged) {
            (Event::Stored | Event::Signed, Some(staged)) => {
                let done = matches!(
                    place.fingerprint(&name, print.size).map_err(|error| error.kind()),
                    Ok(_) | Err(Kind::Foreign | Kind::TooLarge)
                );
                let staged_here = !done && is_there(place, staged, &print)?;
                Ok(staged_here.then(|| Self::Name { staged: staged.clone(), name }))
            }
            (Event::Pruned | Event::Removed, _) => {
                Ok(is_there(place, &name, &print)?.then_some(Self::Removal { name }))
            }
            _ => Ok(None),
        }
    }
}

/// Whether `name` has exactly these bytes. Something else there, or nothing, is an answer.
pub(crate) fn is_there(
    place: &dyn Place,
    name: &str,
    print: &Fingerprint,
) -> Result<bool, PlaceError> {
    match place.fingerprint(name, print.size) {
        Ok(found) => Ok(found == *print),
        Err(error) if error.kind() == Kind::Other => Err(error),
        Err(_) => Ok(false),
    }
}

fn next_number(names: impl Iterator<Item = ReportName>, time: Timestamp) -> u32 {
    names
        .filter(|name| name.fits(time))
        .map(|name| name.number().saturating_add(1))
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_behind_all_of_its_second() {
        let time: Timestamp = "2026-11-24T06:00:00.5Z".parse().expect("a time");
        let other: Timestamp = "2026-11-24T06:00:01Z".parse().expect("a time");
        assert_eq!(next_number([].into_iter(), time), 0);
        let names = [ReportName::new(time, 1), ReportName::new(time, 3), ReportName::new(other, 9)];
        assert_eq!(next_number(names.into_iter(), time), 4);
    }
}
