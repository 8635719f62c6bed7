//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};
use cluster::ClusterArgs;
use records::Platform;
use registry::RegistryArgs;
use stage::{CommonArgs, StreamArgs};

use crate::check::Check;
use crate::gate::Demand;
use crate::predicate::PredicateType;
use crate::provenance::{BuilderId, ExpectationError, Expectations, VersionedTag};
use crate::trust::TrustArgs;

const EXAMPLES: &str = "\
Examples:
  pc-discover | pc-digest | pc-verify | pc-assemble
  pc-verify ghcr.io/acme/web:1.4
  pc-verify --key cosign.pub --require signature=trusted registry.example.com/shop/web:2.5.0
  pc-verify --certificate-identity-regexp 'https://github\\.com/acme/.*' \\
      --certificate-oidc-issuer https://token.actions.githubusercontent.com \\
      --require signature=trusted,provenance=valid,slsa=2 ghcr.io/acme/web:1.4
  pc-verify --tuf-mirror https://tuf.acme.example --tuf-root root.json \\
      ghcr.io/acme/web:1.4
  pc-verify --key cosign.pub --type vuln --print attestation ghcr.io/acme/web:1.4
  pc-verify --trust-policy policies/ --checks signature --explain ghcr.io/acme/web:1.4";

/// Verify the evidence of what runs: signatures, SLSA provenance, bills of materials, attestations.
#[derive(Debug, Parser)]
#[command(about, after_help = EXAMPLES)]
pub struct Cli {
    /// Image references to verify instead of reading a stream
    #[arg(value_name = "IMAGE")]
    pub(crate) images: Vec<String>,
    /// Read no input: an empty stream, ended
    #[arg(short = 'n', long, conflicts_with = "images", env = "PROVENANCE_NO_INPUT", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) no_input: bool,
    /// For references given as arguments: these platforms instead of every one in the index
    #[arg(long, env = "PROVENANCE_PLATFORM", value_name = "OS/ARCH", value_delimiter = ',')]
    pub(crate) platform: Vec<Platform>,
    #[command(flatten)]
    pub(crate) wanted: CheckArgs,
    /// Exit with 3 when an image falls short of any: signature, provenance, sbom, attestation, or
    /// attestation:TYPE for the statements of one predicate type, each `=trusted`, `=valid` or
    /// `=present`; `slsa=1` to `slsa=3` for the build level (repeatable, or separated by commas)
    #[arg(long, env = "PROVENANCE_REQUIRE", value_name = "CHECK=VERDICT", value_delimiter = ',')]
    pub(crate) require: Vec<Demand>,
    /// The predicate types that `--print attestation`, `--save` and `--require attestation=…` are
    /// about: slsaprovenance (0.2), slsaprovenance02, slsaprovenance1, link, spdx, spdxjson,
    /// cyclonedx, vuln, openvex, custom, or a URI, compared to the letter [default: all]
    /// (repeatable, or separated by commas)
    #[arg(long = "type", env = "PROVENANCE_TYPE", value_name = "TYPE", value_delimiter = ',')]
    pub(crate) types: Vec<PredicateType>,
    #[command(flatten)]
    pub(crate) expected: ExpectArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) stream: StreamArgs,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// What is looked for.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Checks")]
pub(crate) struct CheckArgs {
    /// Which kinds of evidence are looked for; the others are skipped
    #[arg(long, env = "PROVENANCE_CHECKS", value_enum, value_delimiter = ',', default_values = ["signature", "provenance", "sbom", "attestation"])]
    checks: Vec<Check>,
    /// Look for signatures
    #[arg(long, env = "PROVENANCE_VERIFY_SIGNATURES", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "true", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    verify_signatures: bool,
    /// Look for SLSA provenance
    #[arg(long, env = "PROVENANCE_CHECK_PROVENANCE", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "true", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    check_provenance: bool,
    /// Look for bills of materials
    #[arg(long, env = "PROVENANCE_CHECK_SBOM", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "true", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    check_sbom: bool,
}

