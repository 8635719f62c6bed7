//! The bodies of log entries: what they hash, which signature, by whom.

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use sigstore_verify::types::{DerPublicKey, HashAlgorithm};

use super::certificate;
use super::entry::Kind;
use super::fault::Fault;
use super::json;
use super::pem;
use super::signed::Content;
use crate::judged::Reason;

/// What an entry's body says.
pub(super) struct Body {
    /// Every hash in it that can be compared.
    pub(super) hashes: Vec<Hash>,
    /// The signature; some kinds hash it with the envelope instead.
    pub(super) signature: Option<Vec<u8>>,
    /// The certificate, where one was logged.
    pub(super) certificate: Option<Vec<u8>>,
    /// The key that was logged, or that of the certificate.
    pub(super) key: DerPublicKey,
}

/// A hash in a body.
pub(super) struct Hash {
    of: Hashed,
    algorithm: HashAlgorithm,
    pub(super) value: Vec<u8>,
}

/// What is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hashed {
    /// What was signed: the bytes, or the pre-authentication encoding of an envelope.
    Signed,
    /// An envelope's payload.
    Payload,
    /// The envelope's JSON as it was uploaded.
    Envelope,
}

#[derive(Deserialize)]
struct Label {
    kind: String,
    #[serde(rename = "apiVersion")]
    version: String,
}

impl Body {
    /// The kind and version that a body itself states.
    pub(super) fn label(body: &[u8]) -> Result<(String, String), Fault> {
        let label: Label = serde_json::from_slice(body)
            .map_err(|error| Fault::caused(Reason::Malformed, "the log entry's body", error))?;
        Ok((label.kind, label.version))
    }

    /// Reads the body of an entry that is labelled as of this kind.
    pub(super) fn read(kind: Kind, body: &[u8]) -> Result<Self, Fault> {
        let value = json::read("the log entry's body", body)?;
        let stated = |name: &str| value[name].as_str().unwrap_or_default();
        if Kind::of(stated("kind"), stated("apiVersion")) != Some(kind) {
            let detail = "the log entry is labelled as of another kind than its body states";
            return Err(Fault::new(Reason::Log, detail));
        }
        let parts = Parts(&value["spec"]);
        match kind {
            Kind::HashedRekord001 | Kind::Rekord001 => parts.hashed_rekord_001(),
            Kind::HashedRekord002 => parts.hashed_rekord_002(),
            Kind::Dsse001 => parts.dsse_001(),
            Kind::Intoto001 => parts.intoto_001(),
            Kind::Intoto002 => parts.intoto_002(),
        }
    }
}

/// The `spec` of a body.
struct Parts<'a>(&'a Value);

impl Parts<'_> {
    fn hashed_rekord_001(&self) -> Result<Body, Fault> {
        let spec = self.0;
        let signature = &spec["signature"];
        let verifier = base64(&signature["publicKey"]["content"], "public key")?;
        body(
            vec![hex_hash(Hashed::Signed, &spec["data"]["hash"])?],
            Some(base64(&signature["content"], "signature")?),
            &verifier,
        )
    }

    fn hashed_rekord_002(&self) -> Result<Body, Fault> {
        let spec = &self.0["hashedRekordV002"];
        let data = &spec["data"];
        let hash = Hash {
            of: Hashed::Signed,
            algorithm: algorithm(&data["algorithm"])?,
            value: base64(&data["digest"], "digest")?,
        };
        let signature = base64(&spec["signature"]["content"], "signature")?;
        let verifier = &spec["signature"]["verifier"];
        let (certificate, key) = match (&verifier["x509Certificate"], &verifier["publicKey"]) {
            (Value::Object(certificate), Value::Null) => {
                let raw = certificate.get("rawBytes").unwrap_or(&Value::Null);
                let der = base64(raw, "certificate")?;
                let key = certificate::key_of(&der).ok_or_else(|| no("certificate"))?;
                (Some(der), key)
            }
            (Value::Null, Value::Object(key)) => {
                let raw = key.get("rawBytes").unwrap_or(&Value::Null);
                (None, DerPublicKey::new(base64(raw, "public key")?))
            }
            _ => return Err(no("one certificate or public key")),
        };
        Ok(Body { hashes: vec![hash], signature: Some(signature), certificate, key })
    }

    fn dsse_001(&self) -> Result<Body, Fault> {
        let signature = only(&self.0["signatures"])?;
        body(
            // The hash of the envelope is of JSON that a bundle does not keep.
            vec![hex_hash(Hashed::Payload, &self.0["payloadHash"])?],
            Some(base64(&signature["signature"], "signature")?),
            &base64(&signature["verifier"], "verifier")?,
        )
    }

    fn intoto_001(&self) -> Result<Body, Fault> {
        let content = &self.0["content"];
        let mut hashes = vec![hex_hash(Hashed::Envelope, &content["hash"])?];
        if !content["payloadHash"].is_null() {
            hashes.push(hex_hash(Hashed::Payload, &content["payloadHash"])?);
        }
        body(hashes, None, &base64(&self.0["publicKey"], "public key")?)
    }

    fn intoto_002(&self) -> Result<Body, Fault> {
        let content = &self.0["content"];
        let signature = only(&content["envelope"]["signatures"])?;
        // Rekor wraps this one in base64 once more.
        let twice = base64(&signature["sig"], "signature")?;
        let sig = std::str::from_utf8(&twice).ok().and_then(pem::decode);
        body(
            vec![hex_hash(Hashed::Payload, &content["payloadHash"])?],
            Some(sig.ok_or_else(|| no("signature"))?),
            &base64(&signature["publicKey"], "public key")?,
        )
    }
}

