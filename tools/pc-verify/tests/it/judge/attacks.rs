//! Attacks: valid evidence with one thing changed is not valid any more.
//!
//! What nobody signs may be changed; those places are listed in `unsigned`, each with its reason,
//! and a place that is listed there in vain fails the test too.

use std::collections::BTreeSet;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rayon::prelude::*;
use records::FindVerdict;
use serde_json::Value;

use super::samples::{Form, Sample, real};
use super::unsigned::{LISTED, harmless};
use super::{shared, word};

/// A change of one thing: the leaf's place (a JSON pointer), what it is changed to, and the place
/// of the change where the leaf itself is a document.
struct Change {
    leaf: String,
    to: Value,
    within: String,
}

/// The longest part whose bytes are changed one by one; of a longer one (the attestations in image
/// layers have them) every eleventh. It would take minutes, and adds nothing: payloads, entries and
/// certificates are changed byte by byte where they are short.
const EVERY_BYTE: usize = 3072;

/// Every way to change one byte, character or number.
fn changes(value: &Value) -> Vec<Change> {
    let mut all = Vec::new();
    leaves(value, "", &mut |leaf, value| {
        all.extend(changed_leaf(value).into_iter().map(|(within, to)| Change {
            leaf: leaf.to_owned(),
            to,
            within,
        }));
    });
    all
}

fn leaves(value: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| {
            leaves(value, &format!("{path}/{}", name.replace('/', "~1")), visit);
        }),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(at, value)| leaves(value, &format!("{path}/{at}"), visit)),
        leaf => visit(path, leaf),
    }
}

fn changed_leaf(leaf: &Value) -> Vec<(String, Value)> {
    match leaf {
        Value::Number(number) => {
            let number = number.as_i64().unwrap_or_default();
            let others = [number + 1, 0, -number].into_iter().filter(|other| *other != number);
            others.map(|other| (String::new(), other.into())).collect()
        }
        Value::String(text) => {
            let mut changed = changed_text(text);
            changed.push((String::new(), String::new()));
            changed.retain(|(_, changed)| changed != text);
            changed.into_iter().map(|(within, text)| (within, text.into())).collect()
        }
        _ => Vec::new(),
    }
}

/// Every byte of what a text encodes, or every character of it.
fn changed_text(text: &str) -> Vec<(String, String)> {
    if let Ok(inner) = serde_json::from_str::<Value>(text)
        && inner.is_object()
    {
        let put = |change: Change| {
            let within = format!("{}{}", change.leaf, change.within);
            (within, put(&inner, &change).to_string())
        };
        return changes(&inner).into_iter().map(put).collect();
    }
    let outside = |text: String| (String::new(), text);
    if text.starts_with("-----BEGIN") {
        let body: String = text.lines().filter(|line| !line.starts_with("---")).collect();
        let pem = |der: Vec<u8>| {
            let body = STANDARD.encode(der);
            format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        };
        let der = STANDARD.decode(body).unwrap_or_default();
        return flipped(&der).map(pem).map(outside).collect();
    }
    match STANDARD.decode(text) {
        Ok(bytes) if bytes.len() > 5 => {
            flipped(&bytes).map(|b| STANDARD.encode(b)).map(outside).collect()
        }
        _ => flipped(text.as_bytes())
            .filter_map(|b| String::from_utf8(b).ok())
            .map(outside)
            .collect(),
    }
}

fn flipped(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let step = if bytes.len() > EVERY_BYTE { 11 } else { 1 };
    (0..bytes.len()).step_by(step).map(|at| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    })
}

fn put(whole: &Value, change: &Change) -> Value {
    let mut changed = whole.clone();
    *changed.pointer_mut(&change.leaf).expect("the place that it came from") = change.to.clone();
    changed
}

#[test]
fn one_changed_byte() {
    let Some(shared) = shared() else { return };
    let used = Mutex::new(BTreeSet::new());
    let mut through = Vec::new();
    for sample in real(&shared) {
        let judged = sample.judge(&sample.parts);
        assert_eq!(word(&judged), "valid", "{}: {:?}", sample.name, judged.detail);
        let changes = changes(&sample.parts);
        assert!(changes.len() > 200, "{}: only {} changes", sample.name, changes.len());
        through.extend(
            changes
                .par_iter()
                .filter_map(|change| survives(&sample, change, &used))
                .collect::<Vec<_>>(),
        );
    }
    assert!(through.is_empty(), "{}", through.join("\n"));
    let used = used.into_inner().expect("no test thread panicked");
    let vain: Vec<&str> = LISTED.iter().copied().filter(|listed| !used.contains(listed)).collect();
    assert!(vain.is_empty(), "listed in vain: {vain:?}");
}

