//! A notary for what the engine cannot read.
//!
//! The engine wants the time of signing from a log entry or a timestamp of the kinds that it
//! knows. Where we have checked one of another kind ourselves (an entry `intoto/0.0.1` or
//! `rekord/0.0.1`, a timestamp over a whole layer), the same facts are restated as an entry that
//! it knows, signed by a key that lives and dies with this process, and the engine does all the
//! rest: chain, certificate transparency, signature, subject.
//!
//! The notary's log is known only to a verifier of its own, which foreign bundles reach only with
//! a restated entry beside what they bring. Its key never leaves this struct, so nobody else can
//! make an entry of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::json;
use sigstore_verify::Verifier;
use sigstore_verify::crypto::{KeyPair, sha256};
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{
    CanonicalizedBody, InclusionPromise, KindVersion, LogId, LogIndex, LogKeyId, SignedTimestamp,
    TransparencyLogEntry,
};

/// Restates what was checked as an entry of a log.
pub(super) struct Notary {
    key: KeyPair,
    id: LogKeyId,
    /// Knows the root's own logs and the notary's.
    pub(super) verifier: Verifier,
}

impl Notary {
    pub(super) fn new(trusted: &TrustedRoot) -> sigstore_verify::Result<Self> {
        let key = KeyPair::generate_ecdsa_p256()?;
        let public = key.public_key_der()?;
        let id = LogKeyId::from_bytes(sha256(public.as_bytes()).as_bytes());
        let log = json!({
            "baseUrl": "notary",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": public.to_base64(),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            },
            "logId": { "keyId": id.to_base64() },
        });
        let log = serde_json::from_value(log)
            .map_err(|e| sigstore_verify::Error::InvalidTrustRoot(e.to_string()))?;
        let mut trusted = trusted.clone();
        trusted.tlogs.push(log);
        Ok(Self { key, id, verifier: Verifier::new(&trusted)? })
    }

    /// Restates a signature over bytes with this SHA-256. `verifier` is the PEM of the
    /// certificate or key.
    pub(super) fn message(
        &self,
        sha256_hex: &str,
        signature: &[u8],
        verifier: &str,
        time: Timestamp,
    ) -> sigstore_verify::Result<TransparencyLogEntry> {
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": { "hash": { "algorithm": "sha256", "value": sha256_hex } },
                "signature": {
                    "content": STANDARD.encode(signature),
                    "publicKey": { "content": STANDARD.encode(verifier) },
                },
            },
        });
        self.entry(&body, KindVersion::HashedRekordV001, time)
    }

    /// Restates a DSSE envelope whose payload has this SHA-256.
    pub(super) fn envelope(
        &self,
        payload_hex: &str,
        signature: &[u8],
        verifier: &str,
        time: Timestamp,
    ) -> sigstore_verify::Result<TransparencyLogEntry> {
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": { "algorithm": "sha256", "value": payload_hex },
                "payloadHash": { "algorithm": "sha256", "value": payload_hex },
                "signatures": [{
                    "signature": STANDARD.encode(signature),
                    "verifier": STANDARD.encode(verifier),
                }],
            },
        });
        self.entry(&body, KindVersion::DsseV001, time)
    }

    fn entry(
        &self,
        body: &serde_json::Value,
        kind: KindVersion,
        time: Timestamp,
    ) -> sigstore_verify::Result<TransparencyLogEntry> {
        let body = body.to_string().into_bytes();
        let promise = super::log::promised(&body, time.as_second(), self.id.as_bytes(), 0);
        let promise = self.key.sign(&promise)?;
        let time = Timestamp::from_second(time.as_second()).unwrap_or(time);
        let entry = TransparencyLogEntry::new(
            LogIndex::default(),
            LogId::new(self.id.clone()),
            kind,
            CanonicalizedBody::new(body),
        );
        Ok(entry.with_integrated_time(time).with_inclusion_promise(InclusionPromise::new(
            SignedTimestamp::from_bytes(promise.as_bytes()),
        )))
    }
}
