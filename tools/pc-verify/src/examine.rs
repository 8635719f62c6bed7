//! Examining a piece of evidence: judged, read, and weighed against whom the configuration trusts.
//!
//! This is work for the processor: it runs beside the sockets, as many pieces at a time as there
//! are cores, and what lies in memory for it is bounded.

use std::sync::Arc;

use records::{Digest, FindVerdict};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::check::Check;
use crate::find::StoreKind;
use crate::judge::Judge;
use crate::judged::{Content, Judged, Reason};
use crate::material::Material;
use crate::question::Question;
use crate::sbom;
use crate::trust::Trust;

/// How much evidence may lie in memory at a time, in KiB.
const ROOM: usize = ROOM_MAX as usize;
const ROOM_MAX: u32 = 160 * 1024;

/// A piece of evidence, judged and read. What it says is kept in short.
#[derive(Debug)]
pub struct Finding {
    /// What the judge says; its content is read and gone.
    pub judged: Judged,
    /// What it says.
    pub says: Says,
    /// The predicate type of a statement.
    pub predicate_type: Option<String>,
    /// The setting, or policy and authority, that trusts the signer.
    pub trusted_by: Option<String>,
    /// The evidence itself, where somebody wants to have it.
    pub material: Option<Material>,
}

/// What a piece of evidence says, as far as records tell of it.
#[derive(Debug)]
pub enum Says {
    /// That the image is the signer's.
    Signature,
    /// How it was built.
    Provenance(Box<BuildFacts>),
    /// What is in it; nothing where that could not be read.
    Sbom(Option<Arc<sbom::Facts>>),
    /// Something else.
    Other,
    /// Nobody knows.
    Nothing,
}

/// What a provenance find tells, beside what all finds do.
#[derive(Debug, Clone, Default)]
pub struct BuildFacts {
    /// The build type.
    pub build_type: Option<String>,
    /// The builder that the statement names.
    pub builder_id: Option<String>,
    /// Whether the signer proves that builder.
    pub builder_proven: bool,
    /// The source repository.
    pub source_repository: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// The ref.
    pub git_ref: Option<String>,
    /// The entry point of the build.
    pub entry_point: Option<String>,
    /// The run of the build.
    pub invocation: Option<String>,
    /// RFC 3339.
    pub started_on: Option<String>,
    /// RFC 3339.
    pub finished_on: Option<String>,
    /// How many materials it names.
    pub materials: Option<u64>,
    /// The SLSA build level that it earns.
    pub level: Option<u8>,
    /// The rule that gives that level.
    pub level_rule: Option<String>,
}

impl Finding {
    /// Something that is there and could not be fetched.
    #[must_use]
    pub fn unfetched(digest: &Digest, reason: Reason, detail: &str) -> Self {
        let judged = Judged {
            format: "unknown".to_owned(),
            id: digest.to_string(),
            verdict: reason.verdict(),
            reason: Some(reason),
            detail: Some(detail.to_owned()),
            names: Vec::new(),
            signer: None,
            signed_by: None,
            log: None,
            time: None,
            time_from: None,
            content: Content::Unreadable,
        };
        Self { judged, says: Says::Nothing, predicate_type: None, trusted_by: None, material: None }
    }

    /// The verdict, with whom the configuration trusts.
    #[must_use]
    pub fn verdict(&self) -> FindVerdict {
        match (self.judged.verdict, &self.trusted_by) {
            (FindVerdict::Valid, Some(_)) => FindVerdict::Trusted,
            (verdict, _) => verdict,
        }
    }

    /// Whether it bears on a check, found in a store of this kind.
    #[must_use]
    pub fn counts_for(&self, check: Check, store: StoreKind) -> bool {
        match &self.says {
            Says::Signature => check == Check::Signature,
            Says::Provenance(_) => check == Check::Provenance,
            Says::Sbom(_) => check == Check::Sbom,
            Says::Other => check == Check::Attestation,
            // What was not fetched could be whatever the store holds. What was, and is nothing
            // that can be read, is told where people would look for it.
            Says::Nothing if self.judged.verdict == FindVerdict::Unknown => store.holds(check),
            Says::Nothing => match store {
                StoreKind::Referrers | StoreKind::FallbackTag => {
                    matches!(check, Check::Signature | Check::Attestation)
                }
                StoreKind::SigTag => check == Check::Signature,
                StoreKind::AttTag | StoreKind::InIndex => check == Check::Attestation,
                StoreKind::SbomTag => check == Check::Sbom,
            },
        }
    }

    /// It cannot be told whether it counts for what runs.
    pub(crate) fn cannot_be_counted(&mut self) {
        self.judged.verdict = FindVerdict::Unknown;
        self.judged.reason = Some(Reason::NotFetched);
        self.trusted_by = None;
    }
}

/// Examines evidence.
pub struct Examiner {
    judge: Judge,
    trust: Trust,
    pool: rayon::ThreadPool,
    room: Arc<Semaphore>,
    keeps: Keeps,
}

/// Whether the evidence itself is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// To be saved or printed.
    Material,
    /// Only what it says.
    Facts,
}

impl Examiner {
    /// An examiner.
    ///
    /// # Errors
    /// When no threads can be started.
    pub fn new(
        judge: Judge,
        trust: Trust,
        keeps: Keeps,
    ) -> Result<Arc<Self>, rayon::ThreadPoolBuildError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .thread_name(|at| format!("judge-{at}"))
            // Who waits for a piece that could not be judged is told so by the closed channel.
            .panic_handler(|_| tracing::error!("judging a piece of evidence broke off"))
            .build()?;
        let room = Arc::new(Semaphore::new(ROOM));
        Ok(Arc::new(Self { judge, trust, pool, room, keeps }))
    }

    /// Waits until there is room in memory for so many bytes.
    pub(crate) async fn room(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).min(ROOM_MAX).max(1);
        // There is no permit only where the semaphore is closed, and it never is.
        Arc::clone(&self.room).acquire_many_owned(kib).await.ok()
    }

    /// Examines a piece that was found on `on`.
    pub(crate) async fn examine(
        self: &Arc<Self>,
        material: Material,
        on: Digest,
        question: &Question,
    ) -> Finding {
        let (sender, receiver) = oneshot::channel();
        let (this, question, found_on) = (Arc::clone(self), question.clone(), on.clone());
        self.pool.spawn(move || {
            // Nobody waits any more where the run is over.
            let _ = sender.send(this.examine_now(material, &found_on, &question));
        });
        receiver.await.unwrap_or_else(|_| {
            Finding::unfetched(&on, Reason::NotFetched, "judging this piece broke off")
        })
    }

    fn examine_now(&self, material: Material, on: &Digest, question: &Question) -> Finding {
        let about: Vec<Digest> = question.digests().cloned().collect();
        let mut judged = self.judge.judge(&material, on, &about);
        let content = std::mem::replace(&mut judged.content, Content::Unreadable);
        let (says, predicate_type) = match content {
            Content::Signature { .. } => (Says::Signature, None),
            Content::Statement(statement) => (Says::Other, Some(statement.predicate_type.clone())),
            Content::Sbom(facts) => (Says::Sbom(Some(facts)), None),
            Content::Unreadable => (Says::Nothing, None),
        };
        let material = (self.keeps == Keeps::Material).then_some(material);
        Finding { judged, says, predicate_type, trusted_by: None, material }
    }
}
