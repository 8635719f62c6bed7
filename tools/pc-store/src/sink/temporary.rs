//! A file that is not there yet: hidden, written whole, then renamed; removed when it was not.

use std::io::Write;
use std::time::{Duration, SystemTime};

use crate::folder::{Folder, FolderError, is_regular};
use crate::names;

/// How old a temporary file must be before it is taken for one that a dead run left.
const DEAD: Duration = Duration::from_secs(60 * 60);

/// A temporary file of this process; removed when dropped.
pub(super) struct Temporary<'a> {
    folder: &'a Folder,
    name: String,
    there: bool,
}

impl<'a> Temporary<'a> {
    /// A file with these bytes, on the disk before this returns.
    pub(super) fn write(folder: &'a Folder, bytes: &[u8]) -> Result<Self, FolderError> {
        let mut temporary = Self::named(folder);
        let mut file = folder.create(&temporary.name)?;
        temporary.there = true;
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(|error| folder.failed("write", &temporary.name, error))?;
        Ok(temporary)
    }

    /// A second name for `file`, where the file system can do that.
    pub(super) fn link(folder: &'a Folder, file: &str) -> Result<Option<Self>, FolderError> {
        let mut temporary = Self::named(folder);
        temporary.there = folder.link(file, &temporary.name)?;
        Ok(temporary.there.then_some(temporary))
    }

    fn named(folder: &'a Folder) -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let nanosecond = since.map_or(0, |since| since.as_nanos());
        Self { folder, name: names::temporary(std::process::id(), nanosecond), there: false }
    }

    /// The same bytes as `file`, where the file system has no second names.
    pub(super) fn copy(folder: &'a Folder, file: &str) -> Result<Self, FolderError> {
        let mut temporary = Self::named(folder);
        let mut from = folder.open_file(file)?;
        let mut to = folder.create(&temporary.name)?;
        temporary.there = true;
        std::io::copy(&mut from, &mut to)
            .and_then(|_| to.sync_all())
            .map_err(|error| folder.failed("write", &temporary.name, error))?;
        Ok(temporary)
    }

    /// Leaves the file there; the answer is its name.
    pub(super) fn keep(mut self) -> String {
        self.there = false;
        std::mem::take(&mut self.name)
    }

    /// Renames the file to `to`, whatever that was.
    pub(super) fn replace(mut self, to: &str) -> Result<(), FolderError> {
        self.folder.replace(&self.name, to)?;
        self.there = false;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if self.there
            && let Err(error) = self.folder.remove(&self.name)
        {
            tracing::warn!("a temporary file is left, a later run removes it: {error}");
        }
    }
}

/// Removes the temporary files that dead runs left. What cannot be removed is left to a later run.
pub(super) fn sweep(folder: &Folder) -> Result<(), FolderError> {
    let now = SystemTime::now();
    for name in folder.names()? {
        if !names::is_temporary(&name) {
            continue;
        }
        let Some(stat) = folder.stat(&name)? else {
            continue;
        };
        let seconds = u64::try_from(stat.st_mtime).unwrap_or(0);
        let written = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let dead = now.duration_since(written).is_ok_and(|age| age > DEAD);
        if dead && is_regular(&stat) {
            match folder.remove(&name) {
                Ok(()) => tracing::info!("removed `{name}`, which a dead run left"),
                Err(error) => tracing::warn!("{error}"),
            }
        }
    }
    Ok(())
}
