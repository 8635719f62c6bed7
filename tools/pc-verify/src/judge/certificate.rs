//! Signing certificates: which authority they claim, and whether it made them.
//!
//! The engine checks chains; what it cannot say is whether a chain that it refuses ends at an
//! authority that no root knows (nothing to check it against) or claims one that a root knows
//! and that did not sign it (a forgery). That is answered here, by our own check.

use sigstore_verify::crypto::{
    CertificateInfo, KeyAlgorithm, SigningScheme, parse_certificate_info,
};
use sigstore_verify::crypto::{Error as CryptoError, verify_signature};
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{DerCertificate, DerPublicKey, SignatureBytes};
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, OctetStringRef};
use x509_cert::der::{Decode as _, Encode as _, ErrorKind};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, SubjectKeyIdentifier};
use x509_cert::name::Name;

use super::bounds;
use super::fault::Fault;
use crate::judged::{CertifiedIdentity, Reason};

/// The longest way from a signing certificate to an authority.
const MAX_DEPTH: usize = 8;

/// The extension with signed certificate timestamps (RFC 6962 §3.3).
const SCT_LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");

/// A certificate authority of a root, or an intermediate below it.
pub(super) struct Authority {
    subject: Name,
    key_id: Option<Vec<u8>>,
    key: DerPublicKey,
}

/// A certificate that came with a signature.
pub(super) struct Leaf {
    pub(super) der: DerCertificate,
    pub(super) info: CertificateInfo,
    parsed: Certificate,
    /// Whatever other certificates came along; nothing in them is believed.
    pub(super) chain: Vec<DerCertificate>,
}

/// Who made a certificate, as far as a root can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Issued {
    /// It claims no authority of this root.
    Unknown,
    /// An authority of this root signed it, or a certificate between them, as far as we can tell.
    ByAuthority,
    /// It claims an authority of this root, which did not sign it.
    Forged,
}

impl Authority {
    pub(super) fn all(trusted: &TrustedRoot) -> Vec<Self> {
        let chains = trusted.certificate_authorities.iter().map(|ca| &ca.cert_chain.certificates);
        chains.flatten().filter_map(|entry| Self::read(entry.raw_bytes.as_bytes())).collect()
    }

    fn read(der: &[u8]) -> Option<Self> {
        Self::of(&parse(der).ok()?)
    }

    fn of(certificate: &Certificate) -> Option<Self> {
        let info = &certificate.tbs_certificate.subject_public_key_info;
        let id = certificate.tbs_certificate.get::<SubjectKeyIdentifier>().ok()?;
        Some(Self {
            subject: certificate.tbs_certificate.subject.clone(),
            key_id: id.map(|(_, id)| id.0.into_bytes()),
            key: DerPublicKey::new(info.to_der().ok()?),
        })
    }

    /// Whether a certificate says that this authority issued it: by the key where both name one
    /// (instances of Sigstore share their authorities' names), else by the name.
    fn is_claimed_by(&self, certificate: &Certificate) -> bool {
        let claimed = certificate.tbs_certificate.get::<AuthorityKeyIdentifier>().ok().flatten();
        match (claimed.and_then(|(_, id)| id.key_identifier), &self.key_id) {
            (Some(claimed), Some(own)) => claimed.as_bytes() == own.as_slice(),
            _ => certificate.tbs_certificate.issuer == self.subject,
        }
    }

    /// Whether its key signed a certificate. In an algorithm that we do not know it may have: the
    /// engine, which knows more or refuses, decides.
    fn may_have_signed(&self, certificate: &Certificate) -> bool {
        let scheme = KeyAlgorithm::from_spki(&self.key)
            .ok()
            .and_then(|key| scheme_of(key, &certificate.signature_algorithm.oid));
        let Some(scheme) = scheme else { return true };
        let (Ok(message), Some(signature)) =
            (certificate.tbs_certificate.to_der(), certificate.signature.as_bytes())
        else {
            return false;
        };
        let signature = SignatureBytes::from_bytes(signature);
        verify_signature(&self.key, &message, &signature, scheme).is_ok()
    }
}

impl Leaf {
    /// Reads a signing certificate.
    pub(super) fn read(der: Vec<u8>, chain: Vec<DerCertificate>) -> Result<Self, Fault> {
        let der = DerCertificate::new(der);
        const WHAT: &str = "the certificate cannot be read";
        let parsed =
            parse(der.as_bytes()).map_err(|error| Fault::caused(Reason::Malformed, WHAT, error))?;
        let info = parse_certificate_info(&der).map_err(|error| match error {
            // Of a key that the engine does not know nothing can be said.
            CryptoError::InvalidKey(_) | CryptoError::UnsupportedAlgorithm(_) => {
                Fault::caused(Reason::Format, "the certificate's key is not judged here", error)
            }
            other => Fault::caused(Reason::Malformed, WHAT, other),
        })?;
        Ok(Self { der, info, parsed, chain })
    }

