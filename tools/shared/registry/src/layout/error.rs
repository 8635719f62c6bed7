//! Why a layout gives no answer.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use records::text::shown;
use records::{Digest, FailureCode};

use crate::Tag;

/// A layout that cannot be read, or that contradicts itself.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LayoutError {
    /// A file or directory cannot be read.
    #[error("cannot read `{}`", display(.path))]
    Unreadable {
        /// What cannot be read.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Arc<io::Error>,
    },
    /// No layout, and none at a place where a repository's may be.
    #[error(
        "`{}` (`--layout`) is no OCI layout and holds none: there must be a file `oci-layout` in it, or in <registry>/<repository>/ below it, as in docker.io/library/nginx/",
        display(.path)
    )]
    NoLayout {
        /// The directory.
        path: PathBuf,
    },
    /// JSON that is not what it must be.
    #[error("`{}` is malformed", display(.path))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// A layout of a version that is not known.
    #[error("`{}` says layout version `{}`, and only 1.0.0 is read", display(.path), shown(.version))]
    Version {
        /// The file.
        path: PathBuf,
        /// The version.
        version: String,
    },
    /// A symbolic link that leads out of the directory.
    #[error("`{}` leads out of the layout directory", display(.path))]
    Outside {
        /// The file.
        path: PathBuf,
    },
    /// A file that is larger than it may be.
    #[error("`{}` is larger than {limit} bytes", display(.path))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// Bytes that are not what their file's name says.
    #[error("`{}` has other bytes than its name says: their digest is {found}", display(.path))]
    DigestMismatch {
        /// The file.
        path: PathBuf,
        /// The digest of what it holds.
        found: Digest,
    },
    /// A manifest that is listed and not there.
    #[error("`{}` lists {digest}, and that is not there", display(.path))]
    Missing {
        /// The `index.json`.
        path: PathBuf,
        /// What it lists.
        digest: Digest,
    },
    /// Reading ended with the program.
    #[error("reading the layout was broken off")]
    BrokenOff,
    /// One tag for several manifests.
    #[error("the layout `{}` has several manifests called `{tag}`", display(.path))]
    Twice {
        /// The layout.
        path: PathBuf,
        /// The tag.
        tag: Tag,
    },
    /// A name that does not say of which repository it is.
    #[error(
        "the layout `{}` calls an image `{tag}` and does not say of which repository: move the layout to <registry>/<repository>/ in a directory, and give that directory",
        display(.path)
    )]
    Nameless {
        /// The layout.
        path: PathBuf,
        /// The tag.
        tag: Tag,
    },
    /// A tag is asked for, and nothing in the layout has a name.
    #[error(
        "the layout `{}` names no image, so whether one is `{tag}` cannot be told: ask for it by its digest, or make the layout with names",
        display(.path)
    )]
    Unnamed {
        /// The layout.
        path: PathBuf,
        /// The tag.
        tag: Tag,
    },
    /// The tags are asked for, and nothing in the layout has a name.
    #[error("the layout `{}` names no image, so its tags cannot be told", display(.path))]
    NoTags {
        /// The layout.
        path: PathBuf,
    },
}

impl LayoutError {
    pub(super) fn unreadable(path: &Path, error: io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), source: Arc::new(error) }
    }

    pub(super) fn malformed(path: &Path, error: serde_json::Error) -> Self {
        Self::Malformed { path: path.to_owned(), source: Arc::new(error) }
    }

    /// The stable word for scripts.
    #[must_use]
    pub fn code(&self) -> FailureCode {
        match self {
            Self::TooLarge { .. } => FailureCode::TooLarge,
            Self::DigestMismatch { .. } => FailureCode::DigestMismatch,
            _ => FailureCode::Layout,
        }
    }
}

fn display(path: &Path) -> String {
    shown(&path.to_string_lossy())
}
