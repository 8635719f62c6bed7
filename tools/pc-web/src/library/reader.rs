//! From a directory to a library: what is new is read, what is known is kept, what is gone is
//! forgotten.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use pc_store::folder::{Folder, FolderError};
use pc_store::history;
use pc_store::names::ReportName;

use super::line::Pool;
use super::volume::Volume;
use super::{Library, Mark, Reach, Shelved};

/// Reads a store again and again.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    /// The largest report that is read, in bytes.
    max: u64,
    pool: Pool,
    known: HashMap<ReportName, Shelved>,
    parsed: u64,
    lost: Option<(Timestamp, String)>,
}

impl Mark {
    pub(super) fn of(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            changed: (meta.mtime(), meta.mtime_nsec().unsigned_abs()),
        }
    }
}

impl Reader {
    /// A reader of the store at `path`, which need not be there yet.
    #[must_use]
    pub fn new(path: &Path, max: u64) -> Self {
        Self {
            path: path.to_owned(),
            max,
            pool: Pool::default(),
            known: HashMap::new(),
            parsed: 0,
            lost: None,
        }
    }

    /// What the store holds now. Where it cannot be read, what it held before, which says so.
    pub fn read(&mut self, now: Timestamp) -> Library {
        match self.refresh() {
            Ok(()) => self.lost = None,
            Err(error) => {
                let why = stage::exit::chain(&error);
                if self.lost.is_none() {
                    tracing::warn!("the store cannot be read, and is shown as it was: {why}");
                }
                self.lost.get_or_insert((now, String::new())).1 = why;
            }
        }
        let mut shelf: Vec<Shelved> = self.known.values().cloned().collect();
        shelf.sort_unstable_by_key(|shelved| std::cmp::Reverse(shelved.name));
        let reach = match &self.lost {
            None => Reach::Read,
            Some((since, why)) => Reach::Lost { since: *since, why: why.clone() },
        };
        Library { folder: self.path.clone(), shelf, reach, parsed: self.parsed }
    }

    fn refresh(&mut self) -> Result<(), FolderError> {
        let folder = Folder::open(&self.path)?;
        let names = history::names(&folder)?;
        self.known.retain(|name, _| names.contains(name));
        for name in names {
            self.shelve(&folder, name);
        }
        self.pool.sweep();
        Ok(())
    }

    /// Reads a report unless it is known as it is.
    fn shelve(&mut self, folder: &Folder, name: ReportName) {
        let meta = std::fs::symlink_metadata(self.path.join(name.to_string()));
        // Removed since the directory was read.
        let Ok(meta) = meta else {
            self.known.remove(&name);
            return;
        };
        let mark = Mark::of(&meta);
        if self.known.get(&name).is_some_and(|shelved| shelved.mark == mark) {
            return;
        }
        let volume = self.index(folder, name);
        if let Err(why) = &volume {
            tracing::warn!("`{name}` is not shown: {why}");
        }
        self.known.insert(name, Shelved { name, volume, mark });
    }

    fn index(&mut self, folder: &Folder, name: ReportName) -> Result<Arc<Volume>, Arc<str>> {
        let bytes = folder
            .read(&name.to_string(), self.max)
            .map_err(|error| Arc::from(stage::exit::chain(&error)))?;
        self.parsed += 1;
        let volume = Volume::read(&bytes, &mut self.pool)
            .map_err(|error| Arc::from(stage::exit::chain(&error)))?;
        if !name.fits(volume.head.generated_at) {
            let time = volume.head.generated_at;
            return Err(Arc::from(format!(
                "it holds the report of {time}, so somebody renamed or replaced it"
            )));
        }
        Ok(Arc::new(volume))
    }
}
