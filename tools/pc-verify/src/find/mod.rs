//! Finding evidence: every store of a question asked, every piece fetched and examined.
//!
//! All stores are asked at the same time; the client keeps the limits. The longest chain of
//! requests that wait for each other is counted by the tests, and stands in docs/verify.md.

mod artifact;
mod store;

use std::sync::Arc;

use futures::future::join_all;
use records::{Digest, FailureCode, StoreOutcome};
use registry::{
    Answer, Error, ImageIndexEntry, Manifest, OciImageIndex, Referrers, Registry, Repository, Tag,
    fallback_tag,
};
use stage::exit::chain;

pub use store::{Role, Store, StoreKind};

use crate::check::Check;
use crate::examine::{Examiner, Finding};
use crate::judged::Reason;
use crate::question::Question;
use crate::tags::KnownTags;
use artifact::{Piece, pieces};

/// The most artifacts that are opened in one store of one digest.
const MAX_ARTIFACTS: usize = 100;

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
}

/// One store of one digest.
struct Place {
    store: Store,
    repository: Repository,
    on: Digest,
}

/// What came out of a place.
#[derive(Default)]
struct Out {
    outcome: Option<StoreOutcome>,
    finds: Vec<Find>,
    troubles: Vec<Trouble>,
    dropped: u64,
}

