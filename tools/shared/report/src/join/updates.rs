//! Which of the answers about newer versions is a row's, or a release's.

use std::cmp::Ordering;

use records::{RULE_ANNOTATION, Record, RuleFrom, Update, canonical_rule};

use crate::{ReleaseUpdate, Row, UpdateAnswer, UpdateState};

use super::rows::{Joined, NO_UPDATE};
use super::why::Question;

/// What is said where several rules gave answers and none is known to be this row's.
const RULE_UNKNOWN: &str = "rule-unknown: several update rules gave answers for this image, and \
    none of them is known to be that of this workload";

/// What is said where the answer is missing although its stage ran.
const NO_RECORD: &str = "no-record: no answer came although pc-updates ran";

/// What the search for a subject's answer found.
enum Answer<'a> {
    /// The answer.
    Found(&'a Update),
    /// None, for this reason.
    Unknown(&'static str),
    /// Nobody asked.
    Skipped,
}

impl Joined<'_> {
    /// The answer about an image, for the row that is being made.
    pub(super) fn update_of(&self, row: &Row) -> UpdateAnswer {
        let answers = self.answers(|update| update.image.as_deref().cmp(&Some(row.image.as_str())));
        match self.choose(answers, row) {
            Answer::Skipped => NO_UPDATE,
            Answer::Unknown(reason) => UpdateAnswer {
                status: UpdateState::Unknown,
                reason: Some(reason.to_owned()),
                ..NO_UPDATE
            },
            Answer::Found(update) => {
                let status = UpdateState::from(update.status);
                UpdateAnswer {
                    current_tag: update.current.clone(),
                    latest_in_major: update.latest_in_major.clone(),
                    newest_available: update.newest.clone(),
                    update_available: status.is_available(),
                    status,
                    reason: self.reason(update, Question::Image(&row.image, &update.rule)),
                    rule: Some(update.rule.clone()),
                }
            }
        }
    }

    /// The answer about a release's chart.
    pub(super) fn update_of_release(&self, namespace: &str, name: &str) -> ReleaseUpdate {
        let subject = (None, Some(namespace), Some(name));
        let answers = self.answers(|update| {
            let release = update.release_name.as_deref();
            (update.image.as_deref(), update.namespace.as_deref(), release).cmp(&subject)
        });
        let found = match answers {
            [] if self.asked.update() => Answer::Unknown(NO_RECORD),
            [] => Answer::Skipped,
            // A release has one rule; of more the first in order, which is the default.
            [update, ..] => Answer::Found(update),
        };
        let (status, update) = match found {
            Answer::Skipped => (UpdateState::Skipped, None),
            Answer::Unknown(_) => (UpdateState::Unknown, None),
            Answer::Found(update) => (update.status.into(), Some(update)),
        };
        let reason = match found {
            Answer::Unknown(reason) => Some(reason.to_owned()),
            Answer::Skipped => None,
            Answer::Found(update) => {
                self.reason(update, Question::Release(namespace, name, &update.rule))
            }
        };
        let of = |field: fn(&Update) -> &Option<String>| update.and_then(|u| field(u).clone());
        ReleaseUpdate {
            status,
            current: of(|update| &update.current),
            latest_in_major: of(|update| &update.latest_in_major),
            newest: of(|update| &update.newest),
            current_tag: of(|update| &update.current),
            newest_available: of(|update| &update.newest),
            update_available: status.is_available(),
            reason,
            rule: update.map(|update| update.rule.clone()),
        }
    }

    /// The run of answers whose subject `order` finds equal.
    fn answers(&self, order: impl Fn(&Update) -> Ordering) -> &[Update] {
        let start = self.updates.partition_point(|update| order(update).is_lt());
        let length = self.updates[start..].partition_point(|update| order(update).is_eq());
        &self.updates[start..start + length]
    }

    /// Which answer is the row's, where an image has several: by different rules, or because a
    /// floating name means something else on another node.
    ///
    /// Rules that a workload sets are annotations of its pods, so the answer is that of the rule
    /// which the annotation names; without one it is that of the configuration, or of nobody.
    /// Anything else would be a guess, and a guess could call an image current that is not.
    fn choose<'a>(&self, answers: &'a [Update], row: &Row) -> Answer<'a> {
        let is_rows = |update: &&Update| {
            let same = |key: &Option<Option<String>>, own: &Option<String>| {
                key.as_ref().is_none_or(|key| key == own)
            };
            same(&update.image_id, &row.image_id) && same(&update.platform, &row.platform)
        };
        let own: Vec<&Update> = answers.iter().filter(is_rows).collect();
        let annotation = row.annotations.get(RULE_ANNOTATION).map(|text| canonical_rule(text));
        let by_rule = |wanted: &str| own.iter().copied().find(|update| update.rule == wanted);
        if let Some(found) = annotation.as_deref().and_then(by_rule) {
            return Answer::Found(found);
        }
        let is_set = |update: &&Update| update.rule_from != RuleFrom::Annotation;
        let set: Vec<&Update> = own.iter().copied().filter(is_set).collect();
        // An annotation counts where any does; that of this row has no answer then.
        let annotations_count = set.len() < own.len() || set.len() > 1;
        let found = match set[..] {
            [] if own.is_empty() && self.asked.update() => return Answer::Unknown(NO_RECORD),
            [] if own.is_empty() => return Answer::Skipped,
            _ if annotation.is_some() && annotations_count => None,
            [only] => Some(only),
            _ => by_rule(""),
        };
        found.map_or(Answer::Unknown(RULE_UNKNOWN), Answer::Found)
    }

    /// What the stage says, and where it could not find out, what failed.
    fn reason(&self, update: &Update, question: Question<'_>) -> Option<String> {
        let failed = || self.why.not(question, Update::TYPE);
        match UpdateState::from(update.status) {
            UpdateState::Unknown => failed().or_else(|| update.reason.clone()),
            _ => update.reason.clone(),
        }
    }
}
