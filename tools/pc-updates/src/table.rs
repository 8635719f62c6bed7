//! The answers for a person at a terminal: one block per image.

use std::fmt::Write as _;

use records::text::{clean, shown};
use records::wire::{Head, read};
use records::{Failure, Record, Update, UpdateStatus};
use report::table::{Color, Paint, Tone};

use crate::version::{Change, Tag};

/// How wide the names of lines are.
const NAME: usize = 12;

/// How many of the tags that stand for a digest are shown.
const TAGS: usize = 8;

/// How long a reason may be, in characters.
const MAX_REASON: usize = 600;

/// The table of what a stream answers. Lines that are no records of this suite are left out.
#[must_use]
pub fn table(stream: &[u8], color: Color) -> String {
    let (mut updates, mut failures) = (Vec::<Update>::new(), Vec::<Failure>::new());
    for line in stream.split_inclusive(|byte| *byte == b'\n') {
        let Ok(head) = Head::peek(line) else { continue };
        match head.kind.as_ref() {
            Update::TYPE => updates.extend(read(&head, line)),
            Failure::TYPE => failures.extend(read(&head, line)),
            _ => {}
        }
    }
    // A name that is judged by what runs has an answer for each platform, all the same where
    // nothing runs.
    updates.dedup_by(|later, first| later.image == first.image && told(later) == told(first));
    let paint = Paint::new(color);
    let blocks: Vec<String> =
        updates.iter().map(|update| block(update, &failures, paint)).collect();
    blocks.join("\n")
}

/// What of an answer is shown.
fn told(update: &Update) -> (UpdateStatus, &Option<String>, &Option<String>, &str) {
    (update.status, &update.reason, &update.newest, &update.rule)
}

fn block(update: &Update, failures: &[Failure], paint: Paint) -> String {
    let mut out = String::new();
    let name = match (&update.image, &update.namespace, &update.release_name) {
        (Some(image), ..) => shown(image),
        (None, namespace, name) => {
            let text = |key: &Option<String>| shown(key.as_deref().unwrap_or_default());
            format!("{}/{}", text(namespace), text(name))
        }
    };
    line(&mut out, &format!("{}  {}", paint.on(Tone::Strong, &name), status(update, paint)));
    if !update.rule.is_empty() {
        row(&mut out, "rule", &shown(&update.rule), paint);
    }
    if !update.tags.is_empty() {
        let tags: Vec<String> = update.tags.iter().take(TAGS).map(|tag| shown(tag)).collect();
        let more = if update.tags.len() > TAGS { ", …" } else { "" };
        row(&mut out, "has the tags", &format!("{}{more}", tags.join(", ")), paint);
    }
    newer(&mut out, update, paint);
    if let Some(reason) = &update.reason {
        row(&mut out, "because", &clean(reason, MAX_REASON), paint);
    }
    for failure in failures.iter().filter(|failure| is_of(failure, update)) {
        let text = format!("{}: {}", failure.code, failure.message);
        row(&mut out, "failed", &clean(&text, MAX_REASON), paint);
    }
    for (at, left_out) in update.left_out.iter().enumerate() {
        row(&mut out, if at == 0 { "left out" } else { "" }, &shown(left_out), paint);
    }
    out
}

/// The newest of each line. What is the newest of all is not told twice.
fn newer(out: &mut String, update: &Update, paint: Paint) {
    for (name, tag) in [("patch", &update.latest_in_patch), ("minor", &update.latest_in_minor)] {
        if let Some(tag) = tag.as_ref().filter(|_| *tag != update.newest) {
            row(out, name, &shown(tag), paint);
        }
    }
    let Some(newest) = &update.newest else { return };
    let app = update.newest_app_version.as_ref();
    let app = app.map_or(String::new(), |app| format!(" (application {})", shown(app)));
    let step = step(update).map_or(String::new(), |step| format!(", {step}"));
    row(out, "newest", &format!("{}{app}{step}", shown(newest)), paint);
}

/// How large the step to the newest is, where that can be told.
fn step(update: &Update) -> Option<&'static str> {
    let read = |tag: &Option<String>| Some(Tag::read(tag.as_deref()?));
    let (current, newest) = (read(&update.current)?, read(&update.newest)?);
    match current.version()?.change(newest.version()?)? {
        Change::Major => Some("a major step"),
        Change::Minor => Some("a minor step"),
        Change::Patch => Some("a patch"),
        Change::PreRelease | Change::Revision | Change::Date => None,
    }
}

/// Whether a failure of another stage is about this image, so that nobody wonders.
fn is_of(failure: &Failure, update: &Update) -> bool {
    let image = failure.image.as_ref().and_then(Option::as_ref);
    failure.stage != env!("CARGO_PKG_NAME") && image.is_some() && image == update.image.as_ref()
}

fn status(update: &Update, paint: Paint) -> String {
    let behind = match update.behind {
        Some(behind) if behind > 0 => format!("update available, {behind} newer"),
        _ => "update available".to_owned(),
    };
    match update.status {
        UpdateStatus::Current => paint.on(Tone::Good, "current"),
        UpdateStatus::Available => paint.on(Tone::Fair, &behind),
        UpdateStatus::NotComparable => paint.on(Tone::Faint, "not comparable"),
        UpdateStatus::Ignored => paint.on(Tone::Faint, "ignored"),
        UpdateStatus::Unknown => paint.on(Tone::Bad, "unknown"),
    }
}

fn row(out: &mut String, name: &str, text: &str, paint: Paint) {
    line(out, &format!("  {} {text}", paint.on(Tone::Faint, &format!("{name:NAME$}"))));
}

/// Writing to a String cannot fail.
fn line(out: &mut String, text: &str) {
    let _ = writeln!(out, "{text}");
}
