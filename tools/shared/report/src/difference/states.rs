//! What a tag means for what a container runs, and whether the repository still has that.

use std::borrow::Cow;

use crate::{DriftState, Row};

use super::Code;
use super::gather::{Found, Gather};
use super::uses::{Side, Use};

pub(super) fn compare<'a>(used: &Use<'a>, gather: &mut Gather<'a>) {
    drift(used, gather);
    presence(used, gather);
}

/// The weakest of what the tag means for what runs.
fn drift_of<'a>(side: &Side<'a>) -> Option<&'a Row> {
    let grade = |row: &&&Row| match row.drift {
        DriftState::Moved => 0,
        DriftState::Unknown => 1,
        DriftState::Skipped => 2,
        DriftState::Same => 3,
        DriftState::Pinned => 4,
    };
    // What does not run has nothing to compare a tag with.
    side.counted.iter().filter(|row| row.runs()).min_by_key(grade).copied()
}

fn drift<'a>(used: &Use<'a>, gather: &mut Gather<'a>) {
    let (Some(older), Some(newer)) = (drift_of(&used.older), drift_of(&used.newer)) else {
        return;
    };
    let known = |row: &Row| !matches!(row.drift, DriftState::Unknown | DriftState::Skipped);
    let code = match (older.drift, newer.drift) {
        (DriftState::Moved, DriftState::Moved) => return,
        (_, DriftState::Moved) => Code::TagMoved,
        (DriftState::Moved, _) if known(newer) => Code::TagSettled,
        _ => match (known(older), known(newer)) {
            (true, false) => Code::NotChecked,
            (false, true) => Code::Checked,
            _ => return,
        },
    };
    let (before, after) = (older.drift.as_str(), newer.drift.as_str());
    let open = if known(newer) { older } else { newer };
    let answer = Answer { code, about: "drift", before, after };
    answer.add(used, open.error.as_deref(), open.drift == DriftState::Skipped, gather);
}

/// A change of a check's answer, in words.
pub(super) struct Answer<'a> {
    pub(super) code: Code,
    pub(super) about: &'static str,
    pub(super) before: &'a str,
    pub(super) after: &'a str,
}

impl<'a> Answer<'a> {
    /// Adds it; `why` is why there was or is no answer. A check that is switched off is one change,
    /// whatever the image.
    pub(super) fn add(
        self,
        used: &Use<'a>,
        why: Option<&'a str>,
        switched: bool,
        gather: &mut Gather<'a>,
    ) {
        let open = matches!(self.code, Code::NotChecked | Code::Checked);
        let mut found =
            if open && switched { Found::new(self.code) } else { used.found(self.code) };
        found = found.about(self.about);
        if open && switched {
            let word =
                |word: &'a str| if word == "skipped" { vec![word.into()] } else { Vec::new() };
            (found.before, found.after) = (word(self.before), word(self.after));
            found.reason =
                Some("not-asked: the check is switched off, or its stage did not run".into());
        } else {
            found = found.words(self.before, self.after);
            found.reason = if open { why.map(Cow::Borrowed) } else { None };
        }
        gather.add_at(used.place, found);
    }
}

/// Whether the repository has what runs, in one word, with the row that says so.
fn presence_of<'a>(side: &Side<'a>) -> Option<(&'static str, &'a Row)> {
    let word = |row: &&'a Row| match row.present {
        _ if row.digest.is_none() || row.drift == DriftState::Skipped => None,
        Some(false) => Some((0, "missing", *row)),
        None => Some((1, "unknown", *row)),
        Some(true) => Some((2, "present", *row)),
    };
    let weakest = side.counted.iter().filter_map(word).min_by_key(|(grade, ..)| *grade);
    weakest.map(|(_, word, row)| (word, row))
}

fn presence<'a>(used: &Use<'a>, gather: &mut Gather<'a>) {
    let (Some(older), Some(newer)) = (presence_of(&used.older), presence_of(&used.newer)) else {
        return;
    };
    let code = match (older.0, newer.0) {
        (before, after) if before == after => return,
        (_, "missing") => Code::ManifestMissing,
        ("missing", "present") => Code::ManifestBack,
        (_, "unknown") => Code::NotChecked,
        _ => Code::Checked,
    };
    let open = if newer.0 == "unknown" { newer.1 } else { older.1 };
    let answer = Answer { code, about: "present", before: older.0, after: newer.0 };
    answer.add(used, open.error.as_deref(), false, gather);
}
