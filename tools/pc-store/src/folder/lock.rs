//! One writer at a time: a lock on a file of the directory, which ends with the process.

use std::fs::File;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::{FILE_MODE, Folder, FolderError};
use crate::names::LOCK;

/// How long to wait between two tries.
const PAUSE: Duration = Duration::from_millis(25);

/// The right to change the store; given up when dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Folder {
    /// Waits at most `limit` for the right to change the store.
    ///
    /// # Errors
    /// When the lock file cannot be made, or another process holds the lock all the time.
    pub fn lock(&self, limit: Duration) -> Result<Lock, FolderError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(self, LOCK, flags, Mode::from_raw_mode(FILE_MODE))
            .map(File::from)
            .map_err(|error| self.failed("open", LOCK, error))?;
        let start = Instant::now();
        loop {
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(Errno::WOULDBLOCK | Errno::INTR) => {}
                Err(Errno::NOSYS | Errno::OPNOTSUPP | Errno::NOLCK | Errno::INVAL) => {
                    // Safe even so: no name is ever overwritten but that of the newest report.
                    tracing::warn!(
                        "the file system of `{}` has no locks: let only one pc-store run at a time",
                        self.path().display()
                    );
                    return Ok(Lock { _file: file });
                }
                Err(error) => return Err(self.failed("lock", LOCK, error)),
            }
            if start.elapsed() >= limit {
                return Err(FolderError::Locked { folder: self.path().to_owned(), waited: limit });
            }
            sleep(PAUSE);
        }
    }
}
