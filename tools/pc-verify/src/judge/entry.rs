//! Entries of a transparency log: reading them, and whether they are about this signature.
//!
//! An entry that a log really has proves nothing about a signature that it does not describe
//! (CVE-2022-36056 was that). The kinds are those of Rekor: pkg/types/{hashedrekord, dsse, intoto,
//! rekord} of sigstore/rekor, and rekor-tiles' hashedrekord 0.0.2.

use jiff::Timestamp;
use serde_json::Value;
use sigstore_verify::types::bundle::InclusionProof;
use sigstore_verify::types::{DerPublicKey, TransparencyLogEntry};

use super::body::Body;
use super::fault::Fault;
use super::json;
use super::pem;
use super::signed::{Content, Signed, Voucher};
use crate::judged::Reason;

/// A log entry, of a kind that is read here.
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) log_id: Vec<u8>,
    pub(super) index: u64,
    pub(super) time: Option<Timestamp>,
    pub(super) body: Vec<u8>,
    pub(super) promise: Option<Vec<u8>>,
    pub(super) proof: Option<InclusionProof>,
    /// What the body says.
    pub(super) says: Body,
    /// As the engine reads it, where it can.
    pub(super) engine: Option<TransparencyLogEntry>,
}

/// The kind and version of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    HashedRekord001,
    HashedRekord002,
    Dsse001,
    Intoto001,
    Intoto002,
    Rekord001,
}

impl Kind {
    pub(super) fn of(kind: &str, version: &str) -> Option<Self> {
        Some(match (kind, version) {
            ("hashedrekord", "0.0.1") => Self::HashedRekord001,
            ("hashedrekord", "0.0.2") => Self::HashedRekord002,
            ("dsse", "0.0.1") => Self::Dsse001,
            ("intoto", "0.0.1") => Self::Intoto001,
            ("intoto", "0.0.2") => Self::Intoto002,
            ("rekord", "0.0.1") => Self::Rekord001,
            _ => return None,
        })
    }
}

/// A kind that is not read here, so that nothing can be said of the entry.
fn unread(kind: &str, version: &str) -> Fault {
    let (kind, version) = (records::text::shown(kind), records::text::shown(version));
    Fault::new(Reason::Format, format!("log entries of kind `{kind}/{version}` are not read here"))
}

impl Entry {
    /// Reads an entry of a bundle (protobuf-specs, sigstore_rekor.proto).
    pub(super) fn of_bundle(value: &Value) -> Result<Self, Fault> {
        let word = |name: &str| value["kindVersion"][name].as_str().unwrap_or_default();
        let (kind_word, version) = (word("kind"), word("version"));
        let Some(kind) = Kind::of(kind_word, version) else {
            return Err(unread(kind_word, version));
        };
        if matches!(kind, Kind::Intoto001 | Kind::Rekord001) {
            // Neither can be in a bundle: what they hash, a bundle does not have.
            return Err(unread(kind_word, version));
        }
        let entry: TransparencyLogEntry = json::part("the log entry", value)?;
        let body = entry.canonicalized_body.as_bytes().to_vec();
        Ok(Self {
            kind,
            log_id: entry.log_id.key_id.as_bytes().to_vec(),
            index: entry.log_index.get(),
            time: entry.integrated_time,
            says: Body::read(kind, &body)?,
            body,
            promise: entry
                .inclusion_promise
                .as_ref()
                .map(|promise| promise.signed_entry_timestamp.as_bytes().to_vec()),
            proof: entry.inclusion_proof.clone(),
            engine: Some(entry),
        })
    }

    /// Reads the annotation `dev.sigstore.cosign/bundle` (cosign, specs/SIGNATURE_SPEC.md).
    pub(super) fn of_annotation(text: &str) -> Result<Self, Fault> {
        const WHAT: &str = "the annotation `dev.sigstore.cosign/bundle`";
        let value = json::read(WHAT, text.as_bytes())?;
        let bad = |what: &str| Fault::malformed(format!("{WHAT} has no {what}"));
        let payload = &value["Payload"];
        let base64 = |value: &Value| value.as_str().and_then(pem::decode);
        let body = base64(&payload["body"]).ok_or_else(|| bad("body in base64"))?;
        let promise =
            base64(&value["SignedEntryTimestamp"]).ok_or_else(|| bad("promise in base64"))?;
        let log_id = payload["logID"].as_str().and_then(|id| hex::decode(id).ok());
        let time = payload["integratedTime"].as_i64().filter(|seconds| *seconds > 0);
        let (kind_word, version) = Body::label(&body)?;
        let Some(kind) = Kind::of(&kind_word, &version) else {
            return Err(unread(&kind_word, &version));
        };
        let mut entry = Self {
            kind,
            log_id: log_id.ok_or_else(|| bad("log id in hexadecimal"))?,
            index: payload["logIndex"].as_u64().ok_or_else(|| bad("index"))?,
            time: time.and_then(|seconds| Timestamp::from_second(seconds).ok()),
            says: Body::read(kind, &body)?,
            body,
            promise: Some(promise),
            proof: None,
            engine: None,
        };
        entry.engine = super::legacy::entry_for_engine(&entry);
        Ok(entry)
    }

    /// Fails when the entry is about another signature. Of a signature without a certificate it
    /// gives the key that was logged.
    pub(super) fn describes(&self, signed: &Signed) -> Result<Option<DerPublicKey>, Fault> {
        if self.log_id.len() != 32 {
            return Err(Fault::malformed("the log id is not a SHA-256"));
        }
        self.describes_content(signed)?;
        if self.says.signature.as_ref().is_some_and(|logged| *logged != signed.signature) {
            return Err(other("logs another signature"));
        }
        match &signed.voucher {
            Voucher::Certificate(leaf) => {
                let same = match &self.says.certificate {
                    Some(certificate) => certificate == leaf.der.as_bytes(),
                    // This kind may log the bare key.
                    None => self.kind == Kind::Intoto002 && self.says.key == leaf.info.public_key,
                };
                if same { Ok(None) } else { Err(other("logs another certificate")) }
            }
            Voucher::Key => Ok(Some(self.says.key.clone())),
        }
    }

    fn describes_content(&self, signed: &Signed) -> Result<(), Fault> {
        let fits = matches!(
            (&signed.content, self.kind),
            (
                Content::Bytes(_) | Content::Artifact(_),
                Kind::HashedRekord001 | Kind::HashedRekord002 | Kind::Rekord001,
            ) | (
                Content::Envelope(_),
                Kind::HashedRekord002 | Kind::Dsse001 | Kind::Intoto001 | Kind::Intoto002,
            )
        );
        if !fits {
            return Err(other("is of a kind that logs other things"));
        }
        self.says.hashes.iter().try_for_each(|hash| match hash.of(&signed.content) {
            Some(own) if own == hash.value => Ok(()),
            Some(_) => Err(other("logs other bytes")),
            None => Err(Fault::new(
                Reason::Format,
                "the log entry holds a hash of bytes that are not at hand",
            )),
        })
    }
}

fn other(what: impl std::fmt::Display) -> Fault {
    Fault::new(Reason::Log, format!("the log entry {what}"))
}
