//! The engine's full verification: what alone makes evidence valid.

use jiff::Timestamp;
use sigstore_verify::crypto::{KeyAlgorithm, SigningScheme};
use sigstore_verify::types::bundle::{CertificateContent, MessageDigest};
use sigstore_verify::types::{
    Artifact, Bundle, DerPublicKey, DigestBytes, DsseEnvelope, DsseSignature, HashAlgorithm, KeyId,
    MediaType, MessageSignature, PayloadBytes, PublicKeyIdentifier, Rfc3161Timestamp,
    SignatureBytes, SignatureContent, TimestampVerificationData, TransparencyLogEntry,
    VerificationMaterial, VerificationMaterialContent, X509Certificate,
};
use sigstore_verify::{
    CertificateError, Error, PublicKeyVerificationPolicy, TimestampError, TransparencyLogError,
    VerificationPolicy, VerificationResult, Verifier,
};

use super::body::digest;
use super::fault::Fault;
use super::root::Root;
use super::signed::{Content, Form, Made, Signed, Stamped, Voucher};
use crate::judged::Reason;

/// Whether the engine has the scheme in which a signature was made, for this content.
pub(super) fn can(signed: &Signed, key: &DerPublicKey, made: Made) -> bool {
    let (Made::By(scheme), Ok(algorithm)) = (made, KeyAlgorithm::from_spki(key)) else {
        return false;
    };
    match (&signed.content, signed.form) {
        (Content::Envelope(_), _) | (Content::Artifact(_), Form::Bundle(_, None) | Form::Layer) => {
            algorithm.default_signing_scheme() == scheme
        }
        (Content::Artifact(_), Form::Bundle(_, Some(hash))) => {
            algorithm.resolve_signing_scheme(hash).is_ok_and(|resolved| resolved == scheme)
        }
        (Content::Bytes(_), _) => {
            let hash = scheme.hash_algorithm().unwrap_or(HashAlgorithm::Sha2256);
            algorithm.resolve_signing_scheme(hash).is_ok_and(|resolved| resolved == scheme)
        }
    }
}

/// Verifies under a root; `key` is the configured key where no certificate came along, and
/// `times` are the times that our own checks have proven.
pub(super) fn verify(
    root: &Root,
    signed: &Signed,
    scheme: SigningScheme,
    key: Option<&DerPublicKey>,
    times: &[Timestamp],
) -> Result<VerificationResult, Fault> {
    let mut entries: Vec<TransparencyLogEntry> =
        signed.entries.iter().filter_map(|entry| entry.engine.clone()).collect();
    let over_all = signed.stamped == Stamped::Envelope && !signed.timestamps.is_empty();
    let restate = over_all || entries.len() < signed.entries.len();
    let verifier = if restate {
        entries.extend(restated(root, signed, key, times).map_err(|error| explain(&error))?);
        &root.notary.verifier
    } else {
        &root.verifier
    };
    let bundle = bundle(signed, scheme, entries);
    run(verifier, root, signed, &bundle, key).map_err(|error| explain(&error))
}

fn run(
    verifier: &Verifier,
    root: &Root,
    signed: &Signed,
    bundle: &Bundle,
    key: Option<&DerPublicKey>,
) -> Result<VerificationResult, Error> {
    let artifact = match &signed.content {
        Content::Bytes(bytes) => Artifact::from_blob(bytes),
        Content::Artifact(digest) => Artifact::Digest(digest.clone()),
        Content::Envelope(envelope) => Artifact::Digest(envelope.subject.clone()),
    };
    // Where there is an entry it is verified, demanded or not.
    let without_log = bundle.verification_material.tlog_entries.is_empty();
    if let Some(key) = key {
        let mut policy = PublicKeyVerificationPolicy::new(key.clone());
        if without_log {
            policy = policy.skip_tlog_unsafe();
        }
        return verifier.verify(artifact, bundle, &policy);
    }
    let mut policy = VerificationPolicy::any_identity();
    if without_log && !root.demands().log {
        policy = policy.skip_tlog_unsafe();
    }
    if !root.demands().sct {
        policy = policy.skip_sct();
    }
    verifier.verify(artifact, bundle, &policy)
}

