//! Opening artifacts, and fetching the pieces of evidence in them.

use futures::future::join_all;
use records::{Digest, StoreOutcome};
use registry::{ImageIndexEntry, Manifest, OciImageIndex};

use super::artifact::{Form, Piece, pieces};
use super::outcome::Out;
use super::streamed::{Came, STREAMED_ABOVE};
use super::{Find, Finder, Place};
use crate::question::Question;

/// The most artifacts that are opened in one store of one digest.
const MAX_ARTIFACTS: usize = 100;

impl Finder {
    /// Opens artifacts, as many as may be.
    pub(super) async fn open_all(
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

    pub(super) async fn open(
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
    pub(super) async fn open_nested(
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

    pub(super) async fn fetch_all(
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

    pub(super) async fn fetch(
        &self,
        place: &Place,
        piece: Piece,
        question: &Question,
        out: &mut Out,
    ) {
        // What is announced is what is reserved, so no more than that may come (OCI image
        // specification, descriptor.md: the size must be the content's).
        let limit = piece.form.limit();
        let limit = piece.blob.size.unwrap_or(limit).min(limit);
        let keeps = self.examiner.keeps();
        let is_large = limit > STREAMED_ABOVE && !keeps.material;
        let (digest, is_about) = (piece.blob.digest.clone(), piece.is_about);
        let mut _room = None;
        let came = match piece.form {
            Form::Sbom if is_large => {
                let what = (&place.repository, &piece.blob, limit);
                match self.streamed.read(&self.registry, what, keeps.packages).await {
                    Ok(Some(Came::Read(read))) => Ok(Some(Some(piece.document(read)))),
                    Ok(Some(Came::BrokeOff)) => return out.broke_off(place, &digest),
                    Ok(None) => Ok(None),
                    Err(error) => Err(error),
                }
            }
            _ => {
                // Held until it is examined.
                _room = self.examiner.room(limit).await;
                let bytes = self.registry.blob(&place.repository, &piece.blob, limit).await;
                bytes.map(|bytes| bytes.map(|bytes| piece.material(bytes)))
            }
        };
        match came {
            Ok(Some(None)) => {}
            Ok(Some(Some(material))) => {
                let needs_subject = material.is_bound_by_its_artifact();
                let mut finding = self.examiner.examine(material, place.on.clone(), question).await;
                if needs_subject && !is_about {
                    finding.is_about_another();
                }
                let (store, on) = (place.store.clone(), place.on.clone());
                out.finds.push(Find { store, on, finding });
            }
            Ok(None) => out.unfetched(place, &digest, None),
            Err(error) => out.unfetched(place, &digest, Some(&error)),
        }
    }
}
