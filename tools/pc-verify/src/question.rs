//! The question that a `digest` record raises: the evidence of what runs.

use records::{Digest, DigestRecord, Drift, Known};
use registry::Repository;

use crate::trust::ImageName;

/// What is asked about: the subject of the answers, and what is known of it.
#[derive(Debug, Clone)]
pub struct Question {
    /// The reference of the first image that raised it, verbatim.
    pub image: String,
    /// The repository, verbatim.
    pub repository: String,
    /// The index that is known to list the manifest.
    pub index: Option<Digest>,
    /// The platform manifest that runs.
    pub manifest: Option<Digest>,
    /// The platform.
    pub platform: Option<String>,
    /// The repository that has it, where it is another.
    pub found_in: Option<String>,
    /// Whether the repository has the manifest.
    pub present: Option<bool>,
    /// Whether it is settled which index lists the manifest, or that none does.
    pub index_settled: bool,
}

impl Question {
    /// The question of a record; none where no digest is known: then there is nothing to ask
    /// about, and the record and its failures say why.
    #[must_use]
    pub fn of(record: DigestRecord) -> Option<Self> {
        let index_settled = is_index_settled(&record);
        let repository = record.repository?;
        if record.index.is_none() && record.manifest.is_none() {
            return None;
        }
        Some(Self {
            image: record.image,
            repository,
            index: record.index,
            manifest: record.manifest,
            platform: record.platform,
            found_in: record.found_in,
            present: record.present,
            index_settled,
        })
    }

    /// The subject: two questions with one key have one answer.
    #[must_use]
    pub fn key(&self) -> (String, Option<Digest>, Option<Digest>) {
        (self.repository.clone(), self.index.clone(), self.manifest.clone())
    }

    /// The digests that count: what runs, and the index that lists it.
    pub fn digests(&self) -> impl Iterator<Item = &Digest> {
        self.manifest.iter().chain(&self.index)
    }

    /// What globs of policies see.
    pub(crate) fn name(&self) -> ImageName {
        ImageName::new(&self.image, self.digests())
    }

    /// Where evidence may be kept, beside the configured signature repositories.
    ///
    /// # Errors
    /// The name that is no repository.
    pub(crate) fn repositories(&self) -> Result<Vec<Repository>, registry::ReferenceError> {
        let names = std::iter::once(&self.repository).chain(&self.found_in);
        names.map(|name| name.parse()).collect()
    }

    /// What is known beside the finds, for the rule that combines them.
    #[must_use]
    pub fn known(&self, whole: bool) -> Known {
        Known {
            whole,
            present: self.present,
            index: self.index_settled,
            platform: self.manifest.is_some(),
        }
    }
}

/// Whether it is settled which index lists the manifest. Where none is known, the tag must mean
/// that very manifest: a tag that means something else may mean an index, whose older self listed
/// it, and signatures are on indexes.
fn is_index_settled(record: &DigestRecord) -> bool {
    if record.index.is_some() {
        return true;
    }
    match record.drift {
        Drift::Same => true,
        Drift::Pinned => record.tag.is_none() || record.tag_digest == record.digest,
        Drift::Moved | Drift::Unknown => {
            record.tag_digest.is_some() && record.tag_digest == record.digest
        }
    }
}

impl Question {
    /// What it is about, for people: `r.io/a@sha256:…`.
    #[must_use]
    pub fn told(&self) -> String {
        let digest = self.manifest.as_ref().or(self.index.as_ref());
        let digest = digest.map_or(String::new(), |digest| format!("@{digest}"));
        format!("{}{digest}", records::text::shown(&self.repository))
    }
}