/// The proven times, restated as entries that the engine reads.
fn restated(
    root: &Root,
    signed: &Signed,
    key: Option<&DerPublicKey>,
    times: &[Timestamp],
) -> Result<Vec<TransparencyLogEntry>, Error> {
    let verifier = match (&signed.voucher, key) {
        (Voucher::Certificate(leaf), _) => leaf.der.to_pem(),
        (Voucher::Key, Some(key)) => key.to_pem(),
        (Voucher::Key, None) => return Ok(Vec::new()),
    };
    let entry = |time: &Timestamp| match &signed.content {
        Content::Envelope(envelope) => {
            let payload = hex::encode(digest(HashAlgorithm::Sha2256, &envelope.payload));
            root.notary.envelope(&payload, &signed.signature, &verifier, *time)
        }
        Content::Bytes(bytes) => {
            let hash = hex::encode(digest(HashAlgorithm::Sha2256, bytes));
            root.notary.message(&hash, &signed.signature, &verifier, *time)
        }
        Content::Artifact(artifact) => {
            let hash = hex::encode(artifact.as_bytes());
            root.notary.message(&hash, &signed.signature, &verifier, *time)
        }
    };
    times.iter().map(entry).collect()
}

fn bundle(signed: &Signed, scheme: SigningScheme, entries: Vec<TransparencyLogEntry>) -> Bundle {
    let version = match signed.form {
        Form::Bundle(version, _) => version,
        // A layer's entry has a promise, which 0.1 is about; without one the version must be one
        // that does not demand it.
        Form::Layer if entries.is_empty() => MediaType::Bundle0_2,
        Form::Layer => MediaType::Bundle0_1,
    };
    let stamps = match signed.stamped {
        Stamped::Signature => {
            signed.timestamps.iter().cloned().map(Rfc3161Timestamp::new).collect()
        }
        Stamped::Envelope => Vec::new(),
    };
    let material = VerificationMaterial::new(voucher(signed, version))
        .with_tlog_entries(entries)
        .with_timestamp_verification_data(TimestampVerificationData::new(stamps));
    Bundle::new(version, material, content(signed, scheme))
}

fn voucher(signed: &Signed, version: MediaType) -> VerificationMaterialContent {
    match &signed.voucher {
        Voucher::Key => VerificationMaterialContent::PublicKey(PublicKeyIdentifier::new("")),
        Voucher::Certificate(leaf) if version == MediaType::Bundle0_3 => {
            VerificationMaterialContent::Certificate(CertificateContent::new(leaf.der.clone()))
        }
        Voucher::Certificate(leaf) => {
            let chain = std::iter::once(&leaf.der).chain(&leaf.chain);
            VerificationMaterialContent::X509CertificateChain {
                certificates: chain.cloned().map(X509Certificate::new).collect(),
            }
        }
    }
}

fn content(signed: &Signed, scheme: SigningScheme) -> SignatureContent {
    let signature = SignatureBytes::from_bytes(&signed.signature);
    let declare =
        |algorithm, bytes: &[u8]| MessageDigest::new(algorithm, DigestBytes::new(bytes.to_vec()));
    let message = MessageSignature::new(signature.clone());
    match (&signed.content, signed.form) {
        (Content::Envelope(envelope), _) => SignatureContent::DsseEnvelope(DsseEnvelope::new(
            envelope.payload_type.clone(),
            PayloadBytes::from_bytes(&envelope.payload),
            DsseSignature::new(signature, KeyId::default()),
        )),
        (Content::Bytes(bytes), _) => {
            let algorithm = scheme.hash_algorithm().unwrap_or(HashAlgorithm::Sha2256);
            let declared = declare(algorithm, &digest(algorithm, bytes));
            SignatureContent::MessageSignature(message.with_message_digest(declared))
        }
        (Content::Artifact(artifact), Form::Bundle(_, Some(algorithm))) => {
            let declared = declare(algorithm, artifact.as_bytes());
            SignatureContent::MessageSignature(message.with_message_digest(declared))
        }
        (Content::Artifact(_), _) => SignatureContent::MessageSignature(message),
    }
}

/// Why the engine refuses, by the type of its error. Our own checks come first, so little is left
/// to say here; what they cannot explain is a contradiction.
fn explain(error: &Error) -> Fault {
    let reason = match error {
        Error::SignatureInvalid(_) => Reason::Signature,
        Error::ArtifactMismatch(_) => Reason::Subject,
        Error::Certificate(CertificateError::NoValidAuthority { .. })
        | Error::TransparencyLog(TransparencyLogError::UnknownLog { .. }) => Reason::NoRoot,
        Error::Certificate(_) => Reason::Certificate,
        Error::TransparencyLog(_) => Reason::Log,
        Error::Timestamp(TimestampError::NoVerifiedTimestamp(_)) => Reason::NoTime,
        Error::Timestamp(_) => Reason::Timestamp,
        _ => Reason::Malformed,
    };
    Fault::caused(reason, "verification failed", error)
}
