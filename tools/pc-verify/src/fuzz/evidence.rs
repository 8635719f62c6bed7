//! The evidence that was really signed: `testdata/evidence`, made by cosign with keys and
//! authorities that were thrown away.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use records::{Digest, FindVerdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::judge::{Demands, Judge, Key, Root};
use crate::judged::{Content, Judged};
use crate::material::Material;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// A layer of a `.sig` or `.att` image in one document, as the corpus has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Layer {
    /// Whether it is an envelope (`.att`).
    envelope: bool,
    /// In base64.
    payload: String,
    annotations: BTreeMap<String, String>,
}

impl Layer {
    /// Reads the document.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(super) fn material(&self) -> Material {
        let annotations = self.annotations.clone();
        let payload: Bytes = STANDARD.decode(&self.payload).unwrap_or_default().into();
        match self.envelope {
            true => Material::Envelope { bytes: payload, annotations },
            false => Material::SimpleSigning { payload, annotations },
        }
    }
}

/// One piece as the layouts have it: a bundle's bytes, or a layer's document.
pub(super) enum Piece {
    Bundle(Bytes),
    Layer(Layer),
}

impl Piece {
    fn material(&self) -> Material {
        match self {
            Self::Bundle(bytes) => Material::Bundle { bytes: bytes.clone() },
            Self::Layer(layer) => layer.material(),
        }
    }
}

/// All of it, and who finds it valid.
pub(super) struct Genuine {
    pub(super) judge: Judge,
    /// What it is about.
    pub(super) digests: Vec<Digest>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the seeds of the tests"))]
    pub(super) pieces: Vec<Piece>,
    /// What is valid of it, each as it is judged for all digests.
    valid: Vec<Judged>,
}

impl Genuine {
    pub(super) fn get() -> &'static Self {
        static GENUINE: OnceLock<Genuine> = OnceLock::new();
        GENUINE.get_or_init(Self::load)
    }

    fn load() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/evidence");
        let text = |path: PathBuf| std::fs::read_to_string(path).expect("a text");
        let json = text(folder.join("trusted-root.json"));
        let root = Root::from_json("private", &json).expect("a root");
        let demands = Demands { log: false, ..root.demands() };
        let keys = files(&folder.join("keys"))
            .into_iter()
            .map(|path| Key::from_pem("key", &text(path)).expect("a key").without_log());
        let judge = Judge::new(vec![root.demanding(demands)], keys.collect());
        let (mut digests, mut pieces) = (Vec::new(), Vec::new());
        for registry in files(&folder.join("layouts")) {
            for group in files(&registry) {
                files(&group).iter().for_each(|it| layout(it, &mut digests, &mut pieces));
            }
        }
        digests.sort_by(|one: &Digest, other| one.as_str().cmp(other.as_str()));
        digests.dedup();
        let judged =
            pieces.iter().map(|it: &Piece| judge.judge(&it.material(), &digests[0], &digests));
        let valid = judged.filter(|it| it.verdict == FindVerdict::Valid).collect();
        Self { judge, digests, pieces, valid }
    }

    /// How many pieces are valid.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.valid.len()
    }

    /// Whether a valid judgement is one of what was really made: nothing in it is new. An entry in
    /// the log may be gone, or half of its proof, where that is not demanded.
    pub(super) fn has(&self, judged: &Judged) -> bool {
        let mut same = self.valid.iter().filter(|it| {
            it.id == judged.id
                && it.names == judged.names
                && it.signed_by == judged.signed_by
                && said(it) == said(judged)
        });
        same.any(|it| {
            let time = judged.time.is_none() || it.time == judged.time;
            let log = judged.log.as_ref().is_none_or(|log| {
                it.log.as_ref().is_some_and(|own| {
                    (&own.kind, &own.url, own.index) == (&log.kind, &log.url, log.index)
                })
            });
            time && log
        })
    }
}

fn said(judged: &Judged) -> String {
    match &judged.content {
        // The predicate's text is what was signed; how it is held in memory is no matter.
        Content::Statement(statement) => {
            format!("{} {}", statement.predicate_type, statement.predicate)
        }
        other => format!("{other:?}"),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

/// Takes the evidence of one repository.
fn layout(folder: &Path, digests: &mut Vec<Digest>, pieces: &mut Vec<Piece>) {
    let json = |path: PathBuf| -> Value {
        serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
    };
    let blob = |digest: &Value| {
        let digest = digest.as_str().unwrap_or_default().trim_start_matches("sha256:").to_owned();
        folder.join("blobs/sha256").join(digest)
    };
    let index = json(folder.join("index.json"));
    for entry in index["manifests"].as_array().expect("manifests") {
        let manifest = json(blob(&entry["digest"]));
        let tag = &entry["annotations"]["org.opencontainers.image.ref.name"];
        let on = manifest["subject"]["digest"].as_str().map(str::to_owned);
        let on = on.or_else(|| {
            let tag = tag.as_str()?.strip_prefix("sha256-")?;
            Some(format!("sha256:{}", tag.split('.').next()?))
        });
        let Some(on) = on.and_then(|on| on.parse::<Digest>().ok()) else { continue };
        digests.push(on);
        for layer in manifest["layers"].as_array().into_iter().flatten() {
            let bytes = std::fs::read(blob(&layer["digest"])).expect("a blob");
            pieces.push(match layer["mediaType"].as_str() {
                Some(BUNDLE) => Piece::Bundle(bytes.into()),
                media_type => Piece::Layer(Layer {
                    envelope: media_type != Some(SIMPLE),
                    payload: STANDARD.encode(bytes),
                    annotations: serde_json::from_value(layer["annotations"].clone())
                        .unwrap_or_default(),
                }),
            });
        }
    }
}
