//! An OCI image layout directory in place of a registry (OCI image specification,
//! image-layout.md).
//!
//! The directory is one layout, whose `index.json` names images in full, or a tree of layouts,
//! one for each repository at `REGISTRY/REPOSITORY/`. What is not there is not there, as
//! a registry's 404; what cannot be read, or is not what its digest says, is an error. Nothing
//! outside the directory is read, whatever symbolic links say.

mod error;
mod names;
mod subjects;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_asking::{Host, Kind};
use oci_client::manifest::ImageIndexEntry;
use records::Digest;
use serde::Deserialize;

use crate::content::{Descriptor, Hasher, verify};
use crate::error::Error;
use crate::manifest::{Manifest, ManifestError};
use crate::reference::looks_like_host;
use crate::remote::Fetched;
use crate::{Repository, TagOrDigest};
pub use error::LayoutError;
use names::{Named, Names};
use subjects::Subjects;

/// The file that makes a directory a layout.
const MARKER: &str = "oci-layout";
const INDEX: &str = "index.json";
/// The only version of the specification's layout.
const VERSION: &str = "1.0.0";

/// How much of a file is read at a time, where it is passed on.
const PIECE: usize = 64 * 1024;
/// An `index.json` lists every image of a layout; a single layout may have thousands.
const MAX_INDEX: u64 = 64 * 1024 * 1024;

/// How many directories are searched at the start for a first layout.
const MAX_SEARCHED: usize = 10_000;

/// A directory of layouts.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Canonical, to compare what symbolic links lead to.
    root: PathBuf,
    form: Form,
    names: Mutex<HashMap<PathBuf, Result<Arc<Names>, LayoutError>>>,
    subjects: Mutex<HashMap<PathBuf, Result<Arc<Subjects>, LayoutError>>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// The directory is a layout.
    Single,
    /// The directory holds layouts.
    Tree,
}

/// The content of `oci-layout`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

impl Layout {
    /// Opens a directory.
    ///
    /// # Errors
    /// When it is no directory, or is no layout and holds none where a repository's may be.
    pub(crate) fn open(path: &Path) -> Result<Self, LayoutError> {
        let unreadable = |error| LayoutError::unreadable(path, error);
        let root = path.canonicalize().map_err(unreadable)?;
        let layout = |form| Self {
            root: root.clone(),
            form,
            names: Mutex::default(),
            subjects: Mutex::default(),
        };
        if is_there(&root.join(MARKER))? {
            let single = layout(Form::Single);
            single.check_marker(&root)?;
            return Ok(single);
        }
        match holds_layouts(&root)? {
            true => Ok(layout(Form::Tree)),
            false => Err(LayoutError::NoLayout { path: path.to_owned() }),
        }
    }

    /// What a tag or digest stands for.
    pub(crate) fn head(
        &self,
        repository: &Repository,
        what: &TagOrDigest,
    ) -> Result<Option<Descriptor>, LayoutError> {
        let Some(folder) = self.folder(repository)? else {
            return Ok(None);
        };
        let names = self.names(&folder)?;
        match what {
            TagOrDigest::Tag(tag) => {
                let own = (self.form == Form::Tree).then_some(repository);
                match names.tagged(repository, tag, own).map_err(|fault| fault.at(&folder))? {
                    Some(named) => self.listed(&folder, named).map(Some),
                    None => Ok(None),
                }
            }
            TagOrDigest::Digest(digest) => match names.digest(digest) {
                Some(named) => self.listed(&folder, named).map(Some),
                None => self.unlisted(&folder, digest),
            },
        }
    }

    /// The manifest of a digest, whether `index.json` lists it or not.
    pub(crate) fn manifest(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Fetched>, LayoutError> {
        let Some(folder) = self.folder(repository)? else {
            return Ok(None);
        };
        let Some(bytes) = self.content(&folder, digest, Kind::Manifest.limit())? else {
            return Ok(None);
        };
        let names = self.names(&folder)?;
        let media_type = names.digest(digest).map(|named| named.media_type.clone());
        Ok(Some(Fetched { bytes, media_type }))
    }

    /// A blob of at most `limit` bytes.
    pub(crate) fn blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        limit: u64,
    ) -> Result<Option<Bytes>, LayoutError> {
        match self.folder(repository)? {
            Some(folder) => self.content(&folder, digest, limit),
            None => Ok(None),
        }
    }

