//! Shapes of provenance as builders write them, and what is made of them.

mod expected;
mod levels;
mod shapes;

use super::*;
use crate::judged::{CertifiedIdentity, SignedBy};
use crate::statement::Statement;

const COMMIT: &str = "904e2c3e02725e314cf6cf141c4700081298dcbd";
const OTHER: &str = "6cf671f47f3752f97b9f5bff511e37b938fe10d2";
const GITHUB: &str = "https://token.actions.githubusercontent.com";
const GENERATOR: &str = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/tags/v2.0.0";

/// A statement of provenance; `@SHA@` and `@OTHER@` stand for commits.
fn statement(version: &str, predicate: &str) -> Statement {
    let predicate = predicate.replace("@SHA@", COMMIT).replace("@OTHER@", OTHER);
    let json = format!(
        r#"{{"_type": "https://in-toto.io/Statement/v1", "subject": [],
            "predicateType": "https://slsa.dev/provenance/{version}", "predicate": {predicate}}}"#
    );
    Statement::parse(json.as_bytes()).expect("a statement")
}

fn read(version: &str, predicate: &str) -> Build {
    Build::read(&statement(version, predicate)).expect("provenance")
}

/// Repository, commit and ref, `-` for what is not known.
fn source(build: &Build) -> [&str; 3] {
    let source = &build.source;
    [&source.repository, &source.commit, &source.git_ref].map(|part| part.as_deref().unwrap_or("-"))
}

/// The flags of reading alone.
fn odd(build: &Build) -> Vec<&'static str> {
    flags(build, Signing::default()).iter().map(Flag::as_str).collect()
}

fn signed(change: impl FnOnce(&mut CertifiedIdentity)) -> SignedBy {
    let mut certificate = CertifiedIdentity {
        identity: Some(GENERATOR.to_owned()),
        issuer: Some(GITHUB.to_owned()),
        root: "public-good".to_owned(),
        build_signer_uri: Some(GENERATOR.to_owned()),
        runner_environment: Some("github-hosted".to_owned()),
        source_repository: Some("https://github.com/o/r".to_owned()),
        source_commit: Some(COMMIT.to_owned()),
        source_ref: Some("refs/heads/main".to_owned()),
        ..CertifiedIdentity::default()
    };
    change(&mut certificate);
    SignedBy::Certificate(certificate)
}
