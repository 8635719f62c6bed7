//! How many pieces of evidence a core judges in a second, for each form, beside the bare engine.
//!
//! The judge makes checks of its own before the engine makes all of them, so it is slower; the run
//! fails when it takes more than three times as long. The evidence is the shared folder's
//! (`PC_SHARED_DATA`). Numbers are of this machine and mean nothing elsewhere.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pc_verify::judge::{Judge, Key, Root};
use pc_verify::material::Material;
use records::{Digest, FindVerdict};
use sha2::{Digest as _, Sha256};
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Artifact, ArtifactDigest, Bundle, DerPublicKey, HashAlgorithm};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, Verifier};

/// How much longer the judge may take than the engine alone.
const AT_MOST: f64 = 3.0;

/// How long each is measured.
const LONG: Duration = Duration::from_millis(700);

/// One form, with what judges it.
struct Case {
    name: &'static str,
    judge: Judge,
    material: Material,
    digest: Digest,
    /// The engine on the same bytes, where it reads that form.
    engine: Option<Box<dyn Fn() -> bool>>,
}

#[expect(clippy::print_stdout, reason = "a benchmark's output is what it is for")]
fn main() -> ExitCode {
    let Some(data) = std::env::var_os("PC_SHARED_DATA") else {
        println!("judge: skipped: PC_SHARED_DATA is not set");
        return ExitCode::SUCCESS;
    };
    let mut holds = true;
    for case in cases(&PathBuf::from(data).join("sigstore")) {
        let ours = rate(|| {
            let judged = case.judge.judge(&case.material, &case.digest, &[]);
            judged.verdict == FindVerdict::Valid
        });
        let Some(ours) = ours else {
            println!("{}: not valid (DOES NOT HOLD)", case.name);
            holds = false;
            continue;
        };
        match case.engine.as_ref().and_then(rate) {
            Some(engine) => {
                let slower = engine / ours;
                let word = if slower <= AT_MOST { "holds" } else { "DOES NOT HOLD" };
                println!(
                    "{}: {ours:.0} in a second, the bare engine {engine:.0}: {slower:.1} times as \
                     long ({word})",
                    case.name
                );
                holds &= slower <= AT_MOST;
            }
            None => println!("{}: {ours:.0} in a second; the engine does not read it", case.name),
        }
    }
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How often in a second; nothing when it does not hold.
fn rate(judge: impl Fn() -> bool) -> Option<f64> {
    if !judge() {
        return None;
    }
    let started = Instant::now();
    let mut count = 0u32;
    while started.elapsed() < LONG {
        black_box(judge());
        count += 1;
    }
    Some(f64::from(count) / started.elapsed().as_secs_f64())
}

fn cases(shared: &Path) -> Vec<Case> {
    let read = |path: &str| std::fs::read(shared.join(path)).expect("the shared folder has it");
    let text = |path: &str| String::from_utf8(read(path)).expect("UTF-8");
    let public_good = || Root::public_good().expect("the engine's own root");
    let good = text("roots/trusted_root.json");
    let staging = text("roots/trusted_root_staging.json");
    let artifact = sha256(&read("conformance/a.txt"));
    let conformance = "conformance/happy-path-v0.3/bundle.sigstore.json";
    let cosign = "bundles/sigstore-rs/bundle_v03.json";
    let subject = "sha256:c811d58de79c92f03214e63aa339484e488d694ae8a6283b5f3f17a9faf50172";
    let conda = "bundles/sigstore-rust/conda-attestation-rekor2.sigstore.json";
    let conda_subject = "sha256:54303491a8418fbed24344b513546182c29b43bf282ceb433af65e2299f9271f";
    let managed = "conformance/managed-key-and-trusted-root";
    let managed_root = text(&format!("{managed}/trusted_root.json"));
    let managed_key = text(&format!("{managed}/key.pub"));
    let managed_bundle = format!("{managed}/bundle.sigstore.json");
    let key = Key::from_pem("key", &managed_key).expect("a key");
    let root = |json: &str| Root::from_json("given", json).expect("a root");
    let keyless = |name, path: &str, digest: &str, json: &str| Case {
        name,
        judge: Judge::new(vec![root(json)], Vec::new()),
        material: Material::Bundle { bytes: read(path).into() },
        digest: digest.parse().expect("a digest"),
        engine: Some(by_certificate(json, text(path), digest)),
    };
    let mut cases = vec![
        keyless("bundle, message, Rekor 1", conformance, artifact.as_str(), &good),
        keyless("bundle, envelope, Rekor 1, timestamp", cosign, subject, &good),
        keyless("bundle, envelope, Rekor 2, timestamp", conda, conda_subject, &staging),
        Case {
            name: "bundle, message, key, Rekor 1",
            judge: Judge::new(vec![root(&managed_root)], vec![key]),
            material: Material::Bundle { bytes: read(&managed_bundle).into() },
            digest: artifact.clone(),
            engine: Some(by_key(&managed_root, &managed_key, text(&managed_bundle), &artifact)),
        },
    ];
    cases.extend(layers(shared, public_good));
    cases
}

/// Forms that the engine does not read.
fn layers(shared: &Path, public_good: impl Fn() -> Root) -> Vec<Case> {
    let read = |path: &str| std::fs::read(shared.join(path)).expect("the shared folder has it");
    let layer = |name, judge, folder: &str, file: &str| Case {
        name,
        judge,
        material: stored(&read(&format!("{folder}/{file}"))),
        digest: sha256(&read(&format!("{folder}/manifest.json"))),
        engine: None,
    };
    let tsa = "generated/cosign-2.6.5/tsa";
    let alone = |folder: &str| {
        let key = String::from_utf8(read(&format!("{folder}/key.pub"))).expect("UTF-8");
        let key = Key::from_pem("key", &key).expect("a key").without_log();
        let root = String::from_utf8(read(&format!("{tsa}/tsa_root.json"))).expect("UTF-8");
        Judge::new(vec![Root::from_json("tsa", &root).expect("a root")], vec![key])
    };
    let keyless = "legacy/containers-image/fulcio-rekor";
    let ed = "generated/cosign-2.6.5/ed";
    let none = || Judge::new(vec![public_good()], Vec::new());
    vec![
        layer("simple signing, certificate, Rekor 1", none(), keyless, "signature-1"),
        layer("simple signing, key, timestamp", alone(tsa), tsa, "signature-1"),
        layer("simple signing, Ed25519ph", alone(ed), ed, "signature-1"),
        layer("envelope, key, timestamp over the layer", alone(tsa), tsa, "signature-2"),
        attestation("envelope, certificate, intoto 0.0.1", none(), shared, "v1.4.0"),
        attestation("envelope, certificate, dsse 0.0.1", none(), shared, "v2.0.0"),
    ]
}

/// A layer as containers/image stores it.
fn stored(file: &[u8]) -> Material {
    let json = file.splitn(2, |byte| *byte == b'\n').nth(1).expect("two lines");
    let json: serde_json::Value = serde_json::from_slice(json).expect("JSON");
    let payload = STANDARD.decode(json["payload"].as_str().expect("a payload"));
    let payload: Bytes = payload.expect("base64").into();
    let annotations: BTreeMap<String, String> =
        serde_json::from_value(json["annotations"].clone()).expect("annotations");
    if json["mimeType"] == "application/vnd.dsse.envelope.v1+json" {
        Material::Envelope { bytes: payload, annotations }
    } else {
        Material::SimpleSigning { payload, annotations }
    }
}

/// The first attestation in an OCI layout that cosign saved.
fn attestation(name: &'static str, judge: Judge, shared: &Path, version: &str) -> Case {
    let layout = shared.join("legacy/slsa-verifier").join(version);
    let json = |path: PathBuf| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
    };
    let blob =
        |digest: &str| layout.join("blobs/sha256").join(digest.trim_start_matches("sha256:"));
    let index = json(layout.join("index.json"));
    let digest =
        |at: usize| index["manifests"][at]["digest"].as_str().expect("a digest").to_owned();
    let manifest = json(blob(&digest(1)));
    let layer = &manifest["layers"][0];
    let bytes = std::fs::read(blob(layer["digest"].as_str().expect("a digest"))).expect("a blob");
    Case {
        name,
        judge,
        material: Material::Envelope {
            bytes: bytes.into(),
            annotations: serde_json::from_value(layer["annotations"].clone()).expect("annotations"),
        },
        digest: digest(0).parse().expect("a digest"),
        engine: None,
    }
}

