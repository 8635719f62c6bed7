//! Why something is not known: the failures beside the answers.

use records::{Failure, FailureCode};

use super::STAGE;
use crate::check::Check;
use crate::find::Trouble;
use crate::question::Question;

/// The failure record of a trouble; none where it bears on no check that is on.
pub(super) fn failure(question: &Question, checks: &[Check], trouble: &Trouble) -> Option<Failure> {
    let about: Vec<&str> = checks
        .iter()
        .filter(|check| trouble.store.kind.holds(**check))
        .map(|check| check.as_str())
        .collect();
    if about.is_empty() {
        return None;
    }
    let mut failure = about_question(question, &about, trouble.code, &trouble.message);
    failure.store = Some(trouble.store.name());
    failure.host.clone_from(&trouble.host);
    failure.status = trouble.status;
    Some(failure)
}

pub(super) fn about_question(
    question: &Question,
    about: &[&str],
    code: FailureCode,
    message: &str,
) -> Failure {
    Failure {
        repository: Some(Some(question.repository.clone())),
        index: Some(question.index.clone()),
        manifest: Some(question.manifest.clone()),
        ..Failure::new(STAGE, about, code, message)
    }
}

/// Why nothing may be called absent although every store answered: one failure per reason.
pub(super) fn why_unsettled(
    question: &Question,
    unsettled: &[(&'static str, Check)],
) -> Vec<Failure> {
    let mut failures: Vec<(&str, Failure)> = Vec::new();
    for (reason, check) in unsettled {
        if let Some((_, failure)) = failures.iter_mut().find(|(known, _)| known == reason) {
            failure.about.push(check.as_str().to_owned());
            continue;
        }
        let (code, message) = match *reason {
            "not-present" => (
                FailureCode::NotFound,
                "the repository does not have the manifest any more, so its stores say nothing about it",
            ),
            "platform-unknown" => (
                FailureCode::PlatformUnknown,
                "which manifest of the index runs is not known, so its stores could not be asked",
            ),
            "index-unknown" => (
                FailureCode::IndexUnknown,
                "it is not settled which index lists the manifest, and evidence may be on that index",
            ),
            _ => (
                FailureCode::PresentUnknown,
                "whether the repository has the manifest was not answered, and an empty answer about one that it lacks says nothing",
            ),
        };
        failures.push((reason, about_question(question, &[check.as_str()], code, message)));
    }
    failures.into_iter().map(|(_, failure)| failure).collect()
}
