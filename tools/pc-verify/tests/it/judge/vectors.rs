//! Every vector of the shared folder, with the verdict that its origin gives it.
//!
//! What an origin calls a rejection is `invalid` here where something contradicts it, and
//! `present` where there is nothing to check it against.

use std::path::{Path, PathBuf};

use pc_verify::judge::{Judge, Key, Root};
use pc_verify::judged::{Content, Judged, SignedBy, TimeFrom};
use records::Digest;
use sha2::{Digest as _, Sha512};

use super::{bundle, bytes, sha256, shared, text, word};

/// The signer of the conformance suite, where a case names none.
const BEACON: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const GITHUB: &str = "https://token.actions.githubusercontent.com";

pub(crate) fn root(path: &Path) -> Root {
    Root::from_json("given", &text(path)).expect("a root")
}

pub(crate) fn key(path: &Path) -> Key {
    Key::from_pem("key", &text(path)).expect("a key")
}

pub(crate) fn public_good() -> Root {
    Root::public_good().expect("the engine's own root")
}

fn sha512(bytes: &[u8]) -> Digest {
    format!("sha512:{}", hex::encode(Sha512::digest(bytes))).parse().expect("a digest")
}

/// What each rejected case of the conformance suite is judged; every other case is valid.
const CONFORMANCE: &[(&str, &str)] = &[
    ("bundle-empty-certificate-chain_fail", "invalid/malformed"),
    ("bundle-invalid-base64-signature_fail", "invalid/malformed"),
    ("bundle-negative-log-index_fail", "invalid/malformed"),
    ("bundle-with-root-cert_fail", "invalid/malformed"),
    ("checkpoint-bad-keyhint_fail", "invalid/log"),
    ("dsse-invalid-sig_fail", "invalid/signature"),
    ("dsse-mismatch-sig_fail", "invalid/log"),
    ("inclusion-proof-corrupted-hash_fail", "invalid/log"),
    ("integrated-time-in-future_fail", "invalid/certificate"),
    ("intoto-log-entry-mismatch_fail", "invalid/malformed"),
    ("intoto-set-outside-signing-cert-validity_fail", "invalid/certificate"),
    // The root knows the authority, and not the log that the certificate was promised to.
    ("invalid-ct-key_fail", "present/no-root"),
    ("managed-key-no-key_fail", "present/no-key"),
    ("message-digest-mismatch_fail", "invalid/subject"),
    ("rekor2-checkpoint-missing-log-signature_fail", "invalid/malformed"),
    ("rekor2-checkpoint-missing-root-hash_fail", "invalid/malformed"),
    ("rekor2-dsse-invalid-sig_fail", "invalid/signature"),
    ("rekor2-dsse-mismatch-sig_fail", "invalid/log"),
    ("rekor2-no-inclusion-proof_fail", "invalid/malformed"),
    ("rekor2-timestamp-outside-trust-root-tsa-validity_fail", "invalid/timestamp"),
    ("rekor2-timestamp-payload-mismatch_fail", "invalid/timestamp"),
    ("rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail", "present/no-root"),
    ("signature-mismatch_fail", "invalid/signature"),
    ("wrong-hashedrekord-artifact_fail", "invalid/log"),
    ("wrong-hashedrekord-entry_fail", "invalid/log"),
];

#[test]
fn the_conformance_suite() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("conformance");
    let mut wrong = Vec::new();
    let mut cases = 0;
    for case in std::fs::read_dir(&folder).expect("a folder") {
        let case = case.expect("an entry").path();
        if case.is_dir() {
            cases += 1;
            wrong.extend(conformance_case(&folder, &case));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases > CONFORMANCE.len(), "only {cases} cases are there");
}

fn conformance_case(folder: &Path, case: &Path) -> Option<String> {
    let name = case.file_name().expect("a name").to_string_lossy().into_owned();
    let own = |file: &str| Some(case.join(file)).filter(|path| path.exists());
    let artifact = own("artifact").unwrap_or_else(|| folder.join("a.txt"));
    let root = own("trusted_root.json").map_or_else(public_good, |path| root(&path));
    let keys: Vec<Key> = own("key.pub").iter().map(|path| key(path)).collect();
    let digest = sha256(&bytes(&artifact));
    let judged = Judge::new(vec![root], keys).judge(
        &bundle(&case.join("bundle.sigstore.json")),
        &digest,
        &[],
    );
    let expected = CONFORMANCE.iter().find(|(case, _)| *case == name).map_or("valid", |(_, w)| w);
    assert_eq!(expected == "valid", !name.ends_with("_fail"), "the table is wrong for {name}");
    if word(&judged) != expected {
        return Some(format!("{name}: {} ({:?})", word(&judged), judged.detail));
    }
    let identity = own("identity").map_or(BEACON.to_owned(), |path| text(&path));
    let issuer = own("issuer").map_or(GITHUB.to_owned(), |path| text(&path));
    match &judged.signed_by {
        Some(SignedBy::Certificate(signer)) => {
            let signer = (signer.identity.as_deref(), signer.issuer.as_deref());
            (signer != (Some(identity.trim()), Some(issuer.trim())))
                .then(|| format!("{name}: {signer:?}"))
        }
        Some(SignedBy::Key(id)) => (key(&own("key.pub")?).id() != id).then(|| name.clone()),
        None => (expected == "valid").then(|| format!("{name}: nobody signed it")),
    }
}

