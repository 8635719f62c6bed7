//! From a directory to a library: what is new is read, what is known is kept, what is gone is
//! forgotten.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use pc_store::folder::Folder;
use pc_store::history;
use pc_store::names::ReportName;
use pc_store::place::PlaceError;
use records::Digest;
use report::Report;
use report::difference::{self, Difference};

use super::line::Pool;
use super::volume::Volume;
use super::{Library, Mark, Reach, Shelved};

/// How many changes are kept of a report.
const MOST_CHANGES: usize = 2000;

/// The last report of each cluster that was read in one go, with its hash.
type Before = HashMap<Option<String>, (ReportName, Report, Digest)>;

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

    fn refresh(&mut self) -> Result<(), PlaceError> {
        let folder = Folder::open(&self.path)?;
        let names = history::names(&folder)?;
        self.known.retain(|name, _| names.contains(name));
        // The oldest first: a report is compared with the one before it, which is at hand then.
        let mut before = Before::new();
        for name in names.into_iter().rev() {
            self.shelve(&folder, name, &mut before);
        }
        self.pool.sweep();
        Ok(())
    }

    /// Reads a report unless it is known as it is.
    fn shelve(&mut self, folder: &Folder, name: ReportName, before: &mut Before) {
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
        let (volume, changes) = match self.index(folder, name) {
            Ok((volume, report)) => {
                let changes = self.compare(folder, name, &volume, report, before);
                (Ok(volume), changes)
            }
            Err(why) => {
                tracing::warn!("`{name}` is not shown: {why}");
                (Err(why), None)
            }
        };
        self.known.insert(name, Shelved { name, volume, changes, mark });
    }

    /// The report of a file, indexed, and whole for as long as it is compared.
    fn index(
        &mut self,
        folder: &Folder,
        name: ReportName,
    ) -> Result<(Arc<Volume>, Report), Arc<str>> {
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
        let (_, report) =
            Report::read(&bytes).map_err(|error| Arc::from(stage::exit::chain(&error)))?;
        Ok((Arc::new(volume), report))
    }

    /// What changed since the report before, of the same cluster.
    fn compare(
        &mut self,
        folder: &Folder,
        name: ReportName,
        volume: &Volume,
        report: Report,
        before: &mut Before,
    ) -> Option<Arc<Difference>> {
        let cluster = volume.head.cluster.clone();
        let previous = self.before(name, cluster.as_deref());
        let at_hand = before.remove(&cluster).filter(|(at, ..)| Some(*at) == previous);
        let older = at_hand.or_else(|| {
            let previous = previous?;
            let bytes = folder.read(&previous.to_string(), self.max).ok()?;
            self.parsed += 1;
            let digest = pc_store::document::digest(&bytes);
            Some((previous, Report::read(&bytes).ok()?.1, digest))
        });
        let changes = older.map(|(_, older, digest)| {
            let newer = (&report, Some(volume.digest.clone()));
            let mut difference = difference::difference((&older, Some(digest)), newer);
            // The gravest stand first, and the counts are of all.
            difference.changes.truncate(MOST_CHANGES);
            Arc::new(difference)
        });
        before.insert(cluster, (name, report, volume.digest.clone()));
        changes
    }

    /// The report before one, of the same cluster.
    fn before(&self, name: ReportName, cluster: Option<&str>) -> Option<ReportName> {
        let older = self.known.values().filter(|shelved| shelved.name < name);
        let of_cluster = older.filter(|shelved| {
            shelved.volume().is_some_and(|volume| volume.head.cluster.as_deref() == cluster)
        });
        of_cluster.map(|shelved| shelved.name).max()
    }
}
