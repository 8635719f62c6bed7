//! Reports that wait to be sent: a directory, a file each, oldest first by name.

use std::path::Path;

use jiff::Timestamp;

use super::temporary::{self, Temporary};
use crate::document::Document;
use crate::folder::{Folder, FolderError};

/// Why the spool cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpoolError {
    #[error("the spool cannot be used")]
    Folder(#[from] FolderError),
    #[error("`{name}` in the spool is not the report that was put there")]
    Altered { name: String },
}

/// A directory with reports that wait.
#[derive(Debug)]
pub(super) struct Spool(Folder);

const PREFIX: &str = "waiting-";
const SUFFIX: &str = ".json";

impl Spool {
    /// The directory; made where only its last component is missing.
    pub(super) fn open(path: &Path) -> Result<Self, SpoolError> {
        let (folder, _) = Folder::open_or_make(path)?;
        temporary::sweep(&folder)?;
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> String {
        self.0.path().to_string_lossy().into_owned()
    }

    /// Keeps a report, durably. One that waits already waits once.
    pub(super) fn put(&self, document: &Document) -> Result<(), SpoolError> {
        let temporary = Temporary::write(&self.0, &document.bytes)?.keep();
        let time = document.head.generated_at;
        let claimed = self.0.claim(&temporary, &name(time, document.digest.as_str()));
        if !matches!(claimed, Ok(crate::place::Claim::Taken)) {
            self.0.remove(&temporary)?;
        }
        claimed?;
        Ok(self.0.sync()?)
    }

    /// Those that wait, oldest first.
    pub(super) fn names(&self) -> Result<Vec<String>, SpoolError> {
        let mut names = self.0.names()?;
        names.retain(|name| digest_in(name).is_some());
        names.sort_unstable();
        Ok(names)
    }

    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, SpoolError> {
        let bytes = self.0.read(name, u64::MAX)?;
        if digest_in(name) != crate::document::digest(&bytes).as_str().strip_prefix("sha256:") {
            return Err(SpoolError::Altered { name: name.to_owned() });
        }
        Ok(bytes)
    }

    pub(super) fn remove(&self, name: &str) -> Result<(), SpoolError> {
        match self.0.remove(name) {
            // Another run sent it too, which is the same to the server.
            Err(FolderError::NoSuchFile { .. }) => Ok(()),
            result => Ok(result?),
        }
    }
}

/// The hash in the name of a report that waits; `None` for every other name, which is somebody
/// else's.
fn digest_in(name: &str) -> Option<&str> {
    let (time, digest) = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.rsplit_once('-')?;
    let is_hex = digest.len() == 64
        && digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let is_time = time.len() == "YYYYMMDD-HHMMSS".len()
        && time.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    (is_hex && is_time).then_some(digest)
}

fn name(time: Timestamp, digest: &str) -> String {
    let digest = digest.strip_prefix("sha256:").unwrap_or(digest);
    format!("{PREFIX}{}-{digest}{SUFFIX}", time.strftime("%Y%m%d-%H%M%S"))
}
