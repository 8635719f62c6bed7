//! Finding evidence: every store of a question asked, every piece fetched and examined.
//!
//! All stores are asked at the same time; the client keeps the limits. The longest chain of
//! requests that wait for each other is counted by the tests, and stands in docs/verify.md.
//!
//! - `asking`: the stores of one digest.
//! - `opening`: artifacts, and the pieces of evidence in them.
//! - `streamed`, `pipe`: bills of materials that are read as they come.
//! - `artifact`: which layers are evidence, and of which form.
//! - `seeing`: what runs itself, and whether its index lists it.
//! - `outcome`: what came out of a store, and what went wrong.

mod artifact;
mod asking;
mod opening;
mod outcome;
mod pipe;
mod seeing;
mod store;
mod streamed;

use std::sync::Arc;

use futures::future::join_all;
use records::{Digest, FailureCode, StoreOutcome};
use registry::{Registry, Repository};

pub use store::{Role, Store, StoreKind};

use crate::check::Check;
use crate::examine::{Examiner, Finding};
use crate::question::Question;
use crate::tags::KnownTags;
use outcome::Out;
use streamed::Streamed;

/// Everything that was found for a question, and how the asking went.
#[derive(Debug)]
pub struct Findings {
    /// Each store's answer, in a fixed order.
    pub stores: Vec<Asked>,
    /// What was found, in the order of the stores.
    pub finds: Vec<Find>,
    /// What went wrong.
    pub troubles: Vec<Trouble>,
    /// Whether the index lists the manifest.
    pub listing: Listing,
    /// Whether the repository shows what runs.
    pub shown: Shown,
}

/// A store's answer.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The store.
    pub store: Store,
    /// How it answered.
    pub outcome: StoreOutcome,
    /// How many of its artifacts were left out.
    pub dropped: u64,
}

/// A piece of evidence, where it was found, and what it is worth.
#[derive(Debug)]
pub struct Find {
    /// The store.
    pub store: Store,
    /// The digest that it was found on.
    pub on: Digest,
    /// What it is.
    pub finding: Finding,
}

/// Why a store was not asked to its end, or a piece could not be fetched.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// The store.
    pub store: Store,
    /// The stable code.
    pub code: FailureCode,
    /// What happened.
    pub message: String,
    /// The host that was asked.
    pub host: Option<String>,
    /// What it answered.
    pub status: Option<u16>,
}

/// Whether an index is known to list a manifest, by bytes that have the index's digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// It does; or there is no index, or no manifest, and nothing to inherit.
    Holds,
    /// Its bytes do not list it.
    Denied,
    /// Its bytes could not be had.
    Unknown,
}

/// Whether a repository shows us a manifest, by bytes that have its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It does.
    Yes,
    /// It says that it has none.
    No,
    /// That could not be asked, or what came is something else.
    Unknown,
    /// Not asked: something was found in every check.
    NotAsked,
}

/// Who asks, and what is to be done with what comes.
pub struct Finder {
    registry: Registry,
    checks: Vec<Check>,
    known: Arc<KnownTags>,
    examiner: Arc<Examiner>,
    streamed: Streamed,
}

/// One store of one digest.
struct Place {
    store: Store,
    repository: Repository,
    on: Digest,
}

impl Finder {
    /// A finder.
    pub fn new(
        registry: Registry,
        checks: Vec<Check>,
        known: Arc<KnownTags>,
        examiner: Arc<Examiner>,
    ) -> Self {
        Self { registry, checks, known, examiner, streamed: Streamed::default() }
    }

    /// Asks every store that may hold what is looked for.
    ///
    /// # Errors
    /// When the question's repository is none.
    pub async fn find(&self, question: &Question) -> Result<Findings, registry::ReferenceError> {
        let places = self.places(question)?;
        let asked = places.iter().map(|place| self.ask(place, question));
        let (answers, listing) = futures::join!(join_all(asked), self.listing(question));
        let mut all = Findings {
            stores: Vec::new(),
            finds: Vec::new(),
            troubles: Vec::new(),
            listing,
            shown: Shown::NotAsked,
        };
        for (store, out) in answers.into_iter().flatten() {
            let Out { outcome, finds, troubles, dropped } = out;
            all.stores.extend(outcome.map(|outcome| Asked { store, outcome, dropped }));
            all.finds.extend(finds);
            all.troubles.extend(troubles);
        }
        self.see_elsewhere(question, &mut all).await;
        let lacks = |check: &Check| {
            !all.finds.iter().any(|find| find.finding.counts_for(*check, find.store.kind))
        };
        if self.checks.iter().any(lacks) {
            self.see(question, &mut all).await;
        }
        Ok(all)
    }

    /// The stores of a question, in the order of the answer: the index's, then the manifest's.
    fn places(&self, question: &Question) -> Result<Vec<Place>, registry::ReferenceError> {
        let own = question.repositories()?;
        let first = own.first().cloned();
        let mut repositories: Vec<Repository> = own;
        repositories.extend(self.examiner.trust().signature_repositories(&question.name()));
        let mut places = Vec::new();
        let roles = [(Role::Index, &question.index), (Role::Manifest, &question.manifest)];
        for (role, digest) in roles {
            let Some(digest) = digest else { continue };
            for (at, repository) in repositories.iter().enumerate() {
                if repositories[..at].contains(repository) {
                    continue;
                }
                let elsewhere =
                    (Some(repository) != first.as_ref()).then(|| repository.to_string());
                let kinds = [
                    StoreKind::Referrers,
                    StoreKind::SigTag,
                    StoreKind::AttTag,
                    StoreKind::SbomTag,
                ];
                let kinds = kinds.into_iter().filter(|kind| self.wants(*kind));
                places.extend(kinds.map(|kind| Place {
                    store: Store { kind, elsewhere: elsewhere.clone(), on: role },
                    repository: repository.clone(),
                    on: digest.clone(),
                }));
            }
        }
        if let (Some(manifest), Some(_), Some(repository)) =
            (&question.manifest, &question.index, first)
            && self.wants(StoreKind::InIndex)
        {
            let store = Store { kind: StoreKind::InIndex, elsewhere: None, on: Role::Manifest };
            places.push(Place { store, repository, on: manifest.clone() });
        }
        Ok(places)
    }

    fn wants(&self, kind: StoreKind) -> bool {
        self.checks.iter().any(|check| kind.holds(*check))
    }
}
