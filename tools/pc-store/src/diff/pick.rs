//! Which two reports are compared: from the store, from files, or from standard input.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use records::Digest;
use records::text::shown;
use report::{ReadError, Report};
use stage::Fault;

use crate::cli::{self, StoreArgs, fault};
use crate::document;
use crate::history::{self, Unfit, Wanted};
use crate::names::ReportName;
use crate::place::Place;
use crate::sink::Access;

/// Which report is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
    /// One of the store.
    Stored(Wanted),
    /// The one before the newer one in the store.
    Previous,
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl FromStr for Which {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match (text, text.parse()) {
            ("previous", _) => Self::Previous,
            ("-", _) => Self::Stdin,
            (_, Ok(wanted)) => Self::Stored(wanted),
            (path, Err(_)) => Self::File(path.into()),
        })
    }
}

/// A report that is compared.
pub(super) struct Picked {
    pub(super) report: Report,
    /// The hash of its bytes.
    pub(super) digest: Digest,
}

/// Why a report cannot be compared.
#[derive(Debug, thiserror::Error)]
enum PickError {
    #[error("cannot read {what}")]
    Read { what: String, source: io::Error },
    #[error("{what} is larger than {max} bytes")]
    TooLarge { what: String, max: u64 },
    #[error("{what} is no report to compare")]
    NotAReport { what: String, source: ReadError },
}

/// Reads both; none where the older one is `previous` and there is none yet.
pub(super) fn pick(
    store: &StoreArgs,
    older: &Which,
    newer: &Which,
) -> Result<Option<(Picked, Picked)>, Fault> {
    if older == &Which::Stdin && newer == &Which::Stdin {
        return Err(Fault::usage("standard input is one report, and cannot be both"));
    }
    if newer == &Which::Previous {
        return Err(Fault::usage(
            "`previous` is the report before the newer one, so it is the older",
        )
        .with_hint("give it first: `pc-store diff previous latest`"));
    }
    let place = match (older, newer) {
        (Which::Stored(_) | Which::Previous, _) | (_, Which::Stored(_)) => {
            Some(cli::open(store, Access::Read)?)
        }
        _ => None,
    };
    let place = place.as_deref();
    let older = match (older, newer, place) {
        (Which::Previous, Which::Stored(wanted), Some(place)) => {
            match before(place, *wanted, store.max_bytes)? {
                Some(name) => Which::Stored(Wanted::Named(name)),
                None => return Ok(None),
            }
        }
        (Which::Previous, ..) => {
            return Err(Fault::usage("`previous` is the report before one of the store, and the newer one is not of the store")
                .with_hint("name both: `pc-store diff latest NEWER`, for one"));
        }
        (older, ..) => older.clone(),
    };
    let older = parsed(&older, &read(&older, place, store.max_bytes)?)?;
    let newer = parsed(newer, &read(newer, place, store.max_bytes)?)?;
    Ok(Some((older, newer)))
}

/// The report before another in the store; none where that is the first, or there is none at all.
fn before(place: &dyn Place, wanted: Wanted, max: u64) -> Result<Option<ReportName>, Fault> {
    let names = history::names(place).map_err(fault)?;
    let newer = match wanted {
        Wanted::Named(name) => name,
        Wanted::Latest => {
            let latest = match history::read(place, Wanted::Latest, max) {
                Err(Unfit::Unreadable(error)) if error.is_missing() && names.is_empty() => {
                    return Ok(None);
                }
                latest => latest.map_err(unfit)?,
            };
            // Of several of one second, the one with these bytes.
            let time = latest.head.generated_at;
            let same = |name: &&ReportName| {
                let stored = history::read(place, Wanted::Named(**name), max);
                stored.is_ok_and(|stored| stored.bytes == latest.bytes)
            };
            let found = names.iter().filter(|name| name.fits(time)).find(same);
            found.copied().unwrap_or_else(|| ReportName::new(time, 0))
        }
    };
    Ok(names.into_iter().find(|name| *name < newer))
}

fn unfit(error: Unfit) -> Fault {
    match error {
        // The inner error is the one that knows what would mend it.
        Unfit::Unreadable(error) => fault(error),
        error => fault(error),
    }
}

fn read(which: &Which, place: Option<&dyn Place>, max: u64) -> Result<Vec<u8>, Fault> {
    match (which, place) {
        (Which::Stored(wanted), Some(place)) => {
            Ok(history::read(place, *wanted, max).map_err(unfit)?.bytes)
        }
        (Which::Stdin, _) if io::stdin().is_terminal() => {
            Err(Fault::usage("standard input is a terminal, and no report comes from there"))
        }
        (Which::Stdin, _) => limited(io::stdin().lock(), which, max),
        (Which::File(path), _) => limited(open(path)?, which, max),
        // A store is open wherever one is asked; see `pick`.
        (Which::Stored(_) | Which::Previous, _) => Ok(Vec::new()),
    }
}

fn open(path: &Path) -> Result<File, Fault> {
    File::open(path).map_err(|source| {
        let error = PickError::Read { what: words(&Which::File(path.to_owned())), source };
        Fault::incomplete(error).with_hint(
            "a report is a name from `pc-store list`, `latest`, `previous`, or a file that is there",
        )
    })
}

fn limited(from: impl Read, which: &Which, max: u64) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let read = from.take(max.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|source| Fault::incomplete(PickError::Read { what: words(which), source }))?;
    if bytes.len() as u64 > max {
        let error = PickError::TooLarge { what: words(which), max };
        return Err(Fault::incomplete(error).with_hint("raise `--max-bytes`"));
    }
    Ok(bytes)
}

fn parsed(which: &Which, bytes: &[u8]) -> Result<Picked, Fault> {
    let (_, report) = Report::read(bytes).map_err(|source| {
        let error = PickError::NotAReport { what: words(which), source };
        Fault::incomplete(error).with_hint("give a report as pc-assemble writes it")
    })?;
    Ok(Picked { report, digest: document::digest(bytes) })
}

fn words(which: &Which) -> String {
    match which {
        Which::Stored(Wanted::Latest) => "the newest report of the store".to_owned(),
        Which::Stored(Wanted::Named(name)) => format!("`{name}`"),
        Which::Previous => "the report before".to_owned(),
        Which::File(path) => format!("`{}`", shown(&path.to_string_lossy())),
        Which::Stdin => "standard input".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_of_the_store_is_a_file() {
        let which = |text: &str| text.parse::<Which>().expect("infallible");
        assert_eq!(which("latest"), Which::Stored(Wanted::Latest));
        assert_eq!(which("previous"), Which::Previous);
        assert_eq!(which("-"), Which::Stdin);
        let name = "provenance-20261124-060000.json";
        assert!(matches!(which(name), Which::Stored(Wanted::Named(_))));
        for file in [format!("./{name}"), "report.json".to_owned(), "/x/latest".to_owned()] {
            assert_eq!(which(&file), Which::File(PathBuf::from(&file)));
        }
    }
}
