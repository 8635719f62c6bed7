//! Joining: records of the stream, in any order, into one report.
//!
//! Records are joined by their subjects and by nothing else, so their order does not matter:
//!
//! | fact | by | to |
//! |---|---|---|
//! | `digest` | image, imageId, platform | `image` |
//! | evidence, `policy` | repository, index, manifest | `digest` |
//! | `update` | image · namespace, releaseName; and rule | `image` · `release` |
//! | `failure` | the subject of its question | its reason in the answer |
//!
//! The same subject twice (parts of a cluster, re-runs): equal facts collapse; evidence is united
//! find by find and judged again; else a definite answer beats `unknown`, then the first.

mod asked;
mod order;
mod other;
mod releases;
mod rows;
mod settle;
mod unite;
mod updates;
mod why;

use std::collections::{BTreeMap, BTreeSet};

use records::{
    Attestation, Digest, DigestRecord, Failure, Image, Policy, Provenance, Record, Release,
    Runtime, Sbom, Signature, Tally, Update,
};

use crate::books::Books;
use crate::{Check, Evidence, Metadata, Report, SCHEMA_VERSION, Summary};

use asked::Asked;
use other::Other;
use rows::Joined;
use settle::settle;
use why::Why;

pub use other::OtherError;

/// Types that are known and never part of a report: what they say is in other records, or was
/// asked for by somebody else.
const NOT_REPORTED: [&str; 3] =
    [records::RepositoryRecord::TYPE, records::Packages::TYPE, records::Materials::TYPE];

/// Why a report that was just joined is compared with none.
const NOT_ASKED: &str = "not-asked: no earlier report was given";

/// About the run that makes a report.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// When: RFC 3339, UTC.
    pub generated_at: String,
    /// The version of the tool that makes it.
    pub collector_version: String,
    /// The cluster's name, where it is not to be that of the stream.
    pub cluster_name: Option<String>,
    /// How the input ended too early, if it did.
    pub truncation: Option<String>,
}

/// What evidence hangs on: repository, index, manifest.
type Triple = (String, Option<Digest>, Option<Digest>);

/// What has arrived so far.
#[derive(Debug, Default)]
pub struct Gathered {
    images: Vec<Image>,
    runtimes: Vec<Runtime>,
    releases: Vec<Release>,
    digests: Vec<DigestRecord>,
    updates: Vec<Update>,
    evidence: BTreeMap<Triple, Evidence>,
    failures: Vec<Failure>,
    other: Other,
    stages: Vec<Tally>,
    books: Books,
}

impl Gathered {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An `image` arrived.
    pub fn image(&mut self, image: Image) {
        self.books.count(Image::TYPE);
        self.images.push(image);
    }

    /// A `runtime` arrived.
    pub fn runtime(&mut self, runtime: Runtime) {
        self.books.count(Runtime::TYPE);
        self.runtimes.push(runtime);
    }

    /// A `release` arrived.
    pub fn release(&mut self, release: Release) {
        self.books.count(Release::TYPE);
        self.releases.push(release);
    }

    /// A `digest` arrived.
    pub fn digest(&mut self, digest: DigestRecord) {
        self.books.count(DigestRecord::TYPE);
        self.digests.push(digest);
    }

    /// An `update` arrived.
    pub fn update(&mut self, update: Update) {
        self.books.count(Update::TYPE);
        self.updates.push(update);
    }

    /// A `failure` arrived.
    pub fn failure(&mut self, failure: Failure) {
        self.books.count(Failure::TYPE);
        self.failures.push(failure);
    }

    /// A `signature` arrived.
    pub fn signature(&mut self, record: Signature) {
        self.books.count(Signature::TYPE);
        let (at, platform, check) = Check::of_signature(record);
        unite::absorb(&mut self.evidence_at(at, platform).signature, check);
    }

