//! The codes of changes: stable words, how grave each is, and what it means.

use std::str::FromStr;

use records::text::shown;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How grave a change is, the gravest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Evidence is contradicted or gone, or somebody else signs.
    High,
    /// Less is proven or known than before.
    Medium,
    /// Worth a look.
    Low,
    /// Nothing worse than before.
    Info,
}

impl Severity {
    /// All of them, the gravest first.
    pub const ALL: [Self; 4] = [Self::High, Self::Medium, Self::Low, Self::Info];

    /// The word in a report.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }
}

/// A text that is neither a severity nor a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is neither a severity (high, medium, low, info) nor the code of a change (docs/changes.md lists them)",
    shown(.0)
)]
pub struct WordError(String);

macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $code:ident = $word:literal, $severity:ident, $event:literal;)+) => {
        /// What kind of change it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $meaning])+ $code,)+
        }

        impl Code {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$code,)+];

            /// The word in a report.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $word,)+
                }
            }

            /// How grave it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$code => Severity::$severity,)+
                }
            }

            /// The type of the CloudEvent that tells of it, without what all types have in common.
            #[must_use]
            pub const fn event(self) -> &'static str {
                match self {
                    $(Self::$code => $event,)+
                }
            }

            /// What it means, in one line.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$code => concat!($($meaning,)+),)+
                }
            }
        }
    };
}

codes! {
    /// A signature is contradicted now.
    SignatureInvalid = "signature-invalid", High, "signature.invalid";
    /// There was a signature, and now there is proven to be none.
    SignatureLost = "signature-lost", High, "signature.lost";
    /// A signature is there, and proves less than before.
    SignatureWorse = "signature-worse", Medium, "signature.weakened";
    /// A signature proves more than before.
    SignatureBetter = "signature-better", Info, "signature.verified";
    /// Provenance is contradicted now.
    ProvenanceInvalid = "provenance-invalid", High, "provenance.invalid";
    /// There was provenance, and now there is proven to be none.
    ProvenanceLost = "provenance-lost", Medium, "provenance.lost";
    /// Provenance is there, and proves less than before.
    ProvenanceWorse = "provenance-worse", Medium, "provenance.weakened";
    /// Provenance proves more than before.
    ProvenanceBetter = "provenance-better", Info, "provenance.verified";
    /// The SLSA build level fell.
    LevelLower = "level-lower", Medium, "provenance.weakened";
    /// The SLSA build level rose.
    LevelHigher = "level-higher", Info, "provenance.verified";
    /// A bill of materials is contradicted now.
    SbomInvalid = "sbom-invalid", High, "sbom.invalid";
    /// There was a bill of materials, and now there is proven to be none.
    SbomLost = "sbom-lost", Medium, "sbom.lost";
    /// A bill of materials is there, and proves less than before.
    SbomWorse = "sbom-worse", Medium, "sbom.weakened";
    /// A bill of materials proves more than before.
    SbomBetter = "sbom-better", Info, "sbom.verified";
    /// Somebody signs images of the repository who did not before.
    SignerChanged = "signer-changed", High, "signer.changed";
    /// Somebody who signed images of the repository signs none of those that run now.
    SignerGone = "signer-gone", Info, "signer.gone";
    /// Provenance of the repository names a builder that it did not name before.
    BuilderChanged = "builder-changed", High, "builder.changed";
    /// A builder built images of the repository, and none of those that run now.
    BuilderGone = "builder-gone", Info, "builder.gone";
    /// Provenance of the repository names a source repository that it did not name before.
    SourceChanged = "source-changed", High, "source.changed";
    /// A source repository was that of images of the repository, and of none that runs now.
    SourceGone = "source-gone", Info, "source.gone";
    /// A policy fails now.
    PolicyFailed = "policy-failed", High, "policy.failed";
    /// A policy says less than before, and does not fail: it warns, or an exception excuses it.
    PolicyWorse = "policy-worse", Low, "policy.weakened";
    /// A policy says more than before.
    PolicyBetter = "policy-better", Info, "policy.passed";
    /// There was an answer, and now there is none: nobody asked, or asking failed. Nothing is said
    /// to be lost; the reason says why.
    NotChecked = "not-checked", Medium, "check.missing";
    /// There is an answer where there was none.
    Checked = "checked", Info, "check.answered";
    /// What ran is not in the newer report, which did not cover it: whether it still runs is not
    /// known.
    NotCovered = "not-covered", Medium, "coverage.lost";
    /// What runs was not in the older report, which did not cover it.
    NewlyCovered = "newly-covered", Info, "coverage.gained";
    /// The newer report is not complete.
    ReportIncomplete = "report-incomplete", Medium, "scan.incomplete";
    /// The newer report is complete, and the older one was not.
    ReportComplete = "report-complete", Info, "scan.complete";
    /// A container runs another digest under the same reference.
    ImageMoved = "image-moved", Medium, "image.moved";
    /// A tag means something else now than what runs.
    TagMoved = "tag-moved", Medium, "drift.detected";
    /// A tag means what runs again.
    TagSettled = "tag-settled", Info, "drift.settled";
    /// The repository no longer has what runs.
    ManifestMissing = "manifest-missing", Medium, "manifest.missing";
    /// The repository has what runs again.
    ManifestBack = "manifest-back", Info, "manifest.back";
    /// A container uses another repository's image.
    ImageReplaced = "image-replaced", Low, "image.replaced";
    /// A container uses another tag or digest of the same repository.
    ImageChanged = "image-changed", Info, "image.changed";
    /// An image runs that ran nowhere before.
    ImageAppeared = "image-appeared", Info, "image.appeared";
    /// An image runs nowhere any more.
    ImageGone = "image-gone", Info, "image.gone";
    /// One more container uses an image that ran before.
    UseAppeared = "use-appeared", Info, "image.used";
    /// A container that used an image is gone, and others use it still.
    UseGone = "use-gone", Info, "image.unused";
    /// Something newer than an image is there, and was not before; or something newer still.
    UpdateAppeared = "update-appeared", Info, "update.available";
    /// Something newer than an image was there, and is not any more.
    UpdateGone = "update-gone", Info, "update.gone";
    /// Something newer than a release's chart is there, and was not before; or something newer still.
    ChartUpdateAppeared = "chart-update-appeared", Info, "update.available";
    /// Something newer than a release's chart was there, and is not any more.
    ChartUpdateGone = "chart-update-gone", Info, "update.gone";
    /// A release failed.
    ReleaseFailed = "release-failed", Medium, "release.failed";
    /// A release that had failed is in another state.
    ReleaseRecovered = "release-recovered", Info, "release.recovered";
    /// A release has an older version of its chart.
    ReleaseDowngraded = "release-downgraded", Low, "release.rolledback";
    /// A release has a newer version of its chart.
    ReleaseUpgraded = "release-upgraded", Info, "release.upgraded";
    /// A release has another chart, or a version of it that cannot be compared.
    ReleaseChanged = "release-changed", Low, "release.changed";
    /// A release that was not there.
    ReleaseAppeared = "release-appeared", Info, "release.deployed";
    /// A release that is not there any more.
    ReleaseGone = "release-gone", Info, "release.removed";
    /// Containers may do more than before: privileges, a user, or a namespace of the node's.
    PrivilegesRaised = "privileges-raised", High, "privileges.raised";
    /// Containers may do less than before.
    PrivilegesLowered = "privileges-lowered", Info, "privileges.lowered";
    /// What constrains a pod changed: its RuntimeClass, or the nodes that it may run on.
    ConstraintsChanged = "constraints-changed", Low, "constraints.changed";
    /// The nodes below what runs have another operating system, kernel, container runtime, kubelet
    /// or architecture.
    NodesChanged = "nodes-changed", Info, "nodes.changed";
}

