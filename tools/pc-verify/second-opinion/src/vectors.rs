//! The vectors: Sigstore bundles, each with what it is of and what it is judged against.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use records::Digest;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// One bundle and its question.
pub(crate) struct Vector {
    /// Its path below the folder of vectors.
    pub(crate) name: String,
    pub(crate) bundle: Vec<u8>,
    /// The digest that it must be of.
    pub(crate) digest: Digest,
    /// The trusted root, as JSON.
    pub(crate) root: String,
    /// Public keys that count, as PEM.
    pub(crate) keys: Vec<String>,
}

/// Base64 in a JSON string.
pub(crate) fn base64(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap_or_default();
    base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn sha256(bytes: &[u8]) -> Digest {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes))).parse().expect("a digest")
}

/// The entries of a folder, sorted.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = read.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

/// The conformance suite's cases, and bundles of many makers.
pub(crate) fn of_others(sigstore: &Path) -> Vec<Vector> {
    let public_good = text(&sigstore.join("roots/trusted_root.json"));
    let mut vectors = Vec::new();
    let suite = sigstore.join("conformance");
    for case in entries(&suite).into_iter().filter(|path| path.is_dir()) {
        let own = |file: &str| Some(case.join(file)).filter(|path| path.exists());
        let artifact = own("artifact").unwrap_or_else(|| suite.join("a.txt"));
        vectors.push(Vector {
            name: format!("conformance/{}", file_name(&case)),
            bundle: fs::read(case.join("bundle.sigstore.json")).expect("a bundle"),
            digest: sha256(&fs::read(artifact).expect("an artifact")),
            root: own("trusted_root.json").map_or_else(|| public_good.clone(), |path| text(&path)),
            keys: own("key.pub").map(|path| text(&path)).into_iter().collect(),
        });
    }
    for maker in entries(&sigstore.join("bundles")) {
        for path in entries(&maker) {
            let bundle = fs::read(&path).expect("a file");
            let Some(digest) = digest_of(&path, &bundle) else { continue };
            vectors.push(Vector {
                name: format!("bundles/{}/{}", file_name(&maker), file_name(&path)),
                bundle,
                digest,
                root: root_of(sigstore, &path).unwrap_or_else(|| public_good.clone()),
                keys: Vec::new(),
            });
        }
    }
    vectors
}

/// The root that a maker's bundle wants, where it is not the public good one.
fn root_of(sigstore: &Path, bundle: &Path) -> Option<String> {
    let name = file_name(bundle);
    let root = if name.starts_with("github_provenance_demo") {
        "roots/trusted_root_github.json"
    } else if name.starts_with("conda") || name.starts_with("bundle_cve") {
        "roots/trusted_root_staging.json"
    } else {
        return None;
    };
    Some(text(&sigstore.join(root)))
}

/// What a bundle is of: the first subject of its statement, or the digest of its message; nothing
/// where the file is no bundle.
fn digest_of(path: &Path, bytes: &[u8]) -> Option<Digest> {
    let bundle: Value = serde_json::from_slice(bytes).ok()?;
    let media_type = bundle["mediaType"].as_str()?;
    if !media_type.starts_with("application/vnd.dev.sigstore.bundle") {
        return None;
    }
    if let Some(message) = bundle.get("messageSignature") {
        return format!("sha256:{}", hex::encode(base64(&message["messageDigest"]["digest"])))
            .parse()
            .ok();
    }
    let payload = base64(&bundle["dsseEnvelope"]["payload"]);
    let Ok(statement) = serde_json::from_slice::<Value>(&payload) else {
        return Some(sha256(file_name(path).as_bytes()));
    };
    let digests = statement["subject"][0]["digest"].as_object()?;
    ["sha256", "sha512"]
        .into_iter()
        .find_map(|name| format!("{name}:{}", digests.get(name)?.as_str()?).parse().ok())
}

/// The project's own evidence: every bundle in its layouts.
pub(crate) fn our_own(evidence: &Path) -> Vec<Vector> {
    let root = text(&evidence.join("trusted-root.json"));
    let keys: Vec<String> = entries(&evidence.join("keys")).iter().map(|path| text(path)).collect();
    let mut vectors = Vec::new();
    for host in entries(&evidence.join("layouts")) {
        for layout in entries(&host) {
            for path in blobs(&layout) {
                let bundle = fs::read(&path).expect("a blob");
                let Some(digest) = digest_of(&path, &bundle) else { continue };
                let name = format!("evidence/{}/{}", file_name(&layout), &file_name(&path)[..12]);
                vectors.push(Vector {
                    name,
                    bundle,
                    digest,
                    root: root.clone(),
                    keys: keys.clone(),
                });
            }
        }
    }
    vectors
}

/// The blobs of the layouts at or below a folder.
fn blobs(folder: &Path) -> Vec<PathBuf> {
    entries(folder)
        .into_iter()
        .flat_map(|path| match path.is_dir() {
            true => blobs(&path),
            false if path.parent().is_some_and(|parent| parent.ends_with("blobs/sha256")) => {
                vec![path]
            }
            false => Vec::new(),
        })
        .collect()
}
