//! From what was compared to the record: plain functions.

use records::text::{cut_list, cut_text};
use records::{Drift, FailureCode, Update, UpdateKind, UpdateStatus};

use crate::compare::{Candidate, Newer};
use crate::pointed::Pointed;
use crate::problem::Problem;
use crate::question::ImageQuestion;
use crate::rule::Rule;
use crate::version::Version;

/// An answer: the record, and why it is not better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) update: Update,
    pub(crate) problem: Option<Problem>,
}

/// What is judged: a status, the reason in words, and a failure where the status is `unknown`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) status: UpdateStatus,
    pub(crate) reason: Option<String>,
    pub(crate) problem: Option<Problem>,
}

impl Judged {
    /// A status without a word.
    pub(crate) fn plain(status: UpdateStatus) -> Self {
        Self { status, reason: None, problem: None }
    }

    /// A status and its reason.
    pub(crate) fn because(status: UpdateStatus, reason: impl Into<String>) -> Self {
        Self { status, reason: Some(reason.into()), problem: None }
    }

    /// It could not be found out.
    pub(crate) fn failed(problem: Problem) -> Self {
        let reason = format!("{}: {}", problem.code, problem.message);
        Self { status: UpdateStatus::Unknown, reason: Some(reason), problem: Some(problem) }
    }
}

/// A record about an image that says nothing yet.
pub(crate) fn of_image(question: &ImageQuestion) -> Update {
    let subject = question.facts.subject.clone();
    let (image_id, platform) = match question.is_by_what_runs() {
        true => (Some(subject.image_id), Some(subject.platform)),
        false => (None, None),
    };
    Update {
        image: Some(subject.image),
        image_id,
        platform,
        rule: question.rule.text().to_owned(),
        rule_from: question.rule.from(),
        current: question.facts.tag.clone(),
        ..blank(UpdateKind::Image)
    }
}

/// A record without a subject.
pub(crate) fn blank(kind: UpdateKind) -> Update {
    Update {
        image: None,
        image_id: None,
        platform: None,
        namespace: None,
        release_name: None,
        rule: String::new(),
        rule_from: records::RuleFrom::Default,
        kind,
        status: UpdateStatus::Unknown,
        current: None,
        tags: Vec::new(),
        current_version: None,
        latest_in_patch: None,
        latest_in_minor: None,
        latest_in_major: None,
        newest: None,
        newest_app_version: None,
        behind: None,
        reason: None,
        left_out: Vec::new(),
        guess: None,
        dropped: 0,
    }
}

/// A record and what was judged, as an answer whose texts are bounded.
pub(crate) fn finish(mut update: Update, judged: Judged) -> Answer {
    update.status = judged.status;
    update.reason = judged.reason;
    update.dropped += cut_list(&mut update.left_out) + cut_list(&mut update.tags);
    let texts = [
        &mut update.current,
        &mut update.current_version,
        &mut update.latest_in_patch,
        &mut update.latest_in_minor,
        &mut update.latest_in_major,
        &mut update.newest,
        &mut update.newest_app_version,
        &mut update.reason,
    ];
    let texts = texts.into_iter().flatten().chain(&mut update.left_out);
    update.dropped += texts.map(cut_text).sum::<u64>();
    Answer { update, problem: judged.problem }
}

/// Puts what is newer into a record.
pub(crate) fn fill(update: &mut Update, newer: &Newer) {
    let first = |line: &[Candidate]| line.first().map(|candidate| candidate.tag.clone());
    update.latest_in_patch = first(&newer.in_patch);
    update.latest_in_minor = first(&newer.in_minor);
    update.latest_in_major = first(&newer.in_major);
    update.newest = first(&newer.all);
    update.behind = Some(newer.behind);
    update.left_out = newer.left_out.lines();
}

/// Whose list was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// The registry's own: what is not in it is not there.
    Whole,
    /// A mirror's, which may lack some.
    OfMirror,
}

