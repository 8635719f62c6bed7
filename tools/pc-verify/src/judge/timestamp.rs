//! RFC 3161 timestamps: whose they are, and whether they hold.

use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier};
use jiff::Timestamp;
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::tsa::{Error as TsaError, verify_timestamp_for_authority};
use sigstore_verify::types::{SignatureBytes, TimestampToken, TsaAuthority};
use x509_cert::Certificate;
use x509_cert::der::{
    AnyRef, Decode as _, Encode as _, ErrorKind, Reader as _, SliceReader, Tag, Tagged as _,
};
use x509_cert::ext::pkix::SubjectKeyIdentifier;

use super::bounds;
use super::fault::Fault;
use super::root::Root;
use crate::judged::Reason;

/// A timestamp authority of a root.
pub(super) struct Stamper {
    authority: TsaAuthority,
    leaf: Certificate,
}

/// A timestamp that holds.
pub(super) struct Stamp {
    pub(super) time: Timestamp,
    /// The roots that know its authority, by their place.
    pub(super) roots: Vec<usize>,
}

impl Stamper {
    pub(super) fn all(trusted: &TrustedRoot) -> Vec<Self> {
        let read = |authority: TsaAuthority| {
            let leaf = Certificate::from_der(authority.leaf.as_bytes()).ok()?;
            Some(Self { authority, leaf })
        };
        trusted.tsa_authorities().into_iter().filter_map(read).collect()
    }

    fn is_named_by(&self, signer: &SignerIdentifier) -> bool {
        let leaf = &self.leaf.tbs_certificate;
        match signer {
            SignerIdentifier::IssuerAndSerialNumber(it) => {
                it.issuer == leaf.issuer && it.serial_number == leaf.serial_number
            }
            SignerIdentifier::SubjectKeyIdentifier(id) => {
                let own = leaf.get::<SubjectKeyIdentifier>().ok().flatten();
                own.is_some_and(|(_, own)| own == *id)
            }
        }
    }
}

/// Checks a timestamp over some bytes. `None` when no root knows the authority that it names.
pub(super) fn check(
    token: &TimestampToken,
    over: &[u8],
    roots: &[Root],
) -> Result<Option<Stamp>, Fault> {
    let signer = signer(token.as_bytes()).map_err(|error| {
        Fault::caused(Reason::Malformed, "the timestamp is not one of RFC 3161", error)
    })?;
    let over = SignatureBytes::from_bytes(over);
    let mut stamp: Option<Stamp> = None;
    let mut refused = None;
    for (place, root) in roots.iter().enumerate() {
        for stamper in root.stampers.iter().filter(|stamper| stamper.is_named_by(&signer)) {
            match verify_timestamp_for_authority(token, &over, &stamper.authority) {
                Ok(time) => match &mut stamp {
                    Some(stamp) => stamp.roots.push(place),
                    None => stamp = Some(Stamp { time, roots: vec![place] }),
                },
                Err(error) => refused = Some(error),
            }
        }
    }
    match (stamp, refused) {
        (Some(stamp), _) => Ok(Some(stamp)),
        (None, Some(error)) => Err(why(&error)),
        (None, None) => Ok(None),
    }
}

fn why(error: &TsaError) -> Fault {
    let detail = match error {
        TsaError::HashMismatch { .. } => "the timestamp is of other bytes".to_owned(),
        TsaError::TimestampOutsideValidity { time } => {
            format!("the timestamp authority was not in use at {time}")
        }
        other => {
            return Fault::caused(Reason::Timestamp, "the timestamp does not hold", other);
        }
    };
    Fault::new(Reason::Timestamp, detail)
}

/// Who a timestamp says made it. It is a response (RFC 3161 §2.4.2), or the token in it alone.
fn signer(bytes: &[u8]) -> x509_cert::der::Result<SignerIdentifier> {
    if !bounds::are_kept(bytes) {
        return Err(ErrorKind::Overlength.into());
    }
    let mut reader = SliceReader::new(bytes)?;
    let token = reader.sequence(|fields| {
        let first: AnyRef<'_> = fields.decode()?;
        let rest = fields.read_slice(fields.remaining_len())?;
        if first.tag() == Tag::ObjectIdentifier {
            return Ok(bytes);
        }
        Ok(rest)
    })?;
    let content = ContentInfo::from_der(token)?;
    let signed = SignedData::from_der(&content.content.to_der()?)?;
    let info = signed.signer_infos.0.get(0);
    info.map(|info| info.sid.clone()).ok_or_else(|| Tag::Set.value_error())
}