/// Puts a body together; `verifier` is the PEM of a certificate or of a public key.
fn body(hashes: Vec<Hash>, signature: Option<Vec<u8>>, verifier: &[u8]) -> Result<Body, Fault> {
    let text = std::str::from_utf8(verifier).map_err(|_| no("verifier in PEM"))?;
    let block = pem::blocks(text).ok().and_then(|blocks| blocks.into_iter().next());
    let block = block.ok_or_else(|| no("verifier in PEM"))?;
    let (certificate, key) = match block.label.as_str() {
        "CERTIFICATE" => {
            let key = certificate::key_of(&block.der).ok_or_else(|| no("certificate"))?;
            (Some(block.der), key)
        }
        "PUBLIC KEY" => (None, DerPublicKey::new(block.der)),
        "RSA PUBLIC KEY" => {
            let der = super::key::rsa_info(&block.der).map_err(|_| no("public key"))?;
            (None, DerPublicKey::new(der))
        }
        _ => return Err(no("certificate or public key")),
    };
    Ok(Body { hashes, signature, certificate, key })
}

impl Hash {
    /// The same hash of what is at hand; `None` where those bytes are not.
    pub(super) fn of(&self, content: &Content) -> Option<Vec<u8>> {
        match (self.of, content) {
            (Hashed::Signed, Content::Bytes(bytes)) => Some(digest(self.algorithm, bytes)),
            (Hashed::Signed, Content::Artifact(artifact)) => {
                (artifact.algorithm() == self.algorithm).then(|| artifact.as_bytes().to_vec())
            }
            (Hashed::Signed, Content::Envelope(envelope)) => {
                Some(digest(self.algorithm, &envelope.pae))
            }
            (Hashed::Payload, Content::Envelope(envelope)) => {
                Some(digest(self.algorithm, &envelope.payload))
            }
            (Hashed::Envelope, Content::Envelope(envelope)) => {
                envelope.raw.as_ref().map(|raw| digest(self.algorithm, raw))
            }
            _ => None,
        }
    }
}

pub(super) fn digest(algorithm: HashAlgorithm, bytes: &[u8]) -> Vec<u8> {
    match algorithm {
        HashAlgorithm::Sha2384 => Sha384::digest(bytes).to_vec(),
        HashAlgorithm::Sha2512 => Sha512::digest(bytes).to_vec(),
        // The enum is open; what is neither is compared as SHA-256, and differs.
        _ => Sha256::digest(bytes).to_vec(),
    }
}

fn only(list: &Value) -> Result<&Value, Fault> {
    match list.as_array().map(Vec::as_slice) {
        Some([one]) => Ok(one),
        _ => Err(Fault::new(Reason::Log, "the log entry does not hold exactly one signature")),
    }
}

fn hex_hash(of: Hashed, value: &Value) -> Result<Hash, Fault> {
    let hash = value["value"].as_str().and_then(|text| hex::decode(text).ok());
    let hash = hash.ok_or_else(|| no("hash in hexadecimal"))?;
    Ok(Hash { of, algorithm: algorithm(&value["algorithm"])?, value: hash })
}

fn algorithm(value: &Value) -> Result<HashAlgorithm, Fault> {
    value.as_str().and_then(|name| name.parse().ok()).ok_or_else(|| no("hash algorithm"))
}

fn base64(value: &Value, what: &str) -> Result<Vec<u8>, Fault> {
    value.as_str().and_then(pem::decode).ok_or_else(|| no(what))
}

fn no(what: &str) -> Fault {
    Fault::malformed(format!("the log entry's body has no {what} that can be read"))
}
