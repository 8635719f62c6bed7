//! What came out of a store, and what went wrong.

use records::{Digest, FailureCode, StoreOutcome};
use registry::Error;
use stage::exit::chain;

use super::{Find, Place, Store, Trouble};
use crate::examine::Finding;
use crate::judged::Reason;

/// What came out of a place.
#[derive(Default)]
pub(super) struct Out {
    pub(super) outcome: Option<StoreOutcome>,
    pub(super) finds: Vec<Find>,
    pub(super) troubles: Vec<Trouble>,
    pub(super) dropped: u64,
}

impl Out {
    /// Takes in what one of its artifacts or layers came to. One that could not even be asked for
    /// means that the store was not asked to its end.
    pub(super) fn add(&mut self, one: Self) {
        self.finds.extend(one.finds);
        self.troubles.extend(one.troubles);
        self.dropped += one.dropped;
        if one.outcome == Some(StoreOutcome::Failed) {
            self.outcome = one.outcome;
        }
    }

    pub(super) fn fail(&mut self, store: &Store, error: &Error) {
        self.outcome = Some(StoreOutcome::Failed);
        self.troubles.push(Trouble::of(store, error));
    }

    /// The tag or index was there a moment ago, and what it names is not.
    pub(super) fn vanished(&mut self, place: &Place, digest: &Digest) {
        self.outcome = Some(StoreOutcome::Failed);
        let message =
            format!("{} names `{digest}`, which the registry does not have", place.told());
        self.troubles.push(Trouble::plain(&place.store, FailureCode::NotFound, message));
    }

    pub(super) fn malformed(&mut self, place: &Place, error: &records::DigestError) {
        let message = format!("{} lists something whose digest is none: {error}", place.told());
        self.troubles.push(Trouble::plain(&place.store, FailureCode::BadResponse, message));
        self.outcome = Some(StoreOutcome::Failed);
    }

    pub(super) fn only_mirrors(&mut self, place: &Place) {
        let message = format!(
            "what refers to `{}` is known from mirrors alone, which may lack some",
            place.on
        );
        self.troubles.push(Trouble::plain(&place.store, FailureCode::Mirror, message));
        self.outcome = Some(StoreOutcome::Failed);
    }

    /// Something is there, and reading it broke off: a fault of ours, told by itself.
    pub(super) fn broke_off(&mut self, place: &Place, digest: &Digest) {
        let finding = Finding::unfetched(digest, Reason::NotFetched, "reading it broke off");
        let (store, on) = (place.store.clone(), place.on.clone());
        self.finds.push(Find { store, on, finding });
    }

    /// Something is there, and could not be fetched: a find that nobody can judge.
    pub(super) fn unfetched(&mut self, place: &Place, digest: &Digest, error: Option<&Error>) {
        let trouble = match error {
            Some(error) => Trouble::of(&place.store, error),
            None => {
                let message =
                    format!("{} lists `{digest}`, which the registry does not have", place.told());
                Trouble::plain(&place.store, FailureCode::NotFound, message)
            }
        };
        let reason = match trouble.code {
            FailureCode::TooLarge => Reason::TooLarge,
            _ => Reason::NotFetched,
        };
        let finding = Finding::unfetched(digest, reason, &trouble.message);
        let (store, on) = (place.store.clone(), place.on.clone());
        self.finds.push(Find { store, on, finding });
        self.troubles.push(trouble);
    }
}

impl Place {
    pub(super) fn told(&self) -> String {
        format!("the store {} of `{}@{}`", self.store.name(), self.repository, self.on)
    }
}

impl Trouble {
    pub(super) fn of(store: &Store, error: &Error) -> Self {
        Self {
            store: store.clone(),
            code: error.code(),
            message: chain(error),
            host: error.host().map(ToString::to_string),
            status: error.status().map(|status| status.as_u16()),
        }
    }

    pub(super) fn plain(store: &Store, code: FailureCode, message: String) -> Self {
        Self { store: store.clone(), code, message, host: None, status: None }
    }
}
