//! Asking: as few requests as the answer needs, and every one that failed is noted.
//!
//! The order: what the tag means now (one HEAD a reference); whether the repository has what runs
//! (free, when the tag means just that); the index, for the platform's manifest; and only where
//! digests differ, what the tag means for that platform and at last the images' configs.
//!
//! - `ask`: one question to a registry.
//! - `place`: what runs is an index or manifest that somebody names.
//! - `image_id`: what runs is known by its image id, or written by a digest.

mod ask;
mod image_id;
mod place;

use records::{DigestRecord, Drift, Failure, FailureCode, How, Platform, text};
use registry::{Answer, Descriptor, Reference, Registry, TagOrDigest};
use stage::exit::chain;

use self::ask::{Asked, Problem};
use crate::question::{Question, Running};

/// An answer: the record, and why it is not better.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) record: DigestRecord,
    pub(crate) failures: Vec<Failure>,
}

/// Answers a question.
pub(crate) async fn resolve(registry: &Registry, question: &Question) -> Resolved {
    let mut inquiry = Inquiry::new(registry, question);
    match question.image.parse::<Reference>() {
        Ok(reference) => {
            inquiry.reference(&reference).await;
            inquiry.explain();
        }
        Err(error) => inquiry.note(Problem::of(FailureCode::BadReference, chain(&error))),
    }
    Resolved { record: bounded(inquiry.record), failures: inquiry.failures }
}

/// What registries say is of any length: the facts of a record are not.
fn bounded(mut record: DigestRecord) -> DigestRecord {
    let platforms = record.platforms.iter_mut().map(|entry| &mut entry.platform);
    let texts = platforms.chain(&mut record.media_type).chain(&mut record.found_in);
    record.dropped += texts.map(text::cut_text).sum::<u64>();
    record
}
/// What a tag means, and by whose word.
type Tagged = Answer<Descriptor>;

/// One question on its way to its answer.
struct Inquiry<'a> {
    registry: &'a Registry,
    question: &'a Question,
    platform: Option<Platform>,
    record: DigestRecord,
    failures: Vec<Failure>,
    /// The registry itself has shown us the tag.
    shows_us: bool,
}

impl<'a> Inquiry<'a> {
    fn new(registry: &'a Registry, question: &'a Question) -> Self {
        let record = DigestRecord {
            image: question.image.clone(),
            image_id: question.image_id.clone(),
            platform: question.platform.clone(),
            repository: None,
            tag: None,
            digest: None,
            how: None,
            present: None,
            found_in: None,
            media_type: None,
            index: None,
            manifest: None,
            tag_digest: None,
            drift: Drift::Unknown,
            platforms: Vec::new(),
            dropped: 0,
        };
        let platform = question.platform.as_deref().and_then(|text| text.parse().ok());
        Self { registry, question, platform, record, failures: Vec::new(), shows_us: false }
    }

    async fn reference(&mut self, reference: &Reference) {
        let repository = reference.repository();
        self.record.repository = Some(repository.to_string());
        self.record.tag = reference.tag().map(ToString::to_string);
        let tagged = self.tagged(reference).await;
        let (running, pinned) = (self.question.running(), reference.digest());
        match (running, pinned) {
            (Running::Manifest { digest, repository: other }, _) => {
                self.record.how = Some(How::Status);
                self.manifest(repository, other.as_ref(), digest, tagged.as_ref()).await;
            }
            (Running::ImageId(id), pinned) => {
                let means = pinned.or(tagged.as_ref().map(|found| &found.value.digest));
                self.image_id(repository, &id, means.cloned(), tagged.as_ref()).await;
            }
            (Running::Unnamed, pinned) => {
                let means = pinned.or(tagged.as_ref().map(|found| &found.value.digest));
                self.unnamed(repository, means.cloned(), tagged.as_ref()).await;
            }
            (Running::Nothing, Some(digest)) => {
                self.record.how = Some(How::Reference);
                self.manifest(repository, None, digest.clone(), None).await;
            }
            (Running::Nothing, None) => {
                if let Some(found) = &tagged {
                    self.record.how = Some(How::Tag);
                    self.manifest(repository, None, found.value.digest.clone(), Some(found)).await;
                    // Nothing runs that could be the same.
                    self.record.drift = Drift::Unknown;
                }
            }
        }
        if let Some(pin) = pinned {
            self.pinned(repository, pin).await;
        }
    }

    /// No `unknown` without a reason.
    fn explain(&mut self) {
        let open = self.record.drift == Drift::Unknown && self.question.runs();
        if !open || !self.failures.is_empty() {
            return;
        }
        let (code, why) = match self.record.present {
            Some(false) => {
                (FailureCode::NotFound, "its manifest is not in the repository any more")
            }
            _ => (
                FailureCode::PlatformUnknown,
                "not all manifests that it takes could be told or read",
            ),
        };
        let message = format!("what runs could not be compared with what the tag means: {why}");
        self.note(Problem::of(code, message));
    }

    /// What the tag means now; not asked where a digest decides.
    async fn tagged(&mut self, reference: &Reference) -> Option<Tagged> {
        let (None, Some(tag)) = (reference.digest(), reference.tag()) else {
            return None;
        };
        match self.head(reference.repository(), &TagOrDigest::Tag(tag.clone())).await {
            Asked::Found(found) => {
                self.record.tag_digest = Some(found.value.digest.clone());
                self.shows_us = found.is_authoritative();
                Some(found)
            }
            Asked::Absent => {
                self.note(Problem {
                    host: Some(reference.repository().domain().to_owned()),
                    status: Some(404),
                    ..Problem::of(
                        FailureCode::NotFound,
                        format!(
                            "`{}` has no tag `{tag}`, or does not show it to us: the tag was removed, or credentials for this repository are missing",
                            reference.repository()
                        ),
                    )
                });
                None
            }
            Asked::Failed => None,
        }
    }
}
