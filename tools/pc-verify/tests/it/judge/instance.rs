//! A small Sigstore instance: an authority, a log and a timestamp authority, for evidence of forms
//! and with faults of which there is none in the wild.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pc_verify::judge::Root;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType, SigningKey as _,
    date_time_ymd,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::der::{self, tlv};

/// The identity in every certificate here.
pub(crate) const SIGNER: &str = "https://ci.example/app/.workflows/release.yml@refs/tags/v1";

/// The issuer of that identity.
pub(crate) const ISSUER: &str = "https://ci.example";

/// A time within the certificates' life, which is the 1st of June 2026.
pub(crate) const WHILE_VALID: i64 = 1_780_300_800;

/// The day after.
pub(crate) const AFTERWARDS: i64 = WHILE_VALID + 86_400;

pub(crate) struct Instance {
    authority: Issuer<'static, KeyPair>,
    authority_der: Vec<u8>,
    pub(crate) log: KeyPair,
    stamper: KeyPair,
    stamper_der: Vec<u8>,
}

/// What a root has of an instance.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Has {
    Everything,
    /// No log at all: time is proven by the timestamp authority.
    NoLog,
    /// A log, but another one: a root that is too old.
    OtherLog,
    /// Everything but the timestamp authority.
    NoStamper,
}

fn key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key")
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "example");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

impl Instance {
    pub(crate) fn new() -> Self {
        let own = key();
        let params = authority_params("authority");
        let authority_der = params.self_signed(&own).expect("a certificate").der().to_vec();
        let authority = Issuer::new(params, own);
        let stamper = key();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "stamper");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::TimeStamping];
        params.use_authority_key_identifier_extension = true;
        let stamper_der =
            params.signed_by(&stamper, &authority).expect("a certificate").der().to_vec();
        Self { authority, authority_der, log: key(), stamper, stamper_der }
    }

    pub(crate) fn root(&self, has: Has) -> Root {
        Root::from_json("own", &self.root_json(has).to_string()).expect("a root")
    }

    fn root_json(&self, has: Has) -> Value {
        let chain = |certificates: &[&Vec<u8>]| {
            let certificates: Vec<Value> = certificates
                .iter()
                .map(|der| json!({ "rawBytes": STANDARD.encode(der) }))
                .collect();
            json!({ "certificates": certificates })
        };
        let log = |key: &KeyPair| {
            json!({
                "baseUrl": "https://log.example",
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(key.subject_public_key_info()),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                },
                "logId": { "keyId": STANDARD.encode(id_of(key)) },
            })
        };
        let logs = match has {
            Has::NoLog => vec![],
            Has::OtherLog => vec![log(&key())],
            Has::Everything | Has::NoStamper => vec![log(&self.log)],
        };
        let stampers = match has {
            Has::NoStamper => vec![],
            _ => vec![json!({ "certChain": chain(&[&self.stamper_der, &self.authority_der]) })],
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": logs,
            "certificateAuthorities": [{ "uri": "", "certChain": chain(&[&self.authority_der]) }],
            "timestampAuthorities": stampers,
        })
    }

    /// A certificate for a key, as this instance's authority makes it.
    pub(crate) fn certificate(&self, signer: &KeyPair) -> Vec<u8> {
        self.certificate_with(signer, |_| {})
    }

    /// The same, with something else in it.
    pub(crate) fn certificate_with(
        &self,
        signer: &KeyPair,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Vec<u8> {
        let mut params = leaf_params();
        change(&mut params);
        params.signed_by(signer, &self.authority).expect("a certificate").der().to_vec()
    }

    /// A certificate that claims this instance's authority, by somebody else.
    pub(crate) fn forged(&self, signer: &KeyPair) -> Vec<u8> {
        let mut params = authority_params("authority");
        let id = authority_params("authority").key_identifier(self.authority.key());
        params.key_identifier_method = KeyIdMethod::PreSpecified(id);
        let forger = Issuer::new(params, key());
        leaf_params().signed_by(signer, &forger).expect("a certificate").der().to_vec()
    }

    /// The log's promise of an entry, as the annotation that cosign keeps it in.
    pub(crate) fn annotation(&self, body: &Value, time: i64) -> String {
        let body = STANDARD.encode(body.to_string());
        let id = hex::encode(id_of(&self.log));
        let promised =
            format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{id}","logIndex":7}}"#);
        let promise = self.log.sign(promised.as_bytes()).expect("a signature");
        json!({
            "SignedEntryTimestamp": STANDARD.encode(promise),
            "Payload": { "body": body, "integratedTime": time, "logIndex": 7, "logID": id },
        })
        .to_string()
    }

    /// An entry of a bundle: with a promise, and a proof in a tree of one.
    pub(crate) fn entry(&self, body: &Value, time: i64) -> Value {
        let annotation: Value = serde_json::from_str(&self.annotation(body, time)).expect("JSON");
        let body = body.to_string();
        let root = Sha256::new().chain_update([0]).chain_update(&body).finalize();
        let note = format!("log.example\n1\n{}\n", STANDARD.encode(root));
        let mut signature = id_of(&self.log)[..4].to_vec();
        signature.extend(self.log.sign(note.as_bytes()).expect("a signature"));
        let note = format!("{note}\n\u{2014} log.example {}\n", STANDARD.encode(signature));
        let stated: Value = serde_json::from_str(&body).expect("JSON");
        json!({
            "logIndex": "7",
            "logId": { "keyId": STANDARD.encode(id_of(&self.log)) },
            "kindVersion": { "kind": stated["kind"], "version": stated["apiVersion"] },
            "integratedTime": time.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": annotation["SignedEntryTimestamp"] },
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": STANDARD.encode(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": { "envelope": note },
            },
            "canonicalizedBody": STANDARD.encode(body),
        })
    }

    /// A timestamp over some bytes (RFC 3161), in base64.
    pub(crate) fn stamp(&self, over: &[u8], time: i64) -> String {
        let when = jiff::Timestamp::from_second(time).expect("a time");
        let when = when.strftime("%Y%m%d%H%M%SZ").to_string();
        let info = der::stamp_info(&Sha256::digest(over), &when);
        let attributes = der::stamp_attributes(&Sha256::digest(&info));
        let signature = self.stamper.sign(&tlv(0x31, &attributes)).expect("a signature");
        STANDARD.encode(der::stamp(&info, &attributes, &signature, &self.stamper_der))
    }

    /// A timestamp with these signed attributes, as its annotation.
    pub(crate) fn stamp_with(&self, attributes: &[u8]) -> String {
        let info = der::stamp_info(&Sha256::digest(b"x"), "20260601120000Z");
        let attributes =
            [der::stamp_attributes(&Sha256::digest(&info)).as_slice(), attributes].concat();
        let token = der::stamp(&info, &attributes, b"no signature", &self.stamper_der);
        json!({ "SignedRFC3161Timestamp": STANDARD.encode(token) }).to_string()
    }

    /// The annotation in which cosign keeps a timestamp.
    pub(crate) fn stamp_annotation(&self, over: &[u8], time: i64) -> String {
        json!({ "SignedRFC3161Timestamp": self.stamp(over, time) }).to_string()
    }
}

