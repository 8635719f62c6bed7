//! Valid evidence of every form, taken apart so that one thing at a time can be changed.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pc_verify::judge::{Judge, Key, Root};
use pc_verify::judged::Judged;
use pc_verify::material::Material;
use records::Digest;
use serde_json::{Value, json};

use super::{att_layers, base64, bytes, layer, sha256, text};

/// A piece of valid evidence, and who finds it so.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) judge: Judge,
    pub(crate) digest: Digest,
    pub(crate) form: Form,
    /// Whether a configured key signed it.
    pub(crate) keyed: bool,
    /// A bundle's JSON, or a layer's: `{"payload": base64, "annotations": {…}}`.
    pub(crate) parts: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Bundle,
    Simple,
    Envelope,
}

impl Sample {
    pub(crate) fn judge(&self, parts: &Value) -> Judged {
        self.judge.judge(&material(self.form, parts), &self.digest, &[])
    }
}

/// Puts evidence together from its parts.
pub(crate) fn material(form: Form, parts: &Value) -> Material {
    if form == Form::Bundle {
        return Material::Bundle { bytes: parts.to_string().into() };
    }
    let payload = STANDARD.decode(parts["payload"].as_str().unwrap_or_default());
    let payload = payload.unwrap_or_default().into();
    let annotations: BTreeMap<String, String> =
        serde_json::from_value(parts["annotations"].clone()).unwrap_or_default();
    match form {
        Form::Simple => Material::SimpleSigning { payload, annotations },
        _ => Material::Envelope { bytes: payload, annotations },
    }
}

fn parts_of(material: &Material) -> (Form, Value) {
    match material {
        Material::SimpleSigning { payload, annotations } => (
            Form::Simple,
            json!({ "payload": STANDARD.encode(payload), "annotations": annotations }),
        ),
        Material::Envelope { bytes, annotations } => (
            Form::Envelope,
            json!({ "payload": STANDARD.encode(bytes), "annotations": annotations }),
        ),
        Material::Bundle { bytes } => (Form::Bundle, serde_json::from_slice(bytes).expect("JSON")),
        other => unreachable!("{other:?} has no parts"),
    }
}

pub(crate) fn sample(
    name: &'static str,
    judge: Judge,
    digest: Digest,
    material: &Material,
) -> Sample {
    let (form, parts) = parts_of(material);
    let keyed = !judge.keys().is_empty();
    Sample { name, judge, digest, form, keyed, parts }
}

/// Every form of which the shared folder has real evidence.
pub(crate) fn real(shared: &Path) -> Vec<Sample> {
    let public_good = || Judge::new(vec![Root::public_good().expect("a root")], Vec::new());
    let root = |path: &str| Root::from_json("given", &text(&shared.join(path))).expect("a root");
    let key = |path: &str| Key::from_pem("key", &text(&shared.join(path))).expect("a key");
    let bundle = |path: &str| super::bundle(&shared.join(path));
    let artifact = sha256(&bytes(&shared.join("conformance/a.txt")));
    let conformance = |name: &'static str, judge: Judge| {
        let path = format!("conformance/{name}/bundle.sigstore.json");
        sample(name, judge, artifact.clone(), &bundle(&path))
    };
    let managed = "conformance/managed-key-and-trusted-root";
    let conda = "bundles/sigstore-rust/conda-attestation-rekor2.sigstore.json";
    let publish = "bundles/sigstore-go/bundle-publish.json";
    let gh = "bundles/gh-cli/github_provenance_demo-0.0.12-py3-none-any";
    let mut samples = vec![
        conformance("happy-path-v0.1", public_good()),
        conformance("happy-path-v0.3", public_good()),
        conformance(
            "managed-key-and-trusted-root",
            Judge::new(
                vec![root(&format!("{managed}/trusted_root.json"))],
                vec![key(&format!("{managed}/key.pub"))],
            ),
        ),
        bundled("cosign-3", public_good(), shared, "bundles/sigstore-rs/bundle_v03.json"),
        bundled(
            "rekor-2",
            Judge::new(vec![root("roots/trusted_root_staging.json")], Vec::new()),
            shared,
            conda,
        ),
        bundled(
            "npm-publish-key",
            Judge::new(
                vec![Root::public_good().expect("a root")],
                vec![key("bundles/sigstore-go/publish_key.pub")],
            ),
            shared,
            publish,
        ),
        sample(
            "github",
            Judge::new(vec![Root::github().expect("a root")], Vec::new()),
            sha256(&bytes(&shared.join(format!("{gh}.whl")))),
            &bundle(&format!("{gh}-bundle.jsonl")),
        ),
    ];
    samples.extend(layers(shared));
    samples
}

/// A bundle with a statement, judged for its own first subject.
fn bundled(name: &'static str, judge: Judge, shared: &Path, path: &str) -> Sample {
    let material = super::bundle(&shared.join(path));
    let (_, parts) = parts_of(&material);
    let payload = parts["dsseEnvelope"]["payload"].as_str().expect("a payload");
    let statement: Value = serde_json::from_slice(&base64(payload)).expect("a statement");
    let digests = statement["subject"][0]["digest"].as_object().expect("digests");
    let (algorithm, hex) = digests.iter().next().expect("a digest");
    let digest = format!("{algorithm}:{}", hex.as_str().expect("text"));
    sample(name, judge, digest.parse().expect("a digest"), &material)
}

/// Evidence in image layers.
fn layers(shared: &Path) -> Vec<Sample> {
    let public_good = || Judge::new(vec![Root::public_good().expect("a root")], Vec::new());
    let of = |name: &'static str, judge: Judge, folder: &str, file: &str| {
        let folder = shared.join(folder);
        let digest = sha256(&bytes(&folder.join("manifest.json")));
        sample(name, judge, digest, &layer(&folder.join(file)))
    };
    let att = |name: &'static str, version: &str| {
        let (digest, layers) = att_layers(&shared.join("legacy/slsa-verifier").join(version));
        sample(name, public_good(), digest, layers.first().expect("a layer"))
    };
    let own = |kind: &str| {
        let path = shared.join("generated/cosign-2.6.5").join(kind);
        let key = Key::from_pem("key", &text(&path.join("key.pub"))).expect("a key");
        let roots = path.join("tsa_root.json");
        let roots = if roots.exists() {
            vec![Root::from_json("tsa", &text(&roots)).expect("a root")]
        } else {
            Vec::new()
        };
        Judge::new(roots, vec![key.without_log()])
    };
    let (ed, tsa) = ("generated/cosign-2.6.5/ed", "generated/cosign-2.6.5/tsa");
    vec![
        of("sig-keyless", public_good(), "legacy/containers-image/fulcio-rekor", "signature-1"),
        of("sig-ed25519ph", own("ed"), ed, "signature-1"),
        of("att-ed25519ph", own("ed"), ed, "signature-2"),
        of("sig-stamped", own("tsa"), tsa, "signature-1"),
        of("att-stamped", own("tsa"), tsa, "signature-2"),
        att("att-intoto-0.0.1", "v1.4.0"),
        att("att-dsse", "v2.0.0"),
    ]
}
