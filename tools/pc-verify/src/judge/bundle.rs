//! Sigstore bundles of version 0.1 to 0.3 (protobuf-specs, sigstore_bundle.proto).

use bytes::Bytes;
use records::Digest;
use serde_json::Value;
use sigstore_verify::types::{
    DerCertificate, DsseEnvelope, MediaType, MessageSignature, Rfc3161Timestamp, TimestampToken,
    X509Certificate,
};

use super::certificate::Leaf;
use super::entry::Entry;
use super::fault::Fault;
use super::signed::{Content, Envelope, Form, Signed, Stamped, Voucher, id};
use super::statement::{self, Says};
use super::{About, Draft, Judge, Proof, artifact, json};
use crate::judged::{self, Judged, Reason};

/// The most log entries, timestamps and certificates of one bundle: each costs a check, and
/// sigstore-go draws the same line.
const MAX_PARTS: usize = 32;

/// What a bundle brings along beside what was signed.
struct Material {
    version: MediaType,
    voucher: Voucher,
    entries: Vec<Entry>,
    timestamps: Vec<TimestampToken>,
    unread: Option<Fault>,
}

/// Judges a bundle.
pub(super) fn judge(judge: &Judge, bytes: &Bytes, about: &About<'_>) -> Judged {
    let value = match json::read("the bundle", bytes) {
        Ok(value) => value,
        Err(fault) => return Draft::unread("bundle", bytes).finish(Err(fault)),
    };
    let version = match version(&value) {
        Ok(version) => version,
        Err(fault) => return Draft::unread("bundle", bytes).finish(Err(fault)),
    };
    let format = match version {
        MediaType::Bundle0_1 => "bundle/0.1",
        MediaType::Bundle0_2 => "bundle/0.2",
        _ => "bundle/0.3",
    };
    match (&value["dsseEnvelope"], &value["messageSignature"]) {
        (Value::Null, message @ Value::Object(_)) => {
            of_message(judge, format, version, &value, message, about, bytes)
        }
        (envelope @ Value::Object(_), Value::Null) => {
            of_envelope(judge, format, version, &value, envelope, about, bytes)
        }
        _ => Draft::unread(format, bytes).finish(Err(Fault::malformed(
            "the bundle does not hold exactly one of an envelope and a message signature",
        ))),
    }
}

fn version(value: &Value) -> Result<MediaType, Fault> {
    let Some(text) = value["mediaType"].as_str() else {
        return Err(Fault::malformed("the bundle has no media type"));
    };
    text.parse().map_err(|_| {
        let text = records::text::shown(text);
        Fault::new(Reason::Format, format!("bundles of type `{text}` are not read here"))
    })
}

fn of_envelope(
    judge: &Judge,
    format: &str,
    version: MediaType,
    value: &Value,
    envelope: &Value,
    about: &About<'_>,
    bytes: &Bytes,
) -> Judged {
    // Exactly one signature: the material vouches for one.
    let envelope: DsseEnvelope = match json::part("the envelope", envelope) {
        Ok(envelope) => envelope,
        Err(fault) => return Draft::unread(format, bytes).finish(Err(fault)),
    };
    let pae = envelope.pae();
    let payload = Bytes::from(envelope.payload.into_bytes());
    let signature = envelope.signature.sig.into_bytes();
    let says = statement::of_payload(&envelope.payload_type, &payload, about);
    let draft = Draft::new(format, id(&[&signature], &envelope.payload_type, &payload), &says);
    let check = || -> Result<Proof, Fault> {
        let (subject, unjudged) = says.subject(about)?;
        let content = Content::Envelope(Envelope {
            payload_type: envelope.payload_type,
            payload,
            pae,
            raw: None,
            subject,
        });
        let form = Form::Bundle(version, None);
        let signed = Material::read(version, value)?.signed(content, signature, form);
        judge.check(&Signed { unjudged, ..signed })
    };
    draft.finish(check())
}

fn of_message(
    judge: &Judge,
    format: &str,
    version: MediaType,
    value: &Value,
    message: &Value,
    about: &About<'_>,
    bytes: &Bytes,
) -> Judged {
    let message: MessageSignature = match json::part("the message signature", message) {
        Ok(message) => message,
        Err(fault) => return Draft::unread(format, bytes).finish(Err(fault)),
    };
    let signature = message.signature.into_bytes();
    let declared = message.message_digest;
    let says = |names: Vec<Digest>| Says {
        content: judged::Content::Signature { annotations: None },
        names,
        fault: None,
    };
    let of = declared.as_ref().map(|d| d.digest.as_bytes().to_vec()).unwrap_or_default();
    let draft = |names| Draft::new(format, id(&[&signature], "message", &of), &says(names));
    // What was signed is the image's manifest, of which the digest is at hand.
    let candidates = about.that(|digest| {
        declared.as_ref().is_none_or(|declared| {
            let own = artifact(digest);
            own.algorithm() == declared.algorithm && own.as_bytes() == declared.digest.as_bytes()
        })
    });
    let mut last = Err(Fault::new(Reason::Subject, "the signature is of something else"));
    let algorithm = declared.as_ref().map(|declared| declared.algorithm);
    for digest in candidates {
        let content = Content::Artifact(artifact(&digest));
        let form = Form::Bundle(version, algorithm);
        last = Material::read(version, value)
            .and_then(|material| judge.check(&material.signed(content, signature.clone(), form)));
        if last.is_ok() {
            return draft(vec![digest]).finish(last);
        }
    }
    draft(Vec::new()).finish(last)
}

