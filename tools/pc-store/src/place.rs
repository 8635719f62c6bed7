//! The seam between what a store promises and where it lies: named byte strings, and a log beside
//! them.
//!
//! Everything that a store promises (names, the newest report, retention, history, the log, what
//! `verify` proves) is written once, over this trait. A place only has to keep bytes whole: see
//! `docs/store.md` for what is built on that.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use records::Digest;

use crate::chain::Tip;
use crate::document::digest;
use crate::folder::{self, FolderError};
use crate::ledger::LedgerError;

/// A place that keeps named byte strings, and a log.
///
/// Names are those of [`names`](crate::names): reports, their signatures, and
/// [`LATEST`](crate::names::LATEST). A reader sees all bytes under a name or no such name, never a
/// part of them, whenever a writer dies. All methods block; a place behind a socket runs its client
/// on a runtime of its own.
pub trait Place: fmt::Debug {
    /// Where it is, as the operator knows it: a directory, a URL, `namespace/name`.
    fn whereabouts(&self) -> String;

    /// Where `name` is, in words or as a path that people can use.
    fn locate(&self, name: &str) -> String;

    /// Waits at most `limit` for the right to change the place. A place without locks answers
    /// [`Guard::none`] at once: there [`append`](Self::append) keeps two writers apart.
    ///
    /// # Errors
    /// When somebody else holds the lock all the time, or it cannot be asked for.
    fn lock(&self, limit: Duration) -> Result<Guard, PlaceError>;

    /// All names that are there, in no order: those of others too, where there can be such. Nothing
    /// that is only staged.
    ///
    /// # Errors
    /// When they cannot be read.
    fn names(&self) -> Result<Vec<String>, PlaceError>;

    /// The bytes under `name`, or of what is staged as `name`.
    ///
    /// # Errors
    /// [`Kind::Missing`], [`Kind::Foreign`], [`Kind::TooLarge`] where there are more than `max`
    /// bytes; or when they cannot be read.
    fn read(&self, name: &str, max: u64) -> Result<Vec<u8>, PlaceError>;

    /// The hash and size of what [`read`](Self::read) gives, without holding all of it where that
    /// can be done.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn fingerprint(&self, name: &str, max: u64) -> Result<Fingerprint, PlaceError> {
        self.read(name, max).map(|bytes| Fingerprint::of(&bytes))
    }

    /// Writes bytes under no name yet, whole and durable when this returns; the answer is what
    /// [`publish`](Self::publish) and [`discard`](Self::discard) know them by, in this run and in
    /// later ones. Nothing is left behind when it fails.
    ///
    /// # Errors
    /// When they cannot be written.
    fn stage(&self, bytes: &[u8]) -> Result<String, PlaceError>;

    /// Gives what is staged its name, in one step, unless something has that name; never
    /// overwrites. Nothing is staged as that any more.
    ///
    /// # Errors
    /// [`Kind::Missing`] when nothing is staged as that; or when it cannot be done, and then
    /// nothing was changed.
    fn publish(&self, staged: &str, name: &str) -> Result<Claim, PlaceError>;

    /// Forgets what is staged. What cannot be removed now is left to [`sweep`](Self::sweep).
    fn discard(&self, staged: &str);

    /// Removes the bytes under `name`.
    ///
    /// # Errors
    /// [`Kind::Missing`], or when they cannot be removed.
    fn remove(&self, name: &str) -> Result<(), PlaceError>;

    /// Makes what was published and removed so far survive a loss of power, where that is not so
    /// already.
    ///
    /// # Errors
    /// When it cannot be said that it would.
    fn sync(&self) -> Result<(), PlaceError> {
        Ok(())
    }

    /// Makes `provenance-latest.json` the same bytes as `name`, in one step, whatever it was.
    ///
    /// # Errors
    /// When it cannot be done; it is what it was then.
    fn point_latest(&self, name: &str) -> Result<(), PlaceError>;

    /// Keeps something under `name` that is not ours under another name, which is the answer;
    /// `None` where the place cannot hold such a thing.
    ///
    /// # Errors
    /// When it cannot be renamed.
    fn set_aside(&self, name: &str) -> Result<Option<String>, PlaceError> {
        let _ = name;
        Ok(None)
    }

    /// The whole log, nothing when there is none; its last line may be torn.
    ///
    /// # Errors
    /// When it cannot be read.
    fn log(&self) -> Result<Vec<u8>, PlaceError>;

    /// Adds a line (with its end) to the log behind `tip`, durable when this returns. A torn line
    /// behind `tip` is dropped; [`Appended::Moved`], and nothing changed, when the log no longer
    /// ends there.
    ///
    /// # Errors
    /// When it cannot be written. The log ends at `tip` then, or with a torn line behind it.
    fn append(&self, tip: &Tip, line: &[u8]) -> Result<Appended, PlaceError>;

    /// Removes what dead runs staged and left, by its age. What cannot be removed is left to a later
    /// run. Asked by a writer that has finished what the last one began.
    ///
    /// # Errors
    /// When it cannot be seen what there is.
    fn sweep(&self) -> Result<(), PlaceError>;
}

