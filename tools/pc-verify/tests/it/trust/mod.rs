//! Whom a configuration trusts: settings, policies, exceptions, as an operator writes them.

mod decisions;
mod documents;
mod examples;
mod exceptions;
mod fetched;
mod outcomes;
mod roots;
mod settings;
mod vectors;

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use pc_verify::judged::{CertifiedIdentity, Content, Judged, KeyId, Reason, SignedBy, TimeFrom};
use pc_verify::statement::Statement;
use pc_verify::trust::{
    Check, Checked, Fetched, Find, ImageName, IsShared, PolicyOutcome, Trust, TrustArgs,
};
use records::{FindVerdict, Known, LogEntry};
use serde_json::value::RawValue;

/// An ECDSA P-256 key.
const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwJvZY7KVptfjrH3S0Gwn7258i7aO
B1KQbMJIJtJcfp8acGG0x5VDko7g8nTc0DlhVqeSizbuDel4qCQPt1hOSA==
-----END PUBLIC KEY-----
";

/// Another one.
const OTHER_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEw/AoknBVSnJCGjv/VtiXRMkjgt3P
DL7F9TqxLq3iih+ddZlOsrDQ+NNYntvALLJebf50femTiIdSlK8i5mPmSw==
-----END PUBLIC KEY-----
";

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const RELEASE: &str = "https://github.com/acme/web/.github/workflows/release.yml@refs/tags/v1";
const GENERATOR: &str = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/tags/v2.1.0";
const REKOR: &str = "https://rekor.sigstore.dev";
const IMAGE: &str = "ghcr.io/acme/web:1";

/// The day on which these tests run.
const NOW: &str = "2027-01-15T12:00:00Z";

/// Everything is known.
const ALL: Known = Known { whole: true, present: Some(true), index: true, platform: true };

/// A folder of files.
struct Folder(tempfile::TempDir);

impl Folder {
    fn of(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            std::fs::write(folder.path(name), text).expect("written");
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Builders that any project can use, as the table of builders would say.
fn shared() -> IsShared {
    Box::new(|certified| {
        let identity = certified.identity.as_deref().unwrap_or_default();
        identity.starts_with("https://github.com/slsa-framework/slsa-github-generator/")
    })
}

/// An error with its causes.
fn words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(&format!(": {error}"));
        cause = error.source();
    }
    words
}

/// The trust of these flags, with nothing to fetch; else the error with its causes.
fn load(args: &TrustArgs) -> Result<Trust, String> {
    let sources = args.sources(None).map_err(|error| words(&error))?;
    assert_eq!(sources.wanted(), [], "nothing is fetched in this test");
    let now = NOW.parse().expect("a time");
    Trust::new(sources, &Fetched::default(), now, shared()).map_err(|error| words(&error))
}

/// The trust of one file of policies.
fn policies(text: &str) -> Result<Trust, String> {
    let folder = Folder::of(&[("policy.yaml", text)]);
    let args = TrustArgs { trust_policy: Some(folder.path("policy.yaml")), ..TrustArgs::default() };
    load(&args).map_err(|error| error.replace(&folder.path("").to_string_lossy().into_owned(), ""))
}

/// A policy named `acme` on the images of acme, with these authorities (indented by two).
fn policy(authorities: &str) -> String {
    format!(
        "apiVersion: policy.sigstore.dev/v1beta1\nkind: ClusterImagePolicy\nmetadata:\n  name: acme\nspec:\n  images:\n  - glob: ghcr.io/acme/**\n  authorities:\n{authorities}"
    )
}

/// An authority with a key.
fn key_authority(key: &str) -> String {
    let data: String = key.lines().map(|line| format!("        {line}\n")).collect();
    format!("  - key:\n      data: |\n{data}")
}

/// An authority with the identity of acme's releases.
fn keyless_authority() -> String {
    format!(
        "  - name: releases\n    keyless:\n      identities:\n      - issuer: {ISSUER}\n        subjectRegExp: https://github\\.com/acme/.*\n"
    )
}

fn image(written: &str) -> ImageName {
    ImageName::new(written, [])
}

/// A find that says nothing yet.
fn find(verdict: FindVerdict, reason: Option<Reason>, content: Content) -> Judged {
    Judged {
        format: "bundle/0.3".into(),
        id: "sha256:0".into(),
        verdict,
        reason,
        detail: None,
        names: Vec::new(),
        signer: None,
        signed_by: None,
        log: None,
        time: None,
        time_from: None,
        stamped: false,
        content,
    }
}

fn signature() -> Content {
    Content::Signature { annotations: None }
}

fn statement(predicate_type: &str) -> Content {
    Content::Statement(Arc::new(Statement {
        statement_type: "https://in-toto.io/Statement/v1".into(),
        subjects: Vec::new(),
        predicate_type: predicate_type.into(),
        predicate: RawValue::from_string("null".into()).expect("JSON"),
    }))
}

fn logged(url: &str) -> LogEntry {
    LogEntry {
        kind: "rekor/1".into(),
        url: Some(url.into()),
        index: Some(1),
        promise: true,
        proof: true,
    }
}

/// A valid find in the public-good log.
fn signed(by: SignedBy, content: Content) -> Judged {
    Judged {
        signed_by: Some(by),
        log: Some(logged(REKOR)),
        time: NOW.parse().ok(),
        time_from: Some(TimeFrom::Log),
        ..find(FindVerdict::Valid, None, content)
    }
}

/// Somebody whom the public-good instance certified.
fn certified(identity: &str) -> CertifiedIdentity {
    CertifiedIdentity {
        identity: Some(identity.into()),
        issuer: Some(ISSUER.into()),
        root: "public-good".into(),
        ..CertifiedIdentity::default()
    }
}

fn by(identity: &str) -> SignedBy {
    SignedBy::Certificate(certified(identity))
}

/// The id of a key, as the configuration itself has it.
fn id(key: &str) -> KeyId {
    let trust = load(&TrustArgs { key: vec![key.to_owned()], ..TrustArgs::default() });
    trust.expect("a key").keys()[0].id.clone()
}

fn check<'a>(known: Option<Known>, finds: &'a [Judged]) -> Check<'a> {
    let finds = finds.iter().map(|judged| Find { judged, source_repository: None }).collect();
    Check { known, finds }
}

/// What a whole asking found, by check; nothing else.
fn found<'a>(signatures: &'a [Judged], statements: &'a [Judged]) -> Checked<'a> {
    Checked {
        signature: check(Some(ALL), signatures),
        provenance: check(Some(ALL), &[]),
        sbom: check(Some(ALL), &[]),
        attestation: check(Some(ALL), statements),
    }
}

/// What the only policy says of acme's image.
fn outcome(trust: &Trust, checked: &Checked<'_>) -> PolicyOutcome {
    let mut outcomes = trust.policies(&image(IMAGE), checked);
    assert_eq!(outcomes.len(), 1, "one policy is about this image");
    outcomes.remove(0)
}
