//! What a store holds: reading it takes no lock, since every file is whole or not there.

use std::str::FromStr;

use jiff::Timestamp;
use records::Digest;
use report::{Head, ReadError};

use crate::document::digest;
use crate::names::{LATEST, NameError, ReportName};
use crate::place::{Place, PlaceError};

/// A report that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The newest.
    Latest,
    /// The one of that name.
    Named(ReportName),
}

impl FromStr for Wanted {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text == "latest" || text == LATEST {
            Ok(Self::Latest)
        } else {
            text.parse().map(Self::Named)
        }
    }
}

/// Why a file with a report's name is not shown, handed out or removed as one.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] PlaceError),
    /// It is not a report.
    #[error("`{file}` is not a report")]
    NotAReport {
        /// The file.
        file: String,
        /// Why not.
        #[source]
        source: ReadError,
    },
    /// It is not what the log says.
    #[error("`{0}` is not what was stored; `pc-store verify` says more")]
    Changed(ReportName),
    /// It is a report under a name that is not its own.
    #[error("`{file}` holds the report of {time}, so somebody renamed or replaced it")]
    OtherTime {
        /// The file.
        file: ReportName,
        /// When the report in it was generated.
        time: Timestamp,
    },
}

/// A report in the store.
#[derive(Debug)]
pub struct Stored {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they say.
    pub head: Head,
}

/// The names of reports in the store, newest first. They were not read.
///
/// # Errors
/// When they cannot be read.
pub fn names(place: &dyn Place) -> Result<Vec<ReportName>, PlaceError> {
    let mut names: Vec<ReportName> =
        place.names()?.iter().filter_map(|name| name.parse().ok()).collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names)
}

/// Reads a report of at most `max` bytes, and makes sure that it is one, under its own name.
///
/// # Errors
/// When it cannot be read or is not that report.
pub fn read(place: &dyn Place, wanted: Wanted, max: u64) -> Result<Stored, Unfit> {
    let file = match wanted {
        Wanted::Latest => LATEST.to_owned(),
        Wanted::Named(name) => name.to_string(),
    };
    let bytes = place.read(&file, max)?;
    let head = Head::from_slice(&bytes).map_err(|source| Unfit::NotAReport { file, source })?;
    match wanted {
        Wanted::Named(file) if !file.fits(head.generated_at) => {
            Err(Unfit::OtherTime { file, time: head.generated_at })
        }
        _ => Ok(Stored { bytes, head }),
    }
}

/// One line of the list: a file with a report's name.
#[derive(Debug)]
pub struct Entry {
    /// The file.
    pub name: ReportName,
    /// The report, or why the file is none.
    pub report: Result<Facts, Unfit>,
}

/// What the list says of a report.
#[derive(Debug)]
pub struct Facts {
    /// In bytes.
    pub size: u64,
    /// The hash of its bytes.
    pub digest: Digest,
    /// What it says of itself.
    pub head: Head,
}

/// All files with a report's name, newest first, each read: whole into memory, one after the other,
/// and of each only its head is kept.
///
/// # Errors
/// When they cannot be read.
pub fn list(place: &dyn Place, max: u64) -> Result<Vec<Entry>, PlaceError> {
    let mut entries = Vec::new();
    for name in names(place)? {
        let report = match read(place, Wanted::Named(name), max) {
            // Removed since the directory was read.
            Err(Unfit::Unreadable(error)) if error.is_missing() => continue,
            result => result.map(|stored| Facts {
                size: stored.bytes.len() as u64,
                digest: digest(&stored.bytes),
                head: stored.head,
            }),
        };
        entries.push(Entry { name, report });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_report_can_be_asked_for() {
        assert_eq!("latest".parse(), Ok(Wanted::Latest));
        assert_eq!(LATEST.parse(), Ok(Wanted::Latest));
        let name = "provenance-20261124-060000.json";
        assert!(matches!(name.parse(), Ok(Wanted::Named(_))));
        for bad in [
            "",
            "..",
            "../x.json",
            "/etc/passwd",
            ".provenance.lock",
            "a/provenance-20261124-060000.json",
        ] {
            assert!(bad.parse::<Wanted>().is_err(), "{bad}");
        }
    }
}
