//! A directory as a store: each report under a name of its own, whole or not at all.

use jiff::Timestamp;

use super::latest::{self, Latest};
use super::temporary::Temporary;
use crate::document::Document;
use crate::folder::{Claim, Folder, FolderError, Lock};
use crate::history;
use crate::names::ReportName;

/// How often a name that somebody else took meanwhile is given up for the next.
const TRIES: u32 = 1000;

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
    NotStored(#[source] FolderError),
    /// Every name for this second is taken.
    #[error("the report was not stored: no name is free for one more report of {0}")]
    NoName(Timestamp),
    /// The report is stored; what had to follow failed.
    #[error("the report is stored as `{name}`, but the store is not in order")]
    Unsettled {
        /// Its name.
        name: ReportName,
        /// What failed.
        #[source]
        source: FolderError,
    },
}

/// Keeps a report: writes it, gives it its name, and makes it the newest if it is.
///
/// # Errors
/// Before the report has its name the store is left as it was; the error says which it is.
pub fn keep(
    folder: &Folder,
    _lock: &Lock,
    document: &Document,
    max_bytes: u64,
) -> Result<Kept, KeepError> {
    let name = publish(folder, document)?;
    let unsettled = |source| KeepError::Unsettled { name, source };
    folder.sync().map_err(unsettled)?;
    let time = document.head.generated_at;
    let latest = latest::settle(folder, name, time, max_bytes).map_err(unsettled)?;
    Ok(Kept { name, latest })
}

/// Writes `bytes` under `name`, whole or not at all; over another file only where `replace` says
/// so of its bytes.
pub(crate) fn put(
    folder: &Folder,
    _lock: &Lock,
    name: &str,
    bytes: &[u8],
    replace: impl Fn() -> Result<bool, FolderError>,
) -> Result<Claim, FolderError> {
    let mut temporary = Temporary::write(folder, bytes)?;
    let mut claim = temporary.claim(name)?;
    if claim == Claim::Occupied && replace()? {
        temporary.replace(name)?;
        claim = Claim::Taken;
    }
    folder.sync()?;
    Ok(claim)
}

fn publish(folder: &Folder, document: &Document) -> Result<ReportName, KeepError> {
    let time = document.head.generated_at;
    let names = history::names(folder).map_err(KeepError::NotStored)?;
    let mut temporary = Temporary::write(folder, &document.bytes).map_err(KeepError::NotStored)?;
    let first = next_number(&names, time);
    for number in (first..=u32::MAX).take(TRIES as usize) {
        let name = ReportName::new(time, number);
        let claim = temporary.claim(&name.to_string());
        if claim.map_err(KeepError::NotStored)? == Claim::Taken {
            return Ok(name);
        }
    }
    Err(KeepError::NoName(time))
}

/// The number for one more report of `time`: behind all that are there, so that the order of names
/// stays the order of arrival when an earlier one was removed.
fn next_number(names: &[ReportName], time: Timestamp) -> u32 {
    names
        .iter()
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
        assert_eq!(next_number(&[], time), 0);
        let names = [ReportName::new(time, 1), ReportName::new(time, 3), ReportName::new(other, 9)];
        assert_eq!(next_number(&names, time), 4);
    }
}
