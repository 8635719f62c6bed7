//! Asking the stores of one digest.

use records::{Digest, StoreOutcome};
use registry::{Answer, ImageIndexEntry, Manifest, Referrers, Tag, fallback_tag};

use super::artifact::pieces;
use super::outcome::Out;
use super::{Finder, Place, Store, StoreKind};
use crate::question::Question;

impl Finder {
    /// Asks a place; of the referrers API that may be two stores.
    pub(super) async fn ask(&self, place: &Place, question: &Question) -> Vec<(Store, Out)> {
        match place.store.kind {
            StoreKind::Referrers => self.referrers(place, question).await,
            StoreKind::InIndex => vec![(place.store.clone(), self.in_index(place, question).await)],
            _ => vec![(place.store.clone(), self.tagged(place, question).await)],
        }
    }

    /// The referrers API, and the fallback tag as well: what hangs there may not be in the API, of
    /// a copy for example, and a list that has something is not known to have all.
    pub(super) async fn referrers(&self, place: &Place, question: &Question) -> Vec<(Store, Out)> {
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
    pub(super) async fn tagged(&self, place: &Place, question: &Question) -> Out {
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
    pub(super) async fn in_index(&self, place: &Place, question: &Question) -> Out {
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
}

/// Whether an entry of an index is what BuildKit attests about a manifest of that index
/// (BuildKit, docs/attestations/attestation-storage.md). The annotations say where to look; what
/// is found there has to name the manifest itself.
fn is_attestation_of(entry: &ImageIndexEntry, manifest: &Digest) -> bool {
    let annotation = |key: &str| entry.annotations.as_ref().and_then(|all| all.get(key));
    annotation("vnd.docker.reference.type").is_some_and(|kind| kind == "attestation-manifest")
        && annotation("vnd.docker.reference.digest").is_some_and(|of| of == manifest.as_str())
}
