//! The wire: every record of the stream between the tools, its JSON Schema, and the rule that
//! combines finds into a verdict.
//!
//! A stream is NDJSON: one flat JSON object a line, each with `type`, `v` (the version of that
//! record type), its subject and its facts, in camelCase. `docs/records.md` specifies it for
//! people who write a stage in another language.
//!
//! This crate does no I/O and knows no client: it parses and prints bytes and decides.
//!
//! | `type` | here | written by |
//! |---|---|---|
//! | `image` | [`Image`] | pc-discover |
//! | `runtime` | [`Runtime`] | pc-discover |
//! | `release` | [`Release`] | pc-helm |
//! | `digest` | [`DigestRecord`] | pc-digest |
//! | `repository` | [`RepositoryRecord`] | pc-updates |
//! | `update` | [`Update`] | pc-updates |
//! | `signature` `provenance` `sbom` `attestation` | [`Signature`], [`Provenance`], [`Sbom`], [`Attestation`] | pc-verify |
//! | `policy` | [`Policy`] | pc-verify |
//! | `packages` | [`Packages`] | pc-verify, on request |
//! | `materials` | [`Materials`] | pc-verify, on request |
//! | `failure` | [`Failure`] | every stage |
//! | `end` | [`End`] | every stage |

mod digest;
mod digest_record;
pub mod duration;
mod end;
mod evidence;
mod failure;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod image;
mod namespaces;
mod platform;
mod policy;
mod release;
pub mod schema;
pub mod text;
mod update;
mod verdict;
pub mod wire;

pub use digest::{Digest, DigestError};
pub use digest_record::{DigestRecord, Drift, How, PlatformManifest};
pub use end::{Bucket, End, Histogram, Shard, ShardError, Tally};
pub use evidence::{
    Attestation, AttestationFind, BuildValue, Certificate, Completeness, LogEntry, Materials,
    MaterialsEntry, On, Packages, PackagesEntry, Provenance, ProvenanceFind, Sbom, SbomFind,
    Signature, SignatureFind, Signer, StoreAnswer, StoreOutcome,
};
pub use failure::{Failure, FailureCode};
pub use image::{ContainerType, Image, Runtime, Workload};
pub use namespaces::{NamespaceGlob, NamespaceGlobError};
pub use platform::{Platform, PlatformError};
pub use policy::{NamespaceException, Policy, PolicyMode, PolicyResult};
pub use release::{DeployedRevision, Origin, Release};
pub use update::{
    ChartGuess, MAX_EVIDENCE, RULE_ANNOTATION, RepositoryRecord, RuleFrom, Update, UpdateKind,
    UpdateStatus, canonical_rule,
};
pub use verdict::{Combined, FindVerdict, Known, Verdict, combine};
pub use wire::Record;