/// Says so when evidence is valid in spite of a change that is not known to be harmless.
fn survives(
    sample: &Sample,
    change: &Change,
    used: &Mutex<BTreeSet<&'static str>>,
) -> Option<String> {
    let changed = put(&sample.parts, change);
    let judged = sample.judge(&changed);
    if judged.verdict != FindVerdict::Valid {
        return None;
    }
    let place = format!("{}{}", change.leaf, change.within);
    match harmless(sample, &place, &changed, &judged) {
        Some(reason) => {
            used.lock().expect("no test thread panicked").insert(reason);
            None
        }
        None => Some(format!("{}: {place}: {}", sample.name, cut(&change.to))),
    }
}

fn cut(value: &Value) -> String {
    value.to_string().chars().take(120).collect()
}

/// What may be taken away without harm, and why.
const REDUNDANT: &[(&str, &str)] = &[
    ("/inclusionPromise", "a timestamp proves the time, and a proof the entry"),
    ("/inclusionProof", "version 0.1 asks for the promise alone; the record says what was checked"),
    ("/timestampVerificationData", "the log's promise proves the time too"),
    ("/rfc3161Timestamps", "the log's promise proves the time too"),
    ("/messageDigest", "what was signed is the digest that is asked for"),
    ("/keyid", "a hint"),
    ("/hint", "a hint"),
    ("/dev.sigstore.cosign~1chain", "the root has the chain"),
    ("/dev.sigstore.cosign~1rfc3161timestamp", "the key demands no time"),
    ("/x509CertificateChain/certificates/", "the root has the chain"),
    ("/predicateType", "a hint"),
    ("/dev.cosignproject.cosign~1signature", "of an envelope it is empty"),
    ("/logIndex", "rekor 2 takes it from the entry, and absent is 0"),
    ("/treeSize", "rekor 2 takes it from the checkpoint"),
    ("/rootHash", "rekor 2 takes it from the checkpoint"),
    ("/integratedTime", "rekor 2 has none"),
    ("/hashes", "a tree of one entry has none"),
];

#[test]
fn a_part_that_is_missing() {
    let Some(shared) = shared() else { return };
    let mut through = Vec::new();
    for sample in real(&shared) {
        for place in places(&sample.parts) {
            let mut changed = sample.parts.clone();
            remove(&mut changed, &place);
            let judged = sample.judge(&changed);
            if judged.verdict != FindVerdict::Valid {
                continue;
            }
            // An envelope that a key signed, which demands neither log nor time, stands alone.
            let alone = place == "/annotations" && sample.form == Form::Envelope && sample.keyed;
            let known = alone || REDUNDANT.iter().any(|(part, _)| place.contains(part));
            if !known || place.ends_with("/x509CertificateChain/certificates/0") {
                through.push(format!("{}: without {place}", sample.name));
            }
            // What was not checked is not said to have been.
            let gone = |what: &str| place.ends_with(what);
            let log = judged.log.unwrap_or_else(|| records::LogEntry {
                kind: String::new(),
                url: None,
                index: None,
                promise: false,
                proof: false,
            });
            assert!(!gone("/inclusionPromise") || !log.promise, "{}: {place}", sample.name);
            assert!(!gone("/inclusionProof") || !log.proof, "{}: {place}", sample.name);
        }
    }
    assert!(through.is_empty(), "{}", through.join("\n"));
}

/// Every place of a document but its root.
fn places(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => {
            map.iter().map(|(name, value)| (name.replace('/', "~1"), value)).collect()
        }
        Value::Array(list) => {
            list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    let all = children.into_iter().flat_map(|(name, value)| {
        let below = places(value).into_iter().map(|place| format!("/{name}{place}"));
        std::iter::once(format!("/{name}")).chain(below.collect::<Vec<_>>())
    });
    all.collect()
}

fn remove(value: &mut Value, place: &str) {
    let (parent, name) = place.rsplit_once('/').expect("a place");
    match value.pointer_mut(parent) {
        Some(Value::Object(map)) => {
            map.shift_remove(&name.replace("~1", "/"));
        }
        Some(Value::Array(list)) => {
            list.remove(name.parse().expect("an index"));
        }
        other => unreachable!("{place}: {other:?}"),
    }
}

#[test]
fn a_part_that_is_there_twice() {
    let Some(shared) = shared() else { return };
    let mut through = Vec::new();
    for sample in real(&shared) {
        for place in places(&sample.parts) {
            let mut changed = sample.parts.clone();
            let Some(Value::Array(list)) = changed.pointer_mut(&place) else { continue };
            let Some(first) = list.first().cloned() else { continue };
            list.push(first);
            // A certificate more in the chain says nothing: the root has the chain.
            let chain = place.ends_with("/x509CertificateChain/certificates");
            if sample.judge(&changed).verdict == FindVerdict::Valid && !chain {
                through.push(format!("{}: {place} twice", sample.name));
            }
        }
        if sample.form == Form::Bundle {
            through.extend(names_twice(&sample));
        }
    }
    assert!(through.is_empty(), "{}", through.join("\n"));
}

/// A name that stands twice in one object is refused, wherever it is.
fn names_twice(sample: &Sample) -> Vec<String> {
    let text = sample.parts.to_string();
    let mut through = Vec::new();
    for (at, _) in text.match_indices('{') {
        let rest = &text[at + 1..];
        let Some(name) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
            continue;
        };
        let twice = format!("{}\"{name}\":null,{rest}", &text[..=at]);
        let material = pc_verify::material::Material::Bundle { bytes: twice.into() };
        let judged = sample.judge.judge(&material, &sample.digest, &[]);
        if word(&judged) != "invalid/malformed" {
            through.push(format!("{}: `{name}` twice: {}", sample.name, word(&judged)));
        }
    }
    through
}

