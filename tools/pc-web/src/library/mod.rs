//! What the store holds, as the pages and the API see it.
//!
//! A [`Library`] is one consistent view: it never changes; a change of the store makes a new one.
//! Each report is read once, when it appears ([`Reader`]); lists, counts and filters come from its
//! index ([`Volume`]), and what one page shows in full is read from its place in the file
//! ([`Open::text`]).
//!
//! - `line`: one row in short; what reports share is kept once.
//! - `volume`: one report, indexed.
//! - `reader`: from a directory to a library, reading only what changed.

mod line;
mod reader;
mod volume;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use pc_store::names::ReportName;
use report::difference::Difference;

pub use line::{Line, State};
pub use reader::Reader;
pub use volume::{EvidenceKey, Keyed, Span, Use, Volume};

/// A report on the shelf, or a file with a report's name that is none.
#[derive(Debug, Clone)]
pub struct Shelved {
    /// Its name in the store.
    pub name: ReportName,
    /// The report, or why it cannot be shown.
    pub volume: Result<Arc<Volume>, Arc<str>>,
    /// What changed since the report before it, of the same cluster, where there was one when it
    /// was read. Of very many changes the gravest; the counts are of all.
    pub changes: Option<Arc<Difference>>,
    mark: Mark,
}

impl Shelved {
    /// The report, where it can be shown.
    #[must_use]
    pub fn volume(&self) -> Option<&Arc<Volume>> {
        self.volume.as_ref().ok()
    }
}

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, u64),
}

/// Whether the store can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It was read.
    Read,
    /// It could not be read this time; what is shown is from before.
    Lost {
        /// Since when.
        since: Timestamp,
        /// Why.
        why: String,
    },
}

/// What the store held when it was last read.
#[derive(Debug, Clone)]
pub struct Library {
    folder: PathBuf,
    /// All files with a report's name, newest first.
    pub shelf: Vec<Shelved>,
    /// Whether the store can be seen.
    pub reach: Reach,
    /// How often a report was parsed since the start.
    pub parsed: u64,
}

/// Why a part of a report could not be read from its file.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The report is no longer in the store, or somebody changed its file.
    #[error("`{0}` is no longer what it was: it was removed from the store, or changed")]
    Changed(ReportName),
    /// The file could not be read.
    #[error("`{name}` cannot be read")]
    Unreadable {
        /// The report.
        name: ReportName,
        /// Why.
        source: std::io::Error,
    },
}

impl Library {
    /// The newest report that can be shown; of one cluster, where that is given.
    #[must_use]
    pub fn latest<'a>(
        &'a self,
        cluster: Option<&'a str>,
    ) -> Option<(&'a Shelved, &'a Arc<Volume>)> {
        self.reports(cluster).next()
    }

    /// The reports that can be shown, newest first; of one cluster, where that is given.
    pub fn reports<'a>(
        &'a self,
        cluster: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Shelved, &'a Arc<Volume>)> {
        let shown = self.shelf.iter().filter_map(|shelved| Some((shelved, shelved.volume()?)));
        shown.filter(move |(_, volume)| {
            cluster.is_none_or(|cluster| volume.head.cluster.as_deref() == Some(cluster))
        })
    }

    /// The report of that name.
    #[must_use]
    pub fn named(&self, name: ReportName) -> Option<&Shelved> {
        self.shelf.iter().find(|shelved| shelved.name == name)
    }

    /// Opens a report's file, to read parts of it.
    ///
    /// # Errors
    /// When it is no longer the file that was indexed.
    pub fn open(&self, shelved: &Shelved) -> Result<Open, TextError> {
        let name = shelved.name;
        let file = File::open(self.folder.join(name.to_string())).map_err(|source| match source
            .kind()
        {
            std::io::ErrorKind::NotFound => TextError::Changed(name),
            _ => TextError::Unreadable { name, source },
        })?;
        let meta = file.metadata().map_err(|source| TextError::Unreadable { name, source })?;
        if Mark::of(&meta) == shelved.mark {
            Ok(Open { name, file })
        } else {
            Err(TextError::Changed(name))
        }
    }
}

/// The file of a report, open.
#[derive(Debug)]
pub struct Open {
    name: ReportName,
    file: File,
}

impl Open {
    /// A part of the file, as it stands there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn text(&self, span: Span) -> Result<Vec<u8>, TextError> {
        let mut bytes = vec![0; span.length as usize];
        self.file
            .read_exact_at(&mut bytes, u64::from(span.start))
            .map_err(|source| TextError::Unreadable { name: self.name, source })?;
        Ok(bytes)
    }

    /// A part of the file, parsed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn part<T: serde::de::DeserializeOwned>(&self, span: Span) -> Result<T, TextError> {
        let bytes = self.text(span)?;
        serde_json::from_slice(&bytes)
            .map_err(|source| TextError::Unreadable { name: self.name, source: source.into() })
    }

    /// The whole file.
    #[must_use]
    pub fn into_file(self) -> File {
        self.file
    }
}
