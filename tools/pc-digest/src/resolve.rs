//! Asking: as few requests as the answer needs, and every one that failed is noted.
//!
//! The order: what the tag means now (one HEAD a reference); whether the repository has what runs
//! (free, when the tag means just that); the index, for the platform's manifest; and only where
//! digests differ, what the tag means for that platform and at last the images' configs.

use std::sync::Arc;

use records::{
    Digest, DigestRecord, Drift, Failure, FailureCode, How, Platform, PlatformManifest, text,
};
use registry::{Answer, Descriptor, Manifest, Reference, Registry, Repository, TagOrDigest};

use stage::exit::chain;

use crate::decide::{self, Child, Comparison};
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

/// What a repository said of a name.
enum Asked<T> {
    Found(T),
    Absent,
    Failed,
}

/// Why something is not known.
struct Problem {
    code: FailureCode,
    message: String,
    host: Option<String>,
    status: Option<u16>,
}

impl Problem {
    fn of(code: FailureCode, message: String) -> Self {
        Self { code, message, host: None, status: None }
    }
}

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

    /// What runs is this index or manifest.
    async fn manifest(
        &mut self,
        repository: &Repository,
        other: Option<&Repository>,
        digest: Digest,
        tagged: Option<&Tagged>,
    ) {
        let place = self.locate(repository, other, &digest, tagged).await;
        let content = self.content(&place, &digest).await;
        self.place_manifest(&digest, content.as_deref());
        self.record.drift = match tagged {
            Some(tag) if tag.value.digest == digest => Drift::Same,
            Some(tag) => self.drift(repository, &place, &digest, content.as_deref(), tag).await,
            None => Drift::Unknown,
        };
        self.record.digest = Some(digest);
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

    /// The content of what runs, where it is needed: an index says which manifest runs. A manifest
    /// that was not found is not asked for again.
    async fn content(&mut self, place: &Repository, digest: &Digest) -> Option<Arc<Manifest>> {
        let found = self.record.present == Some(true) || self.record.found_in.is_some();
        let is_image = self.record.media_type.as_deref().is_some_and(decide::is_image);
        if !found || is_image {
            return None;
        }
        match self.registry.manifest(place, digest).await {
            Ok(Some(content)) => Some(content),
            Ok(None) => {
                self.contradicted(place, digest);
                None
            }
            Err(error) => {
                let _: Asked<()> = self.failed(&error);
                None
            }
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
        self.record.present = None;
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

    /// What runs has this image id: proven by the config of a manifest that the reference means.
    ///
    /// Where every candidate was read and none has it, the reference means something else, and
    /// no digest is claimed for what runs: the tag's would be another image's. Where one could
    /// not be read, the tag is what is left, and `how` says so.
    async fn image_id(
        &mut self,
        repository: &Repository,
        id: &Digest,
        means: Option<Digest>,
        tagged: Option<&Tagged>,
    ) {
        let Some(means) = means else { return };
        let content = self.get(repository, &means).await;
        let proof = match &content {
            Some(content) => self.prove(repository, id, &means, content).await,
            None => Proof::Open,
        };
        let (how, drift) = match proof {
            Proof::Manifest => (How::Status, Drift::Same),
            Proof::Config => (How::Config, Drift::Same),
            Proof::Open => (How::Tag, Drift::Unknown),
            Proof::Not => {
                self.record.drift = Drift::Moved;
                let message = format!(
                    "what runs has image id `{id}`, and no manifest of the reference has that config: the tag moved since, or the image was loaded from elsewhere"
                );
                self.note(Problem::of(FailureCode::ImageIdUnproven, message));
                return;
            }
        };
        self.manifest(repository, None, means, tagged).await;
        (self.record.how, self.record.drift) = (Some(how), drift);
    }

    async fn prove(
        &mut self,
        repository: &Repository,
        id: &Digest,
        means: &Digest,
        content: &Manifest,
    ) -> Proof {
        // Docker with containerd's image store gives the manifest's digest as the image id.
        if id == means || decide::lists(content, id) {
            return Proof::Manifest;
        }
        let Some(candidates) = decide::candidates(means, content, self.platform.as_ref()) else {
            return Proof::Open;
        };
        let mut read_all = true;
        for candidate in candidates {
            match self.config(repository, &candidate).await {
                Some(config) if config == *id => return Proof::Config,
                Some(_) => {}
                None => read_all = false,
            }
        }
        if read_all { Proof::Not } else { Proof::Open }
    }

    /// A pin decides only where it fits: nothing runs, the pin runs, its index lists what runs, or
    /// the config proved it. Else somebody runs something else than is written.
    async fn pinned(&mut self, repository: &Repository, pin: &Digest) {
        let digest = self.record.digest.clone();
        if !self.question.runs() || digest.as_ref() == Some(pin) {
            // An image id that was not proven has only the pin's digest to show.
            if self.record.how != Some(How::Tag) {
                self.record.drift = Drift::Pinned;
            }
            return;
        }
        // What the image id was not, was settled already.
        let Some(digest) = digest else { return };
        let content = self.get(repository, pin).await;
        match content.as_deref() {
            Some(content) if decide::lists(content, &digest) => {
                self.record.index = Some(pin.clone());
                self.record.manifest = Some(digest);
                self.record.drift = Drift::Pinned;
            }
            Some(_) => {
                self.record.drift = Drift::Moved;
                let message = format!(
                    "the reference names `{pin}`, and what runs is `{digest}`, which is neither that nor listed by it"
                );
                self.note(Problem::of(FailureCode::PinContradicted, message));
            }
            None => self.record.drift = Drift::Unknown,
        }
    }

    async fn config(&mut self, repository: &Repository, digest: &Digest) -> Option<Digest> {
        match self.get(repository, digest).await.as_deref() {
            Some(Manifest::Image(image)) => image.config.digest.parse().ok(),
            _ => None,
        }
    }

    async fn head(&mut self, repository: &Repository, name: &TagOrDigest) -> Asked<Tagged> {
        match self.registry.head(repository, name.clone()).await {
            Ok(Some(found)) => Asked::Found(found),
            Ok(None) => Asked::Absent,
            Err(error) => self.failed(&error),
        }
    }

    async fn get(&mut self, repository: &Repository, digest: &Digest) -> Option<Arc<Manifest>> {
        match self.registry.manifest(repository, digest).await {
            Ok(found) => found,
            Err(error) => {
                let _: Asked<()> = self.failed(&error);
                None
            }
        }
    }

    fn failed<T>(&mut self, error: &registry::Error) -> Asked<T> {
        self.note(Problem {
            code: error.code(),
            message: chain(error),
            host: error.host().map(ToString::to_string),
            status: error.status().map(|status| status.as_u16()),
        });
        Asked::Failed
    }

    /// Notes a problem, once.
    fn note(&mut self, problem: Problem) {
        let Problem { code, message, host, status } = problem;
        let failure = Failure {
            image: Some(Some(self.question.image.clone())),
            image_id: Some(self.question.image_id.clone()),
            platform: Some(self.question.platform.clone()),
            host,
            status,
            ..Failure::new(env!("CARGO_PKG_NAME"), &["digest"], code, &message)
        };
        if !self.failures.contains(&failure) {
            self.failures.push(failure);
        }
    }
}

/// Whether a reference's manifest is the image with a bare id.
enum Proof {
    /// The id is a manifest's digest after all.
    Manifest,
    /// A manifest has that config.
    Config,
    /// None has.
    Not,
    /// Not all could be read.
    Open,
}
