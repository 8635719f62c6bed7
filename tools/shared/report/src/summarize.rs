//! Counting: rows and releases into a summary.

use std::collections::BTreeMap;

use records::Verdict;

use crate::{
    Coverage, Coverages, DriftCounts, DriftState, HelmRelease, Row, Summary, UnknownCounts,
    UpdateCounts, UpdateState, VerdictCounts,
};

impl Summary {
    /// Counts rows, releases and failures.
    #[must_use]
    pub fn of(images: &[Row], releases: &[HelmRelease], failures: usize) -> Self {
        let references = references(images);
        let count = |holds: fn(&Reference) -> bool| {
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
fn references(images: &[Row]) -> Vec<Reference> {
    let mut references: BTreeMap<&str, Reference> = BTreeMap::new();
    for row in images {
        references
            .entry(&row.image)
            .and_modify(|reference| reference.agree(row))
            .or_insert_with(|| Reference::of(row));
    }
    references.into_values().collect()
}

/// What the rows of one image reference say together: the weakest of each answer.
struct Reference {
    signature: Verdict,
    provenance: Verdict,
    sbom: Verdict,
    /// Of the rows that run; `None` where none does.
    drift: Option<DriftState>,
    update: UpdateState,
    digest_proven: bool,
    presence_open: bool,
    pinned: bool,
    gone: bool,
    pending: bool,
    idle: bool,
}

impl Reference {
    fn of(row: &Row) -> Self {
        // A reference by digest is pinned whether or not it runs.
        let compared = row.runs() || row.drift == DriftState::Pinned;
        Self {
            signature: row.signature.verdict,
            provenance: row.provenance.verdict,
            sbom: row.sbom.verdict,
            drift: compared.then_some(row.drift),
            update: row.update.status,
            digest_proven: row.digest_is_proven(),
            presence_open: row.presence_is_open(),
            pinned: row.pinned,
            gone: row.present == Some(false),
            pending: row.is_pending(),
            idle: row.idle,
        }
    }

    fn agree(&mut self, row: &Row) {
        let other = Self::of(row);
        self.signature = weakest(self.signature, other.signature, verdict_rank);
        self.provenance = weakest(self.provenance, other.provenance, verdict_rank);
        self.sbom = weakest(self.sbom, other.sbom, verdict_rank);
        self.update = weakest(self.update, other.update, update_rank);
        self.drift = match (self.drift, other.drift) {
            (Some(a), Some(b)) => Some(weakest(a, b, drift_rank)),
            (a, b) => a.or(b),
        };
        self.digest_proven &= other.digest_proven;
        self.presence_open |= other.presence_open;
        self.pinned &= other.pinned;
        self.gone |= other.gone;
        self.pending |= other.pending;
        self.idle &= other.idle;
    }
}

fn weakest<T: Copy>(a: T, b: T, rank: fn(T) -> u8) -> T {
    if rank(b) < rank(a) { b } else { a }
}

fn verdict_rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Invalid => 0,
        Verdict::Unknown => 1,
        Verdict::Skipped => 2,
        Verdict::Absent => 3,
        Verdict::Present => 4,
        Verdict::Valid => 5,
        Verdict::Trusted => 6,
    }
}

fn drift_rank(drift: DriftState) -> u8 {
    match drift {
        DriftState::Moved => 0,
        DriftState::Unknown => 1,
        DriftState::Skipped => 2,
        DriftState::Same => 3,
        DriftState::Pinned => 4,
    }
}

fn update_rank(status: UpdateState) -> u8 {
    match status {
        UpdateState::Available => 0,
        UpdateState::Unknown => 1,
        UpdateState::Skipped => 2,
        UpdateState::NotComparable => 3,
        UpdateState::Ignored => 4,
        UpdateState::Current => 5,
    }
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
