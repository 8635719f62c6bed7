//! One report, indexed: what lists, counts and filters need is in memory; the rest stays in the
//! file, and the index says where in it.

use std::sync::Arc;

use records::Digest;
use report::{Answers, Head, HelmRelease, ReadError, Row};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::line::{Line, Pool};

/// A part of a report's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it starts, in bytes.
    pub start: u32,
    /// How long it is, in bytes.
    pub length: u32,
}

/// One row: in short, and where it stands in full.
#[derive(Debug, Clone)]
pub struct Use {
    /// The row in short.
    pub line: Arc<Line>,
    /// The row in full, as JSON.
    pub at: Span,
}

impl Use {
    /// What the row says.
    #[must_use]
    pub fn answers(&self) -> Answers {
        self.line.answers
    }
}

/// The key of evidence: the triple of the stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct EvidenceKey {
    /// The repository, normalized.
    pub repository: String,
    /// The index known to list the manifest.
    pub index: Option<Digest>,
    /// The platform manifest.
    pub manifest: Option<Digest>,
}

/// A report, indexed.
#[derive(Debug)]
pub struct Volume {
    /// What the report says of itself.
    pub head: Head,
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The namespaces that were asked.
    pub namespaces_scanned: Vec<String>,
    /// All rows, in the report's order.
    pub uses: Vec<Use>,
    /// Where each piece of evidence stands, sorted by its key.
    pub evidence: Vec<(EvidenceKey, Span)>,
    /// The Helm releases, in the report's order.
    pub releases: Vec<HelmRelease>,
    /// Where each failure stands.
    pub failures: Vec<Span>,
    /// Where each runtime fact stands.
    pub runtimes: Vec<Span>,
    /// Where each answer about newer versions stands.
    pub updates: Vec<Span>,
    /// Where each stage's tally stands.
    pub stages: Vec<Span>,
}

/// The parts of a report, each as it stands in the text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parts<'a> {
    metadata: Metadata,
    #[serde(borrow)]
    images: Vec<&'a RawValue>,
    #[serde(borrow)]
    evidence: Vec<&'a RawValue>,
    helm_releases: Vec<HelmRelease>,
    #[serde(borrow)]
    failures: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    runtimes: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    updates: Vec<&'a RawValue>,
    #[serde(borrow)]
    stages: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    namespaces_scanned: Vec<String>,
}

impl Volume {
    /// Indexes the report that `bytes` are. Texts and lines that other reports have too are taken
    /// from `pool`.
    ///
    /// # Errors
    /// When the bytes are not a report, or one of a newer version.
    pub(super) fn read(bytes: &[u8], pool: &mut Pool) -> Result<Self, ReadError> {
        let head = Head::readable(bytes)?;
        let parts: Parts<'_> = serde_json::from_slice(bytes).map_err(ReadError::Bad)?;
        let within = Within(bytes);
        let mut uses = Vec::with_capacity(parts.images.len());
        for raw in parts.images {
            let row: Row = serde_json::from_str(raw.get()).map_err(ReadError::Bad)?;
            uses.push(Use { line: pool.line(&row), at: within.span(raw) });
        }
        let mut evidence = Vec::with_capacity(parts.evidence.len());
        for raw in parts.evidence {
            let key: EvidenceKey = serde_json::from_str(raw.get()).map_err(ReadError::Bad)?;
            evidence.push((key, within.span(raw)));
        }
        evidence.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Self {
            head,
            digest: pc_store::document::digest(bytes),
            size: bytes.len() as u64,
            namespaces_scanned: parts.metadata.namespaces_scanned,
            uses,
            evidence,
            releases: parts.helm_releases,
            failures: within.spans(&parts.failures),
            runtimes: within.spans(&parts.runtimes),
            updates: within.spans(&parts.updates),
            stages: within.spans(&parts.stages),
        })
    }

    /// Where the evidence of a row stands, if there is any.
    #[must_use]
    pub fn evidence_of(&self, line: &Line) -> Option<Span> {
        let key = EvidenceKey {
            repository: line.repository.as_deref()?.to_owned(),
            index: line.index.clone(),
            manifest: line.manifest.clone(),
        };
        let at = self.evidence.binary_search_by(|(other, _)| other.cmp(&key)).ok()?;
        Some(self.evidence[at].1)
    }
}

/// The text that parts of it are borrowed from.
struct Within<'a>(&'a [u8]);

impl Within<'_> {
    /// Where a part stands. A report of 4 GiB or more is refused long before this.
    fn span(&self, raw: &RawValue) -> Span {
        let start = raw.get().as_ptr().addr().wrapping_sub(self.0.as_ptr().addr());
        let narrow = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        Span { start: narrow(start), length: narrow(raw.get().len()) }
    }

    fn spans(&self, raws: &[&RawValue]) -> Vec<Span> {
        raws.iter().map(|raw| self.span(raw)).collect()
    }
}
