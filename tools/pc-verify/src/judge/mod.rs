//! Judging one piece of evidence: cryptography, time, chain, and what it is about.
//!
//! The judge believes nothing that came with the evidence. It reads whatever format it is in
//! (`bundle`, `simple`, `envelope`) into one shape (`signed`), makes every check of its own in
//! order (`check`: subject, signature under the certificate or key that came along, `entry` and
//! `log`, `timestamp`, `certificate`), and hands what is left to the `engine`, whose full
//! verification is what makes it valid. A judgement is:
//!
//! - `invalid`: contradicted by something that was checked;
//! - `present`, with a reason: there, and nothing to check it against;
//! - `valid`: all of it holds. Whom to trust is not decided here.

mod body;
mod bounds;
mod bundle;
mod certificate;
mod check;
mod engine;
mod entry;
mod envelope;
mod fault;
mod json;
mod key;
mod legacy;
mod log;
mod notary;
mod pem;
mod root;
mod signed;
mod simple;
mod statement;
mod timestamp;

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use records::{Digest, FindVerdict, LogEntry, Signer};
use sigstore_verify::types::{ArtifactDigest, HashAlgorithm};

use crate::judged::{Content, Judged, Reason, SignedBy, TimeFrom};
use crate::material::Material;
use crate::sbom::{ReadDocument, SbomError};
use fault::Fault;
use statement::Says;

pub use key::{Key, KeyError, KeyHash, LogDemand};
pub use root::{Demands, Root, RootError};

/// Judges evidence against roots and keys. It asks nobody anything: all that it does is CPU work,
/// and it may be shared between threads.
pub struct Judge {
    roots: Vec<Root>,
    keys: Vec<Key>,
    clock: Option<Timestamp>,
}

/// What is proven of valid evidence.
struct Proof {
    signer: Signer,
    signed_by: SignedBy,
    log: Option<LogEntry>,
    time: Option<Timestamp>,
    time_from: Option<TimeFrom>,
    stamped: bool,
}

impl Judge {
    /// A judge with these roots and keys; their order is the order of preference.
    #[must_use]
    pub fn new(roots: Vec<Root>, keys: Vec<Key>) -> Self {
        Self { roots, keys, clock: None }
    }

    /// The same judge at a fixed time. Log entries from after it are refused; the engine, which
    /// has a clock of its own, refuses those from after the real time besides.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.clock = Some(now);
        self
    }

    /// The roots.
    #[must_use]
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Judges one piece of evidence that was found on a digest. `about` are the digests that
    /// count: the manifest that runs, and the index that lists it.
    #[must_use]
    pub fn judge(&self, material: &Material, on: &Digest, about: &[Digest]) -> Judged {
        let about = About::new(on, about);
        match material {
            Material::SimpleSigning { payload, annotations } => {
                simple::judge(self, payload, annotations, &about)
            }
            Material::Envelope { bytes, annotations } => {
                envelope::judge(self, bytes, annotations, &about)
            }
            Material::Bundle { bytes } => bundle::judge(self, bytes, &about),
            Material::Statement { bytes } => unsigned_statement(bytes, &about),
            Material::Sbom { media_type, bytes } => {
                unsigned_sbom(media_type, &ReadDocument::read(&bytes[..], None, None))
            }
            Material::Document { media_type, read } => unsigned_sbom(media_type, read),
            Material::Notation { media_type, bytes } => notation(media_type, bytes),
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.unwrap_or_else(Timestamp::now)
    }
}

/// The digests that count.
struct About<'a> {
    on: &'a Digest,
    others: Vec<&'a Digest>,
}

impl<'a> About<'a> {
    fn new(on: &'a Digest, about: &'a [Digest]) -> Self {
        Self { on, others: about.iter().filter(|digest| *digest != on).collect() }
    }

    /// The digest that it was found on.
    fn first(&self) -> &Digest {
        self.on
    }

    fn has(&self, digest: &Digest) -> bool {
        self.on == digest || self.others.contains(&digest)
    }

    fn that(&self, fits: impl Fn(&Digest) -> bool) -> Vec<Digest> {
        let all = std::iter::once(self.on).chain(self.others.iter().copied());
        all.filter(|digest| fits(digest)).cloned().collect()
    }
}

/// A digest as the engine has it.
fn artifact(digest: &Digest) -> ArtifactDigest {
    let algorithm = match digest.algorithm() {
        "sha512" => HashAlgorithm::Sha2512,
        _ => HashAlgorithm::Sha2256,
    };
    let bytes = hex::decode(digest.hex()).expect("a digest holds hexadecimal digits");
    ArtifactDigest::new(algorithm, bytes).expect("a digest has the length of its algorithm")
}

