//! A directory as a place: a name is a file, written whole under a hidden name and then renamed.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::Duration;

use super::temporary::{self, Temporary};
use crate::chain::Tip;
use crate::folder::{Folder, FolderError};
use crate::names::{self, LATEST, LOCK, LOG};
use crate::place::{Appended, Claim, Fingerprint, Guard, Place, PlaceError};

/// The longest log that is read, in bytes; over a million entries.
const MAX_LOG: u64 = 512 * 1024 * 1024;

impl Place for Folder {
    fn whereabouts(&self) -> String {
        self.path().to_string_lossy().into_owned()
    }

    fn locate(&self, name: &str) -> String {
        self.path().join(name).to_string_lossy().into_owned()
    }

    fn lock(&self, limit: Duration) -> Result<Guard, PlaceError> {
        Ok(Guard::new(Self::lock(self, limit)?))
    }

    fn names(&self) -> Result<Vec<String>, PlaceError> {
        let mut names = Self::names(self)?;
        names.retain(|name| !names::is_temporary(name) && name != LOCK && name != LOG);
        Ok(names)
    }

    fn read(&self, name: &str, max: u64) -> Result<Vec<u8>, PlaceError> {
        Ok(Self::read(self, name, max)?)
    }

    fn fingerprint(&self, name: &str, max: u64) -> Result<Fingerprint, PlaceError> {
        Ok(Self::fingerprint(self, name, max)?)
    }

    fn stage(&self, bytes: &[u8]) -> Result<String, PlaceError> {
        Ok(Temporary::write(self, bytes)?.keep())
    }

    fn publish(&self, staged: &str, name: &str) -> Result<Claim, PlaceError> {
        Ok(self.claim(staged, name)?)
    }

    fn discard(&self, staged: &str) {
        if let Err(error) = Self::remove(self, staged) {
            tracing::warn!("a temporary file is left, a later run removes it: {error}");
        }
    }

    fn remove(&self, name: &str) -> Result<(), PlaceError> {
        Ok(Self::remove(self, name)?)
    }

    fn sync(&self) -> Result<(), PlaceError> {
        Ok(Self::sync(self)?)
    }

    fn point_latest(&self, name: &str) -> Result<(), PlaceError> {
        let temporary = match Temporary::link(self, name)? {
            Some(temporary) => temporary,
            None => Temporary::copy(self, name)?,
        };
        temporary.replace(LATEST)?;
        Ok(Self::sync(self)?)
    }

    fn set_aside(&self, name: &str) -> Result<Option<String>, PlaceError> {
        for number in 0..u32::MAX {
            let aside = match number {
                0 => format!("{name}.aside"),
                number => format!("{name}.aside-{number}"),
            };
            if self.claim(name, &aside)? == Claim::Taken {
                return Ok(Some(aside));
            }
        }
        Ok(None)
    }

    fn log(&self) -> Result<Vec<u8>, PlaceError> {
        match Self::read(self, LOG, MAX_LOG) {
            Err(FolderError::NoSuchFile { .. }) => Ok(Vec::new()),
            result => Ok(result?),
        }
    }

    fn append(&self, tip: &Tip, line: &[u8]) -> Result<Appended, PlaceError> {
        let (file, length) = self.open_log()?;
        if !ends_at(self, &file, length, tip)? {
            return Ok(Appended::Moved);
        }
        if let Err(error) = write_at(&file, tip.length, line) {
            // Best done now; a torn line that stays is understood by the next writer.
            let _ = file.set_len(tip.length);
            return Err(self.failed("write", LOG, error).into());
        }
        if tip.length == 0 {
            Self::sync(self)?;
        }
        Ok(Appended::Added)
    }

    fn sweep(&self) -> Result<(), PlaceError> {
        Ok(temporary::sweep(self)?)
    }
}

/// Whether the log still ends at `tip`, but for a torn line behind it.
fn ends_at(folder: &Folder, file: &File, length: u64, tip: &Tip) -> Result<bool, FolderError> {
    if length <= tip.length {
        return Ok(length == tip.length);
    }
    let mut behind = Vec::new();
    let mut from = file;
    from.seek(SeekFrom::Start(tip.length))
        .and_then(|_| std::io::Read::read_to_end(&mut from, &mut behind))
        .map_err(|error| folder.failed("read", LOG, error))?;
    Ok(!behind.contains(&b'\n'))
}

fn write_at(mut file: &File, length: u64, line: &[u8]) -> std::io::Result<()> {
    file.set_len(length)?;
    file.seek(SeekFrom::Start(length))?;
    file.write_all(line)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().expect("a directory");
        let folder = Folder::open(dir.path()).expect("opens");
        (dir, folder)
    }

    #[test]
    fn the_log_grows_behind_its_tip_only() {
        let (dir, folder) = folder();
        let place: &dyn Place = &folder;
        assert_eq!(place.log().expect("read"), b"");
        let start = Tip::default();
        assert_eq!(place.append(&start, b"one\n").expect("added"), Appended::Added);
        assert_eq!(place.append(&start, b"two\n").expect("asked"), Appended::Moved);
        let tip = start.behind(b"one\n");
        let longer = tip.behind(b"two\n");
        assert_eq!(place.append(&longer, b"three\n").expect("asked"), Appended::Moved);
        std::fs::write(dir.path().join(LOG), "one\ntor").expect("torn");
        assert_eq!(place.append(&tip, b"two\n").expect("added"), Appended::Added);
        assert_eq!(place.log().expect("read"), b"one\ntwo\n");
    }

    #[test]
    fn what_is_staged_is_no_name_until_it_is_published() {
        let (_dir, folder) = folder();
        let place: &dyn Place = &folder;
        let staged = place.stage(b"bytes").expect("staged");
        assert_eq!(place.read(&staged, 5).expect("read"), b"bytes");
        assert_eq!(place.publish(&staged, "name").expect("published"), Claim::Taken);
        assert!(place.publish(&staged, "other").expect_err("gone").is_missing());
        let staged = place.stage(b"more").expect("staged");
        assert_eq!(place.publish(&staged, "name").expect("asked"), Claim::Occupied);
        place.discard(&staged);
        assert_eq!(place.names().expect("names"), ["name"]);
        let print = place.fingerprint("name", 5).expect("read");
        assert_eq!(print, Fingerprint::of(b"bytes"));
        assert!(place.fingerprint("name", 4).is_err());
    }
}
