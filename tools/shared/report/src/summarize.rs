//! Counting: rows and releases into a summary.

use std::collections::BTreeMap;

use records::Verdict;

use crate::{
    Answers, Coverage, Coverages, DriftCounts, DriftState, HelmRelease, Row, Summary,
    UnknownCounts, UpdateCounts, UpdateState, VerdictCounts,
};

impl Summary {
    /// Counts rows, releases and failures.
    #[must_use]
    pub fn of(images: &[Row], releases: &[HelmRelease], failures: usize) -> Self {
        let references = references(images);
        let count = |holds: fn(&Answers) -> bool| {
            references.iter().filter(|reference| holds(reference)).count() as u64
        };
        let signature = verdicts(references.iter().map(|r| r.signature));
        let provenance = verdicts(references.iter().map(|r| r.provenance));
        let sbom = verdicts(references.iter().map(|r| r.sbom));
        let drift = drifts(references.iter().map(|r| r.drift));
        let updates = updates(references.iter().map(|r| r.update));
        let helm_updates = self::updates(releases.iter().map(|release| release.update.status));
        Self {
            total_images: images.len() as u64,
            unique_images: references.len() as u64,
            signed_images: signature.there(),
            verified_images: signature.trusted,
            images_with_sbom: sbom.there(),
            images_with_provenance: provenance.there(),
            images_with_updates: updates.available,
            total_helm_releases: releases.len() as u64,
            helm_releases_with_updates: helm_updates.available,
            signature,
            provenance,
            sbom,
            drift,
            updates,
            helm_updates,
            unknown: UnknownCounts {
                digest: count(|reference| !reference.digest_proven),
                present: count(|reference| reference.presence_open),
                drift: drift.unknown,
                signature: signature.unknown,
                provenance: provenance.unknown,
                sbom: sbom.unknown,
                update: updates.unknown,
                helm_update: helm_updates.unknown,
            },
            pinned: count(|reference| reference.pinned),
            not_present: count(|reference| reference.gone),
            pending: count(|reference| reference.pending),
            idle: count(|reference| reference.idle),
            failures: failures as u64,
            coverage: coverage(images),
        }
    }
}

impl VerdictCounts {
    /// How many have evidence that is at least there.
    #[must_use]
    pub fn there(&self) -> u64 {
        self.trusted + self.valid + self.present
    }
}

impl DriftCounts {
    /// Whether anybody asked what tags mean; what does not run has no part in that.
    pub(crate) fn was_asked(&self) -> bool {
        self.skipped == 0 || self.same + self.moved + self.pinned + self.unknown > 0
    }
}

/// One entry for each distinct image reference.
fn references(images: &[Row]) -> Vec<Answers> {
    let mut references: BTreeMap<&str, Answers> = BTreeMap::new();
    for row in images {
        references
            .entry(&row.image)
            .and_modify(|reference| reference.agree(Answers::of(row)))
            .or_insert_with(|| Answers::of(row));
    }
    references.into_values().collect()
}

fn verdicts(verdicts: impl Iterator<Item = Verdict>) -> VerdictCounts {
    let mut counts = VerdictCounts::default();
    for verdict in verdicts {
        *match verdict {
            Verdict::Trusted => &mut counts.trusted,
            Verdict::Valid => &mut counts.valid,
            Verdict::Present => &mut counts.present,
            Verdict::Absent => &mut counts.absent,
            Verdict::Invalid => &mut counts.invalid,
            Verdict::Unknown => &mut counts.unknown,
            Verdict::Skipped => &mut counts.skipped,
        } += 1;
    }
    counts
}

fn drifts(drifts: impl Iterator<Item = Option<DriftState>>) -> DriftCounts {
    let mut counts = DriftCounts::default();
    for drift in drifts {
        *match drift {
            Some(DriftState::Same) => &mut counts.same,
            Some(DriftState::Moved) => &mut counts.moved,
            Some(DriftState::Pinned) => &mut counts.pinned,
            Some(DriftState::Unknown) => &mut counts.unknown,
            Some(DriftState::Skipped) => &mut counts.skipped,
            None => &mut counts.not_running,
        } += 1;
    }
    counts
}

fn updates(statuses: impl Iterator<Item = UpdateState>) -> UpdateCounts {
    let mut counts = UpdateCounts::default();
    for status in statuses {
        *match status {
            UpdateState::Current => &mut counts.current,
            UpdateState::Available => &mut counts.available,
            UpdateState::NotComparable => &mut counts.not_comparable,
            UpdateState::Ignored => &mut counts.ignored,
            UpdateState::Unknown => &mut counts.unknown,
            UpdateState::Skipped => &mut counts.skipped,
        } += 1;
    }
    counts
}

/// Definite answers over rows that run, check by check.
fn coverage(images: &[Row]) -> Coverages {
    let running: Vec<&Row> = images.iter().filter(|row| row.runs()).collect();
    let share = |definite: fn(&Row) -> bool| {
        let definite = running.iter().filter(|row| definite(row)).count() as u64;
        Coverage::new(definite, running.len() as u64)
    };
    Coverages {
        digest: share(Row::digest_is_proven),
        present: share(|row| row.digest_is_proven() && row.present.is_some()),
        drift: share(|row| !matches!(row.drift, DriftState::Unknown | DriftState::Skipped)),
        signature: share(|row| is_definite(row.signature.verdict)),
        provenance: share(|row| is_definite(row.provenance.verdict)),
        sbom: share(|row| is_definite(row.sbom.verdict)),
        update: share(|row| row.update.status.is_available().is_some()),
    }
}

fn is_definite(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Unknown | Verdict::Skipped)
}