fn sha256(bytes: &[u8]) -> Digest {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes))).parse().expect("a digest")
}

fn artifact(digest: &str) -> ArtifactDigest {
    let bytes = hex::decode(digest.trim_start_matches("sha256:")).expect("hexadecimal");
    ArtifactDigest::new(HashAlgorithm::Sha2256, bytes).expect("a digest")
}

fn verifier(root: &str) -> Verifier {
    Verifier::new(&TrustedRoot::from_json(root).expect("a root")).expect("a root")
}

fn by_certificate(root: &str, bundle: String, digest: &str) -> Box<dyn Fn() -> bool> {
    let (verifier, artifact) = (verifier(root), artifact(digest));
    let policy = VerificationPolicy::any_identity();
    Box::new(move || {
        Bundle::from_json(&bundle).is_ok_and(|bundle| {
            verifier.verify(Artifact::Digest(artifact.clone()), &bundle, &policy).is_ok()
        })
    })
}

fn by_key(root: &str, key: &str, bundle: String, digest: &Digest) -> Box<dyn Fn() -> bool> {
    let (verifier, artifact) = (verifier(root), artifact(digest.as_str()));
    let policy = PublicKeyVerificationPolicy::new(DerPublicKey::from_pem(key).expect("a key"));
    Box::new(move || {
        Bundle::from_json(&bundle).is_ok_and(|bundle| {
            verifier.verify(Artifact::Digest(artifact.clone()), &bundle, &policy).is_ok()
        })
    })
}
