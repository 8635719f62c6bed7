//! What a directory refused, and what would mend it.

use std::error::Error;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use records::text::shown;

/// Why something could not be done in a directory.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Nothing is there.
    #[error("there is no directory `{}`", .0.display())]
    Missing(PathBuf),
    /// Nothing is there, and no parent in which it could be made.
    #[error("there is no directory `{}`, nor one in which to make it", .0.display())]
    ParentMissing(PathBuf),
    /// Something else is there.
    #[error("`{}` is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// It may not be opened.
    #[error("cannot open the directory `{}`", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It cannot be made.
    #[error("cannot make the directory `{}`", path.display())]
    Make {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no such file in it.
    #[error("there is no `{}` in `{}`", shown(file), folder.display())]
    NoSuchFile {
        /// The file.
        file: String,
        /// The directory.
        folder: PathBuf,
    },
    /// A link, a directory, a device or a pipe where a file should be.
    #[error("`{}` in `{}` is not a regular file", shown(file), folder.display())]
    NotRegular {
        /// The name.
        file: String,
        /// The directory.
        folder: PathBuf,
    },
    /// More than may be read.
    #[error("`{}` in `{}` is larger than {max} bytes", shown(file), folder.display())]
    TooLarge {
        /// The file.
        file: String,
        /// The directory.
        folder: PathBuf,
        /// The limit.
        max: u64,
    },
    /// The operating system refused.
    #[error("cannot {what} `{}` in `{}`", shown(file), folder.display())]
    Failed {
        /// What was tried: `read`, `write`, …
        what: &'static str,
        /// The file; `.` for the directory itself.
        file: String,
        /// The directory.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process changes the store and does not come to an end.
    #[error("another process has held the store in `{}` locked for {} seconds", folder.display(), waited.as_secs_f64())]
    Locked {
        /// The directory.
        folder: PathBuf,
        /// How long was waited.
        waited: Duration,
    },
}

/// What would mend `error`, by the first of its causes that says so.
#[must_use]
pub fn hint(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let hint = hint_of(error);
        if hint.is_some() {
            return hint;
        }
        cause = error.source();
    }
    None
}

/// What would mend `error` itself.
pub(crate) fn hint_of(error: &(dyn Error + 'static)) -> Option<String> {
    match error.downcast_ref::<FolderError>() {
        Some(folder) => of_folder(folder),
        None => error.downcast_ref().and_then(of_system),
    }
}

fn of_folder(error: &FolderError) -> Option<String> {
    let text = match error {
        FolderError::Missing(_) => "name the store's directory by `--report-path`",
        FolderError::ParentMissing(_) => {
            "mount the volume there, make the directory, or name another by `--report-path`"
        }
        FolderError::NotADirectory(_) => "name a directory by `--report-path`",
        FolderError::NoSuchFile { .. } => "`pc-store list` says what there is",
        FolderError::NotRegular { .. } => {
            "links and special files are never followed; move it away"
        }
        FolderError::TooLarge { .. } => "raise `--max-bytes`",
        FolderError::Locked { .. } => {
            "wait for the other run (`lslocks` shows it), or raise `--lock-timeout`"
        }
        FolderError::Open { .. } | FolderError::Make { .. } | FolderError::Failed { .. } => {
            return None;
        }
    };
    Some(text.to_owned())
}

fn of_system(error: &std::io::Error) -> Option<String> {
    let text = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "make room: a larger volume, or fewer reports (`pc-store prune` with a shorter \
             `--report-retention`)"
                .to_owned()
        }
        ErrorKind::ReadOnlyFilesystem => {
            "mount the volume read-write, or name another directory by `--report-path`".to_owned()
        }
        ErrorKind::PermissionDenied => format!(
            "let user {} read and write there (in Kubernetes by `securityContext.fsGroup`), or name another directory by `--report-path`",
            rustix::process::geteuid().as_raw()
        ),
        _ => return None,
    };
    Some(text)
}
