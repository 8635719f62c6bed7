use testkit::fuzz::{Target, attack};

use super::evidence::{Genuine, Piece};

const HERE: &str = env!("CARGO_MANIFEST_DIR");

const BUNDLE_WORDS: &[&str] = &[
    "application/vnd.dev.sigstore.bundle.v0.3+json",
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "verificationMaterial",
    "x509CertificateChain",
    "publicKey",
    "certificate",
    "tlogEntries",
    "inclusionProof",
    "inclusionPromise",
    "messageSignature",
    "dsseEnvelope",
    "hashedrekord",
    "0.0.2",
];

/// What the seeds are for: as many as were signed are valid.
#[test]
fn what_was_signed_is_valid() {
    let genuine = Genuine::get();
    assert!(genuine.count() >= 30, "{} of {}", genuine.count(), genuine.pieces.len());
}

#[test]
fn bundles_under_attack() {
    let bundles = Genuine::get().pieces.iter().filter_map(|piece| match piece {
        Piece::Bundle(bytes) => Some(bytes.to_vec()),
        Piece::Layer(_) => None,
    });
    attack(Target::new(HERE, "bundle", super::bundle, BUNDLE_WORDS).share(40), bundles.collect());
}

#[test]
fn layers_under_attack() {
    let words = &[
        "dev.cosignproject.cosign/signature",
        "dev.sigstore.cosign/certificate",
        "dev.sigstore.cosign/chain",
        "dev.sigstore.cosign/bundle",
        "dev.sigstore.cosign/rfc3161timestamp",
        "-----BEGIN CERTIFICATE-----\n",
    ];
    let layers = Genuine::get().pieces.iter().filter_map(|piece| match piece {
        Piece::Layer(layer) => serde_json::to_vec(layer).ok(),
        Piece::Bundle(_) => None,
    });
    attack(Target::new(HERE, "layer", super::layer, words).share(40), layers.collect());
}

#[test]
fn unsigned_evidence_under_attack() {
    let words = &["_type", "subject", "predicate", "payload", "protected", "signature"];
    attack(Target::new(HERE, "unsigned", super::unsigned, words), Vec::new());
}

#[test]
fn statements_under_attack() {
    let words = &[
        "https://slsa.dev/provenance/v1",
        "https://slsa.dev/provenance/v0.2",
        "https://spdx.dev/Document/v2.3",
        "https://cyclonedx.org/bom",
        "_type",
        "predicateType",
        "digest",
        "sha256",
        "builder",
        "buildDefinition",
        "runDetails",
        "resolvedDependencies",
        "Data",
    ];
    attack(Target::new(HERE, "statement", super::statement, words), Vec::new());
}

#[test]
fn sources_under_attack() {
    let words =
        &["git+", "https://github.com/", "@refs/tags/", "ssh://git@", ".git", "?", "#", "%2e"];
    attack(Target::new(HERE, "source", super::source, words).share(300), Vec::new());
}

#[test]
fn bills_under_attack() {
    let words = &[
        "spdxVersion",
        "SPDX-2.3",
        "bomFormat",
        "CycloneDX",
        "specVersion",
        "@context",
        "@graph",
        "packages",
        "components",
        "PackageName: ",
        "SPDXVersion: SPDX-2.2\n",
        "<text>",
        "</text>",
    ];
    attack(Target::new(HERE, "bill", super::bill, words), Vec::new());
}

#[test]
fn tables_of_builders_under_attack() {
    let words = &["rules:", "- ", "level: 3", "builderId:", "signer:", "regexp:", "(a+)+$"];
    attack(Target::new(HERE, "builders", super::builders, words), Vec::new());
}

#[test]
fn policies_under_attack() {
    let words = &[
        "kind: ClusterImagePolicy",
        "kind: TrustRoot",
        "spec:",
        "authorities:",
        "keyless:",
        "identities:",
        "subjectRegExp:",
        "glob: '**'",
        "cue: ",
    ];
    attack(Target::new(HERE, "policies", super::policies, words), Vec::new());
}

#[test]
fn exceptions_under_attack() {
    let words = &["exceptions:", "- ", "image:", "until: 2027-01-01", "policy:", "check: sbom"];
    attack(Target::new(HERE, "exceptions", super::exceptions, words), Vec::new());
}

#[test]
fn keys_under_attack() {
    let words =
        &["-----BEGIN PUBLIC KEY-----\n", "-----END PUBLIC KEY-----\n", "-----BEGIN RSA", "MII"];
    attack(Target::new(HERE, "keys", super::keys, words), Vec::new());
}
