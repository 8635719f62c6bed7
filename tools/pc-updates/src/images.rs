//! Asking about an image, in the order that needs the fewest requests: most answers need none.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use records::text::shown;
use records::{FailureCode, RepositoryRecord, Update, UpdateStatus};
use registry::{Reference, Registry, Repository};
use stage::exit::chain;
use tokio::sync::Semaphore;

use crate::age;
use crate::answer::{self, Answer, Judged, List};
use crate::compare::{Candidate, Newer, Why, newer};
use crate::pointed;
use crate::problem::Problem;
use crate::question::{ImageQuestion, Plan, Ruled};
use crate::rule::Rule;
use crate::tags::{self, Listed};
use crate::version::{Tag, Version};

/// How many lists are compared at a time: it is all work for the processor.
const COMPARING: usize = 2;

/// How many candidates' ages are looked up for one answer.
const MAX_AGES: usize = 8;

/// Who asks about images.
#[derive(Debug)]
pub(crate) struct Images {
    registry: Registry,
    comparing: Arc<Semaphore>,
    now: Timestamp,
}

/// What is used, and by which rule something newer is looked for.
#[derive(Debug, Clone, Copy)]
struct Used<'a> {
    tag: &'a str,
    version: &'a Version,
    rule: &'a Rule,
}

/// What was found out about an image, and of its repository where that was its first question.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) answer: Answer,
    pub(crate) repository: Option<RepositoryRecord>,
}

impl From<Answer> for Found {
    fn from(answer: Answer) -> Self {
        Self { answer, repository: None }
    }
}

impl Images {
    pub(crate) fn new(registry: Registry, now: Timestamp) -> Self {
        Self { registry, comparing: Arc::new(Semaphore::new(COMPARING)), now }
    }

    /// Answers a question.
    pub(crate) async fn ask(&self, question: &ImageQuestion) -> Found {
        let update = answer::of_image(question);
        let tag = question.facts.tag.clone().unwrap_or_default();
        let judged = match question.plan() {
            Plan::Compare(version) => return self.compare(question, update, &version).await,
            Plan::NoTag => return self.compare_digest(question, update).await,
            Plan::Malformed => Judged::failed(malformed(question)),
            Plan::BadRule(why) => Judged::because(
                UpdateStatus::Unknown,
                format!("the annotation `{}`: {why}", records::RULE_ANNOTATION),
            ),
            Plan::Ignore => Judged::because(UpdateStatus::Ignored, "a rule says not to look"),
            Plan::Desire(desired) => return desire(update, &tag, desired).into(),
            Plan::Filtered => Judged::because(
                UpdateStatus::NotComparable,
                format!("the rule's filter does not match `{tag}`, which is used"),
            ),
            Plan::Name => {
                let runs = question.facts.subject.image_id.is_some();
                answer::judge_name(&tag, question.facts.drift, runs)
            }
            Plan::NoVersion(why) => Judged::because(
                UpdateStatus::NotComparable,
                format!("`{tag}` has no version that could be compared: {why}"),
            ),
        };
        answer::finish(update, judged).into()
    }

    async fn compare(
        &self,
        question: &ImageQuestion,
        mut update: Update,
        current: &Version,
    ) -> Found {
        update.current_version = Some(current.to_string());
        let (Some(reference), Some(tag), Ruled::By(rule)) =
            (reference(question), &question.facts.tag, &question.rule)
        else {
            return answer::finish(update, Judged::failed(malformed(question))).into();
        };
        let repository = reference.repository();
        let listed = match tags::list(&self.registry, repository).await {
            Ok(listed) => listed,
            Err(problem) => return answer::finish(update, Judged::failed(problem)).into(),
        };
        let of_repository = told_of(question, &listed);
        let used = Used { tag, version: current, rule };
        let judged = self.compared(repository, used, listed, &mut update).await;
        Found { answer: answer::finish(update, judged), repository: of_repository }
    }

    /// A reference by digest alone is compared by the most precise tag that stands for it now.
    async fn compare_digest(&self, question: &ImageQuestion, mut update: Update) -> Found {
        let reference = reference(question);
        let digest = reference.as_ref().and_then(Reference::digest);
        let (Some(reference), Some(digest), Ruled::By(rule)) = (&reference, digest, &question.rule)
        else {
            return answer::finish(update, Judged::failed(malformed(question))).into();
        };
        let repository = reference.repository();
        let listed = match tags::list(&self.registry, repository).await {
            Ok(listed) => listed,
            Err(problem) => return answer::finish(update, Judged::failed(problem)).into(),
        };
        let of_repository = told_of(question, &listed);
        let is_mirrors = !listed.is_authoritative;
        let pointed = pointed::at(&self.registry, repository, digest, &listed, rule).await;
        update.tags.clone_from(&pointed.tags);
        let open = pointed.failed.clone();
        let version = |tag: &String| match rule.read(tag) {
            Some(Tag::Version(version)) => Some((tag.clone(), version)),
            _ => None,
        };
        let judged = match pointed.tags.first().and_then(version) {
            Some((tag, version)) => {
                update.current = Some(tag.clone());
                update.current_version = Some(version.to_string());
                let used = Used { tag: &tag, version: &version, rule };
                let judged = self.compared(repository, used, listed, &mut update).await;
                answer::by_digest(judged, &tag)
            }
            None => answer::judge_pointed(pointed, is_mirrors),
        };
        let judged = answer::unless_open(judged, open);
        Found { answer: answer::finish(update, judged), repository: of_repository }
    }