/// What a bundle is judged against.
enum Against {
    PublicGood,
    GitHub,
    Root(&'static str),
    Key(&'static str),
    /// A key whose signatures count without a log, and a root.
    KeyAlone(&'static str, &'static str),
}
use Against::{GitHub, Key as WithKey, KeyAlone, PublicGood, Root as WithRoot};

/// What a bundle is of.
enum Of {
    Digest(&'static str),
    File(&'static str),
    File512(&'static str),
    /// The first subject of its statement, whatever that is.
    Itself,
}

/// Path, what it is of, against what, judgement.
const BUNDLES: &[(&str, Of, Against, &str)] = &[
    (
        "sigstore-rs/bundle_v03.json",
        Of::Digest("sha256:c811d58de79c92f03214e63aa339484e488d694ae8a6283b5f3f17a9faf50172"),
        PublicGood,
        "valid",
    ),
    (
        "sigstore-rs/bundle_v03.json",
        Of::Digest("sha256:c911d58de79c92f03214e63aa339484e488d694ae8a6283b5f3f17a9faf50172"),
        PublicGood,
        "invalid/subject",
    ),
    ("sigstore-rs/bundle_v03.json", Of::Itself, GitHub, "present/no-root"),
    ("sigstore-rs/npm_slsa_bundle_v03.json", Of::Itself, PublicGood, "valid"),
    ("sigstore-go/bundle-provenance.json", Of::Itself, PublicGood, "valid"),
    (
        "sigstore-go/bundle-publish.json",
        Of::Itself,
        WithKey("sigstore-go/publish_key.pub"),
        "valid",
    ),
    ("sigstore-go/bundle-publish.json", Of::Itself, PublicGood, "present/no-key"),
    ("sigstore-go/sigstore.js@2.0.0-provenance.sigstore.json", Of::Itself, PublicGood, "valid"),
    ("sigstore-go/dsse.sigstore.json", Of::Itself, PublicGood, "valid"),
    ("sigstore-go/dsse-2sigs.sigstore.json", Of::Itself, PublicGood, "invalid/malformed"),
    (
        "sigstore-go/othername.sigstore.json",
        Of::Itself,
        WithRoot("sigstore-go/root-scaffolding.json"),
        "valid",
    ),
    (
        "sigstore-go/public-key-validity.sigstore.json",
        Of::Itself,
        KeyAlone(
            "sigstore-go/public-key-validity.pub",
            "sigstore-go/root-public-key-validity.json",
        ),
        "valid",
    ),
    ("cosign/oci-attestation.sigstore.json", Of::Itself, PublicGood, "valid"),
    (
        "gh-cli/sigstore-js-2.1.0-bundle.json",
        Of::File512("gh-cli/sigstore-js-2.1.0.tgz"),
        PublicGood,
        "valid",
    ),
    (
        "gh-cli/sigstore-js-2.1.0-bundle.json",
        Of::File("gh-cli/sigstore-js-2.1.0.tgz"),
        PublicGood,
        "invalid/subject",
    ),
    ("gh-cli/sigstoreBundle-invalid-signature.json", Of::Itself, PublicGood, "invalid/signature"),
    ("gh-cli/custom-issuer.sigstore.json", Of::Itself, PublicGood, "valid"),
    ("gh-cli/reusable-workflow-attestation.sigstore.json", Of::Itself, PublicGood, "valid"),
    (
        "gh-cli/github_provenance_demo-0.0.12-py3-none-any-bundle.jsonl",
        Of::File("gh-cli/github_provenance_demo-0.0.12-py3-none-any.whl"),
        GitHub,
        "valid",
    ),
    (
        "gh-cli/github_provenance_demo-0.0.12-py3-none-any-bundle.jsonl",
        Of::File("gh-cli/github_provenance_demo-0.0.12-py3-none-any.whl"),
        PublicGood,
        "present/no-root",
    ),
    (
        "gh-cli/github_provenance_demo-0.0.12-py3-none-any-bundle-missing-cert.jsonl",
        Of::File("gh-cli/github_provenance_demo-0.0.12-py3-none-any.whl"),
        GitHub,
        "invalid/malformed",
    ),
    (
        "gh-cli/github_provenance_demo-0.0.12-py3-none-any-bundle-missing-verification-material.jsonl",
        Of::File("gh-cli/github_provenance_demo-0.0.12-py3-none-any.whl"),
        GitHub,
        "invalid/malformed",
    ),
    (
        "sigstore-rust/conda-attestation-rekor2.sigstore.json",
        Of::Itself,
        WithRoot("../roots/trusted_root_staging.json"),
        "valid",
    ),
    (
        "sigstore-rust/conda-attestation-rekor2.sigstore.json",
        Of::Itself,
        PublicGood,
        "present/no-root",
    ),
    (
        "sigstore-rust/bundle_cve_2022_36056.txt.sigstore",
        Of::Digest("sha256:c87b5b213ab08b32970c106d0c7e4423e67f5449c2fd2d1e9b4ea6cc43b6ee7c"),
        WithRoot("../roots/trusted_root_staging.json"),
        "invalid/log",
    ),
    (
        "sigstore-rust/bundle_no_cert_v1.txt.sigstore",
        Of::Digest("sha256:1bc37d4fed3fd960bdf9d095f87283ba8ad1ab4481f38a34e8004f0c56ffe78d"),
        PublicGood,
        "invalid/malformed",
    ),
];

#[test]
fn bundles_of_many_makers() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("bundles");
    let mut wrong = Vec::new();
    let mut judged_ones = 0;
    for (path, of, against, expected) in BUNDLES {
        let at = folder.join(path);
        if !at.exists() {
            continue;
        }
        judged_ones += 1;
        let judged = judge_bundle(&folder, &at, of, against);
        if word(&judged) != *expected {
            wrong.push(format!("{path}: {} ({:?})", word(&judged), judged.detail));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged_ones >= 15, "only {judged_ones} bundles are there");
}

fn judge_bundle(folder: &Path, at: &Path, of: &Of, against: &Against) -> Judged {
    let digest = match of {
        Of::Digest(text) => text.parse().expect("a digest"),
        Of::File(path) => sha256(&bytes(&folder.join(path))),
        Of::File512(path) => sha512(&bytes(&folder.join(path))),
        Of::Itself => first_subject(&text(at)),
    };
    let path = |path: &str| -> PathBuf { folder.join(path) };
    let judge = match against {
        PublicGood => Judge::new(vec![public_good()], Vec::new()),
        GitHub => Judge::new(vec![Root::github().expect("it")], Vec::new()),
        WithRoot(file) => Judge::new(vec![root(&path(file))], Vec::new()),
        WithKey(file) => Judge::new(vec![public_good()], vec![key(&path(file))]),
        KeyAlone(file, with) => {
            Judge::new(vec![root(&path(with))], vec![key(&path(file)).without_log()])
        }
    };
    judge.judge(&bundle(at), &digest, &[])
}

fn first_subject(bundle: &str) -> Digest {
    let bundle: serde_json::Value = serde_json::from_str(bundle).expect("JSON");
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap_or_default();
    let statement = serde_json::from_slice::<serde_json::Value>(&super::base64(payload));
    let Ok(statement) = statement else { return sha256(b"nothing that can be read") };
    let digests = statement["subject"][0]["digest"].as_object().expect("digests");
    let digest = |name: &str| Some(format!("{name}:{}", digests.get(name)?.as_str()?));
    digest("sha256").or_else(|| digest("sha512")).expect("one").parse().expect("a digest")
}

#[test]
fn an_image_signature_of_cosign_3_is_a_signature() {
    let Some(shared) = shared() else { return };
    let at = shared.join("bundles/sigstore-rs/bundle_v03.json");
    let judged = judge_bundle(&shared, &at, &Of::Itself, &PublicGood);
    assert!(matches!(judged.content, Content::Signature { .. }), "{judged:?}");
    assert_eq!(judged.format, "bundle/0.3");
    let log = judged.log.expect("a log entry");
    assert_eq!((log.kind.as_str(), log.promise, log.proof), ("rekor/1", true, true));
    assert_eq!(log.url.as_deref(), Some("https://rekor.sigstore.dev"));
    assert!(log.index.is_some());
    let signer = judged.signer.expect("a signer");
    assert_eq!(signer.issuer.as_deref(), Some(GITHUB));
    assert!(signer.identity.expect("an identity").contains("kubewarden"));
}

#[test]
fn the_time_of_rekor_2_comes_from_an_authority() {
    let Some(shared) = shared() else { return };
    let at = shared.join("bundles/sigstore-rust/conda-attestation-rekor2.sigstore.json");
    let staging = WithRoot("roots/trusted_root_staging.json");
    let judged = judge_bundle(&shared, &at, &Of::Itself, &staging);
    assert_eq!(judged.time_from, Some(TimeFrom::Authority));
    let log = judged.log.expect("a log entry");
    assert_eq!((log.kind.as_str(), log.promise, log.proof), ("rekor/2", false, true));
    assert!(matches!(judged.content, Content::Statement(_)));
}
