//! Checks, answers, results and severities: the words that the formats share.
//!
//! `pass`, `fail`, `warn`, `error` and `skip` are those of policy reports (`wgpolicyk8s.io`,
//! `openreports.io`): `error` could not be evaluated, `warn` is not met and not demanded, `skip`
//! was not asked or is excused.

use records::{PolicyResult, Verdict};

use crate::{DriftState, UpdateState};

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// Which digest runs is proven, and its repository has it, where that was asked.
    Digest,
    /// The tag means what runs.
    Drift,
    /// The image is signed.
    Signature,
    /// It has SLSA provenance.
    Provenance,
    /// It has a bill of materials.
    Sbom,
    /// Nothing newer is there.
    Update,
    /// No newer chart of a Helm release is there.
    ChartUpdate,
    /// A policy is met.
    Policy,
}

impl Check {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Digest,
        Self::Drift,
        Self::Signature,
        Self::Provenance,
        Self::Sbom,
        Self::Update,
        Self::ChartUpdate,
        Self::Policy,
    ];

    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::Drift => "drift",
            Self::Signature => "signature",
            Self::Provenance => "provenance",
            Self::Sbom => "sbom",
            Self::Update => "update",
            Self::ChartUpdate => "chart_update",
            Self::Policy => "policy",
        }
    }

    /// Its name, for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Digest => "Digest",
            Self::Drift => "Drift",
            Self::Signature => "Signature",
            Self::Provenance => "SLSA provenance",
            Self::Sbom => "Bill of materials",
            Self::Update => "Image update",
            Self::ChartUpdate => "Chart update",
            Self::Policy => "Policy",
        }
    }

    /// What passes it, as a sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Digest => {
                "It is proven which digest runs, and its repository has it, where that was asked."
            }
            Self::Drift => "The tag of the image still means the digest that runs.",
            Self::Signature => "The image has a signature that verifies.",
            Self::Provenance => "The image has SLSA provenance whose signature verifies.",
            Self::Sbom => "The image has a bill of materials whose signature verifies.",
            Self::Update => "No newer version of the image is there.",
            Self::ChartUpdate => "No newer version of the release's chart is there.",
            Self::Policy => "The image meets the policy.",
        }
    }
}

/// A result in the words of policy reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Met.
    Pass,
    /// Not met, and demanded.
    Fail,
    /// Not met, and not demanded.
    Warn,
    /// Could not be evaluated.
    Error,
    /// Not asked, or excused.
    Skip,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Fail, Self::Warn, Self::Error, Self::Skip];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Skip => "skip",
        }
    }

    /// Whether somebody should look: neither met nor excused.
    #[must_use]
    pub fn wants_attention(self) -> bool {
        matches!(self, Self::Fail | Self::Warn | Self::Error)
    }
}

/// How grave it is that a check is not met; the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// To be known.
    Info,
    /// To be done some time.
    Low,
    /// To be looked at.
    Medium,
    /// To be looked at now.
    High,
}

impl Severity {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// An answer, in the report's own words; those of policies, presence and what does not run are
/// added here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Evidence by a trusted signer.
    Trusted,
    /// Evidence that verifies; nobody said to trust the signer.
    Valid,
    /// Evidence, with nothing to check it against.
    Present,
    /// Every store was asked, and there is none.
    Absent,
    /// Evidence that is contradicted.
    Invalid,
    /// The digest is proven.
    Proven,
    /// The repository no longer has the manifest.
    Gone,
    /// The tag means what runs.
    Same,
    /// The reference names a digest.
    Pinned,
    /// The tag means something else.
    Moved,
    /// Nothing newer.
    Current,
    /// Something newer.
    Available,
    /// No version that could be compared.
    NotComparable,
    /// A rule says not to look.
    Ignored,
    /// A policy is met.
    Met,
    /// A policy is not met.
    Unmet,
    /// A policy that only warns is not met.
    Warned,
    /// A policy does not apply, or an exception holds.
    Excused,
    /// Nothing runs that the question could be about.
    NotRunning,
    /// Not asked.
    Skipped,
    /// Could not be checked.
    Unknown,
}

