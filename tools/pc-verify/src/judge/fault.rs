//! Why a piece of evidence is not valid, and how sure that is.

use std::fmt::Display;

use records::text::shown;

use crate::judged::Reason;

/// What stands between a piece of evidence and `valid`: a contradiction, or nothing to check
/// against. Which of the two its [`Reason`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    /// One line for people; foreign text in it is cleaned and cut.
    pub(super) detail: String,
}

impl Fault {
    pub(super) fn new(reason: Reason, detail: impl Display) -> Self {
        Self { reason, detail: detail.to_string() }
    }

    /// A fault whose cause is an error of a library: foreign bytes may stand in its text.
    pub(super) fn caused(reason: Reason, what: &str, cause: impl Display) -> Self {
        Self { reason, detail: format!("{what}: {}", shown(&cause.to_string())) }
    }

    pub(super) fn malformed(detail: impl Display) -> Self {
        Self::new(Reason::Malformed, detail)
    }
}

/// What could not be checked so far, while nothing contradicted it. A later contradiction weighs
/// more, so these wait until every check has been made.
#[derive(Debug, Default)]
pub(super) struct Doubts(Vec<Fault>);

impl Doubts {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        self.0.extend(faults);
    }

    /// The doubt that says most: without a key nothing else matters, without the authority no
    /// time helps, and what could not be read may be what would have proven the time.
    pub(super) fn worst(self) -> Option<Fault> {
        let weight = |fault: &Fault| match fault.reason {
            Reason::NoKey => 0,
            Reason::NoRoot => 1,
            Reason::Format => 2,
            _ => 3,
        };
        self.0.into_iter().min_by_key(weight)
    }
}
