//! An answer, and who gave it.

use crate::Repository;
use crate::error::Error;

/// An answer, who gave it, and what that is worth.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// What was answered.
    pub value: T,
    /// The repository that answered: the one that was asked about, or that of a mirror.
    pub from: Repository,
    /// Whether the registry itself has spoken.
    pub authority: Authority,
}

/// Whose word an answer is.
///
/// A mirror vouches for what it shows (content has its digest, whoever gives it) and not for what
/// it lacks: it may have fetched little so far, or drop what it does not know, signatures above
/// all. So a list by a mirror alone is never the whole list.
#[derive(Debug, Clone)]
pub enum Authority {
    /// The registry itself, or the layout in its place.
    Registry,
    /// A mirror; the registry was not asked.
    Mirror,
    /// A mirror; the registry was asked as well, and this is why it gave no answer.
    MirrorInstead(Error),
}

impl<T> Answer<T> {
    pub(crate) fn of_registry(value: T, repository: &Repository) -> Self {
        Self { value, from: repository.clone(), authority: Authority::Registry }
    }

    pub(crate) fn of_mirror(value: T, mirror: Repository) -> Self {
        Self { value, from: mirror, authority: Authority::Mirror }
    }

    /// The same answer in another form.
    pub(crate) fn map<U>(self, form: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { value: form(self.value), from: self.from, authority: self.authority }
    }

    /// Whether the registry itself has spoken. Where it has not, nothing may be called absent
    /// because this answer does not have it.
    #[must_use]
    pub fn is_authoritative(&self) -> bool {
        matches!(self.authority, Authority::Registry)
    }
}
