//! Indexes from one run to the next: what was read of them, and by which `ETag`.
//!
//! What is kept is used only when the server says that its index is still the one with that
//! `ETag` (RFC 9110, section 13.1.2), so that it may be old and never wrong. A file that cannot be
//! read, or is not as it was written, is as if it were not there.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use http::HeaderValue;
use records::text::shown;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::index::Index;

/// How large a file may be, in bytes: 200,000 versions have less.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// A folder with one file for each index.
#[derive(Debug)]
pub(crate) struct Cache(PathBuf);

/// A folder that cannot be used. This is a fault of configuration.
#[derive(Debug, thiserror::Error)]
#[error("the folder `{}` (`--chart-cache`) cannot be made or is none", shown(&path.to_string_lossy()))]
pub(crate) struct CacheError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// What an earlier run has kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) etag: HeaderValue,
    pub(super) index: Index,
}

/// A file's content, behind the digest of these bytes on a line of its own.
#[derive(Serialize, Deserialize)]
struct Content {
    v: u32,
    url: String,
    etag: String,
    index: Index,
}

/// The version of the form of these files.
const VERSION: u32 = 1;

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
enum Useless {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is larger than {MAX_FILE} bytes")]
    TooLarge,
    #[error("it is not as it was written")]
    Corrupt,
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl Cache {
    /// Uses a folder, which is made where it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self, CacheError> {
        let failed = |source| CacheError { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(failed)?;
        Ok(Self(path.to_owned()))
    }

    fn file(&self, url: &str) -> PathBuf {
        self.0.join(format!("{}.index", hex(url.as_bytes())))
    }

    /// What is kept of an index; nothing, and a warning, where a file is of no use.
    pub(super) fn read(&self, url: &str) -> Option<Kept> {
        let path = self.file(url);
        match read(&path) {
            // One of another form or another address is none of ours.
            Ok(content) if content.v == VERSION && content.url == url => {
                let etag = HeaderValue::from_str(&content.etag).ok()?;
                Some(Kept { etag, index: content.index })
            }
            Ok(_) => None,
            Err(Useless::Io(error)) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let path = path.display();
                warn!(%path, %error, "a kept index of charts is of no use; it is fetched again");
                None
            }
        }
    }

    /// Keeps an index. That this fails is told, and changes no answer.
    pub(super) fn write(&self, url: &str, etag: &HeaderValue, index: &Index) {
        let Ok(etag) = etag.to_str() else { return };
        let path = self.file(url);
        if let Err(error) = write(&path, url, etag, index) {
            let path = path.display();
            warn!(%path, %error, "an index of charts cannot be kept for the next run");
        }
    }
}

fn read(path: &Path) -> Result<Content, Useless> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Useless::TooLarge);
    }
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(Useless::Corrupt)?;
    let (digest, content) = (&bytes[..end], &bytes[end + 1..]);
    if digest != hex(content).as_bytes() {
        return Err(Useless::Corrupt);
    }
    Ok(serde_json::from_slice(content)?)
}

/// Another run may read or write the same file at this moment: it sees the old one or the new one.
fn write(path: &Path, url: &str, etag: &str, index: &Index) -> Result<(), Useless> {
    let content = ContentOf { v: VERSION, url, etag, index };
    let content = serde_json::to_vec(&content)?;
    let mut bytes = hex(&content).into_bytes();
    bytes.push(b'\n');
    bytes.extend(content);
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let written = fs::write(&new, bytes).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // What is left of it is of no use; that it cannot be removed either changes nothing.
        let _ = fs::remove_file(&new);
    }
    Ok(written?)
}

/// [`Content`] as it is written.
#[derive(Serialize)]
struct ContentOf<'a> {
    v: u32,
    url: &'a str,
    etag: &'a str,
    index: &'a Index,
}

fn hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://charts.example.com/index.yaml";

    fn index() -> Index {
        let text = "entries:\n  web:\n  - {version: 1.2.3, appVersion: '7', deprecated: true}\n";
        Index::read(text.as_bytes()).expect("an index")
    }

    #[test]
    fn what_was_kept_is_read_again_for_the_same_address() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::open(&folder.path().join("new/one")).expect("made");
        assert!(cache.read(URL).is_none());
        cache.write(URL, &HeaderValue::from_static("W/\"x\""), &index());
        let kept = cache.read(URL).expect("kept");
        assert_eq!(kept.etag, "W/\"x\"");
        assert_eq!(kept.index.versions("web"), index().versions("web"));
        assert!(cache.read("https://other.example.com/index.yaml").is_none());
        // A file under another's name is not taken for that one's.
        fs::rename(cache.file(URL), cache.file("https://b/")).expect("moved");
        assert!(cache.read("https://b/").is_none());
    }

    #[test]
    fn a_file_that_is_not_as_it_was_written_is_of_no_use() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::open(folder.path()).expect("there");
        cache.write(URL, &HeaderValue::from_static("\"x\""), &index());
        let (path, whole) = (cache.file(URL), fs::read(cache.file(URL)).expect("read"));
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 1;
            fs::write(&path, broken).expect("written");
            assert!(cache.read(URL).is_none(), "byte {at}");
            fs::write(&path, &whole[..at]).expect("written");
            assert!(cache.read(URL).is_none(), "cut at {at}");
        }
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("made");
        assert!(cache.read(URL).is_none());
        cache.write(URL, &HeaderValue::from_static("\"x\""), &index());
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 1, "nothing is left behind");
    }

    #[test]
    fn a_folder_that_is_none_is_told() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        assert!(Cache::open(file.path()).is_err());
    }
}