    /// The same, piece by piece; what was passed on counts only where this says that it is there.
    pub(crate) fn blob_into(
        &self,
        repository: &Repository,
        digest: &Digest,
        limit: u64,
        mut pass: impl FnMut(Bytes),
    ) -> Result<Option<()>, LayoutError> {
        let Some(folder) = self.folder(repository)? else { return Ok(None) };
        let path = blob_path(&folder, digest);
        if !is_there(&path)? {
            return Ok(None);
        }
        let mut file = self.opened(&path)?.take(limit.saturating_add(1));
        let (mut hash, mut left) = (Hasher::like(digest), limit);
        loop {
            let mut piece = vec![0; PIECE];
            let read =
                file.read(&mut piece).map_err(|error| LayoutError::unreadable(&path, error))?;
            if read == 0 {
                break;
            }
            left = left
                .checked_sub(read as u64)
                .ok_or_else(|| LayoutError::TooLarge { path: path.clone(), limit })?;
            piece.truncate(read);
            hash.update(&piece);
            pass(piece.into());
        }
        let wrong = |found| LayoutError::DigestMismatch { path, found };
        hash.verify(digest).map(Some).map_err(wrong)
    }

    /// The tags of a repository; nothing if it has no layout.
    pub(crate) fn tags(&self, repository: &Repository) -> Result<Option<Vec<String>>, LayoutError> {
        let Some(folder) = self.folder(repository)? else {
            return Ok(None);
        };
        let own = (self.form == Form::Tree).then_some(repository);
        let tags = self.names(&folder)?.tags(repository, own);
        tags.map(Some).map_err(|fault| fault.at(&folder))
    }

