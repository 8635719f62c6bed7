//! Examining a piece of evidence: judged, read, and weighed against whom the configuration trusts.
//!
//! This is work for the processor: it runs beside the sockets, as many pieces at a time as there
//! are cores, and what lies in memory for it is bounded.
//!
//! - `finding`: what came of it.
//! - `facts`: what provenance says.
//! - `parts`: long lists, packages and materials.

mod facts;
mod finding;
mod parts;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use records::text::cut;
use records::{Digest, Histogram};
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::judge::Judge;
use crate::judged::{Content, Judged, Reason};
use crate::material::Material;
use crate::provenance::{Build, Expectations, ProvenanceError, Table};
use crate::question::Question;
use crate::sbom::{self, SbomError};
use crate::setup::Setup;
use crate::statement::{Kind, Statement};
use crate::trust::Trust;

pub use facts::BuildFacts;
pub use finding::{Finding, Says};
pub(crate) use parts::read_document;

/// How much evidence may lie in memory at a time, in KiB.
const ROOM: usize = ROOM_MAX as usize;
const ROOM_MAX: u32 = 160 * 1024;

/// Examines evidence.
pub struct Examiner {
    judge: Judge,
    trust: Trust,
    builders: Arc<Table>,
    expected: Expectations,
    pool: rayon::ThreadPool,
    room: Arc<Semaphore>,
    keeps: Keeps,
    took: Mutex<Histogram>,
}

/// What is kept of evidence beside what it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keeps {
    /// The evidence itself, to be saved or printed.
    pub material: bool,
    /// The packages that bills of materials list.
    pub packages: bool,
    /// The materials that provenance lists.
    pub materials: bool,
}

impl Examiner {
    /// An examiner.
    ///
    /// # Errors
    /// When no threads can be started.
    pub(crate) fn new(
        setup: Setup,
        expected: Expectations,
        keeps: Keeps,
    ) -> Result<Arc<Self>, rayon::ThreadPoolBuildError> {
        let Setup { trust, judge, builders, .. } = setup;
        let pool = rayon::ThreadPoolBuilder::new()
            .thread_name(|at| format!("judge-{at}"))
            // Who waits for a piece that could not be judged is told so by the closed channel.
            .panic_handler(|_| tracing::error!("judging a piece of evidence broke off"))
            .build()?;
        let room = Arc::new(Semaphore::new(ROOM));
        Ok(Arc::new(Self {
            judge,
            trust,
            builders,
            expected,
            pool,
            room,
            keeps,
            took: Mutex::default(),
        }))
    }

    /// Whom the configuration trusts.
    pub(crate) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// What is kept of evidence.
    pub(crate) fn keeps(&self) -> Keeps {
        self.keeps
    }

    /// How long judging took, piece by piece.
    pub(crate) fn took(&self) -> Histogram {
        self.took.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until there is room in memory for so many bytes.
    pub(crate) async fn room(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).clamp(1, ROOM_MAX);
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
            let started = Instant::now();
            let finding = this.examine_now(material, &found_on, &question);
            this.took.lock().unwrap_or_else(PoisonError::into_inner).count(started.elapsed());
            // Nobody waits any more where the run is over.
            let _ = sender.send(finding);
        });
        receiver.await.unwrap_or_else(|_| {
            Finding::unfetched(&on, Reason::NotFetched, "judging this piece broke off")
        })
    }

    fn examine_now(&self, material: Material, on: &Digest, question: &Question) -> Finding {
        let about: Vec<Digest> = question.digests().cloned().collect();
        let mut judged = self.judge.judge(&material, on, &about);
        let content = std::mem::replace(&mut judged.content, Content::Unreadable);
        let (says, predicate_type) = self.read(&content, &mut judged);
        let packages = match self.keeps.packages {
            true => parts::packages(&content, &material),
            false => Vec::new(),
        };
        let materials = match self.keeps.materials {
            true => parts::materials(&content),
            false => Vec::new(),
        };
        // What is large is gone; who signed what kind of statement is what policies ask.
        judged.content = without_predicate(content);
        let source = match &says {
            Says::Provenance(facts) => facts.source_repository.as_deref(),
            _ => None,
        };
        let image = question.name();
        let trusted_by = self.trust.trusted_by(&image, &judged, source);
        let material = self.keeps.material.then_some(material);
        Finding {
            packages,
            materials,
            trusted_by: trusted_by.map(|by| by.to_string()),
            judged,
            says,
            predicate_type,
            material,
        }
    }

    /// What evidence says. What claims to be provenance or a bill of materials and is none is
    /// contradicted by itself.
    fn read(&self, content: &Content, judged: &mut Judged) -> (Says, Option<String>) {
        let statement = match content {
            // A statement that says it is a signature, and that nobody signed, is none.
            Content::Signature { .. } if judged.reason == Some(Reason::Unsigned) => {
                return (Says::Other, None);
            }
            Content::Signature { .. } => return (Says::Signature, None),
            Content::Sbom(facts) => return (Says::Sbom(facts.clone()), None),
            Content::Unreadable => return (Says::Nothing, None),
            Content::Statement(statement) => statement,
        };
        let predicate_type = Some(cut(&statement.predicate_type).into_owned());
        let says = match statement.kind() {
            Kind::Signature => Says::Signature,
            Kind::Other => Says::Other,
            Kind::Provenance => match Build::read(statement) {
                Ok(build) => {
                    let facts = BuildFacts::of(&build, judged, &self.builders, &self.expected);
                    Says::Provenance(Box::new(facts))
                }
                Err(error @ ProvenanceError::Version(_)) => {
                    judged.refuse(Reason::Format, &error);
                    Says::Provenance(Box::default())
                }
                Err(error) => {
                    judged.refuse(Reason::Malformed, &error);
                    Says::Provenance(Box::default())
                }
            },
            Kind::Sbom => match sbom::read_predicate(statement) {
                Ok(facts) => Says::Sbom(Some(Arc::new(facts))),
                // A format or version that is not read here is still there, and signed by whom it
                // is; what says that it is SPDX or CycloneDX and is neither is not.
                Err(error @ (SbomError::Format(_) | SbomError::Version { .. }))
                    if matches!(error, SbomError::Version { .. })
                        || !is_known_family(statement) =>
                {
                    judged.detail.get_or_insert_with(|| records::text::shown(&error.to_string()));
                    Says::Sbom(None)
                }
                Err(error) => {
                    judged.refuse(Reason::Malformed, &error);
                    Says::Sbom(None)
                }
            },
        };
        (says, predicate_type)
    }
}

/// Whether a predicate type names a family of bills of materials that is read here.
fn is_known_family(statement: &Statement) -> bool {
    let name = statement.predicate_type.to_ascii_lowercase();
    ["spdx.dev/", "cyclonedx.org/"].iter().any(|family| name.contains(family))
}

/// What evidence is, without what a statement says.
fn without_predicate(content: Content) -> Content {
    match content {
        Content::Statement(statement) => Content::Statement(Arc::new(Statement {
            statement_type: statement.statement_type.clone(),
            subjects: Vec::new(),
            predicate_type: statement.predicate_type.clone(),
            predicate: RawValue::NULL.to_owned(),
        })),
        other => other,
    }
}