impl FromStr for Code {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let code = Self::ALL.iter().copied().find(|code| code.as_str() == text);
        code.ok_or_else(|| WordError(text.to_owned()))
    }
}

/// What a gate looks for: changes of a code, or of a severity and above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// At least so grave.
    Severity(Severity),
    /// Of this code.
    Code(Code),
}

impl Wanted {
    /// Whether a change is one of those.
    #[must_use]
    pub fn fits(self, change: &super::Change) -> bool {
        match self {
            Self::Severity(least) => change.severity <= least,
            Self::Code(code) => change.code == code.as_str(),
        }
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Severity(severity) => severity.as_str(),
            Self::Code(code) => code.as_str(),
        }
    }
}

impl FromStr for Wanted {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let severity = Severity::ALL.into_iter().find(|severity| severity.as_str() == text);
        severity
            .map_or_else(|| text.parse().map(Self::Code), |severity| Ok(Self::Severity(severity)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_each_is_one() {
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            assert_eq!(code.as_str().parse(), Ok(Wanted::Code(*code)));
            let same = Code::ALL.iter().filter(|other| other.as_str() == code.as_str()).count();
            assert_eq!(same, 1, "{code:?}");
            assert!(code.meaning().ends_with('.') && code.event().contains('.'), "{code:?}");
        }
        assert_eq!("low".parse(), Ok(Wanted::Severity(Severity::Low)));
        assert!(
            "lowest".parse::<Wanted>().is_err_and(|error| error.to_string().contains("lowest"))
        );
    }
}
