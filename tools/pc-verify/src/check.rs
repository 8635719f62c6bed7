//! The checks: which kinds of evidence are looked for.

use std::fmt;

use clap::ValueEnum;

/// A kind of evidence, and the record that answers for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Check {
    /// Signatures.
    Signature,
    /// SLSA provenance.
    Provenance,
    /// Bills of materials.
    Sbom,
    /// Statements of any other predicate type.
    Attestation,
}

impl Check {
    /// All of them, in the order of their records.
    pub const ALL: [Self; 4] = [Self::Signature, Self::Provenance, Self::Sbom, Self::Attestation];

    /// The type of the record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Provenance => "provenance",
            Self::Sbom => "sbom",
            Self::Attestation => "attestation",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