impl Material {
    fn read(version: MediaType, value: &Value) -> Result<Self, Fault> {
        let value = &value["verificationMaterial"];
        let mut unread = None;
        let mut entries = Vec::new();
        for entry in list(&value["tlogEntries"], "log entries")? {
            match Entry::of_bundle(entry) {
                Ok(entry) => entries.push(entry),
                Err(fault) if fault.reason == Reason::Format => unread = Some(fault),
                Err(fault) => return Err(fault),
            }
        }
        let stamps = &value["timestampVerificationData"]["rfc3161Timestamps"];
        let timestamps = list(stamps, "timestamps")?
            .iter()
            .map(|stamp| json::part::<Rfc3161Timestamp>("the timestamp", stamp))
            .map(|stamp| stamp.map(|stamp| stamp.signed_timestamp))
            .collect::<Result<Vec<_>, _>>()?;
        let material =
            Self { version, voucher: voucher(version, value)?, entries, timestamps, unread };
        material.is_well_formed()?;
        Ok(material)
    }

    /// What the versions demand, and that nothing stands twice: the same proof twice proves
    /// nothing more, and could only serve to confuse.
    fn is_well_formed(&self) -> Result<(), Fault> {
        let (fits, what) = match self.version {
            MediaType::Bundle0_1 => {
                (self.entries.iter().all(|entry| entry.promise.is_some()), "promise")
            }
            _ => (self.entries.iter().all(|entry| entry.proof.is_some()), "proof"),
        };
        if !fits {
            let detail =
                format!("a bundle of this version needs a {what} of inclusion with a log entry");
            return Err(Fault::malformed(detail));
        }
        let twice = self
            .entries
            .iter()
            .enumerate()
            .any(|(at, entry)| self.entries[..at].iter().any(|other| other.body == entry.body));
        let stamps = &self.timestamps;
        if twice || (1..stamps.len()).any(|at| stamps[..at].contains(&stamps[at])) {
            return Err(Fault::malformed("a log entry or timestamp stands twice in the bundle"));
        }
        Ok(())
    }

    fn signed(self, content: Content, signature: Vec<u8>, form: Form) -> Signed {
        Signed {
            content,
            signature,
            voucher: self.voucher,
            entries: self.entries,
            timestamps: self.timestamps,
            stamped: Stamped::Signature,
            form,
            unread: self.unread,
            unjudged: None,
        }
    }
}

fn voucher(version: MediaType, value: &Value) -> Result<Voucher, Fault> {
    let (one, chain, key) =
        (&value["certificate"], &value["x509CertificateChain"], &value["publicKey"]);
    let certificates: Vec<X509Certificate> = match (one, chain, key) {
        (Value::Object(_), Value::Null, Value::Null) => {
            vec![json::part("the certificate", one)?]
        }
        (Value::Null, Value::Object(_), Value::Null) => {
            if version == MediaType::Bundle0_3 {
                return Err(Fault::malformed("a bundle of this version holds no chain"));
            }
            let list = list(&chain["certificates"], "certificates")?;
            list.iter().map(|one| json::part("the certificate", one)).collect::<Result<_, _>>()?
        }
        (Value::Null, Value::Null, Value::Object(_)) => return Ok(Voucher::Key),
        _ => {
            return Err(Fault::malformed(
                "the bundle does not hold exactly one of a certificate, a chain and a key's hint",
            ));
        }
    };
    let mut certificates = certificates.into_iter().map(|certificate| certificate.raw_bytes);
    let leaf = certificates.next().ok_or_else(|| Fault::malformed("the chain is empty"))?;
    let chain: Vec<DerCertificate> = certificates.collect();
    Ok(Voucher::Certificate(Box::new(Leaf::read(leaf.into_bytes(), chain)?)))
}

fn list<'a>(value: &'a Value, what: &str) -> Result<&'a [Value], Fault> {
    match value {
        Value::Null => Ok(&[]),
        Value::Array(list) if list.len() <= MAX_PARTS => Ok(list),
        Value::Array(_) => {
            Err(Fault::malformed(format!("the bundle has more than {MAX_PARTS} {what}")))
        }
        _ => Err(Fault::malformed(format!("the bundle has no list of {what}"))),
    }
}
