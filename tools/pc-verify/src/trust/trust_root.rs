//! `TrustRoot` documents (sigstore/policy-controller, pkg/apis/policy/v1alpha1/trustroot_types.go)
//! as trusted roots: keys and certificates given inline, or a `trusted_root.json`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use serde_saphyr::Spanned;

use super::document::{Fault, unsupported};
use super::pem;
use super::root::Root;

/// The media type of what is made here.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

/// A TrustRoot says nothing of when its keys came into use, so they always were.
const ALWAYS: &str = "1970-01-01T00:00:00Z";

/// Algorithms by the object identifiers of their keys, in DER, and as protobuf-specs call them
/// (sigstore_common.proto, `PublicKeyDetails`).
const KEY_DETAILS: [(&[u8], &str); 4] = [
    (&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], "PKIX_ECDSA_P256_SHA_256"),
    (&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22], "PKIX_ECDSA_P384_SHA_384"),
    (&[0x06, 0x03, 0x2b, 0x65, 0x70], "PKIX_ED25519"),
    (
        &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01],
        "PKIX_RSA_PKCS1V15_2048_SHA256",
    ),
];

/// `spec.sigstoreKeys`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct SigstoreKeys {
    #[serde(default)]
    certificate_authorities: Vec<Authority>,
    #[serde(default)]
    t_logs: Vec<Log>,
    #[serde(default)]
    ct_logs: Vec<Log>,
    #[serde(default)]
    timestamp_authorities: Vec<Authority>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Authority {
    subject: Subject,
    uri: String,
    cert_chain: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Subject {
    organization: String,
    common_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Log {
    #[serde(rename = "baseURL")]
    base_url: String,
    hash_algorithm: Spanned<String>,
    public_key: Spanned<String>,
}

/// What a TrustRoot's `spec` may hold.
#[derive(Debug)]
pub(crate) struct Spec<'a> {
    pub(crate) remote: Option<&'a Spanned<IgnoredAny>>,
    pub(crate) repository: Option<&'a Spanned<IgnoredAny>>,
    pub(crate) sigstore_keys: Option<&'a Spanned<SigstoreKeys>>,
    pub(crate) trusted_root_json: Option<&'a Spanned<String>>,
}

/// The name of the root that a TrustRoot of this name makes.
pub(crate) fn root_name(name: &str) -> String {
    format!("TrustRoot/{name}")
}

impl Spec<'_> {
    /// The root of a document of this name, which begins at `line`.
    pub(crate) fn root(&self, name: &str, line: u64) -> Result<Root, Fault> {
        for (field, given) in [("spec.remote", self.remote), ("spec.repository", self.repository)] {
            if let Some(given) = given {
                let why = "give the keys themselves, as `sigstoreKeys` or `trustedRootJSON`";
                return Err(unsupported(given, field, why));
            }
        }
        let root = |json: &str, line| {
            Root::from_json(&root_name(name), json).map_err(|why| Fault { line, why })
        };
        match (self.sigstore_keys, self.trusted_root_json) {
            (Some(keys), None) => root(&keys.value.to_json()?, keys.referenced.line()),
            (None, Some(json)) => root(&json.value, json.referenced.line()),
            (Some(_), Some(json)) => Err(Fault {
                line: json.referenced.line(),
                why: "`sigstoreKeys` and `trustedRootJSON` cannot both be given".to_owned(),
            }),
            (None, None) => {
                let why = "`spec` has neither `sigstoreKeys` nor `trustedRootJSON`".to_owned();
                Err(Fault { line, why })
            }
        }
    }
}

impl SigstoreKeys {
    /// The same as a `trusted_root.json`.
    fn to_json(&self) -> Result<String, Fault> {
        let all = |authorities: &[Authority]| {
            authorities.iter().map(Authority::to_json).collect::<Result<Vec<_>, _>>()
        };
        let logs = |logs: &[Log]| logs.iter().map(Log::to_json).collect::<Result<Vec<_>, _>>();
        let root = json!({
            "mediaType": MEDIA_TYPE,
            "tlogs": logs(&self.t_logs)?,
            "certificateAuthorities": all(&self.certificate_authorities)?,
            "ctlogs": logs(&self.ct_logs)?,
            "timestampAuthorities": all(&self.timestamp_authorities)?,
        });
        Ok(root.to_string())
    }
}

impl Authority {
    fn to_json(&self) -> Result<Value, Fault> {
        let chain = decode(&self.cert_chain, "certChain")?;
        let certificates = pem::certificates(&chain)
            .map_err(|error| fault(&self.cert_chain, &format!("`certChain`: {error}")))?;
        let entry = |der: &Vec<u8>| json!({"rawBytes": STANDARD.encode(der)});
        let certificates: Vec<Value> = certificates.iter().map(entry).collect();
        Ok(json!({
            "subject": {
                "organization": self.subject.organization,
                "commonName": self.subject.common_name,
            },
            "uri": self.uri,
            "certChain": {"certificates": certificates},
            "validFor": {"start": ALWAYS},
        }))
    }
}

impl Log {
    fn to_json(&self) -> Result<Value, Fault> {
        let hash = self.hash_algorithm.value.to_ascii_lowercase().replace(['-', '_'], "");
        if !matches!(hash.as_str(), "sha256" | "sha2256") {
            return Err(fault(&self.hash_algorithm, "`hashAlgorithm` must be `sha-256`"));
        }
        let text = decode(&self.public_key, "publicKey")?;
        let keys = pem::public_keys(&text)
            .map_err(|error| fault(&self.public_key, &format!("`publicKey`: {error}")))?;
        let [key] = keys.as_slice() else {
            return Err(fault(&self.public_key, "`publicKey` must hold one key"));
        };
        let details = key_details(&key.der).ok_or_else(|| {
            let why = "`publicKey` must be ECDSA on P-256 or P-384, Ed25519 or RSA";
            fault(&self.public_key, why)
        })?;
        // A log's id is the SHA-256 of its key (RFC 6962 §3.2), as a key's is.
        let id = key.id.0.trim_start_matches("sha256:");
        let id = hex::decode(id).expect("the id of a key is hexadecimal");
        Ok(json!({
            "baseUrl": self.base_url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": STANDARD.encode(&key.der),
                "keyDetails": details,
                "validFor": {"start": ALWAYS},
            },
            "logId": {"keyId": STANDARD.encode(id)},
        }))
    }
}

/// The algorithm of a SubjectPublicKeyInfo: its identifier stands among the first bytes.
fn key_details(der: &[u8]) -> Option<&'static str> {
    let head = der.get(..der.len().min(24))?;
    let has = |oid: &[u8]| head.windows(oid.len()).any(|window| window == oid);
    KEY_DETAILS.iter().find(|(oid, _)| has(oid)).map(|(_, details)| *details)
}

/// PEM in base64, as Kubernetes writes bytes; plain PEM is taken too.
fn decode(text: &Spanned<String>, field: &str) -> Result<String, Fault> {
    if pem::looks_like_pem(&text.value) {
        return Ok(text.value.clone());
    }
    let packed: String = text.value.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let decoded = STANDARD.decode(packed).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.ok_or_else(|| fault(text, &format!("`{field}` must be PEM in base64")))
}

fn fault<T>(at: &Spanned<T>, why: &str) -> Fault {
    Fault { line: at.referenced.line(), why: why.to_owned() }
}