    /// A `provenance` arrived.
    pub fn provenance(&mut self, record: Provenance) {
        self.books.count(Provenance::TYPE);
        let (at, platform, check) = Check::of_provenance(record);
        unite::absorb(&mut self.evidence_at(at, platform).provenance, check);
    }

    /// An `sbom` arrived.
    pub fn sbom(&mut self, record: Sbom) {
        self.books.count(Sbom::TYPE);
        let (at, platform, check) = Check::of_sbom(record);
        unite::absorb(&mut self.evidence_at(at, platform).sbom, check);
    }

    /// An `attestation` arrived.
    pub fn attestation(&mut self, record: Attestation) {
        self.books.count(Attestation::TYPE);
        let (at, platform, check) = Check::of_attestation(record);
        unite::absorb(&mut self.evidence_at(at, platform).attestation, check);
    }

    /// A `policy` arrived.
    pub fn policy(&mut self, record: Policy) {
        self.books.count(Policy::TYPE);
        let (at, answer) = unite::policy(record);
        unite::absorb_policy(&mut self.evidence_at(at, None).policies, answer);
    }

    /// A record of another type arrived: `line` is its JSON.
    ///
    /// # Errors
    /// When it is not JSON.
    pub fn other(&mut self, kind: &str, line: &[u8]) -> Result<(), OtherError> {
        self.books.count(kind);
        if NOT_REPORTED.contains(&kind) {
            return Ok(());
        }
        self.other.keep(line)
    }

    /// The tally of a stage arrived.
    pub fn tally(&mut self, tally: Tally) {
        self.stages.push(tally);
    }

    fn evidence_at(&mut self, at: Triple, platform: Option<String>) -> &mut Evidence {
        let evidence =
            self.evidence.entry(at).or_insert_with_key(|(repository, index, manifest)| Evidence {
                repository: repository.clone(),
                index: index.clone(),
                manifest: manifest.clone(),
                platform: None,
                signature: None,
                provenance: None,
                sbom: None,
                attestation: None,
                policies: Vec::new(),
            });
        if evidence.platform.is_none() {
            evidence.platform = platform;
        }
        evidence
    }

    /// Joins what has arrived into a report, and says in its metadata whether it is whole.
    #[must_use]
    pub fn finish(self, run: Run) -> Report {
        let metadata = self.metadata(run);
        let mut failures = self.failures;
        failures.sort_by(order::failures);
        failures.dedup();
        let digests = settle(self.digests);
        let updates = settle(self.updates);
        let evidence: Vec<Evidence> = self.evidence.into_values().collect();
        let joined = Joined {
            digests: &digests,
            evidence: &evidence,
            updates: &updates,
            why: &Why::of(&failures),
            asked: &Asked::of(&self.stages, &self.books),
        };
        let images = joined.rows(settle(self.images));
        let helm_releases = joined.releases(settle(self.releases));
        Report {
            schema_version: SCHEMA_VERSION.to_owned(),
            metadata,
            summary: Summary::of(&images, &helm_releases, failures.len()),
            images,
            evidence,
            updates,
            runtimes: settle(self.runtimes),
            helm_releases,
            failures,
            stages: self.stages,
            changes: None,
            other: self.other.into_sorted(),
        }
    }

    fn metadata(&self, run: Run) -> Metadata {
        let gaps = self.books.gaps(&self.stages, run.truncation.as_deref());
        let namespaces: BTreeSet<&String> =
            self.stages.iter().flat_map(|tally| tally.namespaces.iter().flatten()).collect();
        let cluster = || self.stages.iter().find_map(|tally| tally.cluster.clone());
        Metadata {
            generated_at: run.generated_at,
            collector_version: run.collector_version,
            cluster_name: run.cluster_name.or_else(cluster),
            namespaces_scanned: namespaces.into_iter().cloned().collect(),
            complete: gaps.is_empty(),
            incomplete_why: gaps.iter().map(ToString::to_string).collect(),
            other_dropped: self.other.dropped(),
            previous: None,
            not_compared: Some(NOT_ASKED.to_owned()),
        }
    }
}