fn leaf_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = date_time_ymd(2026, 6, 1);
    params.not_after = date_time_ymd(2026, 6, 2);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    params.subject_alt_names = vec![SanType::URI(SIGNER.try_into().expect("ASCII"))];
    let oid = [1, 3, 6, 1, 4, 1, 57264, 1, 8];
    let issuer = tlv(0x0c, ISSUER.as_bytes());
    params.custom_extensions = vec![CustomExtension::from_oid_content(&oid, issuer)];
    params
}

fn id_of(key: &KeyPair) -> Vec<u8> {
    Sha256::digest(key.subject_public_key_info()).to_vec()
}

/// A key that signs, and its certificate or its own PEM.
pub(crate) fn signer() -> KeyPair {
    key()
}

pub(crate) fn certificate_pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
}

/// The body of an entry `hashedrekord` or `rekord`.
pub(crate) fn hashed(kind: &str, payload: &[u8], signature: &[u8], verifier: &str) -> Value {
    json!({
        "apiVersion": "0.0.1",
        "kind": kind,
        "spec": {
            "data": { "hash": {
                "algorithm": "sha256",
                "value": hex::encode(Sha256::digest(payload)),
            } },
            "signature": {
                "content": STANDARD.encode(signature),
                "format": "x509",
                "publicKey": { "content": STANDARD.encode(verifier) },
            },
        },
    })
}

/// The body of an entry `dsse`.
pub(crate) fn dsse(payload: &[u8], signature: &[u8], verifier: &str) -> Value {
    let hash = json!({ "algorithm": "sha256", "value": hex::encode(Sha256::digest(payload)) });
    json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": hash,
            "payloadHash": hash,
            "signatures": [{
                "signature": STANDARD.encode(signature),
                "verifier": STANDARD.encode(verifier),
            }],
        },
    })
}

/// The body of an entry `intoto` of version 0.0.1, which hashes the whole envelope.
pub(crate) fn intoto(envelope: &[u8], verifier: &str) -> Value {
    json!({
        "apiVersion": "0.0.1",
        "kind": "intoto",
        "spec": {
            "content": { "hash": {
                "algorithm": "sha256",
                "value": hex::encode(Sha256::digest(envelope)),
            } },
            "publicKey": STANDARD.encode(verifier),
        },
    })
}
