//! The annotations in which cosign keeps what belongs to a signature in an image layer
//! (cosign, specs/SIGNATURE_SPEC.md, "Properties").

use std::collections::BTreeMap;

use serde_json::Value;
use sigstore_verify::types::{
    CanonicalizedBody, DerCertificate, InclusionPromise, KindVersion, LogId, LogIndex, LogKeyId,
    SignedTimestamp, TimestampToken, TransparencyLogEntry,
};

use super::certificate::{self, Leaf};
use super::entry::{Entry, Kind};
use super::fault::Fault;
use super::json;
use super::pem;
use super::signed::Voucher;
use crate::judged::Reason;

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const BUNDLE: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// What came along in a layer's annotations.
pub(super) struct Along {
    pub(super) voucher: Voucher,
    pub(super) entries: Vec<Entry>,
    pub(super) timestamps: Vec<TimestampToken>,
    pub(super) unread: Option<Fault>,
}

impl Along {
    /// Reads the annotations. An empty one counts as absent, as cosign treats it.
    pub(super) fn read(annotations: &BTreeMap<String, String>) -> Result<Self, Fault> {
        let text = |name: &str| {
            annotations.get(name).map(String::as_str).filter(|text| !text.trim().is_empty())
        };
        let mut unread = None;
        let mut entries = Vec::new();
        match text(BUNDLE).map(Entry::of_annotation).transpose() {
            Ok(entry) => entries.extend(entry),
            Err(fault) if fault.reason == Reason::Format => unread = Some(fault),
            Err(fault) => return Err(fault),
        }
        Ok(Self {
            voucher: text(CERTIFICATE)
                .map(|leaf| certificates(leaf, text(CHAIN)))
                .transpose()?
                .map_or(Voucher::Key, |leaf| Voucher::Certificate(Box::new(leaf))),
            entries,
            timestamps: text(TIMESTAMP).map(timestamp).transpose()?.into_iter().collect(),
            unread,
        })
    }

    /// Whether anything came along that vouches for one signature.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self.voucher, Voucher::Key)
            && self.entries.is_empty()
            && self.timestamps.is_empty()
            && self.unread.is_none()
    }
}

/// The signature in the annotations.
pub(super) fn signature(annotations: &BTreeMap<String, String>) -> Result<Vec<u8>, Fault> {
    let text = annotations.get(SIGNATURE).map(|text| text.trim()).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| bad(SIGNATURE, "is not there"))?;
    pem::decode(text).ok_or_else(|| bad(SIGNATURE, "is not base64"))
}

fn certificates(leaf: &str, chain: Option<&str>) -> Result<Leaf, Fault> {
    let read = |name: &str, text: &str| -> Result<Vec<Vec<u8>>, Fault> {
        let blocks = pem::blocks(text).map_err(|error| bad(name, &error.to_string()))?;
        if blocks.iter().any(|block| block.label != "CERTIFICATE") {
            return Err(bad(name, "holds something else than certificates"));
        }
        Ok(blocks.into_iter().map(|block| block.der).collect())
    };
    let mut leaves = read(CERTIFICATE, leaf)?;
    let (Some(leaf), true) = (leaves.pop(), leaves.is_empty()) else {
        return Err(bad(CERTIFICATE, "does not hold exactly one certificate"));
    };
    // cosign stores the authority's root too; a root that came along says nothing.
    let chain = chain.map(|text| read(CHAIN, text)).transpose()?.unwrap_or_default();
    let chain = chain.into_iter().map(DerCertificate::new);
    Leaf::read(leaf, chain.filter(|der| !certificate::is_self_issued(der)).collect())
}

fn timestamp(text: &str) -> Result<TimestampToken, Fault> {
    let value = json::read(&format!("the annotation `{TIMESTAMP}`"), text.as_bytes())?;
    let token = match &value["SignedRFC3161Timestamp"] {
        Value::String(text) => pem::decode(text),
        _ => None,
    };
    token.map(TimestampToken::new).ok_or_else(|| bad(TIMESTAMP, "has no timestamp in base64"))
}

fn bad(annotation: &str, what: &str) -> Fault {
    Fault::malformed(format!("the annotation `{annotation}` {what}"))
}

/// An annotation's entry as an entry of a bundle, where the engine has that kind.
pub(super) fn entry_for_engine(entry: &Entry) -> Option<TransparencyLogEntry> {
    let kind = match entry.kind {
        Kind::HashedRekord001 => KindVersion::HashedRekordV001,
        Kind::Dsse001 => KindVersion::DsseV001,
        Kind::Intoto002 => KindVersion::IntotoV002,
        // Rekor 2 makes no promises, so none of its entries can be in an annotation.
        Kind::HashedRekord002 | Kind::Intoto001 | Kind::Rekord001 => return None,
    };
    let promise = SignedTimestamp::from_bytes(entry.promise.as_deref()?);
    let built = TransparencyLogEntry::new(
        LogIndex::new(entry.index).ok()?,
        LogId::new(LogKeyId::from_bytes(&entry.log_id)),
        kind,
        CanonicalizedBody::from_bytes(&entry.body),
    );
    Some(
        built
            .with_integrated_time(entry.time?)
            .with_inclusion_promise(InclusionPromise::new(promise)),
    )
}
