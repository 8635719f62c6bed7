//! The judge, over real evidence and over attacks on it.

mod attacks;
mod der;
mod instance;
mod keyed;
mod layers;
mod made;
mod plain;
mod samples;
mod unsigned;
mod vectors;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use pc_verify::judged::Judged;
use pc_verify::material::Material;
use records::Digest;
use sha2::{Digest as _, Sha256};

/// The folder of third-party evidence; a test that needs it says so and passes without.
pub(crate) fn shared() -> Option<PathBuf> {
    let data = std::env::var_os("PC_SHARED_DATA");
    if data.is_none() {
        note("skipped: PC_SHARED_DATA is not set");
    }
    Some(PathBuf::from(data?).join("sigstore"))
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

pub(crate) fn bytes(path: &Path) -> Bytes {
    let read = std::fs::read(path);
    assert!(read.is_ok(), "{}: {read:?}", path.display());
    read.expect("it was read").into()
}

pub(crate) fn text(path: &Path) -> String {
    String::from_utf8(bytes(path).to_vec()).expect("UTF-8")
}

pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes))).parse().expect("a digest")
}

/// A signature as containers/image stores it: a line, then JSON with a layer's parts.
pub(crate) fn layer(path: &Path) -> Material {
    let file = bytes(path);
    let json = file.splitn(2, |byte| *byte == b'\n').nth(1).expect("two lines");
    let json: serde_json::Value = serde_json::from_slice(json).expect("JSON");
    let payload = base64(json["payload"].as_str().expect("a payload"));
    let annotations: BTreeMap<String, String> =
        serde_json::from_value(json["annotations"].clone()).expect("annotations");
    if json["mimeType"] == "application/vnd.dsse.envelope.v1+json" {
        Material::Envelope { bytes: payload.into(), annotations }
    } else {
        Material::SimpleSigning { payload: payload.into(), annotations }
    }
}

pub(crate) fn base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
}

/// The judgement in one word: `valid`, or the verdict with its reason.
pub(crate) fn word(judged: &Judged) -> String {
    match judged.reason {
        Some(reason) => format!("{:?}/{}", judged.verdict, reason.as_str()).to_lowercase(),
        None => format!("{:?}", judged.verdict).to_lowercase(),
    }
}

pub(crate) fn bundle(path: &Path) -> Material {
    Material::Bundle { bytes: bytes(path) }
}

/// The image of an OCI layout that cosign saved, and the layers of its attestations.
pub(crate) fn att_layers(layout: &Path) -> (Digest, Vec<Material>) {
    let blob = |digest: &str| {
        bytes(&layout.join("blobs/sha256").join(digest.trim_start_matches("sha256:")))
    };
    let json = |bytes: &[u8]| -> serde_json::Value { serde_json::from_slice(bytes).expect("JSON") };
    let index = json(&bytes(&layout.join("index.json")));
    let of_kind = |wanted: &str| {
        let manifests = index["manifests"].as_array().expect("manifests");
        let kind = |m: &&serde_json::Value| {
            m["annotations"]["kind"].as_str().unwrap_or("").starts_with(wanted)
        };
        manifests.iter().find(kind).expect("one")["digest"].as_str().expect("a digest").to_owned()
    };
    let image = of_kind("dev.cosignproject.cosign/image").parse().expect("a digest");
    let manifest = json(&blob(&of_kind("dev.cosignproject.cosign/atts")));
    let layers = manifest["layers"].as_array().expect("layers");
    let material = |layer: &serde_json::Value| Material::Envelope {
        bytes: blob(layer["digest"].as_str().expect("a digest")),
        annotations: serde_json::from_value(layer["annotations"].clone()).expect("annotations"),
    };
    (image, layers.iter().map(material).collect())
}