/// A judgement before its verdict.
struct Draft {
    format: String,
    id: String,
    names: Vec<Digest>,
    content: Content,
}

impl Draft {
    fn new(format: &str, id: String, says: &Says) -> Self {
        let (names, content) = (says.names.clone(), says.content.clone());
        Self { format: format.to_owned(), id, names, content }
    }

    /// Of bytes that could not be read: these bytes are all that there is of it.
    fn unread(format: &str, bytes: &[u8]) -> Self {
        Self {
            format: format.to_owned(),
            id: signed::id(&[], "unread", bytes),
            names: Vec::new(),
            content: Content::Unreadable,
        }
    }

    fn finish(self, outcome: Result<Proof, Fault>) -> Judged {
        let Self { format, id, names, content } = self;
        let (verdict, proof, fault) = match outcome {
            Ok(proof) => (FindVerdict::Valid, Some(proof), None),
            Err(fault) => (fault.reason.verdict(), None, Some(fault)),
        };
        let stamped = proof.as_ref().is_some_and(|proof| proof.stamped);
        let (signer, signed_by, log, time, time_from) = match proof {
            Some(it) => (Some(it.signer), Some(it.signed_by), it.log, it.time, it.time_from),
            None => (None, None, None, None, None),
        };
        let reason = fault.as_ref().map(|fault| fault.reason);
        let detail = fault.map(|fault| fault.detail);
        Judged {
            format,
            id,
            verdict,
            reason,
            detail,
            names,
            signer,
            signed_by,
            log,
            time,
            time_from,
            stamped,
            content,
        }
    }
}

fn unsigned() -> Fault {
    Fault::new(Reason::Unsigned, "nobody signed it")
}

fn unsigned_statement(bytes: &Bytes, about: &About<'_>) -> Judged {
    let mut says = statement::of_statement(bytes, about);
    let fault = says.fault.take().unwrap_or_else(unsigned);
    let id = signed::id(&[], "statement", bytes);
    Draft::new("in-toto/unsigned", id, &says).finish(Err(fault))
}

fn unsigned_sbom(media_type: &str, read: &ReadDocument) -> Judged {
    let hint = ["spdx", "cyclonedx"].into_iter().find(|word| media_type.contains(word));
    let format = match &read.facts {
        Ok(facts) => facts.format_word(),
        Err(_) => hint.unwrap_or("sbom").to_owned(),
    };
    let fault = match &read.facts {
        Ok(_) => unsigned(),
        Err(SbomError::Format(_) | SbomError::Version { .. }) if read.may_be_another() => {
            Fault::new(Reason::Format, "nobody signed it, and its format is not read here")
        }
        Err(error) => Fault::caused(Reason::Malformed, "the bill of materials", error),
    };
    let draft = Draft {
        format,
        // By its digest, since it may be too large to be here.
        id: signed::id(&[], "sbom", &read.sha256),
        names: Vec::new(),
        content: Content::Sbom(read.facts.as_ref().ok().cloned().map(Arc::new)),
    };
    draft.finish(Err(fault))
}

/// Signatures of the Notary Project (notaryproject/specifications, signature-envelope-*.md).
fn notation(media_type: &str, bytes: &Bytes) -> Judged {
    let format = match media_type {
        "application/cose" => "notation/cose",
        _ => "notation/jws",
    };
    let draft = Draft {
        format: format.to_owned(),
        id: signed::id(&[], "notation", bytes),
        names: Vec::new(),
        content: Content::Signature { annotations: None },
    };
    let is_one = match format {
        "notation/cose" => matches!(bytes.first(), Some(0xd2 | 0x84)),
        _ => serde_json::from_slice::<Jws>(bytes).is_ok(),
    };
    if !is_one {
        return draft.finish(Err(Fault::malformed("it is no signature envelope")));
    }
    let detail = "signatures of the Notary Project are named, not judged";
    draft.finish(Err(Fault::new(Reason::Format, detail)))
}

/// The members of a JWS in JSON (RFC 7515, section 7.2.2).
#[derive(serde::Deserialize)]
struct Jws {
    #[serde(rename = "payload")]
    _payload: String,
    #[serde(rename = "protected")]
    _protected: String,
    #[serde(rename = "signature")]
    _signature: String,
}