/// What follows from a comparison.
///
/// Something newer in half a list is newer all the same; nothing newer in half a list says
/// nothing, and neither does a list that lacks the very tag that is used.
pub(crate) fn judge(
    tag: &str,
    current: &Version,
    newer: &Newer,
    rule: &Rule,
    list: List,
) -> Judged {
    let change = newer.change(current);
    if change.is_some_and(|change| rule.level.counts(change)) {
        return Judged::plain(UpdateStatus::Available);
    }
    if list == List::OfMirror {
        return Judged::failed(Problem::new(
            FailureCode::Mirror,
            "only a mirror has listed the tags, and there is nothing newer in its list, which may lack some".into(),
        ));
    }
    if let Some(elsewhere) = &newer.elsewhere {
        return Judged::because(
            UpdateStatus::NotComparable,
            format!(
                "`{tag}` has no newer tag of its shape, and `{}` is ahead of it by its numbers",
                elsewhere.tag
            ),
        );
    }
    if !newer.has_current {
        return Judged::failed(Problem::new(
            FailureCode::NotFound,
            format!(
                "there is nothing newer in the list of tags, and not `{tag}` either: it was removed, or the list is not all"
            ),
        ));
    }
    match newer.all.first() {
        Some(found) => Judged::because(
            UpdateStatus::Current,
            format!("`{}` is a smaller step than `{}`", found.tag, rule.level.as_str()),
        ),
        None => Judged::plain(UpdateStatus::Current),
    }
}

/// What follows for a reference by digest from what follows for the tag that stands for it.
pub(crate) fn by_digest(judged: Judged, tag: &str) -> Judged {
    let more = judged.reason.map_or(String::new(), |reason| format!("; {reason}"));
    Judged { reason: Some(format!("`{tag}` stands for this digest now{more}")), ..judged }
}

/// What follows for a reference by digest where no tag that has a version is known to stand for
/// it.
///
/// A mirror may have only some of the tags: what it does not list may be there all the same.
pub(crate) fn judge_pointed(pointed: Pointed, is_mirrors: bool) -> Judged {
    let because = |why: String| {
        Judged::because(UpdateStatus::NotComparable, format!("no tag to compare: {why}"))
    };
    match (pointed.tags.first(), pointed.failed, pointed.of) {
        (Some(tag), ..) => {
            because(format!("`{tag}` stands for this digest now, and has no version"))
        }
        (None, Some(problem), _) => Judged::failed(problem),
        (None, None, _) if is_mirrors => Judged::failed(Problem::new(
            FailureCode::Mirror,
            "none of the tags that the mirror lists stands for this digest, and it may not list all"
                .to_owned(),
        )),
        (None, None, None) => because("no tag stands for this digest now".to_owned()),
        (None, None, Some(asked)) => because(format!(
            "none of the newest {asked} tags stands for this digest now, and no more of them are asked"
        )),
    }
}

/// What follows where a tag could not be asked, which may be the one that runs: only that something
/// newer than another is there stays true.
pub(crate) fn unless_open(judged: Judged, open: Option<Problem>) -> Judged {
    match open {
        Some(problem) if judged.status != UpdateStatus::Available => Judged::failed(problem),
        _ => judged,
    }
}

/// What follows for a name from what it means now.
pub(crate) fn judge_name(tag: &str, drift: Drift, runs: bool) -> Judged {
    let because = |status, what: &str| Judged::because(status, format!("`{tag}` is a name{what}"));
    match drift {
        Drift::Same => because(UpdateStatus::Current, ", and means what runs"),
        Drift::Moved => because(UpdateStatus::Available, ", and means another image by now"),
        Drift::Pinned => {
            because(UpdateStatus::NotComparable, " beside a digest, which decides what runs")
        }
        Drift::Unknown if !runs => because(
            UpdateStatus::NotComparable,
            ", and nothing runs that could be compared with it",
        ),
        Drift::Unknown => because(
            UpdateStatus::Unknown,
            ", and whether it means what runs is not known; the failures of the digest say why",
        ),
    }
}
