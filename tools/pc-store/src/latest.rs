//! `provenance-latest.json`: the newest report a second time, replaced in one step and never by an
//! older one.

use jiff::Timestamp;
use records::Digest;
use report::Head;

use crate::chain::Held;
use crate::document::digest;
use crate::ledger::{Ledger, is_there};
use crate::names::{LATEST, ReportName};
use crate::place::{Kind, Place, PlaceError};

/// What the newest report is after one was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latest {
    /// The report just stored.
    This,
    /// The one that was, of that later time.
    Stays(Timestamp),
    /// Another of the store, which a run that died had not made the newest.
    Other(ReportName),
}

/// Makes the newest report of the store `provenance-latest.json`, unless that is later already.
/// Report `stored` of `time` is known to be there.
pub(crate) fn settle(
    ledger: &Ledger<'_>,
    stored: ReportName,
    time: Timestamp,
) -> Result<Latest, PlaceError> {
    let place = ledger.place();
    let newest = newest(ledger, Some(stored))?;
    let (name, newest_time, print) = newest.as_ref().map_or((stored, Some(time), None), |found| {
        (found.0, found.1.generated_at, Some(&found.1.print.digest))
    });
    match current(place, ledger.max_bytes())? {
        Current::Report(_, digest) if ledger.state().is_removed(&digest) => {}
        Current::Report(current, _) if Some(current) > newest_time => {
            return Ok(Latest::Stays(current));
        }
        Current::Report(current, digest) if name != stored && Some(&digest) == print => {
            return Ok(Latest::Stays(current));
        }
        Current::Report(..) | Current::Missing => {}
        Current::Foreign(why) => set_aside(place, &why)?,
    }
    place.point_latest(&name.to_string())?;
    if name == stored { Ok(Latest::This) } else { Ok(Latest::Other(name)) }
}

/// Puts `provenance-latest.json` right where a dead run left it behind, or where it is a report that
/// somebody had removed.
pub(crate) fn mend(ledger: &Ledger<'_>) -> Result<(), PlaceError> {
    let place = ledger.place();
    let newest = newest(ledger, None)?;
    let current = current(place, ledger.max_bytes())?;
    let is_removed =
        matches!(&current, Current::Report(_, digest) if ledger.state().is_removed(digest));
    match newest {
        None if is_removed => place.remove(LATEST),
        None => Ok(()),
        Some((name, held)) => {
            let is_behind = match &current {
                Current::Missing => true,
                Current::Foreign(_) => false,
                Current::Report(time, digest) => {
                    ledger.state().knows(digest)
                        && *digest != held.print.digest
                        && Some(*time) <= held.generated_at
                }
            };
            if is_removed || is_behind { place.point_latest(&name.to_string()) } else { Ok(()) }
        }
    }
}

/// The newest report of the log whose bytes are there, as they were written; those of `stored` are.
fn newest<'l>(
    ledger: &'l Ledger<'_>,
    stored: Option<ReportName>,
) -> Result<Option<(ReportName, &'l Held)>, PlaceError> {
    for (name, held) in ledger.state().reports() {
        if stored == Some(name) || is_there(ledger.place(), &name.to_string(), &held.print)? {
            return Ok(Some((name, held)));
        }
        tracing::warn!("`{name}` is not there as it was stored; `pc-store verify` says more");
    }
    Ok(None)
}

/// What `provenance-latest.json` is.
enum Current {
    Missing,
    Report(Timestamp, Digest),
    /// Nothing that this tool wrote, and why that is known.
    Foreign(String),
}

fn current(place: &dyn Place, max_bytes: u64) -> Result<Current, PlaceError> {
    match place.read(LATEST, max_bytes) {
        Ok(bytes) => Ok(match Head::from_slice(&bytes) {
            Ok(head) => Current::Report(head.generated_at, digest(&bytes)),
            Err(error) => Current::Foreign(error.to_string()),
        }),
        Err(error) => match error.kind() {
            Kind::Missing => Ok(Current::Missing),
            Kind::Foreign => Ok(Current::Foreign(error.to_string())),
            Kind::TooLarge | Kind::Other => Err(error),
        },
    }
}

/// Keeps what somebody else wrote, under another name.
fn set_aside(place: &dyn Place, why: &str) -> Result<(), PlaceError> {
    if let Some(name) = place.set_aside(LATEST)? {
        tracing::warn!("`{LATEST}` was not ours and is now `{name}`: {why}");
    }
    Ok(())
}
