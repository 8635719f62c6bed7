//! What runs is known by its image id alone, or by nothing, or is written by a digest: what proves
//! it.

use records::{Digest, Drift, FailureCode, How, text};
use registry::{Manifest, Repository};

use super::ask::Problem;
use super::{Inquiry, Tagged};
use crate::decide;

impl Inquiry<'_> {
    /// What runs has this image id: proven by the config of a manifest that the reference means.
    ///
    /// Where every candidate was read and none has it, the reference means something else, and
    /// no digest is claimed for what runs: the tag's would be another image's. Where one could
    /// not be read, the tag is what is left, and `how` says so.
    pub(super) async fn image_id(
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
        match proof {
            // By its own digest: the index lists it, whatever the node's platform is.
            Proof::Manifest => {
                self.record.how = Some(How::Status);
                self.manifest(repository, None, id.clone(), tagged).await;
                return;
            }
            Proof::Config(manifest) => {
                self.by_config(repository, means, manifest, tagged).await;
                return;
            }
            Proof::Open => {}
            Proof::Not => {
                self.record.drift = Drift::Moved;
                let message = format!(
                    "what runs has image id `{id}`, and no manifest of the reference has that config: the tag moved since, or the image was loaded from elsewhere"
                );
                self.note(Problem::of(FailureCode::ImageIdUnproven, message));
                return;
            }
        }
        self.manifest(repository, None, means, tagged).await;
        self.known_by(How::Tag, Drift::Unknown);
    }

    /// The config has shown which manifest runs, whatever platform the node is said to have: that
    /// the platform alone does not tell is no failure then, and what other candidates did not
    /// answer is none either.
    async fn by_config(
        &mut self,
        repository: &Repository,
        means: Digest,
        manifest: Digest,
        tagged: Option<&Tagged>,
    ) {
        self.failures.clear();
        self.manifest(repository, None, means, tagged).await;
        let by_platform = FailureCode::PlatformUnknown.as_str();
        self.failures.retain(|failure| failure.code != by_platform);
        self.record.manifest = Some(manifest);
        self.known_by(How::Config, Drift::Same);
    }

    /// How the digest is known, if it is: the registry may have contradicted itself about it.
    fn known_by(&mut self, how: How, drift: Drift) {
        self.record.how = self.record.digest.is_some().then_some(how);
        self.record.drift = if self.record.how.is_some() { drift } else { Drift::Unknown };
    }

    /// Something runs, and its imageID does not say what: what the reference means is all there
    /// is to show, and nothing proves that it runs.
    pub(super) async fn unnamed(
        &mut self,
        repository: &Repository,
        means: Option<Digest>,
        tagged: Option<&Tagged>,
    ) {
        let id = self.question.image_id.as_deref().map_or_else(String::new, text::shown);
        let message = format!(
            "the status says that `{id}` runs, which names no digest: it could not be compared with what the reference names"
        );
        self.note(Problem::of(FailureCode::ImageIdUnproven, message));
        let Some(means) = means else { return };
        self.manifest(repository, None, means, tagged).await;
        self.known_by(How::Tag, Drift::Unknown);
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
        let candidates = decide::candidates(means, content, self.platform.as_ref());
        let mut read_all = candidates.left_out == 0;
        for candidate in candidates.digests {
            match self.config(repository, &candidate).await {
                Some(config) if config == *id => return Proof::Config(candidate),
                Some(_) => {}
                None => read_all = false,
            }
        }
        if read_all { Proof::Not } else { Proof::Open }
    }

    /// A pin decides only where it fits: nothing runs, the pin runs, its index lists what runs, or
    /// the config proved it. Else somebody runs something else than is written.
    pub(super) async fn pinned(&mut self, repository: &Repository, pin: &Digest) {
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
}

/// Whether a reference's manifest is the image with a bare id.
enum Proof {
    /// The id is a manifest's digest after all.
    Manifest,
    /// This manifest has that config.
    Config(Digest),
    /// None has.
    Not,
    /// Not all could be read.
    Open,
}
