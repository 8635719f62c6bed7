//! One report, indexed: what lists, counts and filters need is in memory; the rest stays in the
//! file, and the index says where in it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use records::Digest;
use report::{Answers, Head, HelmRelease, ReadError, Row};
use serde::Deserialize;
use serde::de::DeserializeOwned;
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

/// Parts of a report by the hash of what they are about.
#[derive(Debug, Default)]
pub struct Keyed(Vec<(u64, Span)>);

impl Keyed {
    /// Where the parts about `key` stand. A part about something else may be among them, so who
    /// reads one looks whether it is about `key`.
    pub fn of<K: Hash>(&self, key: &K) -> impl Iterator<Item = Span> {
        let hash = hashed(key);
        let first = self.0.partition_point(|(other, _)| *other < hash);
        self.0[first..].iter().take_while(move |(other, _)| *other == hash).map(|(_, span)| *span)
    }
}

fn hashed<K: Hash>(key: &K) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// What a runtime fact is about.
#[derive(Deserialize)]
struct RuntimeKey {
    namespace: String,
    workload: Named,
    container: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// What an answer about newer versions is about.
#[derive(Deserialize)]
struct UpdateKey {
    #[serde(default)]
    image: Option<String>,
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
    /// Where each runtime fact stands, by namespace, workload and container.
    pub runtimes: Keyed,
    /// Where each answer about newer versions of an image stands, by the image.
    pub updates: Keyed,
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
            runtimes: within.keyed(&parts.runtimes, |key: RuntimeKey| {
                (key.namespace, key.workload.name, key.container)
            })?,
            updates: within
                .keyed(&parts.updates, |key: UpdateKey| key.image.unwrap_or_default())?,
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

    fn keyed<K: DeserializeOwned, H: Hash>(
        &self,
        raws: &[&RawValue],
        key: impl Fn(K) -> H,
    ) -> Result<Keyed, ReadError> {
        let mut parts = Vec::with_capacity(raws.len());
        for raw in raws {
            let of: K = serde_json::from_str(raw.get()).map_err(ReadError::Bad)?;
            parts.push((hashed(&key(of)), self.span(raw)));
        }
        parts.sort_by_key(|(hash, _)| *hash);
        Ok(Keyed(parts))
    }

    fn spans(&self, raws: &[&RawValue]) -> Vec<Span> {
        raws.iter().map(|raw| self.span(raw)).collect()
    }
}
