//! Examining a piece of evidence: judged, read, and weighed against whom the configuration trusts.
//!
//! This is work for the processor: it runs beside the sockets, as many pieces at a time as there
//! are cores, and what lies in memory for it is bounded.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use records::text::{MAX_LIST, cut};
use records::{Digest, FindVerdict, Histogram, PackagesEntry};
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::check::Check;
use crate::find::StoreKind;
use crate::judge::Judge;
use crate::judged::{Content, Judged, Reason};
use crate::material::Material;
use crate::provenance::{Build, Expectations, Flag, ProvenanceError, Signing, Table, flags};
use crate::question::Question;
use crate::sbom::{self, SbomError};
use crate::setup::Setup;
use crate::statement::{Kind, Statement};
use crate::trust::Trust;

/// How large the packages of one record may be, in bytes of their texts; escaped they are twice as
/// long at most but for control characters.
const PART_BYTES: usize = 256 * 1024;

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
    /// The packages that it lists, in parts, where somebody wants to have them.
    pub packages: Vec<Vec<PackagesEntry>>,
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

/// What a provenance find tells, beside what all finds do; the fields are those of
/// [`records::ProvenanceFind`].
#[derive(Debug, Clone, Default)]
pub struct BuildFacts {
    pub(crate) build_type: Option<String>,
    pub(crate) builder_id: Option<String>,
    pub(crate) builder_proven: bool,
    pub(crate) source_repository: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) git_ref: Option<String>,
    pub(crate) entry_point: Option<String>,
    pub(crate) invocation: Option<String>,
    pub(crate) started_on: Option<String>,
    pub(crate) finished_on: Option<String>,
    pub(crate) runner: Option<String>,
    pub(crate) trigger: Option<String>,
    pub(crate) initiator: Option<String>,
    pub(crate) reproducible: Option<bool>,
    pub(crate) materials: Option<u64>,
    pub(crate) materials_without_digest: Option<u64>,
    pub(crate) flags: Vec<String>,
    pub(crate) unmet: Vec<String>,
    pub(crate) level: Option<u8>,
    pub(crate) level_rule: Option<String>,
}

impl BuildFacts {
    /// What of a build goes into a record.
    fn of(build: &Build, judged: &Judged, builders: &Table, expected: &Expectations) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(|text| cut(text).into_owned());
        let earned = builders.level(build, judged.signed_by.as_ref());
        // What is contradicted earns nothing.
        let level = match judged.verdict {
            FindVerdict::Invalid | FindVerdict::Unknown => None,
            _ => Some(earned.level.as_u8()),
        };
        let flags = flags(build, Signing::from(judged));
        let unmet = expected.check(build, judged.signed_by.as_ref());
        let short = |line: String| cut(&line).into_owned();
        let word = |flag: &Flag| short(format!("{}: {flag}", flag.as_str()));
        Self {
            build_type: text(&build.build_type),
            builder_id: text(&build.builder_id),
            builder_proven: earned.builder_proven,
            source_repository: text(&build.source.repository),
            commit: text(&build.source.commit),
            git_ref: text(&build.source.git_ref),
            entry_point: text(&build.entry_point),
            invocation: text(&build.invocation),
            started_on: build.started_on.map(|time| time.to_string()),
            finished_on: build.finished_on.map(|time| time.to_string()),
            runner: text(&build.environment.runner),
            trigger: text(&build.environment.trigger),
            initiator: text(&build.environment.initiator),
            reproducible: build.reproducible,
            materials: Some(build.materials.total),
            materials_without_digest: Some(build.materials.without_digest),
            flags: flags.iter().take(MAX_LIST).map(word).collect(),
            unmet: unmet.iter().map(|unmet| short(unmet.to_string())).collect(),
            level,
            level_rule: Some(earned.rule),
        }
    }
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
            stamped: false,
            content: Content::Unreadable,
        };
        Self {
            judged,
            says: Says::Nothing,
            predicate_type: None,
            trusted_by: None,
            material: None,
            packages: Vec::new(),
        }
    }

    /// The verdict, with whom the configuration trusts.
    #[must_use]
    pub fn verdict(&self) -> FindVerdict {
        match (self.judged.verdict, &self.trusted_by) {
            (FindVerdict::Valid, Some(_)) => FindVerdict::Trusted,
            (verdict, _) => verdict,
        }
    }

    /// The source repository that it names, where it is provenance.
    pub(crate) fn source_repository(&self) -> Option<&str> {
        match &self.says {
            Says::Provenance(facts) => facts.source_repository.as_deref(),
            _ => None,
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
            // Nobody signed it, and it says nothing: it is nobody's word for anything.
            Says::Nothing if self.judged.reason == Some(Reason::Unsigned) => {
                check == Check::Attestation
            }
            // What was not fetched or cannot be read could be whatever the store holds.
            Says::Nothing => store.holds(check),
        }
    }

    /// The verdict that it has in a check. Of what cannot be read it is not known whether it is
    /// evidence of that kind at all, where the store holds several: then it is no contradiction,
    /// but nothing is absent beside it.
    #[must_use]
    pub fn verdict_for(&self, check: Check, store: StoreKind) -> FindVerdict {
        let holds_others = Check::ALL.into_iter().filter(|other| store.holds(*other)).count() > 1;
        match &self.says {
            Says::Nothing if holds_others && check != Check::Attestation => FindVerdict::Unknown,
            _ => self.verdict(),
        }
    }

    /// It hangs on the image, and its artifact says that it is about something else.
    pub(crate) fn is_about_another(&mut self) {
        self.judged.refuse(Reason::Subject, &"its artifact's subject is something else");
    }

    /// It cannot be told whether it counts for what runs.
    pub(crate) fn cannot_be_counted(&mut self) {
        self.judged.verdict = FindVerdict::Unknown;
        self.judged.reason = Some(Reason::NotFetched);
        self.trusted_by = None;
        if let Says::Provenance(facts) = &mut self.says {
            facts.level = None;
        }
    }
}

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
        let Setup { trust, judge, builders } = setup;
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
            true => packages(&content, &material),
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

/// The packages of a bill of materials, in parts that fit into records. Nothing of what cannot be
/// read to its end: half a list would be taken for the whole.
fn packages(content: &Content, material: &Material) -> Vec<Vec<PackagesEntry>> {
    let mut parts: Vec<Vec<PackagesEntry>> = Vec::new();
    let mut room = 0;
    let take = |entry: PackagesEntry| {
        let texts = [&entry.version, &entry.purl, &entry.license].into_iter().flatten();
        let size = 64 + entry.name.len() + texts.map(String::len).sum::<usize>();
        room = match (parts.last_mut(), size <= room) {
            (Some(part), true) => {
                part.push(entry);
                room - size
            }
            _ => {
                parts.push(vec![entry]);
                PART_BYTES.saturating_sub(size)
            }
        };
    };
    let read = match (content, material) {
        (Content::Statement(statement), _) if statement.kind() == Kind::Sbom => {
            sbom::packages_in_predicate(statement, take)
        }
        (Content::Sbom(_), Material::Sbom { bytes, .. }) => sbom::packages(&bytes[..], take),
        _ => return Vec::new(),
    };
    if read.is_ok() { parts } else { Vec::new() }
}

/// The same without what a statement says.
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
