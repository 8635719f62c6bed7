//! One question, from its stores to its records.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use records::wire::WireError;
use records::{Histogram, Materials, Packages};
use stage::Answers;

use crate::answer::{Answer, answer, unaskable, unite};
use crate::check::Check;
use crate::examine::Examiner;
use crate::find::{Finder, Findings};
use crate::gate::{Demand, missed};
use crate::keep::{SaveError, payload_lines, save};
use crate::predicate::WantedTypes;
use crate::question::Question;

/// What a record raises.
pub(crate) enum Raised {
    /// The evidence of what runs, and the numbers of the policies that are about it.
    Evidence(Box<Question>, Vec<usize>),
    /// What more policies say of it, which are about it by another name.
    Policies(Box<Question>, Vec<usize>),
    /// Nothing can be asked, and a gate has to know.
    Unresolved(String),
}

/// Who asks, what for, and what is demanded.
pub(crate) struct Asking {
    pub(crate) finder: Finder,
    pub(crate) examiner: Arc<Examiner>,
    pub(crate) checks: Vec<Check>,
    pub(crate) demands: Vec<Demand>,
    /// Where what was found is to be saved.
    pub(crate) save: Option<PathBuf>,
    /// The payloads of what was found, where they are to be printed.
    pub(crate) payloads: Option<Payloads>,
    /// The predicate types that are to be saved and printed.
    pub(crate) types: WantedTypes,
    /// How long questions took.
    pub(crate) took: Mutex<Histogram>,
    /// The first that could not be saved.
    pub(crate) unsaved: Mutex<Option<SaveError>>,
}

impl Asking {
    /// Answers what a record raised.
    pub(crate) async fn answer(&self, raised: Raised) -> Result<Answers, WireError> {
        let mut answers = Answers::new();
        let (question, which, by_another_name) = match raised {
            Raised::Evidence(question, which) => (question, which, false),
            Raised::Policies(question, which) => (question, which, true),
            Raised::Unresolved(image) => {
                let image = records::text::shown(&image);
                answers.judge(Some(format!("{image}: what runs is not known")));
                return Ok(answers);
            }
        };
        let (trust, started) = ((self.examiner.trust(), &which[..]), Instant::now());
        // Boxed: the compiler does not follow a future as deep as this one inside another.
        let (answer, lists) = match Box::pin(self.finder.find(&question)).await {
            Ok(mut findings) => {
                // Of copies the one that proves most is kept, here as in the records.
                unite(&mut findings.finds);
                if !by_another_name {
                    self.keep(&question, &findings);
                }
                let lists = Lists::taken(&question, &mut findings);
                (answer(&question, &self.checks, trust, findings), lists)
            }
            Err(error) => (unaskable(&question, &self.checks, trust, &error), Lists::default()),
        };
        if by_another_name {
            answer.policies.iter().try_for_each(|record| answers.push(record))?;
            return Ok(answers);
        }
        self.took.lock().unwrap_or_else(PoisonError::into_inner).count(started.elapsed());
        if !self.demands.is_empty() {
            answers.judge(missed(&self.demands, &question.told(), &answer));
        }
        write(&answer, &lists, &mut answers)?;
        Ok(answers)
    }

    /// How long things took: whole questions, and judging single pieces.
    pub(crate) fn timings(&self) -> BTreeMap<String, Histogram> {
        let took = self.took.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let all = [("digest", took), ("judging", self.examiner.took())];
        let all = all.into_iter().filter(|(_, took)| took.count > 0);
        all.map(|(what, took)| (what.to_owned(), took)).collect()
    }

    /// Keeps what was found for whoever wants to see it.
    fn keep(&self, question: &Question, findings: &Findings) {
        if let Some(payloads) = &self.payloads {
            payloads.note(findings, &self.types);
        }
        if let Some(folder) = &self.save
            && let Err(error) = save(folder, question, findings, &self.types)
        {
            self.first_unsaved().get_or_insert(error);
        }
    }

    fn first_unsaved(&self) -> std::sync::MutexGuard<'_, Option<SaveError>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What could not be saved first, if something could not.
    pub(crate) fn unsaved(&self) -> Option<SaveError> {
        self.first_unsaved().take()
    }
}

fn write(answer: &Answer, lists: &Lists, answers: &mut Answers) -> Result<(), WireError> {
    let Answer { signature, provenance, sbom, attestation, policies, failures } = answer;
    signature.iter().try_for_each(|record| answers.push(record))?;
    provenance.iter().try_for_each(|record| answers.push(record))?;
    sbom.iter().try_for_each(|record| answers.push(record))?;
    attestation.iter().try_for_each(|record| answers.push(record))?;
    policies.iter().try_for_each(|record| answers.push(record))?;
    lists.packages.iter().try_for_each(|record| answers.push(record))?;
    lists.materials.iter().try_for_each(|record| answers.push(record))?;
    failures.iter().try_for_each(|failure| answers.push(failure))
}

/// The long lists that were found, where somebody wants to have them.
#[derive(Debug, Default)]
struct Lists {
    packages: Vec<Packages>,
    materials: Vec<Materials>,
}

/// Records of lists, in parts numbered through over all finds.
macro_rules! numbered {
    ($record:ident, $field:ident, $question:expr, $findings:expr) => {{
        let mut all: Vec<$record> = Vec::new();
        for find in &mut $findings.finds {
            let parts = std::mem::take(&mut find.finding.$field);
            let count = parts.len();
            for (at, $field) in parts.into_iter().enumerate() {
                all.push($record {
                    repository: $question.repository.clone(),
                    index: $question.index.clone(),
                    manifest: $question.manifest.clone(),
                    part: all.len() as u64 + 1,
                    find: find.finding.judged.id.clone(),
                    last: at + 1 == count,
                    $field,
                });
            }
        }
        all
    }};
}

impl Lists {
    fn taken(question: &Question, findings: &mut Findings) -> Self {
        Self {
            packages: numbered!(Packages, packages, question, findings),
            materials: numbered!(Materials, materials, question, findings),
        }
    }
}

/// The payloads of valid and trusted finds, by the finds' ids.
#[derive(Debug, Clone, Default)]
pub(crate) struct Payloads(Arc<Mutex<HashMap<String, Vec<u8>>>>);

impl Payloads {
    fn note(&self, findings: &Findings, types: &WantedTypes) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(payload_lines(findings, types));
    }

    /// The payloads of the finds in a stream, in its order, each once.
    pub(crate) fn of_finds(&self, stream: &[u8]) -> Vec<u8> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = Vec::new();
        for line in stream.split(|byte| *byte == b'\n') {
            let Ok(record) = serde_json::from_slice::<serde_json::Value>(line) else { continue };
            let finds = record["finds"].as_array().into_iter().flatten();
            for id in finds.filter_map(|find| find["id"].as_str()) {
                out.extend(known.remove(id).unwrap_or_default());
            }
        }
        out
    }
}
