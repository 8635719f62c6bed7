//! What nobody signs in evidence, so that a change there changes nothing that is believed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use pc_verify::judged::Judged;
use serde_json::Value;
use x509_cert::der::{
    AnyRef, Decode as _, Encode as _, Reader as _, SliceReader, Tag, Tagged as _,
};

use super::samples::{Form, Sample};

const KEY_HINT: &str = "a key's hint: every configured key is tried";
const PREDICATE_HINT: &str = "an annotation that says what the statement itself says";
const CHAIN: &str = "certificates above the signer's: the root has its own";
const VERSION: &str = "a label: what each version asks for is checked, and what was, is reported";
const REKOR_2: &str = "what Rekor 2 takes from the entry and the checkpoint instead";
const NOTE_NAME: &str = "the name before a checkpoint's signature: the key decides";
const WITNESS: &str = "signatures of a checkpoint by others than the log";
const STAMP: &str = "what CMS does not sign: versions, embedded certificates, algorithm labels";

const STRIPPED: &str =
    "a timestamp whose authority nobody knows: the key demands none, and no time is said";

/// All of them.
pub(crate) const LISTED: [&str; 9] =
    [KEY_HINT, PREDICATE_HINT, CHAIN, VERSION, REKOR_2, NOTE_NAME, WITNESS, STAMP, STRIPPED];

/// Why a change is harmless, where it is: by its place, and by what it left as it was.
pub(crate) fn harmless(
    sample: &Sample,
    place: &str,
    changed: &Value,
    judged: &Judged,
) -> Option<&'static str> {
    if place.ends_with("/keyid") || place.ends_with("/hint") || same_envelope(sample, changed) {
        return Some(KEY_HINT);
    }
    if place == "/annotations/predicateType" {
        return Some(PREDICATE_HINT);
    }
    if place == "/annotations/dev.sigstore.cosign~1chain" {
        return Some(CHAIN);
    }
    if place == "/mediaType" {
        return Some(VERSION);
    }
    let rekor_2 = sample.name == "rekor-2";
    let beside =
        ["/inclusionProof/logIndex", "/inclusionProof/treeSize", "/inclusionProof/rootHash"];
    if rekor_2 && beside.iter().any(|end| place.ends_with(end)) {
        return Some(REKOR_2);
    }
    if place.ends_with("/checkpoint/envelope") {
        return same_note(sample, place, changed);
    }
    if place.contains("rfc3161timestamp") && judged.time.is_none() && sample.keyed {
        return Some(STRIPPED);
    }
    let stamp = place.ends_with("/signedTimestamp") || place.contains("SignedRFC3161Timestamp");
    (stamp && same_stamp(sample, changed)).then_some(STAMP)
}

/// Whether an envelope in a layer still has its payload, type and signatures.
fn same_envelope(sample: &Sample, changed: &Value) -> bool {
    let read = |parts: &Value| {
        let bytes = STANDARD.decode(parts["payload"].as_str()?).ok()?;
        let envelope: Value = serde_json::from_slice(&bytes).ok()?;
        let signatures = envelope["signatures"].as_array()?;
        let signatures: Vec<Value> = signatures.iter().map(|one| one["sig"].clone()).collect();
        Some((envelope["payload"].clone(), envelope["payloadType"].clone(), signatures))
    };
    sample.form == Form::Envelope
        && sample.parts["payload"] != changed["payload"]
        && read(&sample.parts).is_some_and(|own| read(changed) == Some(own))
}

/// Whether a signed note still has its text and the bytes of the log's signature.
fn same_note(sample: &Sample, place: &str, changed: &Value) -> Option<&'static str> {
    let split = |parts: &Value| {
        let note = parts.pointer(place)?.as_str()?.to_owned();
        let (text, signatures) = note.split_once("\n\n")?;
        let key = |line: &str| line.split_whitespace().nth(2).map(str::to_owned);
        let keys: Vec<Option<String>> = signatures.lines().map(key).collect();
        Some((text.to_owned(), keys))
    };
    let ((own_text, own), (text, keys)) = (split(&sample.parts)?, split(changed)?);
    if own_text != text {
        return None;
    }
    if own == keys {
        return Some(NOTE_NAME);
    }
    let log =
        sample.parts.pointer(&place.replace("inclusionProof/checkpoint/envelope", "logId/keyId"));
    let hint = STANDARD.decode(log?.as_str()?).ok()?;
    let of_log = |key: &&Option<String>| {
        let bytes = key.as_ref().and_then(|key| STANDARD.decode(key).ok());
        bytes.is_some_and(|bytes| bytes.starts_with(&hint[..4]))
    };
    (own.iter().find(of_log) == keys.iter().find(of_log)).then_some(WITNESS)
}

/// Whether a timestamp differs only in what CMS (RFC 5652) does not sign.
fn same_stamp(sample: &Sample, changed: &Value) -> bool {
    let (Some(own), Some(changed)) = (stamp(&sample.parts), stamp(changed)) else { return false };
    let mut at = (0..own.len().min(changed.len())).filter(|at| own[*at] != changed[*at]);
    let (Some(at), None) = (at.next(), at.next()) else { return false };
    let signed = signed_ranges(&own).expect("a timestamp");
    own.len() == changed.len() && !signed.iter().any(|range| range.contains(&at))
}

fn stamp(parts: &Value) -> Option<Vec<u8>> {
    let bundled = parts.pointer(
        "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp",
    );
    let text = match bundled {
        Some(text) => text.as_str()?.to_owned(),
        None => {
            let annotation =
                parts["annotations"]["dev.sigstore.cosign/rfc3161timestamp"].as_str()?;
            let inner: Value = serde_json::from_str(annotation).ok()?;
            inner["SignedRFC3161Timestamp"].as_str()?.to_owned()
        }
    };
    STANDARD.decode(text).ok()
}

/// Where the signed parts of a timestamp are: the statement of the time, who signs, the signed
/// attributes and the signature.
fn signed_ranges(token: &[u8]) -> Option<Vec<std::ops::Range<usize>>> {
    let mut reader = SliceReader::new(token).ok()?;
    let inner = reader.sequence(|fields| {
        let first: AnyRef<'_> = fields.decode()?;
        let rest = fields.read_slice(fields.remaining_len())?;
        Ok(if first.tag() == Tag::ObjectIdentifier { token } else { rest })
    });
    let content = ContentInfo::from_der(inner.ok()?).ok()?;
    let data = SignedData::from_der(&content.content.to_der().ok()?).ok()?;
    let signer = data.signer_infos.0.get(0)?;
    let parts = [
        data.encap_content_info.econtent.as_ref()?.value().to_vec(),
        signer.sid.to_der().ok()?,
        signer.signed_attrs.as_ref()?.iter().flat_map(|a| a.to_der().unwrap_or_default()).collect(),
        signer.signature.as_bytes().to_vec(),
    ];
    let find = |part: &Vec<u8>| {
        let at = token.windows(part.len()).position(|window| window == part.as_slice())?;
        Some(at..at + part.len())
    };
    parts.iter().map(find).collect()
}
