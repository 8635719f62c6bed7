//! Keeping a report: its name, its entry in the log, and whether it is the newest.

use jiff::Timestamp;

use crate::chain::Event;
use crate::document::Document;
use crate::latest::{self, Latest};
use crate::ledger::{Ledger, LedgerError, is_there};
use crate::names::ReportName;
use crate::place::{Claim, Guard, Place, PlaceError};

/// How often a name that somebody else took meanwhile is given up for the next.
const NAMES: u32 = 1000;

/// How often a writer begins anew that another one overtook, in a place without locks.
const TRIES: u32 = 20;

/// What became of a report.
#[derive(Debug)]
pub struct Kept {
    /// Its name in the store.
    pub name: ReportName,
    /// What `provenance-latest.json` is now.
    pub latest: Latest,
}

/// Why a report was not kept as it should be.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The store is as it was.
    #[error("the report was not stored")]
    NotStored(#[source] LedgerError),
    /// Every name for this second is taken.
    #[error("the report was not stored: no name is free for one more report of {0}")]
    NoName(Timestamp),
    /// It is written, and the next run stores it.
    #[error("the report is written, but not stored yet")]
    Pending(#[source] LedgerError),
    /// The report is stored; what had to follow failed.
    #[error("the report is stored as `{name}`, but the store is not in order")]
    Unsettled {
        /// Its name.
        name: ReportName,
        /// What failed.
        #[source]
        source: PlaceError,
    },
}

/// Keeps a report: writes it, gives it its name, and makes it the newest if it is. The ledger is
/// open after that, for what follows.
///
/// # Errors
/// Before the report has its name the store is left as it was; the error says which it is.
pub fn keep<'a>(
    place: &'a dyn Place,
    guard: &Guard,
    document: &Document,
    now: Timestamp,
    max_bytes: u64,
) -> Result<(Ledger<'a>, Kept), KeepError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let opened = Ledger::open(place, guard, now, max_bytes);
        let published = opened.and_then(|mut ledger| {
            let name = publish(&mut ledger, document)?;
            Ok((ledger, name))
        });
        match published {
            Ok((ledger, Some(name))) => return settle(ledger, name, document),
            Ok((_, None)) => return Err(KeepError::NoName(document.head.generated_at)),
            Err(LedgerError::Moved(_)) if tries < TRIES => {}
            Err(LedgerError::Place(error)) if error.is_full() => {
                // Each time one report less: this ends.
                tries = 0;
                if !make_room(place, guard, now, max_bytes).map_err(KeepError::NotStored)? {
                    return Err(KeepError::NotStored(error.into()));
                }
            }
            Err(error @ LedgerError::Pending { .. }) => return Err(KeepError::Pending(error)),
            Err(error) => return Err(KeepError::NotStored(error)),
        }
    }
}

/// Removes the oldest report of a place of bounded room that holds as much as it may, but never the
/// newest one; whether there is more room now.
fn make_room(
    place: &dyn Place,
    guard: &Guard,
    now: Timestamp,
    max_bytes: u64,
) -> Result<bool, LedgerError> {
    let mut ledger = Ledger::open(place, guard, now, max_bytes)?;
    let mut oldest = None;
    for (name, held) in ledger.state().reports().iter().skip(1).rev() {
        // Evidence that somebody changed a report is not to be removed for that.
        if is_there(place, &name.to_string(), &held.print)? {
            oldest = Some(*name);
            break;
        }
    }
    let Some(oldest) = oldest else {
        return Ok(false);
    };
    tracing::warn!(
        "`{oldest}` is removed before its time: {} has no room for more reports",
        place.whereabouts()
    );
    ledger.drop(Event::Pruned, &oldest.signature())?;
    ledger.drop(Event::Pruned, &oldest.to_string())?;
    Ok(true)
}

fn publish(
    ledger: &mut Ledger<'_>,
    document: &Document,
) -> Result<Option<ReportName>, LedgerError> {
    let time = document.head.generated_at;
    let first = ledger.next_number(time)?;
    for number in (first..=u32::MAX).take(NAMES as usize) {
        let name = ReportName::new(time, number);
        let claim = ledger.add(Event::Stored, &name.to_string(), &document.bytes, Some(time))?;
        if claim == Claim::Taken {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn settle<'a>(
    ledger: Ledger<'a>,
    name: ReportName,
    document: &Document,
) -> Result<(Ledger<'a>, Kept), KeepError> {
    let unsettled = |source| KeepError::Unsettled { name, source };
    ledger.place().sync().map_err(unsettled)?;
    let latest = latest::settle(&ledger, name, document.head.generated_at).map_err(unsettled)?;
    Ok((ledger, Kept { name, latest }))
}
