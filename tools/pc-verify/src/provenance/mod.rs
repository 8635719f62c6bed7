//! SLSA provenance: what a statement says of a build, and which level that earns.
//!
//! Versions 0.1, 0.2 and 1 of the predicate are read into one [`Build`]. What a statement says is a
//! claim of its signer; [`Table::level`] says how far that claim is to be believed, [`flags`] what
//! is odd about it, and [`Expectations::check`] whether it is what somebody asked for.

mod environment;
mod expect;
mod flags;
pub mod git;
mod level;
mod materials;
mod object;
mod read;
mod source;
#[cfg(test)]
mod tests;
mod values;

use jiff::Timestamp;
use serde_json::value::RawValue;

pub use expect::{
    BuilderId, ExpectationError, Expectations, Found, SourceUri, Unmet, VersionedTag,
};
pub use flags::{Flag, Part, Signing, flags};
pub use level::{
    BuildLevel, Earned, Pattern, Proof, Rule, Table, TableError, UNKNOWN_BUILDER, UNSIGNED,
};
pub use materials::{Material, MaterialCount, Materials, materials};
pub use values::Values;

use crate::statement::json::{Clash, MAX_ENTRIES};

/// A version of the provenance predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slsa {
    /// `https://slsa.dev/provenance/v0.1`, and in-toto's `Provenance/v0.1` before it.
    V0_1,
    /// `https://slsa.dev/provenance/v0.2`.
    V0_2,
    /// `https://slsa.dev/provenance/v1`, with all its minor versions.
    V1,
}

/// A build, as a statement tells it.
///
/// Strings are as they are written, however long: who puts them into records cuts them.
#[derive(Debug, Clone)]
pub struct Build {
    /// The version of the predicate.
    pub version: Slsa,
    /// The builder that the statement names.
    pub builder_id: Option<String>,
    /// The versions of the builder's parts, by name (version 1).
    pub builder_versions: Vec<(String, String)>,
    /// The build type.
    pub build_type: Option<String>,
    /// What was built.
    pub source: Source,
    /// The file, target or job that says how to build: a workflow file or a Dockerfile.
    pub entry_point: Option<String>,
    /// What the one who started the build could set, JSON.
    pub parameters: Option<Box<RawValue>>,
    /// Where and why it ran.
    pub environment: Environment,
    /// The run.
    pub invocation: Option<String>,
    /// When it began.
    pub started_on: Option<Timestamp>,
    /// When it ended.
    pub finished_on: Option<Timestamp>,
    /// What the builder says to have listed in full.
    pub completeness: Completeness,
    /// Whether the builder says that another run gives the same bytes.
    pub reproducible: Option<bool>,
    /// How many materials (version 1: resolved dependencies) it lists; [`materials`] has them all.
    pub materials: MaterialCount,
    /// What was odd in reading it; [`flags`] gives these and more.
    pub(crate) doubts: Vec<Flag>,
}

/// What was built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The repository, as [`git::repository`] writes it. None where the statement names none, or
    /// several without saying which.
    pub repository: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// The ref.
    pub git_ref: Option<String>,
    /// The branch that a build of a tag came from, where the builder recorded it.
    pub branch_of_tag: Option<String>,
    /// Where in the statement the repository is named.
    pub place: Option<String>,
    /// How it knows.
    pub told: Told,
}

/// How a statement knows its source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Told {
    /// The builder recorded it.
    #[default]
    Recorded,
    /// Whoever started the build passed it on, and the builder did not look (BuildKit's `vcs`).
    Hinted,
}

/// Where and why a build ran.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The kind of runner: `github-hosted`, or GitLab's executor.
    pub runner: Option<String>,
    /// What triggered it: `push`, or a trigger's name.
    pub trigger: Option<String>,
    /// Who.
    pub initiator: Option<String>,
    /// All that the statement says of it, JSON.
    pub all: Option<Box<RawValue>>,
}

/// What a builder says to have listed in full. None where it does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Completeness {
    /// The parameters (version 0.1: arguments).
    pub parameters: Option<bool>,
    /// The environment.
    pub environment: Option<bool>,
    /// The materials.
    pub materials: Option<bool>,
}

/// Why a statement's predicate is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProvenanceError {
    /// A predicate type that is no provenance, or a version that is not known.
    #[error("no provenance that is read here: predicate type `{}`", records::text::shown(.0))]
    Version(String),
    /// A field that is not what the specification says.
    #[error("malformed provenance: `{field}` must be {wanted}")]
    Field {
        /// The field, with its path in the predicate.
        field: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// One reader would see something else than another.
    #[error("ambiguous provenance: `{}` is there twice", records::text::shown(.0))]
    Twice(String),
    /// The same: some readers do not mind case.
    #[error("ambiguous provenance: `{}` is no field, but some readers take it for one", records::text::shown(.0))]
    Spelling(String),
    /// More digests of one thing, or versions of a builder, than anybody needs.
    #[error("malformed provenance: an object with more than {} entries", MAX_ENTRIES)]
    TooMany,
}

impl From<Clash> for ProvenanceError {
    fn from(clash: Clash) -> Self {
        match clash {
            Clash::Twice(name) => Self::Twice(name),
            Clash::Spelling(name) => Self::Spelling(name),
            Clash::TooMany => Self::TooMany,
        }
    }
}

impl Slsa {
    /// The version that a predicate type names.
    #[must_use]
    pub fn of(predicate_type: &str) -> Option<Self> {
        let lower = predicate_type.to_ascii_lowercase();
        let path = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
        match path.unwrap_or(&lower).trim_end_matches('/') {
            "slsa.dev/provenance/v0.1" | "in-toto.io/provenance/v0.1" => Some(Self::V0_1),
            "slsa.dev/provenance/v0.2" => Some(Self::V0_2),
            "slsa.dev/provenance/v1" => Some(Self::V1),
            other => {
                let minor = other.strip_prefix("slsa.dev/provenance/v1.")?;
                let is_number = !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit());
                is_number.then_some(Self::V1)
            }
        }
    }

    /// `0.1`, `0.2` or `1`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V0_1 => "0.1",
            Self::V0_2 => "0.2",
            Self::V1 => "1",
        }
    }
}