    /// What names this manifest as its subject (OCI image specification, manifest.md, `subject`).
    pub(crate) fn referrers(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Vec<ImageIndexEntry>, LayoutError> {
        let Some(folder) = self.folder(repository)? else {
            return Ok(Vec::new());
        };
        // What is listed and not there may be what is asked for.
        for named in self.names(&folder)?.all() {
            self.listed(&folder, named)?;
        }
        Ok(self.subjects(&folder)?.of(digest))
    }

    /// What refers to what in a layout, read once.
    fn subjects(&self, folder: &Path) -> Result<Arc<Subjects>, LayoutError> {
        let mut all = self.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || Subjects::read(self, folder).map(Arc::new);
        all.entry(folder.to_owned()).or_insert_with(read).clone()
    }

    /// A file of a web server, which in a tree lies at `HOST/PATH`; nothing if it is not there.
    pub(crate) fn file(
        &self,
        host: &Host,
        path: &str,
        limit: u64,
    ) -> Result<Option<Bytes>, LayoutError> {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let leads_away = |part: &&str| matches!(*part, "." | "..");
        if self.form == Form::Single || parts.is_empty() || parts.iter().any(leads_away) {
            return Ok(None);
        }
        let file = parts.iter().fold(self.root.join(host.as_str()), |file, part| file.join(part));
        match is_there(&file)? {
            true => Ok(Some(self.read(&file, limit)?.into())),
            false => Ok(None),
        }
    }

    /// The layout of a repository, if there is one.
    fn folder(&self, repository: &Repository) -> Result<Option<PathBuf>, LayoutError> {
        if self.form == Form::Single {
            return Ok(Some(self.root.clone()));
        }
        // The grammar of references leaves no `..` and no empty part.
        let folder = self.root.join(repository.domain()).join(repository.path());
        if !is_there(&folder.join(MARKER))? {
            return Ok(None);
        }
        let folder = self.inside(&folder)?;
        Ok(Some(folder))
    }

    /// The names in a layout's `index.json`, read once.
    fn names(&self, folder: &Path) -> Result<Arc<Names>, LayoutError> {
        let mut all = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || {
            self.check_marker(folder)?;
            let path = folder.join(INDEX);
            let text = self.read(&path, MAX_INDEX)?;
            Names::parse(&text).map(Arc::new).map_err(|error| LayoutError::malformed(&path, error))
        };
        all.entry(folder.to_owned()).or_insert_with(read).clone()
    }

    fn check_marker(&self, folder: &Path) -> Result<(), LayoutError> {
        let path = folder.join(MARKER);
        let text = self.read(&path, 4096)?;
        let marker: Marker =
            serde_json::from_slice(&text).map_err(|error| LayoutError::malformed(&path, error))?;
        match marker.image_layout_version == VERSION {
            true => Ok(()),
            false => Err(LayoutError::Version { path, version: marker.image_layout_version }),
        }
    }

    /// What `index.json` lists must be there.
    fn listed(&self, folder: &Path, named: &Named) -> Result<Descriptor, LayoutError> {
        let size = self.content(folder, &named.digest, Kind::Manifest.limit())?;
        let missing =
            || LayoutError::Missing { path: folder.join(INDEX), digest: named.digest.clone() };
        let size = size.ok_or_else(missing)?.len();
        let media_type = Some(named.media_type.clone());
        Ok(Descriptor { digest: named.digest.clone(), media_type, size: Some(size as u64) })
    }

    /// A digest that `index.json` does not list is there if its bytes are, and are a manifest: a
    /// registry has no manifest under the digest of a layer either.
    fn unlisted(&self, folder: &Path, digest: &Digest) -> Result<Option<Descriptor>, LayoutError> {
        let Some(bytes) = self.content(folder, digest, Kind::Manifest.limit())? else {
            return Ok(None);
        };
        let media_type = match Manifest::parse(&bytes, None) {
            Ok(manifest) => Some(manifest.media_type().to_owned()),
            Err(ManifestError::Unsupported(media_type)) => Some(media_type),
            Err(ManifestError::Ambiguous) => None,
            Err(ManifestError::Malformed(_) | ManifestError::Unknown) => return Ok(None),
        };
        let size = Some(bytes.len() as u64);
        Ok(Some(Descriptor { digest: digest.clone(), media_type, size }))
    }

    /// The content of a digest, checked.
    fn content(
        &self,
        folder: &Path,
        digest: &Digest,
        limit: u64,
    ) -> Result<Option<Bytes>, LayoutError> {
        let path = blob_path(folder, digest);
        if !is_there(&path)? {
            return Ok(None);
        }
        let bytes = self.read(&path, limit)?;
        match verify(&bytes, digest) {
            Ok(()) => Ok(Some(bytes.into())),
            Err(found) => Err(LayoutError::DigestMismatch { path, found }),
        }
    }

    /// A file of at most `limit` bytes, inside the directory.
    fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, LayoutError> {
        let unreadable = |error| LayoutError::unreadable(path, error);
        let file = self.opened(path)?;
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
        match bytes.len() as u64 > limit {
            true => Err(LayoutError::TooLarge { path: path.to_owned(), limit }),
            false => Ok(bytes),
        }
    }

    /// A file inside the directory.
    fn opened(&self, path: &Path) -> Result<File, LayoutError> {
        let unreadable = |error| LayoutError::unreadable(path, error);
        let inside = self.inside(path)?;
        if !inside.is_file() {
            return Err(unreadable(io::Error::other("it is no regular file")));
        }
        File::open(&inside).map_err(unreadable)
    }

    /// `path` without symbolic links, if it is inside the directory then.
    fn inside(&self, path: &Path) -> Result<PathBuf, LayoutError> {
        let real = path.canonicalize().map_err(|error| LayoutError::unreadable(path, error))?;
        match real.starts_with(&self.root) {
            true => Ok(real),
            false => Err(LayoutError::Outside { path: path.to_owned() }),
        }
    }
}

fn blob_path(folder: &Path, digest: &Digest) -> PathBuf {
    folder.join("blobs").join(digest.algorithm()).join(digest.hex())
}

/// Whether there is a layout at a place where a repository's may be. A directory that was mistaken
/// for a tree would answer every question by "not there".
fn holds_layouts(root: &Path) -> Result<bool, LayoutError> {
    let is_registry = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(looks_like_host)
    };
    let mut left: Vec<PathBuf> = directories(root)?.into_iter().filter(is_registry).collect();
    let mut seen = 0;
    while let Some(folder) = left.pop() {
        for below in directories(&folder)? {
            seen += 1;
            // What is this large is looked into no further: it may well hold one.
            if seen > MAX_SEARCHED || is_there(&below.join(MARKER))? {
                return Ok(true);
            }
            left.push(below);
        }
    }
    Ok(false)
}

/// The directories in a directory, symbolic links to some included.
fn directories(folder: &Path) -> Result<Vec<PathBuf>, LayoutError> {
    let unreadable = |error| LayoutError::unreadable(folder, error);
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let paths: Vec<PathBuf> = paths.collect::<io::Result<_>>().map_err(unreadable)?;
    Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}

/// Whether something is there, a dangling symbolic link too; what cannot be looked at is an error.
fn is_there(path: &Path) -> Result<bool, LayoutError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(false)
        }
        Err(error) => Err(LayoutError::unreadable(path, error)),
    }
}

/// Reads files where that may block.
pub(crate) async fn read<T: Send + 'static>(
    layout: &Arc<Layout>,
    question: impl FnOnce(&Layout) -> Result<T, LayoutError> + Send + 'static,
) -> Result<T, Error> {
    let layout = Arc::clone(layout);
    let read = tokio::task::spawn_blocking(move || question(&layout)).await;
    // The task panics never and is not cancelled while its runtime lives.
    read.map_or(Err(Error::Layout(LayoutError::BrokenOff)), |answer| answer.map_err(Error::Layout))
}