impl CheckArgs {
    /// The checks that are on, in the order of their records.
    pub(crate) fn on(&self) -> Vec<Check> {
        let is_on = |check: &Check| {
            self.checks.contains(check)
                && match check {
                    Check::Signature => self.verify_signatures,
                    Check::Provenance => self.check_provenance,
                    Check::Sbom => self.check_sbom,
                    Check::Attestation => true,
                }
        };
        Check::ALL.into_iter().filter(is_on).collect()
    }
}

/// What the provenance must say, with slsa-verifier's meaning: an image of which no valid
/// provenance says all of it falls short.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Expectations")]
pub(crate) struct ExpectArgs {
    /// The tag of the source that must have been built
    #[arg(long, value_name = "TAG", env = "PROVENANCE_SOURCE_TAG")]
    source_tag: Option<String>,
    /// The version that must have been built; `v1.2` takes every v1.2.x
    #[arg(
        long,
        value_name = "VERSION",
        env = "PROVENANCE_SOURCE_VERSIONED_TAG",
        conflicts_with = "source_tag"
    )]
    source_versioned_tag: Option<VersionedTag>,
    /// The branch of the source that must have been built
    #[arg(long, value_name = "BRANCH", env = "PROVENANCE_SOURCE_BRANCH")]
    source_branch: Option<String>,
    /// The builder that must have built it, with or without a version behind `@`
    #[arg(long, value_name = "ID", env = "PROVENANCE_BUILDER_ID")]
    builder_id: Option<BuilderId>,
}

impl Cli {
    /// What the provenance must say. `--source-uri` names sources that shared builders are trusted
    /// for; of images that are given as arguments, and beside any other expectation, it says as
    /// well from where they must be.
    pub(crate) fn expectations(&self) -> Result<Expectations, ExpectationError> {
        let ExpectArgs { source_tag, source_versioned_tag, source_branch, builder_id } =
            self.expected.clone();
        let mut expected = Expectations {
            source_uri: Vec::new(),
            source_tag,
            source_versioned_tag,
            source_branch,
            builder_id,
        };
        if !self.images.is_empty() || !expected.is_empty() {
            let written = self.trust.source_uri.iter().filter(|uri| !uri.trim().is_empty());
            expected.source_uri = written.map(|uri| uri.parse()).collect::<Result<_, _>>()?;
        }
        Ok(expected)
    }
}

/// What is written.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// How to write: records as JSON lines, or a table for people [default: the table for images
    /// given as arguments when standard output is a terminal]
    #[arg(long, env = "PROVENANCE_VERIFY_FORMAT", value_enum)]
    pub(crate) format: Option<Format>,
    /// In the table: every store and every find, with the reason
    #[arg(long, env = "PROVENANCE_EXPLAIN", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) explain: bool,
    /// Print this instead of records
    #[arg(
        long,
        value_name = "WHAT",
        env = "PROVENANCE_VERIFY_PRINT",
        value_enum,
        conflicts_with = "format"
    )]
    pub(crate) print: Option<Print>,
    /// Keep what was found in this folder, with the trusted roots, so that cosign can check it
    /// again without a network
    #[arg(long, value_name = "DIR", env = "PROVENANCE_SAVE")]
    pub(crate) save: Option<PathBuf>,
    /// Add the packages that bills of materials list, as `packages` records in numbered parts
    #[arg(long, env = "PROVENANCE_PACKAGES", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) packages: bool,
    /// Add the materials that provenance lists, as `materials` records in numbered parts
    #[arg(long, env = "PROVENANCE_MATERIALS", value_parser = stage::cli::boolean(), num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
    pub(crate) materials: bool,
}

/// What is printed instead of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Print {
    /// The payloads of valid and trusted evidence, one JSON document a line.
    Attestation,
}

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Records, one a line.
    Json,
    /// For people.
    Table,
}
