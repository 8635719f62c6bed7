//! What one row says, and what the rows of one image reference say together.

use records::Verdict;

use crate::{DriftState, Row, UpdateState};

/// What the rows of one image reference say together: the weakest of each answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Answers {
    /// The verdict on signatures.
    pub signature: Verdict,
    /// The verdict on SLSA provenance.
    pub provenance: Verdict,
    /// The verdict on bills of materials.
    pub sbom: Verdict,
    /// Of the rows that run; `None` where none does.
    pub drift: Option<DriftState>,
    /// Whether something newer is there.
    pub update: UpdateState,
    /// Whether it is proven which digest runs.
    pub digest_proven: bool,
    /// Whether the repository still has it was asked and not answered.
    pub presence_open: bool,
    /// Whether the reference names a digest.
    pub pinned: bool,
    /// Whether the repository no longer has it.
    pub gone: bool,
    /// Whether some pod waits for it.
    pub pending: bool,
    /// Whether only idle workloads name it.
    pub idle: bool,
}

impl Answers {
    /// What one row says.
    #[must_use]
    pub fn of(row: &Row) -> Self {
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

    /// Takes in what another row of the same reference says: of each answer the weakest.
    pub fn agree(&mut self, other: Self) {
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

    /// Whether something that was asked could not be found out.
    #[must_use]
    pub fn are_open(&self) -> bool {
        [self.signature, self.provenance, self.sbom].contains(&Verdict::Unknown)
            || self.update == UpdateState::Unknown
            || self.drift == Some(DriftState::Unknown)
            || self.presence_open
    }

    /// How much a person is needed here: how grave the worst answer is, and then how grave all are
    /// together.
    #[must_use]
    pub fn concern(&self) -> (u32, u32) {
        let presence = match (self.gone, self.presence_open) {
            (true, _) => 5,
            (false, true) => 4,
            (false, false) => 0,
        };
        let answers = [
            gravity(self.signature),
            gravity(self.provenance),
            gravity(self.sbom),
            self.drift.map_or(0, DriftState::gravity),
            self.update.gravity(),
            presence,
        ];
        (answers.into_iter().max().unwrap_or_default(), answers.iter().sum())
    }
}

/// How much a verdict needs a person; 0 is not at all.
#[must_use]
pub fn gravity(verdict: Verdict) -> u32 {
    match verdict {
        Verdict::Invalid => 7,
        Verdict::Unknown => 4,
        Verdict::Absent => 3,
        Verdict::Present => 2,
        Verdict::Valid => 1,
        Verdict::Trusted | Verdict::Skipped => 0,
    }
}

impl DriftState {
    /// How much it needs a person; 0 is not at all.
    #[must_use]
    pub fn gravity(self) -> u32 {
        match self {
            Self::Moved => 6,
            Self::Unknown => 4,
            Self::Same | Self::Pinned | Self::Skipped => 0,
        }
    }
}

impl UpdateState {
    /// How much it needs a person; 0 is not at all.
    #[must_use]
    pub fn gravity(self) -> u32 {
        match self {
            Self::Unknown => 4,
            Self::Available => 2,
            Self::NotComparable | Self::Ignored => 1,
            Self::Current | Self::Skipped => 0,
        }
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
