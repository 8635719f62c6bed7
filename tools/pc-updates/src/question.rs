//! Which records raise a question, and what is asked.
//!
//! A `digest` record raises that of its image: by then repository and tag are known, and for a
//! floating name whether it has moved. Where the pods' annotations count, one image may have
//! several rules: those of the `image` records before are kept until the digest comes, and later
//! ones are asked at once.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, RandomState};

use records::{
    DigestRecord, Drift, Image, RULE_ANNOTATION, Record, Release, RuleFrom, canonical_rule,
};
use stage::Mine;
use stage::input::InputError;

use crate::rule::{Defaults, Rule, RuleError, Rules};
use crate::running;
use crate::version::{Tag, Version};

/// What a record raises: one question or several.
#[derive(Debug)]
pub(crate) enum Raised {
    /// What is newer than an image, by each of its rules that are new.
    Images(Vec<ImageQuestion>),
    /// What is newer than a release's chart.
    Release(Box<Release>, Rule),
}

/// What is newer than an image, by one rule.
#[derive(Debug, Clone)]
pub(crate) struct ImageQuestion {
    /// What is known of the image.
    pub(crate) facts: Facts,
    /// The rule.
    pub(crate) rule: Ruled,
    /// Whether this is the first question that needs the tags of its repository, so that its
    /// answer tells of that too.
    pub(crate) tells_of_repository: bool,
}

/// A rule, or an annotation that is none.
#[derive(Debug, Clone)]
pub(crate) enum Ruled {
    By(Box<Rule>),
    Not { text: String, why: RuleError },
}

impl Ruled {
    /// The canonical text.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::By(rule) => rule.text(),
            Self::Not { text, .. } => text,
        }
    }

    /// Who says so.
    pub(crate) fn from(&self) -> RuleFrom {
        match self {
            Self::By(rule) => rule.from(),
            Self::Not { .. } => RuleFrom::Annotation,
        }
    }
}

/// What a `digest` record says that bears on updates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) subject: Subject,
    pub(crate) repository: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) drift: Drift,
}

/// The subject of a `digest` record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Subject {
    pub(crate) image: String,
    pub(crate) image_id: Option<String>,
    pub(crate) platform: Option<String>,
}

impl From<DigestRecord> for Facts {
    fn from(record: DigestRecord) -> Self {
        let DigestRecord { image, image_id, platform, repository, tag, drift, .. } = record;
        Self { subject: Subject { image, image_id, platform }, repository, tag, drift }
    }
}

/// What there is to do about an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The reference is malformed.
    Malformed,
    /// The annotation is no rule.
    BadRule(RuleError),
    /// The rule says not to look.
    Ignore,
    /// The rule says which tag is wanted.
    Desire(String),
    /// It is written by a digest alone.
    NoTag,
    /// The filter does not let the tag that is used pass.
    Filtered,
    /// A name, which is judged by what it means.
    Name,
    /// A tag that has no order, for this reason.
    NoVersion(&'static str),
    /// Its tags are to be compared.
    Compare(Box<Version>),
}

impl ImageQuestion {
    /// What there is to do.
    pub(crate) fn plan(&self) -> Plan {
        let rule = match &self.rule {
            Ruled::By(rule) => rule,
            Ruled::Not { why, .. } => return Plan::BadRule(why.clone()),
        };
        let (Some(_), tag) = (&self.facts.repository, &self.facts.tag) else {
            return Plan::Malformed;
        };
        match (rule.ignore, &rule.desired, tag) {
            (true, ..) => return Plan::Ignore,
            (false, Some(desired), Some(_)) => return Plan::Desire(desired.clone()),
            _ => {}
        }
        let Some(tag) = tag else {
            return Plan::NoTag;
        };
        match rule.read(tag) {
            None => Plan::Filtered,
            Some(Tag::Version(version)) => Plan::Compare(Box::new(version)),
            Some(Tag::Name) => Plan::Name,
            Some(Tag::Build) => Plan::NoVersion("it is the number of a build or branch"),
            Some(Tag::Commit) => Plan::NoVersion("it is a commit"),
            Some(Tag::Evidence) => Plan::NoVersion("it is evidence about an image"),
        }
    }

    /// Whether what runs bears on the answer, so that it is part of the subject.
    pub(crate) fn is_by_what_runs(&self) -> bool {
        self.plan() == Plan::Name
    }
}

