//! Who says so, and is it proven: `signature`, `provenance`, `sbom`, `attestation`, `packages`,
//! `materials`.
//!
//! Subject of all: repository, index, manifest. One manifest below two indexes has two answers,
//! so evidence hangs on the three together.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Digest, FindVerdict, Record, Verdict};

/// What a store was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum On {
    /// The index that lists the manifest.
    Index,
    /// The platform manifest.
    Manifest,
}

/// How a store answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StoreOutcome {
    /// It was asked to the end and has something.
    Found,
    /// It was asked to the end and has nothing.
    None,
    /// The registry has no such store.
    NoApi,
    /// It could not be asked to the end; a `failure` says why.
    Failed,
}

/// One store's answer: `referrers`, `fallbackTag`, `sigTag`, `attTag`, `sbomTag`, `inIndex`, or
/// one of these in a signature repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoreAnswer {
    /// The store's name.
    pub store: String,
    /// What it was asked about.
    pub on: On,
    /// How it answered.
    pub outcome: StoreOutcome,
}

/// What a Fulcio certificate says beside identity and issuer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// The source repository that the certificate names.
    #[serde(default)]
    pub source_repository: Option<String>,
    /// The ref in it.
    #[serde(default)]
    pub source_ref: Option<String>,
    /// The commit.
    #[serde(default)]
    pub source_commit: Option<String>,
    /// `github-hosted` or `self-hosted`.
    #[serde(default)]
    pub runner: Option<String>,
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Signer {
    /// `certificate` or `key`.
    pub kind: String,
    /// The identity in the certificate's subject alternative name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The OIDC issuer that vouched for the identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// More that the certificate says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Certificate>,
    /// The SHA-256 of the public key (SubjectPublicKeyInfo, DER).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The name of the configured key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The entry in a transparency log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// `rekor/1` or `rekor/2`.
    pub kind: String,
    /// The log.
    pub url: Option<String>,
    /// The entry's index in it.
    pub index: Option<u64>,
    /// Whether a signed promise of inclusion was checked.
    pub promise: bool,
    /// Whether a proof of inclusion was checked.
    pub proof: bool,
}

/// Something that a builder recorded under a name: a parameter, or a fact of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BuildValue {
    /// The name; empty where the statement has one value instead of an object of them.
    pub name: String,
    /// A text as it is, anything else as JSON.
    pub value: String,
}

/// What a builder says to have listed in full; null where it does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Completeness {
    /// The parameters.
    pub parameters: Option<bool>,
    /// The environment.
    pub environment: Option<bool>,
    /// The materials.
    pub materials: Option<bool>,
}

