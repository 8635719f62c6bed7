//! `provenance-latest.json`: the newest report a second time, replaced in one step and never by an
//! older one.

use jiff::Timestamp;
use report::Head;

use super::temporary::Temporary;
use crate::folder::{Claim, Folder, FolderError};
use crate::history::{self, Wanted};
use crate::names::{LATEST, ReportName};

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
pub(super) fn settle(
    folder: &Folder,
    stored: ReportName,
    time: Timestamp,
    max_bytes: u64,
) -> Result<Latest, FolderError> {
    let (newest, newest_time) = newest(folder, stored, time, max_bytes)?;
    match current(folder, max_bytes)? {
        Current::Report(time) if time > newest_time => return Ok(Latest::Stays(time)),
        Current::Report(time) if time == newest_time && newest != stored => {
            return Ok(Latest::Stays(time));
        }
        Current::Report(_) | Current::Missing => {}
        Current::Foreign(why) => set_aside(folder, &why)?,
    }
    duplicate(folder, newest, max_bytes)?.replace(LATEST)?;
    folder.sync()?;
    if newest == stored { Ok(Latest::This) } else { Ok(Latest::Other(newest)) }
}

/// The newest report by name that is one, and its time; `stored` is known to be one.
fn newest(
    folder: &Folder,
    stored: ReportName,
    time: Timestamp,
    max_bytes: u64,
) -> Result<(ReportName, Timestamp), FolderError> {
    for name in history::names(folder)? {
        if name <= stored {
            break;
        }
        match history::read(folder, Wanted::Named(name), max_bytes) {
            Ok(report) => return Ok((name, report.head.generated_at)),
            Err(error) => tracing::debug!("not taken for the newest report: {error}"),
        }
    }
    Ok((stored, time))
}

/// What `provenance-latest.json` is.
enum Current {
    Missing,
    Report(Timestamp),
    /// Nothing that this tool wrote, and why that is known.
    Foreign(String),
}

fn current(folder: &Folder, max_bytes: u64) -> Result<Current, FolderError> {
    match folder.read(LATEST, max_bytes) {
        Ok(bytes) => Ok(match Head::from_slice(&bytes) {
            Ok(head) => Current::Report(head.generated_at),
            Err(error) => Current::Foreign(error.to_string()),
        }),
        Err(FolderError::NoSuchFile { .. }) => Ok(Current::Missing),
        Err(error @ FolderError::NotRegular { .. }) => Ok(Current::Foreign(error.to_string())),
        Err(error) => Err(error),
    }
}

/// Keeps what somebody else wrote, under another name.
fn set_aside(folder: &Folder, why: &str) -> Result<(), FolderError> {
    for number in 0..u32::MAX {
        let name = match number {
            0 => format!("{LATEST}.aside"),
            number => format!("{LATEST}.aside-{number}"),
        };
        if folder.claim(LATEST, &name)? == Claim::Taken {
            tracing::warn!("`{LATEST}` was not ours and is now `{name}`: {why}");
            break;
        }
    }
    Ok(())
}

/// A temporary file that is the same as report `name`.
fn duplicate(
    folder: &Folder,
    name: ReportName,
    max_bytes: u64,
) -> Result<Temporary<'_>, FolderError> {
    let name = name.to_string();
    match Temporary::link(folder, &name)? {
        Some(temporary) => Ok(temporary),
        None => Temporary::write(folder, &folder.read(&name, max_bytes)?),
    }
}