/// The right to change a place; given up when dropped.
#[derive(Debug)]
pub struct Guard {
    _held: Option<Box<dyn Any>>,
}

impl Guard {
    /// A right that lasts as long as `held`.
    pub fn new(held: impl Any) -> Self {
        Self { _held: Some(Box::new(held)) }
    }

    /// Nothing to hold: the place keeps writers apart by conditional writes.
    #[must_use]
    pub fn none() -> Self {
        Self { _held: None }
    }
}

/// Whether a name was free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It was, and is taken now.
    Taken,
    /// Something else has it; nothing was changed.
    Occupied,
}

/// Whether a line was added to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It was.
    Added,
    /// Somebody else added one before.
    Moved,
}

/// The hash and size of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Their SHA-256.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
}

impl Fingerprint {
    /// That of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { digest: digest(bytes), size: bytes.len() as u64 }
    }
}

/// What a refusal means to those who only know the seam.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// There is nothing of that name.
    Missing,
    /// Something of that name is there that the place did not make: a link, a folder.
    Foreign,
    /// More bytes than may be read.
    TooLarge,
    /// Anything else: it is not known what is there.
    Other,
}

/// Why a place could not do something. It reads as its cause does.
#[derive(Debug)]
pub struct PlaceError {
    kind: Kind,
    cause: Box<dyn Error + Send + Sync>,
    hint: Option<String>,
    full: bool,
}

impl PlaceError {
    /// A refusal; `cause` says what was tried where, `hint` what would mend it.
    pub fn new(
        kind: Kind,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
        hint: Option<String>,
    ) -> Self {
        Self { kind, cause: cause.into(), hint, full: false }
    }

    /// The same, where a place of bounded room holds as much as it may: something has to be removed
    /// before more can be kept.
    #[must_use]
    pub fn for_want_of_room(self) -> Self {
        Self { full: true, ..self }
    }

    /// Whether something has to be removed before more can be kept.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// What it means.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether there is nothing of that name.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.kind == Kind::Missing
    }
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl Error for PlaceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}

impl From<FolderError> for PlaceError {
    fn from(error: FolderError) -> Self {
        let kind = match &error {
            FolderError::NoSuchFile { .. } => Kind::Missing,
            FolderError::NotRegular { .. } => Kind::Foreign,
            FolderError::TooLarge { .. } => Kind::TooLarge,
            _ => Kind::Other,
        };
        let hint = folder::hint(&error);
        Self::new(kind, error, hint)
    }
}

/// What would mend `error`, by the first of its causes that says so.
#[must_use]
pub fn hint(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let hint = match error.downcast_ref::<PlaceError>() {
            Some(place) => place.hint.clone(),
            None => match error.downcast_ref::<LedgerError>() {
                // It reads as its cause does, and so hides it.
                Some(LedgerError::Place(place)) => place.hint.clone(),
                _ => folder::hint_of(error),
            },
        };
        if hint.is_some() {
            return hint;
        }
        cause = error.source();
    }
    None
}
