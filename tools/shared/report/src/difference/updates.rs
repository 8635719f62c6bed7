//! Newer versions of images that appeared, or went.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::{Report, Row, UpdateState};

use super::Code;
use super::gather::{Found, Gather};

/// The answer about one reference.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) status: UpdateState,
    pub(super) newest: Option<&'a str>,
    pub(super) reason: Option<&'a str>,
}

impl Answer<'_> {
    fn is_open(&self) -> bool {
        matches!(self.status, UpdateState::Unknown | UpdateState::Skipped)
    }
}

/// The codes of changes.
pub(super) struct Codes {
    pub(super) appeared: Code,
    pub(super) gone: Code,
}

const IMAGES: Codes = Codes { appeared: Code::UpdateAppeared, gone: Code::UpdateGone };

/// An image that is used under several rules counts by the gravest, as in the summary.
fn grade(status: UpdateState) -> u8 {
    match status {
        UpdateState::Available => 0,
        UpdateState::Unknown => 1,
        UpdateState::Skipped => 2,
        UpdateState::NotComparable => 3,
        UpdateState::Ignored => 4,
        UpdateState::Current => 5,
    }
}

fn answers<'a>(rows: &'a [Row]) -> HashMap<&'a str, (&'a Row, Answer<'a>)> {
    let mut all: HashMap<&str, (&Row, Answer<'_>)> = HashMap::new();
    for row in rows {
        let answer = Answer {
            status: row.update.status,
            newest: row.update.newest_available.as_deref(),
            reason: row.update.reason.as_deref(),
        };
        let known = all.entry(row.image.as_str()).or_insert((row, answer));
        let key = |answer: Answer<'a>| (grade(answer.status), answer.newest);
        if key(answer) < key(known.1) {
            *known = (row, answer);
        }
    }
    all
}

pub(super) fn compare<'a>(older: &'a Report, newer: &'a Report, gather: &mut Gather<'a>) {
    let (older, newer) = (answers(&older.images), answers(&newer.images));
    for (image, (_, before)) in &older {
        let Some((row, after)) = newer.get(image) else { continue };
        if let Some(mut found) = change(&IMAGES, before, after) {
            // A stage that did not run is one change, whatever the image.
            if !is_switched(&found) {
                found.image = Some(image);
                found.repository = row.repository.as_deref();
            }
            gather.add(found.about("update"));
        }
    }
}

/// Whether it is only that nobody asked on one side.
pub(super) fn is_switched(found: &Found<'_>) -> bool {
    let skipped = |words: &[Cow<'_, str>]| words.iter().any(|word| word == "skipped");
    matches!(found.code, Code::NotChecked | Code::Checked)
        && (skipped(&found.before) || skipped(&found.after))
}

/// The change from one answer to another, its subject to be filled in.
pub(super) fn change<'a>(
    codes: &Codes,
    before: &Answer<'a>,
    after: &Answer<'a>,
) -> Option<Found<'a>> {
    use UpdateState::Available;
    let code = match (before.status, after.status) {
        (Available, Available) if before.newest == after.newest => return None,
        (_, Available) => codes.appeared,
        _ => match (before.is_open(), after.is_open()) {
            (true, true) => return None,
            (false, true) => Code::NotChecked,
            (true, false) => Code::Checked,
            (false, false) if before.status == Available => codes.gone,
            (false, false) => return None,
        },
    };
    let mut found = Found::new(code);
    let open = matches!(code, Code::NotChecked | Code::Checked);
    let skipped = |answer: &Answer<'_>| answer.status == UpdateState::Skipped;
    if open && (skipped(before) || skipped(after)) {
        let word = |answer: &Answer<'_>| -> Vec<Cow<'a, str>> {
            if skipped(answer) { vec!["skipped".into()] } else { Vec::new() }
        };
        (found.before, found.after) = (word(before), word(after));
        found.reason =
            Some("not-asked: the check is switched off, or its stage did not run".into());
    } else {
        (found.before, found.after) = (words(before), words(after));
        let why = if after.is_open() { after.reason } else { before.reason };
        found.reason = if open { why.map(Cow::Borrowed) } else { None };
    }
    Some(found)
}

fn words<'a>(answer: &Answer<'a>) -> Vec<Cow<'a, str>> {
    match (answer.status, answer.newest) {
        (UpdateState::Available, Some(newest)) => vec![newest.into()],
        (status, _) => vec![status.as_str().into()],
    }
}
