//! DSSE envelopes outside of a bundle: layers of `.att` images, and in-toto artifacts that refer
//! to an image (secure-systems-lab/dsse, envelope.md).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bytes::Bytes;
use serde_json::Value;
use sigstore_verify::types::pae;

use super::fault::Fault;
use super::legacy::Along;
use super::signed::{Content, Envelope, Form, Signed, Stamped, Voucher, id};
use super::statement::{self, Says};
use super::{About, Draft, Judge, Proof, json, pem};
use crate::judged::{Judged, Reason};

/// The most signatures of one envelope that are judged: each costs a check under every key.
const MAX_SIGNATURES: usize = 16;

/// An envelope's parts.
struct Parts {
    payload_type: String,
    payload: Bytes,
    signatures: Vec<Vec<u8>>,
}

/// Judges an envelope.
pub(super) fn judge(
    judge: &Judge,
    bytes: &Bytes,
    annotations: &BTreeMap<String, String>,
    about: &About<'_>,
) -> Judged {
    const FORMAT: &str = "dsse/in-toto";
    let parts = match read(bytes) {
        Ok(parts) => parts,
        Err(fault) => return Draft::unread(FORMAT, bytes).finish(Err(fault)),
    };
    let says = statement::of_payload(&parts.payload_type, &parts.payload, about);
    let signatures: Vec<&[u8]> = parts.signatures.iter().map(Vec::as_slice).collect();
    let draft = Draft::new(FORMAT, id(&signatures, &parts.payload_type, &parts.payload), &says);
    draft.finish(outcome(judge, bytes, annotations, parts, &says, about))
}

fn outcome(
    judge: &Judge,
    raw: &Bytes,
    annotations: &BTreeMap<String, String>,
    parts: Parts,
    says: &Says,
    about: &About<'_>,
) -> Result<Proof, Fault> {
    let (subject, unjudged) = says.subject(about)?;
    let along = Along::read(annotations)?;
    let envelope = |raw: Option<Bytes>| Envelope {
        pae: pae(&parts.payload_type, &parts.payload),
        payload_type: parts.payload_type.clone(),
        payload: parts.payload.clone(),
        raw,
        subject: subject.clone(),
    };
    match <[Vec<u8>; 1]>::try_from(parts.signatures) {
        Ok([signature]) => judge.check(&Signed {
            content: Content::Envelope(envelope(Some(raw.clone()))),
            signature,
            voucher: along.voucher,
            entries: along.entries,
            timestamps: along.timestamps,
            stamped: Stamped::Envelope,
            form: Form::Layer,
            unread: along.unread,
            unjudged,
        }),
        Err(none) if none.is_empty() => {
            Err(Fault::new(Reason::Unsigned, "the envelope has no signature"))
        }
        // A certificate, log entry or timestamp vouches for one signature, and nothing says for
        // which: such an envelope is named, not judged (a bundle with several is malformed).
        Err(_) if !along.is_empty() => {
            let detail = "the envelope has several signatures, and proof of one that is not named";
            Err(Fault::new(Reason::Format, detail))
        }
        Err(several) => each(judge, several, unjudged.as_ref(), || envelope(None)),
    }
}

/// Judges the signatures of an envelope that nothing came along with: by keys alone. One that a
/// configured key made is enough (DSSE, protocol.md); others say nothing against it.
fn each(
    judge: &Judge,
    signatures: Vec<Vec<u8>>,
    unjudged: Option<&Fault>,
    envelope: impl Fn() -> Envelope,
) -> Result<Proof, Fault> {
    if signatures.len() > MAX_SIGNATURES {
        let detail = format!("the envelope has more than {MAX_SIGNATURES} signatures");
        return Err(Fault::new(Reason::Format, detail));
    }
    let mut best: Result<Proof, Fault> =
        Err(Fault::new(Reason::NoKey, "none of the configured keys made one of the signatures"));
    for signature in signatures {
        let signed = Signed {
            content: Content::Envelope(envelope()),
            signature,
            voucher: Voucher::Key,
            entries: Vec::new(),
            timestamps: Vec::new(),
            stamped: Stamped::Envelope,
            form: Form::Layer,
            unread: None,
            unjudged: unjudged.cloned(),
        };
        match judge.check(&signed) {
            Ok(proof) => return Ok(proof),
            Err(fault) if fault.reason != Reason::NoKey => best = Err(fault),
            Err(_) => {}
        }
    }
    best
}

fn read(bytes: &Bytes) -> Result<Parts, Fault> {
    let value = json::read("the envelope", bytes)?;
    let bad = |what: &str| Fault::malformed(format!("the envelope has no {what}"));
    let payload = value["payload"].as_str().and_then(decode);
    let list = value["signatures"].as_array().ok_or_else(|| bad("list of signatures"))?;
    let signature = |one: &Value| one["sig"].as_str().and_then(decode);
    let signatures: Option<Vec<Vec<u8>>> = list.iter().map(signature).collect();
    Ok(Parts {
        payload_type: value["payloadType"].as_str().ok_or_else(|| bad("payload type"))?.to_owned(),
        payload: payload.ok_or_else(|| bad("payload in base64"))?.into(),
        signatures: signatures.ok_or_else(|| bad("signatures in base64"))?,
    })
}

/// DSSE takes either alphabet.
fn decode(text: &str) -> Option<Vec<u8>> {
    pem::decode(text).or_else(|| URL_SAFE.decode(text).ok())
}