/// What was asked so far, and what later questions need of earlier records.
#[derive(Debug)]
pub(crate) struct Asks {
    rules: Rules,
    defaults: Defaults,
    annotations: Annotations,
    seen: Seen,
    facts: HashMap<Subject, Facts>,
    waiting: HashMap<Subject, Vec<Option<String>>>,
}

/// Whether the pods' annotations count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Annotations {
    /// They set rules.
    Count,
    /// They are not looked at.
    Ignored,
}

impl Asks {
    pub(crate) fn new(rules: Rules, defaults: Defaults, annotations: Annotations) -> Self {
        Self {
            rules,
            defaults,
            annotations,
            seen: Seen::default(),
            facts: HashMap::new(),
            waiting: HashMap::new(),
        }
    }

    /// The questions that a record raises and that were not asked yet.
    pub(crate) fn raise(&mut self, mine: &Mine) -> Result<Option<Raised>, InputError> {
        match mine.kind {
            Image::TYPE if self.annotations == Annotations::Count => Ok(self.image(mine.parse()?)),
            DigestRecord::TYPE => Ok(self.digest(mine.parse()?)),
            Release::TYPE => Ok(Some(self.release(mine.parse()?))),
            _ => Ok(None),
        }
    }

    /// An image's annotation, asked now where its digest is known, else kept.
    fn image(&mut self, image: Image) -> Option<Raised> {
        let Image { image, image_id, platform, mut annotations, .. } = image;
        let annotation = annotations.remove(RULE_ANNOTATION);
        let subject = Subject { image, image_id, platform };
        match self.facts.get(&subject).cloned() {
            Some(facts) => self.questions(&facts, vec![annotation]),
            None => {
                let waiting = self.waiting.entry(subject).or_default();
                if !waiting.contains(&annotation) {
                    waiting.push(annotation);
                }
                None
            }
        }
    }

    fn digest(&mut self, record: DigestRecord) -> Option<Raised> {
        let facts = Facts::from(record);
        let mut annotations = self.waiting.remove(&facts.subject).unwrap_or_default();
        if annotations.is_empty() {
            annotations.push(None);
        }
        if self.annotations == Annotations::Count {
            self.facts.entry(facts.subject.clone()).or_insert_with(|| facts.clone());
        }
        self.questions(&facts, annotations)
    }

    fn questions(&mut self, facts: &Facts, annotations: Vec<Option<String>>) -> Option<Raised> {
        let questions: Vec<_> = annotations
            .into_iter()
            .filter_map(|annotation| self.question(facts, annotation.as_deref()))
            .collect();
        (!questions.is_empty()).then_some(Raised::Images(questions))
    }

    fn question(&mut self, facts: &Facts, annotation: Option<&str>) -> Option<ImageQuestion> {
        let rule = self.rule(facts, annotation);
        let mut question = ImageQuestion { facts: facts.clone(), rule, tells_of_repository: false };
        let Subject { image, image_id, platform } = &facts.subject;
        let runs = question.is_by_what_runs().then_some((image_id, platform));
        if !self.seen.first(&("image", image, question.rule.text(), runs)) {
            return None;
        }
        let needs_tags = matches!(question.plan(), Plan::Compare(_) | Plan::NoTag);
        question.tells_of_repository =
            needs_tags && self.seen.first(&("repository", &facts.repository));
        Some(question)
    }

    fn rule(&self, facts: &Facts, annotation: Option<&str>) -> Ruled {
        if let Some(text) = annotation {
            return match Rule::parse(text, RuleFrom::Annotation, self.defaults) {
                Ok(rule) => Ruled::By(Box::new(rule)),
                Err(why) => Ruled::Not { text: canonical_rule(text), why },
            };
        }
        let repository = facts.repository.as_deref().unwrap_or_default();
        Ruled::By(Box::new(self.rules.of_image(repository, facts.tag.as_deref()).clone()))
    }

    fn release(&self, release: Release) -> Raised {
        let Release { namespace, release_name, .. } = &release;
        let chart = running::chart(&release);
        let rule = self.rules.of_release(namespace, release_name, chart).clone();
        Raised::Release(Box::new(release), rule)
    }
}

/// Keys that were seen, as hashes under secrets of this run.
#[derive(Debug, Default)]
struct Seen {
    secrets: (RandomState, RandomState),
    hashes: HashSet<(u64, u64)>,
}

impl Seen {
    fn first(&mut self, key: &impl Hash) -> bool {
        self.hashes.insert((self.secrets.0.hash_one(key), self.secrets.1.hash_one(key)))
    }
}