impl Finder {
    /// A finder.
    pub fn new(
        registry: Registry,
        checks: Vec<Check>,
        known: Arc<KnownTags>,
        examiner: Arc<Examiner>,
    ) -> Self {
        Self { registry, checks, known, examiner }
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

    /// Looks at the manifest itself before anything may be called absent: stores answer of what a
    /// repository never had just as of what nobody signed.
    async fn see(&self, question: &Question, all: &mut Findings) {
        let (Some(digest), Ok(repositories)) = (question.digests().next(), question.repositories())
        else {
            return;
        };
        let Some(repository) = repositories.first() else { return };
        let is_manifest = question.manifest.as_ref() == Some(digest);
        let on = if is_manifest { Role::Manifest } else { Role::Index };
        // Where it is a mirror's or another repository's, that is what pc-digest found.
        let elsewhere = question.found_in.as_ref().and_then(|_| repositories.last());
        let place = elsewhere.unwrap_or(repository);
        let kind = self.checks.iter().find_map(|check| StoreKind::any_for(*check));
        let store = Store { kind: kind.unwrap_or(StoreKind::Referrers), elsewhere: None, on };
        all.shown = match self.registry.manifest(place, digest).await {
            Ok(Some(manifest)) if matches!(&*manifest, Manifest::Index(_)) == is_manifest => {
                let message = format!("`{digest}` is not of the kind that it was taken for");
                all.troubles.push(Trouble::plain(&store, FailureCode::BadResponse, message));
                Shown::Unknown
            }
            Ok(Some(_)) => Shown::Yes,
            Ok(None) => Shown::No,
            Err(error) => {
                all.troubles.push(Trouble::of(&store, &error));
                Shown::Unknown
            }
        };
    }

    /// A signature repository that shows us nothing may as well be one that we may not see: many
    /// registries answer 404 for both. One that lists its tags is there.
    async fn see_elsewhere(&self, question: &Question, all: &mut Findings) {
        for repository in self.examiner.trust().signature_repositories(&question.name()) {
            let name = repository.to_string();
            let is_of = |asked: &Asked| asked.store.elsewhere.as_ref() == Some(&name);
            let is_silent =
                |asked: &Asked| matches!(asked.outcome, StoreOutcome::None | StoreOutcome::NoApi);
            let asked: Vec<&Asked> = all.stores.iter().filter(|asked| is_of(asked)).collect();
            if asked.is_empty() || !asked.iter().all(|asked| is_silent(asked)) {
                continue;
            }
            let store = asked[0].store.clone();
            let trouble = match self.registry.tags(&repository).await {
                Ok(Some(_)) => continue,
                Ok(None) => {
                    let message = format!(
                        "the signature repository `{name}` shows us nothing: it is not there, or credentials for it are missing"
                    );
                    Trouble::plain(&store, FailureCode::NotFound, message)
                }
                Err(error) => Trouble::of(&store, &error),
            };
            all.troubles.push(trouble);
            for asked in all.stores.iter_mut().filter(|asked| is_of(asked)) {
                asked.outcome = StoreOutcome::Failed;
            }
        }
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

    /// Asks a place; of the referrers API that may be two stores.
    async fn ask(&self, place: &Place, question: &Question) -> Vec<(Store, Out)> {
        match place.store.kind {
            StoreKind::Referrers => self.referrers(place, question).await,
            StoreKind::InIndex => vec![(place.store.clone(), self.in_index(place, question).await)],
            _ => vec![(place.store.clone(), self.tagged(place, question).await)],
        }
    }

    /// The referrers API, and the fallback tag as well: what hangs there may not be in the API, of
    /// a copy for example, and a list that has something is not known to have all.
    async fn referrers(&self, place: &Place, question: &Question) -> Vec<(Store, Out)> {
        let mut out = Out::default();
        let answer = self.registry.referrers(&place.repository, &place.on).await;
        let is_authoritative = answer.as_ref().is_ok_and(Answer::is_authoritative);
        match answer {
            Err(error) => out.fail(&place.store, &error),
            Ok(answer) => match &*answer.value {
                Referrers::NoApi => out.outcome = Some(StoreOutcome::NoApi),
                Referrers::Listed(entries) => {
                    self.open_all(place, entries, question, &mut out).await;
                    if !is_authoritative {
                        out.only_mirrors(place);
                    }
                }
            },
        }
        let store = Store { kind: StoreKind::FallbackTag, ..place.store.clone() };
        let (repository, on) = (place.repository.clone(), place.on.clone());
        let fallback = Place { store: store.clone(), repository, on };
        let tagged = self.tagged(&fallback, question).await;
        vec![(place.store.clone(), out), (store, tagged)]
    }

    /// A store that is a tag.
    async fn tagged(&self, place: &Place, question: &Question) -> Out {
        let mut out = Out::default();
        let suffix = place.store.kind.suffix().unwrap_or_default();
        let name = format!("{}{suffix}", fallback_tag(&place.on));
        if self.known.lacks(&place.repository.to_string(), &name) {
            out.outcome = Some(StoreOutcome::None);
            return out;
        }
        let Ok(tag) = name.parse::<Tag>() else {
            // The digests that are accepted make no other tags.
            out.outcome = Some(StoreOutcome::None);
            return out;
        };
        let found = match self.registry.head(&place.repository, &tag).await {
            Ok(None) => {
                out.outcome = Some(StoreOutcome::None);
                return out;
            }
            Ok(Some(found)) => found,
            Err(error) => {
                out.fail(&place.store, &error);
                return out;
            }
        };
        let (only_mirrors, found) = (!found.is_authoritative(), found.value.digest);
        match self.registry.manifest(&place.repository, &found).await {
            Err(error) => out.fail(&place.store, &error),
            Ok(None) => out.vanished(place, &found),
            Ok(Some(manifest)) => match &*manifest {
                Manifest::Index(index) if place.store.kind == StoreKind::FallbackTag => {
                    self.open_all(place, &index.manifests, question, &mut out).await;
                }
                // cosign puts several platforms' signatures nowhere; an index is opened all the
                // same, since what is in it is there.
                Manifest::Index(index) => {
                    self.open_all(place, &index.manifests, question, &mut out).await;
                }
                Manifest::Image(image) => {
                    out.outcome = Some(StoreOutcome::Found);
                    self.fetch_all(place, pieces(image, place), question, &mut out).await;
                }
            },
        }
        if only_mirrors {
            // A mirror's tag may be of yesterday, before somebody signed.
            out.only_mirrors(place);
        }
        out
    }

    /// The attestation manifests that BuildKit puts into the index, beside the manifest that they
    /// are about.
    async fn in_index(&self, place: &Place, question: &Question) -> Out {
        let mut out = Out::default();
        let Some(index) = &question.index else {
            return out;
        };
        match self.registry.manifest(&place.repository, index).await {
            Err(error) => out.fail(&place.store, &error),
            Ok(None) => out.vanished(place, index),
            Ok(Some(manifest)) => match &*manifest {
                Manifest::Image(_) => out.outcome = Some(StoreOutcome::None),
                Manifest::Index(index) => {
                    let about = |entry: &&ImageIndexEntry| is_attestation_of(entry, &place.on);
                    let entries: Vec<_> = index.manifests.iter().filter(about).cloned().collect();
                    self.open_all(place, &entries, question, &mut out).await;
                }
            },
        }
        out
    }

    /// Opens artifacts, as many as may be.
    async fn open_all(
        &self,
        place: &Place,
        entries: &[ImageIndexEntry],
        question: &Question,
        out: &mut Out,
    ) {
        out.outcome = Some(match entries.is_empty() {
            true => StoreOutcome::None,
            false => StoreOutcome::Found,
        });
        out.dropped += entries.len().saturating_sub(MAX_ARTIFACTS) as u64;
        let opened = entries.iter().take(MAX_ARTIFACTS).map(|entry| async move {
            let mut one = Out::default();
            self.open(place, entry, question, &mut one).await;
            one
        });
        for one in join_all(opened).await {
            out.add(one);
        }
    }

    async fn open(
        &self,
        place: &Place,
        entry: &ImageIndexEntry,
        question: &Question,
        out: &mut Out,
    ) {
        let digest: Digest = match entry.digest.parse() {
            Ok(digest) => digest,
            Err(error) => return out.malformed(place, &error),
        };
        match self.registry.manifest(&place.repository, &digest).await {
            Ok(Some(manifest)) => match &*manifest {
                Manifest::Image(image) => {
                    self.fetch_all(place, pieces(image, place), question, out).await;
                }
                Manifest::Index(index) => self.open_nested(place, index, question, out).await,
            },
            Ok(None) => out.unfetched(place, &digest, None),
            Err(error) => out.unfetched(place, &digest, Some(&error)),
        }
    }

    /// Opens the artifacts of an index among artifacts. One in another one is not opened.
    async fn open_nested(
        &self,
        place: &Place,
        index: &OciImageIndex,
        question: &Question,
        out: &mut Out,
    ) {
        out.dropped += index.manifests.len().saturating_sub(MAX_ARTIFACTS) as u64;
        for entry in index.manifests.iter().take(MAX_ARTIFACTS) {
            let digest: Digest = match entry.digest.parse() {
                Ok(digest) => digest,
                Err(error) => {
                    out.malformed(place, &error);
                    continue;
                }
            };
            match self.registry.manifest(&place.repository, &digest).await {
                Ok(Some(manifest)) => match &*manifest {
                    Manifest::Image(image) => {
                        self.fetch_all(place, pieces(image, place), question, out).await;
                    }
                    Manifest::Index(_) => out.unfetched(place, &digest, None),
                },
                Ok(None) => out.unfetched(place, &digest, None),
                Err(error) => out.unfetched(place, &digest, Some(&error)),
            }
        }
    }

    async fn fetch_all(
        &self,
        place: &Place,
        pieces: Vec<Result<Piece, records::DigestError>>,
        question: &Question,
        out: &mut Out,
    ) {
        out.dropped += pieces.len().saturating_sub(MAX_ARTIFACTS) as u64;
        let fetched = pieces.into_iter().take(MAX_ARTIFACTS).map(|piece| async move {
            let mut one = Out::default();
            match piece {
                Ok(piece) => self.fetch(place, piece, question, &mut one).await,
                Err(error) => one.malformed(place, &error),
            }
            one
        });
        for one in join_all(fetched).await {
            out.add(one);
        }
    }

    async fn fetch(&self, place: &Place, piece: Piece, question: &Question, out: &mut Out) {
        // What is announced is what is reserved, so no more than that may come (OCI image
        // specification, descriptor.md: the size must be the content's).
        let limit = piece.form.limit();
        let size = piece.blob.size.unwrap_or(limit);
        let _room = self.examiner.room(size.min(limit)).await;
        match self.registry.blob(&place.repository, &piece.blob, size.min(limit)).await {
            Ok(Some(bytes)) => {
                let is_about = piece.is_about;
                let Some(material) = piece.material(bytes) else { return };
                let needs_subject = material.is_bound_by_its_artifact();
                let mut finding = self.examiner.examine(material, place.on.clone(), question).await;
                if needs_subject && !is_about {
                    finding.is_about_another();
                }
                let (store, on) = (place.store.clone(), place.on.clone());
                out.finds.push(Find { store, on, finding });
            }
            Ok(None) => out.unfetched(place, &piece.blob.digest, None),
            Err(error) => out.unfetched(place, &piece.blob.digest, Some(&error)),
        }
    }

    /// Whether the index lists the manifest.
    async fn listing(&self, question: &Question) -> Listing {
        let (Some(index), Some(manifest)) = (&question.index, &question.manifest) else {
            return Listing::Holds;
        };
        for repository in question.repositories().into_iter().flatten() {
            if let Ok(Some(bytes)) = self.registry.manifest(&repository, index).await {
                let lists = match &*bytes {
                    Manifest::Index(index) => {
                        index.manifests.iter().any(|entry| entry.digest == manifest.as_str())
                    }
                    Manifest::Image(_) => false,
                };
                return if lists { Listing::Holds } else { Listing::Denied };
            }
        }
        Listing::Unknown
    }
}

/// Whether an entry of an index is what BuildKit attests about a manifest of that index
/// (BuildKit, docs/attestations/attestation-storage.md). The annotations say where to look; what
/// is found there has to name the manifest itself.
fn is_attestation_of(entry: &ImageIndexEntry, manifest: &Digest) -> bool {
    let annotation = |key: &str| entry.annotations.as_ref().and_then(|all| all.get(key));
    annotation("vnd.docker.reference.type").is_some_and(|kind| kind == "attestation-manifest")
        && annotation("vnd.docker.reference.digest").is_some_and(|of| of == manifest.as_str())
}

impl Out {
    /// Takes in what one of its artifacts or layers came to. One that could not even be asked for
    /// means that the store was not asked to its end.
    fn add(&mut self, one: Self) {
        self.finds.extend(one.finds);
        self.troubles.extend(one.troubles);
        self.dropped += one.dropped;
        if one.outcome == Some(StoreOutcome::Failed) {
            self.outcome = one.outcome;
        }
    }

    fn fail(&mut self, store: &Store, error: &Error) {
        self.outcome = Some(StoreOutcome::Failed);
        self.troubles.push(Trouble::of(store, error));
    }

    /// The tag or index was there a moment ago, and what it names is not.
    fn vanished(&mut self, place: &Place, digest: &Digest) {
        self.outcome = Some(StoreOutcome::Failed);
        let message =
            format!("{} names `{digest}`, which the registry does not have", place.told());
        self.troubles.push(Trouble::plain(&place.store, FailureCode::NotFound, message));
    }

    fn malformed(&mut self, place: &Place, error: &records::DigestError) {
        let message = format!("{} lists something whose digest is none: {error}", place.told());
        self.troubles.push(Trouble::plain(&place.store, FailureCode::BadResponse, message));
        self.outcome = Some(StoreOutcome::Failed);
    }

    fn only_mirrors(&mut self, place: &Place) {
        let message = format!(
            "what refers to `{}` is known from mirrors alone, which may lack some",
            place.on
        );
        self.troubles.push(Trouble::plain(&place.store, FailureCode::Mirror, message));
        self.outcome = Some(StoreOutcome::Failed);
    }

    /// Something is there, and could not be fetched: a find that nobody can judge.
    fn unfetched(&mut self, place: &Place, digest: &Digest, error: Option<&Error>) {
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
    fn told(&self) -> String {
        format!("the store {} of `{}@{}`", self.store.name(), self.repository, self.on)
    }
}

impl Trouble {
    fn of(store: &Store, error: &Error) -> Self {
        Self {
            store: store.clone(),
            code: error.code(),
            message: chain(error),
            host: error.host().map(ToString::to_string),
            status: error.status().map(|status| status.as_u16()),
        }
    }

    fn plain(store: &Store, code: FailureCode, message: String) -> Self {
        Self { store: store.clone(), code, message, host: None, status: None }
    }
}