/// The parts that are swapped between two pieces of evidence.
const PARTS: &[&str] = &[
    "/messageSignature",
    "/messageSignature/signature",
    "/messageSignature/messageDigest",
    "/dsseEnvelope",
    "/dsseEnvelope/payload",
    "/dsseEnvelope/signatures",
    "/verificationMaterial",
    "/verificationMaterial/certificate",
    "/verificationMaterial/x509CertificateChain",
    "/verificationMaterial/publicKey",
    "/verificationMaterial/tlogEntries",
    "/verificationMaterial/tlogEntries/0/canonicalizedBody",
    "/verificationMaterial/tlogEntries/0/inclusionPromise",
    "/verificationMaterial/tlogEntries/0/inclusionProof",
    "/verificationMaterial/tlogEntries/0/integratedTime",
    "/verificationMaterial/tlogEntries/0/logId",
    "/verificationMaterial/timestampVerificationData",
    "/payload",
    "/annotations/dev.cosignproject.cosign~1signature",
    "/annotations/dev.sigstore.cosign~1certificate",
    "/annotations/dev.sigstore.cosign~1bundle",
    "/annotations/dev.sigstore.cosign~1rfc3161timestamp",
];

#[test]
fn parts_of_another_evidence() {
    let Some(shared) = shared() else { return };
    let samples = real(&shared);
    let mut through = Vec::new();
    let mut swaps = 0;
    for ours in &samples {
        for theirs in samples.iter().filter(|theirs| theirs.name != ours.name) {
            for part in PARTS {
                let mut changed = ours.parts.clone();
                let (Some(own), Some(other)) =
                    (changed.pointer_mut(part), theirs.parts.pointer(part))
                else {
                    continue;
                };
                // That a part may be missing is another test; a layer's signature is in its
                // annotation only where the payload is no envelope.
                let none = other.is_null() || other.as_object().is_some_and(|map| map.is_empty());
                let unread = ours.form == Form::Envelope && part.ends_with("cosign~1signature");
                if own == other || none || unread {
                    continue;
                }
                own.clone_from(other);
                swaps += 1;
                let valid = ours.judge(&changed).verdict == FindVerdict::Valid;
                // The hint is not signed.
                if valid && *part != "/verificationMaterial/publicKey" {
                    through.push(format!("{}: {part} of {}", ours.name, theirs.name));
                }
            }
        }
    }
    assert!(through.is_empty(), "{}", through.join("\n"));
    assert!(swaps > 200, "only {swaps} swaps");
}

/// A bundle with another version's label may still be valid, when it has what that version asks
/// for; the record then says what was checked, and nothing else.
#[test]
fn another_version() {
    let Some(shared) = shared() else { return };
    const TYPES: [&str; 5] = [
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
        "application/vnd.dev.sigstore.bundle.v0.3+json",
        "application/vnd.dev.sigstore.bundle.v0.4+json",
    ];
    for sample in real(&shared).iter().filter(|sample| sample.form == Form::Bundle) {
        for (kind, without) in TYPES.iter().flat_map(|kind| {
            [None, Some("inclusionProof"), Some("inclusionPromise")].map(|without| (kind, without))
        }) {
            let mut changed = sample.parts.clone();
            changed["mediaType"] = (*kind).into();
            let entries = changed["verificationMaterial"]["tlogEntries"].as_array_mut();
            for entry in entries.into_iter().flatten() {
                without.map(|part| entry.as_object_mut().expect("an entry").shift_remove(part));
            }
            let judged = sample.judge(&changed);
            if judged.verdict != FindVerdict::Valid {
                continue;
            }
            let context = format!("{} as {kind} without {without:?}", sample.name);
            assert!(!kind.contains("0.4"), "{context}");
            let Some(log) = judged.log else { continue };
            assert!(log.promise || !kind.contains("0.1"), "{context}");
            assert!(log.proof || kind.contains("0.1"), "{context}");
            assert!(!(without == Some("inclusionProof") && log.proof), "{context}");
            assert!(!(without == Some("inclusionPromise") && log.promise), "{context}");
        }
    }
}