    /// Who made it, by the authorities of one root.
    pub(super) fn issued(&self, authorities: &[Authority]) -> Issued {
        let chain: Vec<Certificate> =
            self.chain.iter().filter_map(|der| parse(der.as_bytes()).ok()).collect();
        let mut current = &self.parsed;
        for _ in 0..MAX_DEPTH {
            let mut claimed = authorities.iter().filter(|a| a.is_claimed_by(current)).peekable();
            if claimed.peek().is_some() {
                return if claimed.any(|a| a.may_have_signed(current)) {
                    Issued::ByAuthority
                } else {
                    Issued::Forged
                };
            }
            let above = |next: &&Certificate| {
                Authority::of(next)
                    .is_some_and(|a| a.is_claimed_by(current) && a.may_have_signed(current))
            };
            let Some(next) = chain.iter().find(above) else { return Issued::Unknown };
            current = next;
        }
        Issued::Unknown
    }

    /// The certificate transparency logs that it says promised to log it (RFC 6962 §3.3): their
    /// ids. `None` where it has no such list, or not one that can be read.
    pub(super) fn ct_logs(&self) -> Option<Vec<&[u8]>> {
        let extensions = self.parsed.tbs_certificate.extensions.as_deref()?;
        let list = extensions.iter().find(|e| e.extn_id == SCT_LIST)?.extn_value.as_bytes();
        let list = OctetStringRef::from_der(list).ok()?.as_bytes();
        let (mut rest, behind) = prefixed(list)?;
        let mut logs = Vec::new();
        while !rest.is_empty() {
            let (promise, after) = prefixed(rest)?;
            // Version 1, then the log's id.
            logs.push(promise.get(1..33)?);
            rest = after;
        }
        behind.is_empty().then_some(logs)
    }

    /// The name of the authority that it claims, for people.
    pub(super) fn claimed_issuer(&self) -> String {
        records::text::shown(&self.parsed.tbs_certificate.issuer.to_string())
    }

    /// Fails when it was not valid at this time.
    pub(super) fn valid_at(&self, time: jiff::Timestamp) -> Result<(), Fault> {
        let (from, to) = (self.info.not_before, self.info.not_after);
        if (from..=to).contains(&time) {
            return Ok(());
        }
        let detail = format!("the certificate was valid from {from} to {to}, not at {time}");
        Err(Fault::new(Reason::Certificate, detail))
    }

    /// What it vouches for, once a root vouches for it.
    pub(super) fn identity(&self, root: &str) -> CertifiedIdentity {
        let claims = &self.info.ci_claims;
        CertifiedIdentity {
            // An empty name names nobody.
            identity: self
                .info
                .identity
                .as_ref()
                .map(|name| name.as_str().to_owned())
                .filter(|name| !name.is_empty()),
            issuer: self.info.issuer.clone(),
            root: root.to_owned(),
            build_signer_uri: claims.build_signer_uri.clone(),
            build_signer_digest: claims.build_signer_digest.clone(),
            runner_environment: claims.runner_environment.clone(),
            source_repository: claims.source_repository_uri.clone(),
            source_commit: claims.source_repository_digest.clone(),
            source_ref: claims.source_repository_ref.clone(),
            build_trigger: claims.build_trigger.clone(),
            run_invocation: claims.run_invocation_uri.clone(),
            lifetime: Some((self.info.not_before, self.info.not_after)),
        }
    }
}

/// A vector with its length in two bytes before it (RFC 8446 §3.4), and what is behind it.
fn prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Whether a certificate's subject is its issuer: a root, which no bundle should carry.
pub(super) fn is_self_issued(der: &DerCertificate) -> bool {
    parse(der.as_bytes()).is_ok_and(|c| c.tbs_certificate.subject == c.tbs_certificate.issuer)
}

fn parse(der: &[u8]) -> x509_cert::der::Result<Certificate> {
    if !bounds::are_kept(der) {
        return Err(ErrorKind::Overlength.into());
    }
    Certificate::from_der(der)
}

/// The public key of a certificate.
pub(super) fn key_of(der: &[u8]) -> Option<DerPublicKey> {
    Authority::read(der).map(|authority| authority.key)
}

/// The scheme of a certificate's signature algorithm (RFC 5758, RFC 4055, RFC 8410).
fn scheme_of(key: KeyAlgorithm, oid: &ObjectIdentifier) -> Option<SigningScheme> {
    use SigningScheme as S;
    match (key, oid.to_string().as_str()) {
        (KeyAlgorithm::EcdsaP256, "1.2.840.10045.4.3.2") => Some(S::EcdsaP256Sha256),
        (KeyAlgorithm::EcdsaP256, "1.2.840.10045.4.3.3") => Some(S::EcdsaP256Sha384),
        (KeyAlgorithm::EcdsaP384, "1.2.840.10045.4.3.2") => Some(S::EcdsaP384Sha256),
        (KeyAlgorithm::EcdsaP384, "1.2.840.10045.4.3.3") => Some(S::EcdsaP384Sha384),
        (KeyAlgorithm::Rsa, "1.2.840.113549.1.1.11") => Some(S::RsaPkcs1Sha256),
        (KeyAlgorithm::Rsa, "1.2.840.113549.1.1.12") => Some(S::RsaPkcs1Sha384),
        (KeyAlgorithm::Rsa, "1.2.840.113549.1.1.13") => Some(S::RsaPkcs1Sha512),
        (KeyAlgorithm::Ed25519, "1.3.101.112") => Some(S::Ed25519),
        _ => None,
    }
}
