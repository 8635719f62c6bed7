//! What runs is an index or manifest that somebody names: where it is, what is in it, and what the
//! tag means against it.

use std::sync::Arc;

use records::{Digest, Drift, FailureCode, How, PlatformManifest, text};
use registry::{Answer, Descriptor, Manifest, Repository, TagOrDigest};

use super::ask::{Asked, Problem};
use super::{Inquiry, Tagged};
use crate::decide::{self, Child, Comparison};

/// Whether an error says that a registry contradicts itself, rather than that it was not asked.
fn is_contradiction(code: FailureCode) -> bool {
    matches!(code, FailureCode::BadResponse | FailureCode::DigestMismatch)
}

impl Inquiry<'_> {
    /// What runs is this index or manifest.
    pub(super) async fn manifest(
        &mut self,
        repository: &Repository,
        other: Option<&Repository>,
        digest: Digest,
        tagged: Option<&Tagged>,
    ) {
        let place = self.locate(repository, other, &digest, tagged).await;
        let content = self.content(&place, &digest).await;
        self.place_manifest(&digest, content.as_deref());
        let is_tags = tagged.is_some_and(|tag| tag.value.digest == digest);
        // What came for the tag's digest was something else.
        let disproven = is_tags && self.record.tag_digest.is_none();
        self.record.drift = match tagged {
            _ if disproven => Drift::Unknown,
            Some(_) if is_tags => Drift::Same,
            Some(tag) => self.drift(repository, &place, &digest, content.as_deref(), tag).await,
            None => Drift::Unknown,
        };
        // What a status or a reference names is known whatever a registry says of it; what a tag
        // means is not.
        let named = matches!(self.record.how, Some(How::Status | How::Reference));
        self.record.how = self.record.how.filter(|_| named || !disproven);
        self.record.digest = (named || !disproven).then_some(digest);
    }

    /// Finds the repository that has the manifest: the reference's own, or the one that the
    /// status names where it is another.
    async fn locate(
        &mut self,
        repository: &Repository,
        other: Option<&Repository>,
        digest: &Digest,
        tagged: Option<&Tagged>,
    ) -> Repository {
        if let Some(tag) = tagged.filter(|tag| tag.value.digest == *digest) {
            self.present(repository, tag);
            return repository.clone();
        }
        let by_digest = TagOrDigest::Digest(digest.clone());
        match self.head(repository, &by_digest).await {
            Asked::Found(found) => {
                self.present(repository, &found);
                return repository.clone();
            }
            // A 404 means something only from a repository that shows us anything at all.
            Asked::Absent if self.shows_us => self.record.present = Some(false),
            Asked::Absent => self.not_shown(repository, digest),
            Asked::Failed => {}
        }
        if let Some(other) = other.filter(|other| *other != repository)
            && let Asked::Found(found) = self.head(other, &by_digest).await
        {
            self.record.found_in = Some(found.from.to_string());
            self.record.media_type = found.value.media_type;
            return other.clone();
        }
        repository.clone()
    }

    /// The repository has it, or a mirror that the operator put in its place.
    fn present(&mut self, repository: &Repository, found: &Answer<Descriptor>) {
        self.record.present = Some(true);
        self.record.media_type = found.value.media_type.clone();
        self.record.found_in = (found.from != *repository).then(|| found.from.to_string());
    }

    /// The content of what runs, where it is needed: an index says which manifest runs, and of what
    /// does not run yet nothing else proves that the registry has more than a name for it. A
    /// manifest that was not found is not asked for again.
    async fn content(&mut self, place: &Repository, digest: &Digest) -> Option<Arc<Manifest>> {
        let found = self.record.present == Some(true) || self.record.found_in.is_some();
        let is_image = self.record.media_type.as_deref().is_some_and(decide::is_image);
        if !found || is_image && self.question.runs() {
            return None;
        }
        match self.registry.manifest(place, digest).await {
            Ok(Some(content)) => Some(content),
            Ok(None) => {
                self.contradicted(place, digest);
                None
            }
            Err(error) => {
                if is_contradiction(error.code()) {
                    self.disproven(digest);
                }
                self.failed(&error)
            }
        }
    }

    /// What came is not what was said: neither that it is there, nor what a tag means, is known.
    fn disproven(&mut self, digest: &Digest) {
        self.record.present = None;
        self.record.media_type = None;
        if self.record.tag_digest.as_ref() == Some(digest) {
            self.record.tag_digest = None;
        }
    }

    /// A repository that has shown us nothing does not show this either.
    fn not_shown(&mut self, repository: &Repository, digest: &Digest) {
        let message = format!(
            "`{repository}` does not show `{digest}`: the manifest was removed, or credentials for this repository are missing"
        );
        let host = Some(repository.domain().to_owned());
        let problem = Problem::of(FailureCode::NotFound, message);
        self.note(Problem { host, status: Some(404), ..problem });
    }

    /// A repository that said it has a manifest does not give it.
    fn contradicted(&mut self, place: &Repository, digest: &Digest) {
        // It said both, so neither is known.
        self.disproven(digest);
        let message = format!(
            "`{place}` names `{digest}` and has no manifest by that digest: it was removed in between, or the registry says a wrong digest"
        );
        let host = Some(place.domain().to_owned());
        let problem = Problem::of(FailureCode::NotFound, message);
        self.note(Problem { host, status: Some(404), ..problem });
    }

    /// Index, manifest and platforms of what runs.
    fn place_manifest(&mut self, digest: &Digest, content: Option<&Manifest>) {
        let Some(Manifest::Index(index)) = content else {
            let is_image = self.record.media_type.as_deref().is_some_and(decide::is_image);
            if is_image || matches!(content, Some(Manifest::Image(_))) {
                self.record.manifest = Some(digest.clone());
            }
            return;
        };
        self.record.index = Some(digest.clone());
        let mut platforms: Vec<PlatformManifest> = registry::platform::platforms(index)
            .into_iter()
            .map(|(platform, digest)| PlatformManifest { platform: platform.to_string(), digest })
            .collect();
        self.record.dropped = text::cut_list(&mut platforms);
        self.record.platforms = platforms;
        match decide::child(digest, content, self.platform.as_ref()) {
            Child::Is(manifest) => self.record.manifest = Some(manifest),
            Child::None => self.no_manifest(digest, "the index has none for it"),
            Child::Unknown if self.platform.is_some() => {
                self.no_manifest(
                    digest,
                    "several fit, and the node does not say which variant it runs",
                );
            }
            // Of what does not run, no manifest runs: that is no failure.
            Child::Unknown if !self.question.runs() => {}
            Child::Unknown => self.no_manifest(
                digest,
                "the platform is not known: let pc-discover read nodes, or give --default-platform",
            ),
        }
    }

    fn no_manifest(&mut self, digest: &Digest, why: &str) {
        let platform = self.question.platform.as_deref().map_or_else(String::new, text::shown);
        let message = format!("no manifest of `{digest}` for platform `{platform}`: {why}");
        self.note(Problem::of(FailureCode::PlatformUnknown, message));
    }

    /// What the tag means against what runs, where the digests differ.
    async fn drift(
        &mut self,
        repository: &Repository,
        place: &Repository,
        digest: &Digest,
        content: Option<&Manifest>,
        tag: &Tagged,
    ) -> Drift {
        let Some(tagged) = self.get(repository, &tag.value.digest).await else {
            return Drift::Unknown;
        };
        if decide::lists(&tagged, digest) {
            self.record.index = Some(tag.value.digest.clone());
            self.record.manifest = Some(digest.clone());
            return Drift::Same;
        }
        let running = match &self.record.manifest {
            Some(manifest) if manifest == digest => Child::Is(digest.clone()),
            _ => decide::child(digest, content, self.platform.as_ref()),
        };
        let tagged = decide::child(&tag.value.digest, Some(&tagged), self.platform.as_ref());
        match decide::compare(&running, &tagged) {
            Comparison::Settled(drift) => drift,
            Comparison::ByConfig(running, tagged) => {
                let running = self.config(place, &running).await;
                let tagged = self.config(repository, &tagged).await;
                decide::compare_configs(running.as_ref(), tagged.as_ref())
            }
        }
    }
}