impl Answer {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Trusted,
        Self::Valid,
        Self::Present,
        Self::Absent,
        Self::Invalid,
        Self::Proven,
        Self::Gone,
        Self::Same,
        Self::Pinned,
        Self::Moved,
        Self::Current,
        Self::Available,
        Self::NotComparable,
        Self::Ignored,
        Self::Met,
        Self::Unmet,
        Self::Warned,
        Self::Excused,
        Self::NotRunning,
        Self::Skipped,
        Self::Unknown,
    ];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Valid => "valid",
            Self::Present => "present",
            Self::Absent => "absent",
            Self::Invalid => "invalid",
            Self::Proven => "proven",
            Self::Gone => "gone",
            Self::Same => "same",
            Self::Pinned => "pinned",
            Self::Moved => "moved",
            Self::Current => "current",
            Self::Available => "available",
            Self::NotComparable => "not-comparable",
            Self::Ignored => "ignored",
            Self::Met => "pass",
            Self::Unmet => "fail",
            Self::Warned => "warn",
            Self::Excused => "skip",
            Self::NotRunning => "not-running",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
        }
    }

    /// Result and severity of it. `demanded`: a policy that enforces is not met, which makes
    /// evidence that is not there, or proves nothing, more than a warning.
    #[must_use]
    pub fn judged(self, demanded: bool) -> (Outcome, Severity) {
        match self {
            Self::Trusted | Self::Valid | Self::Same | Self::Pinned => PASS,
            Self::Current | Self::Proven | Self::Met => PASS,
            Self::Invalid | Self::Unmet => (Outcome::Fail, Severity::High),
            Self::Present | Self::Absent if demanded => (Outcome::Fail, Severity::High),
            Self::Present | Self::Absent => (Outcome::Warn, Severity::Low),
            Self::Moved | Self::Gone | Self::Warned => (Outcome::Warn, Severity::Medium),
            Self::Available => (Outcome::Warn, Severity::Info),
            Self::NotComparable | Self::Ignored | Self::Excused => (Outcome::Skip, Severity::Info),
            Self::NotRunning | Self::Skipped => (Outcome::Skip, Severity::Info),
            Self::Unknown => (Outcome::Error, Severity::Medium),
        }
    }
}

const PASS: (Outcome, Severity) = (Outcome::Pass, Severity::Info);

impl From<Verdict> for Answer {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Trusted => Self::Trusted,
            Verdict::Valid => Self::Valid,
            Verdict::Present => Self::Present,
            Verdict::Absent => Self::Absent,
            Verdict::Invalid => Self::Invalid,
            Verdict::Unknown => Self::Unknown,
            Verdict::Skipped => Self::Skipped,
        }
    }
}

impl From<DriftState> for Answer {
    fn from(state: DriftState) -> Self {
        match state {
            DriftState::Same => Self::Same,
            DriftState::Moved => Self::Moved,
            DriftState::Pinned => Self::Pinned,
            DriftState::Unknown => Self::Unknown,
            DriftState::Skipped => Self::Skipped,
        }
    }
}

impl From<UpdateState> for Answer {
    fn from(state: UpdateState) -> Self {
        match state {
            UpdateState::Current => Self::Current,
            UpdateState::Available => Self::Available,
            UpdateState::NotComparable => Self::NotComparable,
            UpdateState::Ignored => Self::Ignored,
            UpdateState::Unknown => Self::Unknown,
            UpdateState::Skipped => Self::Skipped,
        }
    }
}

impl From<PolicyResult> for Answer {
    fn from(result: PolicyResult) -> Self {
        match result {
            PolicyResult::Pass => Self::Met,
            PolicyResult::Fail => Self::Unmet,
            PolicyResult::Warn => Self::Warned,
            PolicyResult::Skip => Self::Excused,
            PolicyResult::Unknown => Self::Unknown,
        }
    }
}
