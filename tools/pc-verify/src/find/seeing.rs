//! Looking at what runs itself: whether its repository shows it, whether its index lists it, and
//! whether a signature repository is there at all.

use records::{FailureCode, StoreOutcome};
use registry::Manifest;

use super::{Asked, Finder, Findings, Listing, Role, Shown, Store, StoreKind, Trouble};
use crate::question::Question;

impl Finder {
    /// Looks at the manifest itself before anything may be called absent: stores answer of what a
    /// repository never had just as of what nobody signed.
    pub(super) async fn see(&self, question: &Question, all: &mut Findings) {
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
    pub(super) async fn see_elsewhere(&self, question: &Question, all: &mut Findings) {
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

    /// Whether the index lists the manifest.
    pub(super) async fn listing(&self, question: &Question) -> Listing {
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
