//! Evidence for somebody else's eyes: its payloads printed, or all of it saved so that cosign
//! checks it again without a network.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use records::FindVerdict;
use serde::Deserialize;

use crate::find::{Find, Findings};
use crate::material::Material;
use crate::predicate::WantedTypes;
use crate::question::Question;

/// Evidence could not be saved.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be written", .path.display())]
pub(crate) struct SaveError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// cosign's annotations on a layer, and the file that each goes into.
const PARTS: [(&str, &str); 5] = [
    ("dev.cosignproject.cosign/signature", "sig"),
    ("dev.sigstore.cosign/certificate", "crt.pem"),
    ("dev.sigstore.cosign/chain", "chain.pem"),
    ("dev.sigstore.cosign/bundle", "rekor.json"),
    ("dev.sigstore.cosign/rfc3161timestamp", "rfc3161.json"),
];

/// Saves what was found for a question, in a folder of its own: one file per piece of these types,
/// under its id, and the parts that cosign wants apart.
///
/// # Errors
/// For the first file that cannot be written.
pub(crate) fn save(
    folder: &Path,
    question: &Question,
    found: &Findings,
    types: &WantedTypes,
) -> Result<(), SaveError> {
    let folder = folder.join(folder_name(question));
    fs::create_dir_all(&folder).map_err(|source| SaveError { path: folder.clone(), source })?;
    for find in wanted(found, types) {
        for (name, bytes) in files(find) {
            let path = folder.join(name);
            fs::write(&path, bytes).map_err(|source| SaveError { path, source })?;
        }
    }
    Ok(())
}

/// Saves the roots that were used.
///
/// # Errors
/// For the first file that cannot be written.
pub(crate) fn save_roots<'r>(
    folder: &Path,
    roots: impl Iterator<Item = (&'r str, &'r str)>,
) -> Result<(), SaveError> {
    fs::create_dir_all(folder).map_err(|source| SaveError { path: folder.to_owned(), source })?;
    for (name, json) in roots {
        let path = folder.join(format!("trusted-root.{}.json", plain(name)));
        fs::write(&path, json).map_err(|source| SaveError { path, source })?;
    }
    Ok(())
}

/// `registry.example.com_shop_web@sha256-…`. Names are a stranger's: what is no letter, digit, dot
/// or dash is an underscore, and the digest keeps folders apart.
fn folder_name(question: &Question) -> String {
    let digest = question.digests().next().map_or(String::new(), |digest| format!("@{digest}"));
    let repository: String = question.repository.chars().take(100).collect();
    plain(&format!("{repository}{digest}")).replace("sha256_", "sha256-")
}

fn plain(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '@');
    let name: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let name: String = name.chars().take(200).collect();
    name.trim_start_matches('.').to_owned()
}

fn files(find: &Find) -> Vec<(String, Vec<u8>)> {
    let Some(material) = &find.finding.material else { return Vec::new() };
    let id = plain(&find.finding.judged.id).replace("sha256_", "");
    let whole = |suffix: &str, bytes: &Bytes| (format!("{id}.{suffix}"), bytes.to_vec());
    match material {
        Material::Bundle { bytes } => vec![whole("sigstore.json", bytes)],
        Material::Statement { bytes } => vec![whole("statement.json", bytes)],
        Material::Sbom { bytes, .. } => vec![whole("sbom", bytes)],
        Material::Notation { bytes, .. } => vec![whole("notation", bytes)],
        // Where evidence is kept, nothing is read as it comes.
        Material::Document { .. } => Vec::new(),
        Material::SimpleSigning { payload, annotations } => {
            with_parts(whole("payload.json", payload), &id, annotations)
        }
        Material::Envelope { bytes, annotations } => {
            with_parts(whole("dsse.json", bytes), &id, annotations)
        }
    }
}

fn with_parts(
    whole: (String, Vec<u8>),
    id: &str,
    annotations: &BTreeMap<String, String>,
) -> Vec<(String, Vec<u8>)> {
    let parts = PARTS.into_iter().filter_map(|(annotation, suffix)| {
        let text = annotations.get(annotation)?;
        Some((format!("{id}.{suffix}"), text.as_bytes().to_vec()))
    });
    std::iter::once(whole).chain(parts).collect()
}

/// The finds of these predicate types.
fn wanted<'f>(found: &'f Findings, types: &WantedTypes) -> impl Iterator<Item = &'f Find> {
    found.finds.iter().filter(|find| types.take(find.finding.predicate_type.as_deref()))
}

/// The payloads of what is valid or trusted and of these types, each in one line, by the ids of the
/// finds.
pub(crate) fn payload_lines(
    found: &Findings,
    types: &WantedTypes,
) -> impl Iterator<Item = (String, Vec<u8>)> {
    let checked =
        |find: &&Find| matches!(find.finding.verdict(), FindVerdict::Valid | FindVerdict::Trusted);
    wanted(found, types).filter(checked).filter_map(|find| {
        let payload = payload(find.finding.material.as_ref()?)?;
        Some((find.finding.judged.id.clone(), one_line(&payload)?))
    })
}

/// What was signed.
fn payload(material: &Material) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Envelope {
        payload: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Bundle {
        dsse_envelope: Envelope,
    }
    let decoded = |envelope: Envelope| STANDARD.decode(envelope.payload).ok();
    match material {
        Material::SimpleSigning { payload, .. } => Some(payload.to_vec()),
        Material::Envelope { bytes, .. } => serde_json::from_slice(bytes).ok().and_then(decoded),
        Material::Bundle { bytes } => serde_json::from_slice::<Bundle>(bytes)
            .ok()
            .and_then(|bundle| decoded(bundle.dsse_envelope)),
        Material::Statement { .. }
        | Material::Sbom { .. }
        | Material::Document { .. }
        | Material::Notation { .. } => None,
    }
}

/// JSON without its line feeds.
fn one_line(json: &[u8]) -> Option<Vec<u8>> {
    let value: serde_json::Value = serde_json::from_slice(json).ok()?;
    let mut line = serde_json::to_vec(&value).ok()?;
    line.push(b'\n');
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_folder() {
        for (name, wanted) in [
            ("../../etc/passwd", "_.._etc_passwd"),
            ("registry:5000/a/b", "registry_5000_a_b"),
            ("a\0b\u{202e}", "a_b_"),
        ] {
            assert_eq!(plain(name), wanted);
        }
    }

    #[test]
    fn a_payload_is_what_was_signed() {
        let envelope = br#"{"payload":"eyJhIjoKIDF9","payloadType":"t","signatures":[]}"#;
        let bare = Material::Envelope {
            bytes: Bytes::from_static(envelope),
            annotations: BTreeMap::new(),
        };
        let payload = payload(&bare).expect("a payload");
        assert_eq!(one_line(&payload).as_deref(), Some(&b"{\"a\":1}\n"[..]));
    }
}
