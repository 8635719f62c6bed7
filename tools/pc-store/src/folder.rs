//! One directory, opened once: every operation is relative to it, follows no symbolic link, and
//! says what it could not do where.

mod error;
mod lock;

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use crate::document::Hasher;
use crate::names::LOG;
use crate::place::{Claim, Fingerprint};

pub(crate) use error::hint_of;
pub use error::{FolderError, hint};
pub use lock::Lock;

/// The mode of a stored file: the owner writes, the group reads.
const FILE_MODE: u32 = 0o640;
/// The mode of a directory that is made.
const FOLDER_MODE: u32 = 0o750;

/// An open directory.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

/// Whether a directory was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was there.
    Found,
    /// It was made, inside a parent that was there.
    Made,
}

impl Folder {
    /// Opens the directory at `path`.
    ///
    /// # Errors
    /// When it is missing, is something else, or may not be opened.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(fd) => Ok(Self { fd, path: path.to_owned() }),
            Err(Errno::NOENT) => Err(FolderError::Missing(path.to_owned())),
            Err(Errno::NOTDIR) => Err(FolderError::NotADirectory(path.to_owned())),
            Err(error) => Err(FolderError::Open { path: path.to_owned(), source: error.into() }),
        }
    }

    /// Opens the directory at `path`; makes it when only the last component is missing.
    ///
    /// # Errors
    /// As [`Folder::open`], and when it cannot be made.
    pub fn open_or_make(path: &Path) -> Result<(Self, Origin), FolderError> {
        match Self::open(path) {
            Err(FolderError::Missing(_)) => {}
            result => return result.map(|folder| (folder, Origin::Found)),
        }
        match rustix::fs::mkdir(path, Mode::from_raw_mode(FOLDER_MODE)) {
            Ok(()) => {}
            // Another process was quicker.
            Err(Errno::EXIST) => return Self::open(path).map(|folder| (folder, Origin::Found)),
            Err(Errno::NOENT) => return Err(FolderError::ParentMissing(path.to_owned())),
            Err(error) => {
                return Err(FolderError::Make { path: path.to_owned(), source: error.into() });
            }
        }
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        Self::open(parent)?.sync()?;
        Ok((Self::open(path)?, Origin::Made))
    }

    /// Where the directory is, as it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names in the directory, in no order. Names that are not UTF-8 are none of ours and are
    /// left out.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn names(&self) -> Result<Vec<String>, FolderError> {
        let failed = |error: Errno| self.failed("list the files of", ".", error);
        let entries = Dir::read_from(&self.fd).map_err(failed)?;
        let mut names = Vec::new();
        for entry in entries {
            match entry.map_err(failed)?.file_name().to_str() {
                Ok("." | "..") | Err(_) => {}
                Ok(name) => names.push(name.to_owned()),
            }
        }
        Ok(names)
    }

    /// Reads a regular file of at most `max` bytes.
    ///
    /// # Errors
    /// When it is missing, something else than a regular file, too large, or may not be read.
    pub fn read(&self, name: &str, max: u64) -> Result<Vec<u8>, FolderError> {
        let file = self.open_file(name)?;
        let size = file.metadata().map_or(0, |meta| meta.len());
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(max)).unwrap_or(0));
        file.take(max.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|source| self.failed("read", name, source))?;
        if bytes.len() as u64 > max {
            return Err(self.too_large(name, max));
        }
        Ok(bytes)
    }

    /// The hash and size of a regular file of at most `max` bytes, of which never more than a block
    /// is in memory.
    ///
    /// # Errors
    /// As [`Folder::read`].
    pub fn fingerprint(&self, name: &str, max: u64) -> Result<Fingerprint, FolderError> {
        let mut hasher = Hasher::default();
        std::io::copy(&mut self.open_file(name)?.take(max.saturating_add(1)), &mut hasher)
            .map_err(|source| self.failed("read", name, source))?;
        let print = hasher.finish();
        if print.size > max { Err(self.too_large(name, max)) } else { Ok(print) }
    }

    /// Opens a regular file for reading.
    pub(crate) fn open_file(&self, name: &str) -> Result<File, FolderError> {
        // Without `NONBLOCK`, opening a FIFO would wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let failed = |error: Errno| self.failed("read", name, error);
        let fd = match rustix::fs::openat(&self.fd, name, flags, Mode::empty()) {
            Err(Errno::LOOP | Errno::NXIO) => return Err(self.not_regular(name)),
            result => result.map_err(failed)?,
        };
        let stat = rustix::fs::fstat(&fd).map_err(failed)?;
        if is_regular(&stat) { Ok(File::from(fd)) } else { Err(self.not_regular(name)) }
    }

    /// Opens the log for reading and writing, and makes it where it is missing; and its length.
    pub(crate) fn open_log(&self) -> Result<(File, u64), FolderError> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let failed = |error: Errno| self.failed("write", LOG, error);
        let fd = match rustix::fs::openat(&self.fd, LOG, flags, Mode::from_raw_mode(FILE_MODE)) {
            Err(Errno::LOOP | Errno::NXIO | Errno::ISDIR) => return Err(self.not_regular(LOG)),
            result => result.map_err(failed)?,
        };
        let stat = rustix::fs::fstat(&fd).map_err(failed)?;
        if !is_regular(&stat) {
            return Err(self.not_regular(LOG));
        }
        Ok((File::from(fd), u64::try_from(stat.st_size).unwrap_or(0)))
    }

    /// What `name` is, without following it; `None` when nothing is there.
    ///
    /// # Errors
    /// When the directory may not be searched.
    pub fn stat(&self, name: &str) -> Result<Option<Stat>, FolderError> {
        match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failed("examine", name, error)),
        }
    }

    /// Creates `name`, which must not exist, for writing.
    pub(crate) fn create(&self, name: &str) -> Result<File, FolderError> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, name, flags, Mode::from_raw_mode(FILE_MODE))
            .map(File::from)
            .map_err(|error| self.failed("create", name, error))
    }

    /// Renames `from` to `to` unless `to` is taken; never overwrites.
    pub(crate) fn claim(&self, from: &str, to: &str) -> Result<Claim, FolderError> {
        let moved = rustix::fs::renameat_with(&self.fd, from, &self.fd, to, RenameFlags::NOREPLACE);
        match moved {
            // The kernel (NOSYS) or the file system (INVAL, OPNOTSUPP) has no such rename.
            Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => self.claim_by_link(from, to),
            Err(Errno::EXIST) => Ok(Claim::Occupied),
            result => {
                result.map(|()| Claim::Taken).map_err(|error| self.failed("write", to, error))
            }
        }
    }

    /// The same with a hard link, which never overwrites either.
    fn claim_by_link(&self, from: &str, to: &str) -> Result<Claim, FolderError> {
        match rustix::fs::linkat(&self.fd, from, &self.fd, to, AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Ok(Claim::Occupied),
            Err(error) => return Err(self.failed("write", to, error)),
        }
        // The name is taken now, whatever becomes of the other one.
        if let Err(error) = self.remove(from) {
            tracing::warn!("a temporary file is left, a later run removes it: {error}");
        }
        Ok(Claim::Taken)
    }

    /// A second name for `from`; whether the file system has hard links at all.
    pub(crate) fn link(&self, from: &str, to: &str) -> Result<bool, FolderError> {
        match rustix::fs::linkat(&self.fd, from, &self.fd, to, AtFlags::empty()) {
            Ok(()) => Ok(true),
            // PERM is what Linux says for file systems without links, and for files of others
            // where `fs.protected_hardlinks` is on.
            Err(Errno::PERM | Errno::NOSYS | Errno::OPNOTSUPP | Errno::MLINK) => Ok(false),
            Err(error) => Err(self.failed("create", to, error)),
        }
    }

    /// Renames `from` to `to` in one step, whatever `to` was.
    pub(crate) fn replace(&self, from: &str, to: &str) -> Result<(), FolderError> {
        rustix::fs::renameat(&self.fd, from, &self.fd, to)
            .map_err(|error| self.failed("replace", to, error))
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &str) -> Result<(), FolderError> {
        rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())
            .map_err(|error| self.failed("remove", name, error))
    }

    /// Makes what was renamed, linked and removed so far survive a loss of power.
    pub(crate) fn sync(&self) -> Result<(), FolderError> {
        match rustix::fs::fsync(&self.fd) {
            // Some network file systems cannot do this for directories and need not.
            Ok(()) | Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(()),
            Err(error) => Err(self.failed("sync", ".", error)),
        }
    }

    pub(crate) fn failed(
        &self,
        what: &'static str,
        file: &str,
        error: impl Into<std::io::Error>,
    ) -> FolderError {
        let source = error.into();
        if source.kind() == ErrorKind::NotFound {
            return FolderError::NoSuchFile { file: file.to_owned(), folder: self.path.clone() };
        }
        FolderError::Failed { what, file: file.to_owned(), folder: self.path.clone(), source }
    }

    fn too_large(&self, name: &str, max: u64) -> FolderError {
        FolderError::TooLarge { file: name.to_owned(), folder: self.path.clone(), max }
    }

    fn not_regular(&self, name: &str) -> FolderError {
        FolderError::NotRegular { file: name.to_owned(), folder: self.path.clone() }
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Whether `stat` is of a regular file.
pub(crate) fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

#[cfg(test)]
mod tests;
