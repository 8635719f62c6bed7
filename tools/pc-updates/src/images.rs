//! Asking about an image, in the order that needs the fewest requests: most answers need none.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use records::text::shown;
use records::{FailureCode, Update, UpdateStatus};
use registry::{Reference, Registry, Repository};
use stage::exit::chain;
use tokio::sync::Semaphore;

use crate::age;
use crate::answer::{self, Answer, Judged, List};
use crate::compare::{Candidate, Newer, Why, newer};
use crate::problem::Problem;
use crate::question::{ImageQuestion, Plan, Ruled};
use crate::rule::Rule;
use crate::tags::{Listed, Lists};
use crate::version::Version;

/// How many lists are compared at a time: it is all work for the processor.
const COMPARING: usize = 2;

/// How many candidates' ages are looked up for one answer.
const MAX_AGES: usize = 8;

/// Who asks about images.
#[derive(Debug)]
pub(crate) struct Images {
    registry: Registry,
    lists: Arc<Lists>,
    comparing: Arc<Semaphore>,
    now: Timestamp,
}

/// What was found out about an image, and of its repository where that was its first question.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) answer: Answer,
    pub(crate) repository: Option<records::RepositoryRecord>,
}

impl From<Answer> for Found {
    fn from(answer: Answer) -> Self {
        Self { answer, repository: None }
    }
}

impl Images {
    pub(crate) fn new(registry: Registry, lists: Arc<Lists>, now: Timestamp) -> Self {
        Self { registry, lists, comparing: Arc::new(Semaphore::new(COMPARING)), now }
    }

    /// Answers a question.
    pub(crate) async fn ask(&self, question: &ImageQuestion) -> Found {
        let update = answer::of_image(question);
        let tag = question.facts.tag.clone().unwrap_or_default();
        let judged = match question.plan() {
            Plan::Compare(version) => return self.compare(question, update, &version).await,
            Plan::Malformed => Judged::failed(malformed(question)),
            Plan::BadRule(why) => Judged::because(
                UpdateStatus::Unknown,
                format!("the annotation `{}`: {why}", records::RULE_ANNOTATION),
            ),
            Plan::Ignore => Judged::because(UpdateStatus::Ignored, "a rule says not to look"),
            Plan::Desire(desired) => return desire(update, &tag, desired).into(),
            Plan::NoTag => Judged::because(
                UpdateStatus::NotComparable,
                "no tag to compare: the reference names a digest alone",
            ),
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
        let (Some(repository), Some(tag), Ruled::By(rule)) =
            (repository(question), &question.facts.tag, &question.rule)
        else {
            return answer::finish(update, Judged::failed(malformed(question))).into();
        };
        let listed = match self.lists.of(&repository).await {
            Ok(listed) => listed,
            Err(problem) => return answer::finish(update, Judged::failed(problem)).into(),
        };
        let of_repository = question.tells_of_repository.then(|| {
            // The subject is the text that pc-digest gave it, by which others join.
            listed.record(question.facts.repository.as_deref().unwrap_or_default())
        });
        let list = if listed.is_authoritative { List::Whole } else { List::OfMirror };
        let mut found = self.newer(tag, current, listed, rule).await;
        let unknown = self.leave_out_the_young(&repository, &mut found, rule).await;
        answer::fill(&mut update, &found);
        let mut judged = answer::judge(tag, current, &found, rule, list);
        judged.reason = judged.reason.or(unknown);
        Found { answer: answer::finish(update, judged), repository: of_repository.flatten() }
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

fn repository(question: &ImageQuestion) -> Option<Repository> {
    let reference: Reference = question.facts.subject.image.parse().ok()?;
    Some(reference.repository().clone())
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
