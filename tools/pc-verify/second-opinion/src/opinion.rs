//! The two engines, each asked about one vector.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use pc_verify::judge::{Judge, Key, Root};
use pc_verify::material::Material;
use pki_types::CertificateDer;
use records::FindVerdict;
use serde_json::Value;
use sigstore::bundle::Bundle;
use sigstore::bundle::verify::blocking::Verifier;
use sigstore::bundle::verify::policy::PolicyResult;
use sigstore::bundle::verify::{ArtifactDigest, VerificationPolicy};
use sigstore::rekor::apis::configuration::Configuration;
use sigstore::trust::ManualTrustRoot;

use crate::vectors::{Vector, base64};

/// What an engine says of a vector.
#[derive(Debug)]
pub(crate) enum Opinion {
    Accepts,
    Rejects(String),
}

impl Opinion {
    pub(crate) fn accepts(&self) -> bool {
        matches!(self, Self::Accepts)
    }
}

impl fmt::Display for Opinion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepts => f.write_str("accepts"),
            Self::Rejects(why) => write!(f, "rejects: {}", why.replace(['\n', '\t'], " ")),
        }
    }
}

/// pc-verify's judge.
pub(crate) fn ours(vector: &Vector) -> Opinion {
    let root = Root::from_json("given", &vector.root).expect("a root");
    let keys: Vec<Key> =
        vector.keys.iter().map(|pem| Key::from_pem("key", pem).expect("a key")).collect();
    let material = Material::Bundle { bytes: Bytes::from(vector.bundle.clone()) };
    let judged = Judge::new(vec![root], keys).judge(&material, &vector.digest, &[]);
    match judged.verdict {
        FindVerdict::Valid | FindVerdict::Trusted => Opinion::Accepts,
        _ => {
            let reason = judged.reason.map(|reason| reason.as_str()).unwrap_or_default();
            Opinion::Rejects(format!("{reason} {}", judged.detail.unwrap_or_default()))
        }
    }
}

/// Every signer will do: who signed is not asked here.
struct Anyone;

impl VerificationPolicy for Anyone {
    fn verify(&self, _: &x509_cert::Certificate) -> PolicyResult {
        Ok(())
    }
}

/// The `sigstore` crate's verifier.
pub(crate) fn theirs(vector: &Vector) -> Opinion {
    let verified = || -> Result<(), String> {
        let bundle: Bundle =
            serde_json::from_slice(&vector.bundle).map_err(|error| error.to_string())?;
        let verifier = Verifier::new(Configuration::default(), root(&vector.root)?)
            .map_err(|error| error.to_string())?;
        verifier
            .verify_digest_with(digest(&vector.digest)?, bundle, &Anyone, true)
            .map_err(|error| format!("{error:?}"))
    };
    match verified() {
        Ok(()) => Opinion::Accepts,
        Err(why) => Opinion::Rejects(why),
    }
}

fn digest(digest: &records::Digest) -> Result<ArtifactDigest, String> {
    let bytes = hex::decode(digest.hex()).map_err(|error| error.to_string())?;
    let wrong = |_| "a digest of another length".to_owned();
    match digest.algorithm() {
        "sha256" => Ok(ArtifactDigest::Sha256(bytes.try_into().map_err(wrong)?)),
        _ => Ok(ArtifactDigest::Sha512(bytes.try_into().map_err(wrong)?)),
    }
}

/// A trusted root in the crate's terms.
fn root(json: &str) -> Result<ManualTrustRoot<'static>, String> {
    let root: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let list = |name: &str| root[name].as_array().cloned().unwrap_or_default();
    let fulcio_certs = list("certificateAuthorities")
        .iter()
        .flat_map(|authority| {
            authority["certChain"]["certificates"].as_array().cloned().unwrap_or_default()
        })
        .map(|certificate| CertificateDer::from(base64(&certificate["rawBytes"])))
        .collect();
    let keys = |name: &str| -> BTreeMap<String, Vec<u8>> {
        list(name)
            .iter()
            .map(|log| {
                (hex::encode(base64(&log["logId"]["keyId"])), base64(&log["publicKey"]["rawBytes"]))
            })
            .collect()
    };
    Ok(ManualTrustRoot { fulcio_certs, rekor_keys: keys("tlogs"), ctfe_keys: keys("ctlogs") })
}