    /// Compares what is used with the list and puts what is newer into the record.
    async fn compared(
        &self,
        repository: &Repository,
        used: Used<'_>,
        listed: Listed,
        update: &mut Update,
    ) -> Judged {
        let list = if listed.is_authoritative { List::Whole } else { List::OfMirror };
        let Used { tag, version, rule } = used;
        let mut found = self.newer(tag, version, listed, rule).await;
        let unknown = self.leave_out_the_young(repository, &mut found, rule).await;
        answer::fill(update, &found);
        let mut judged = answer::judge(tag, version, &found, rule, list);
        judged.reason = judged.reason.or(unknown);
        judged
    }

    /// What is newer, looked for where that holds nobody up.
    async fn newer(&self, tag: &str, current: &Version, listed: Listed, rule: &Rule) -> Newer {
        // Who waits for its turn here has its list already, which all askers share.
        let permit = Arc::clone(&self.comparing).acquire_owned().await;
        let (tag, current, rule) = (tag.to_owned(), current.clone(), rule.clone());
        let work = move || {
            let _permit = permit;
            newer(&tag, &current, listed.tags(), &rule)
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.expect("comparing does not panic, and nobody cancels it")
    }

    /// Leaves out what is younger than the rule wants, as far as that matters, and says of which
    /// the age is not known.
    async fn leave_out_the_young(
        &self,
        repository: &Repository,
        newer: &mut Newer,
        rule: &Rule,
    ) -> Option<String> {
        let minimum = rule.minimum_age?;
        let (mut known, mut unknown) = (HashSet::new(), Vec::new());
        while known.len() < MAX_AGES {
            let tag = heads(newer).find(|tag| !known.contains(*tag)).map(str::to_owned);
            let Some(tag) = tag else { break };
            match age::built(&self.registry, repository, &tag).await {
                Ok(Some(built)) if age::is_younger(built, self.now, minimum) => {
                    newer.leave_out(&tag, Why::Young);
                }
                Ok(Some(_)) => {}
                Ok(None) => unknown.push(format!("`{tag}`")),
                Err(error) => unknown.push(format!("`{tag}` ({})", error.code())),
            }
            known.insert(tag);
        }
        unknown.extend(heads(newer).filter(|tag| !known.contains(*tag)).map(|t| format!("`{t}`")));
        unknown.dedup();
        let told = format!("how old is not known of {}", unknown.join(", "));
        (!unknown.is_empty()).then_some(told)
    }
}

/// The newest of each line.
fn heads(newer: &Newer) -> impl Iterator<Item = &str> {
    let lines = [&newer.all, &newer.in_major, &newer.in_minor, &newer.in_patch];
    lines.into_iter().filter_map(|line| line.first()).map(|Candidate { tag, .. }| tag.as_str())
}

fn reference(question: &ImageQuestion) -> Option<Reference> {
    question.facts.subject.image.parse().ok()
}

/// What is told of the repository, where this is its first question. The subject is the text that
/// pc-digest gave it, by which others join.
fn told_of(question: &ImageQuestion, listed: &Listed) -> Option<RepositoryRecord> {
    let subject = question.facts.repository.as_deref().unwrap_or_default();
    question.tells_of_repository.then(|| listed.record(subject)).flatten()
}

fn malformed(question: &ImageQuestion) -> Problem {
    let image = &question.facts.subject.image;
    let message = match image.parse::<Reference>() {
        Err(error) => chain(&error),
        Ok(_) => format!("`{}` has a digest record without a repository", shown(image)),
    };
    Problem::new(FailureCode::BadReference, message)
}

/// What is wanted is written down.
fn desire(mut update: Update, used: &str, desired: String) -> Answer {
    let judged = if used == desired {
        Judged::because(UpdateStatus::Current, "it is the one that the rule wants")
    } else {
        update.newest = Some(desired);
        Judged::because(UpdateStatus::Available, "the rule wants another one")
    };
    answer::finish(update, judged)
}