/// A kind of find: what all finds say, and what this kind adds.
macro_rules! find {
    ($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// What makes two finds the same: a digest over store-independent bytes.
            pub id: String,
            /// The store that had it.
            pub store: String,
            /// The digest that it was found on.
            pub on: Digest,
            /// Whether it counts for the manifest through an index whose bytes list it.
            pub inherited: bool,
            /// The format with its version, `bundle/0.3`, `cosign/simple` or `spdx/2.3+json` for example.
            pub format: String,
            /// The judgement of this find alone.
            pub verdict: FindVerdict,
            /// Why, in a stable word.
            pub reason: Option<String>,
            /// The same for people, in one line.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub detail: Option<String>,
            /// Who signed, as far as that is proven.
            pub signer: Option<Signer>,
            /// The log entry that was checked.
            pub log: Option<LogEntry>,
            /// The proven time of signing, RFC 3339.
            pub time: Option<String>,
            /// Who proves that time: `log` or `authority`.
            pub time_from: Option<String>,
            /// The setting or policy that trusts the signer.
            pub trusted_by: Option<String>,
            $($(#[$fmeta])* pub $field: $type,)*
        }
    };
}

find! {
    /// One signature.
    SignatureFind {}
}

find! {
    /// One SLSA provenance statement.
    ProvenanceFind {
        /// The predicate type.
        predicate_type: Option<String>,
        /// The build type.
        #[serde(default)] build_type: Option<String>,
        /// The builder that the statement names.
        #[serde(default)] builder_id: Option<String>,
        /// Whether the signer proves that builder.
        #[serde(default)] builder_proven: bool,
        /// The source repository.
        #[serde(default)] source_repository: Option<String>,
        /// The commit.
        #[serde(default)] commit: Option<String>,
        /// The ref.
        #[serde(default, rename = "ref")] git_ref: Option<String>,
        /// The entry point of the build, a workflow file for example.
        #[serde(default)] entry_point: Option<String>,
        /// The run of the build.
        #[serde(default)] invocation: Option<String>,
        /// RFC 3339.
        #[serde(default)] started_on: Option<String>,
        /// RFC 3339.
        #[serde(default)] finished_on: Option<String>,
        /// What the builder ran on: `github-hosted` for example.
        #[serde(default, skip_serializing_if = "Option::is_none")] runner: Option<String>,
        /// What triggered the build.
        #[serde(default, skip_serializing_if = "Option::is_none")] trigger: Option<String>,
        /// Who did.
        #[serde(default, skip_serializing_if = "Option::is_none")] initiator: Option<String>,
        /// What the one who started the build could set. Not there where the statement does not say.
        #[serde(default, skip_serializing_if = "Option::is_none")] parameters: Option<Vec<BuildValue>>,
        /// What it says of where and why it ran. Not there where the statement does not say.
        #[serde(default, skip_serializing_if = "Option::is_none")] environment: Option<Vec<BuildValue>>,
        /// How many parameters and facts of the environment were left out or cut.
        #[serde(default, skip_serializing_if = "is_zero")] dropped: u64,
        /// What the builder says to have listed in full.
        #[serde(default, skip_serializing_if = "Option::is_none")] completeness: Option<Completeness>,
        /// Whether the builder says that another run gives the same bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")] reproducible: Option<bool>,
        /// How many materials or resolved dependencies it names.
        #[serde(default)] materials: Option<u64>,
        /// How many of those have no digest, so that they may have been anything.
        #[serde(default, skip_serializing_if = "Option::is_none")] materials_without_digest: Option<u64>,
        /// What is odd about the build, in stable words with what they are about behind a colon.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] flags: Vec<String>,
        /// What of the expectations it does not meet, one line each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")] unmet: Vec<String>,
        /// The SLSA build level that this find earns.
        #[serde(default)] level: Option<u8>,
        /// The rule that gives that level.
        #[serde(default)] level_rule: Option<String>,
    }
}

find! {
    /// One software bill of materials.
    SbomFind {
        /// The predicate type.
        predicate_type: Option<String>,
        /// The tool that made it.
        #[serde(default)] tool: Option<String>,
        /// How many packages it lists.
        #[serde(default)] packages: Option<u64>,
        /// Its size in bytes.
        #[serde(default)] bytes: Option<u64>,
    }
}

find! {
    /// One attestation of another predicate type.
    AttestationFind {
        /// The predicate type.
        predicate_type: Option<String>,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A check's answer, which finds of one kind support.
macro_rules! check {
    ($(#[$meta:meta])* $name:ident, $kind:literal, $find:ident { $($(#[$fmeta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// The repository, normalized.
            pub repository: String,
            /// The index known to list the manifest.
            pub index: Option<Digest>,
            /// The platform manifest that runs.
            pub manifest: Option<Digest>,
            /// The platform.
            pub platform: Option<String>,
            /// The answer.
            pub verdict: Verdict,
            /// The best of what was seen, where the answer is `unknown`.
            pub seen: Verdict,
            /// Whether every store was asked to the end and nothing was left out.
            pub whole: bool,
            $($(#[$fmeta])* pub $field: $type,)*
            /// Each store's answer.
            pub stores: Vec<StoreAnswer>,
            /// What was found.
            pub finds: Vec<$find>,
            /// How many finds were left out.
            pub dropped: u64,
        }

        impl Record for $name {
            const TYPE: &'static str = $kind;
            const VERSION: u32 = 1;
        }
    };
}

check! {
    /// `signature`: the signatures of what runs.
    Signature, "signature", SignatureFind {}
}
check! {
    /// `provenance`: the SLSA provenance of what runs.
    Provenance, "provenance", ProvenanceFind {
        /// The best SLSA build level that the finds earn.
        level: Option<u8>,
    }
}
check! {
    /// `sbom`: the bills of materials of what runs.
    Sbom, "sbom", SbomFind {}
}
check! {
    /// `attestation`: statements of any other predicate type about what runs.
    Attestation, "attestation", AttestationFind {}
}

/// A package that a bill of materials lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackagesEntry {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Its package URL.
    pub purl: Option<String>,
    /// Its licence, as the document writes it: an SPDX expression in most.
    #[serde(default)]
    pub license: Option<String>,
}

/// `packages`: what the bill of materials lists; on request only, never part of the report.
///
/// Subject: repository, index, manifest, part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Packages {
    /// The repository, normalized.
    pub repository: String,
    /// The index known to list the manifest.
    pub index: Option<Digest>,
    /// The platform manifest that runs.
    pub manifest: Option<Digest>,
    /// Which part of the list, from 1.
    pub part: u64,
    /// The find that lists them.
    pub find: String,
    /// Whether this is the last part.
    pub last: bool,
    /// The packages of this part.
    pub packages: Vec<PackagesEntry>,
}

impl Record for Packages {
    const TYPE: &'static str = "packages";
    const VERSION: u32 = 1;
}

/// A material, or resolved dependency, that provenance lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MaterialsEntry {
    /// Its name in the statement.
    #[serde(default)]
    pub name: Option<String>,
    /// Where it is from.
    pub uri: Option<String>,
    /// Its digests by algorithm, as they are written. None at all: it may have been anything.
    pub digests: BTreeMap<String, String>,
}

/// `materials`: what went into the build, as provenance lists it; on request only, never part of
/// the report.
///
/// Subject: repository, index, manifest, part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Materials {
    /// The repository, normalized.
    pub repository: String,
    /// The index known to list the manifest.
    pub index: Option<Digest>,
    /// The platform manifest that runs.
    pub manifest: Option<Digest>,
    /// Which part of the list, from 1.
    pub part: u64,
    /// The find that lists them.
    pub find: String,
    /// Whether this is the last part.
    pub last: bool,
    /// The materials of this part.
    pub materials: Vec<MaterialsEntry>,
}

impl Record for Materials {
    const TYPE: &'static str = "materials";
    const VERSION: u32 = 1;
}
