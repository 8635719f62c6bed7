//! cosign's simple signing: a payload that names the image, in an image layer.
//!
//! containers/image, docs/containers-signature.5.md; cosign, specs/SIGNATURE_SPEC.md.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::fault::Fault;
use super::legacy::{self, Along};
use super::signed::{Content, Form, Signed, Stamped, id};
use super::statement::Says;
use super::{About, Draft, Judge, json};
use crate::judged::{self, Judged, Reason};

/// What a payload may call itself: cosign's word, and the older one of containers/image.
const TYPES: [&str; 2] = ["cosign container image signature", "atomic container signature"];

/// Judges a layer of a `.sig` image.
pub(super) fn judge(
    judge: &Judge,
    payload: &Bytes,
    annotations: &BTreeMap<String, String>,
    about: &About<'_>,
) -> Judged {
    let says = read(payload, about);
    let signature = legacy::signature(annotations);
    let own: &[u8] = signature.as_deref().unwrap_or_default();
    let id = id(&[own], "message", payload);
    let draft = Draft::new("cosign/simple", id, &says);
    let outcome = signature.and_then(|signature| {
        if let Some(fault) = says.fault {
            return Err(fault);
        }
        let along = Along::read(annotations)?;
        judge.check(&Signed {
            content: Content::Bytes(payload.clone()),
            signature,
            voucher: along.voucher,
            entries: along.entries,
            timestamps: along.timestamps,
            stamped: Stamped::Signature,
            form: Form::Layer,
            unread: along.unread,
            unjudged: None,
        })
    });
    draft.finish(outcome)
}

/// Reads the payload, and whether it is about the image.
fn read(payload: &Bytes, about: &About<'_>) -> Says {
    let value = match json::read("the payload", payload) {
        Ok(value) => value,
        Err(fault) => return Says::nothing(fault),
    };
    let critical = &value["critical"];
    let content =
        judged::Content::Signature { annotations: value["optional"].as_object().cloned() };
    let named = critical["image"]["docker-manifest-digest"].as_str();
    let named = named.and_then(|text| text.parse::<records::Digest>().ok());
    let fault = match (&critical["type"], &named) {
        (Value::String(kind), _) if !TYPES.contains(&kind.as_str()) => Some(Fault::malformed(
            format!("the payload says that it is a `{}`", records::text::shown(kind)),
        )),
        (Value::String(_), Some(digest)) if about.has(digest) => None,
        (Value::String(_), Some(digest)) => {
            Some(Fault::new(Reason::Subject, format!("the payload is about `{digest}`")))
        }
        _ => Some(Fault::malformed("the payload names no type, or no digest of an image")),
    };
    Says { content, names: named.into_iter().collect(), fault }
}
