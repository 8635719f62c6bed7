//! The answers for a person at a terminal: one block per image.

use std::fmt::Write as _;

use records::text::shown;
use records::wire::{Head, read};
use records::{Failure, Record, Update, UpdateStatus};
use report::table::{Color, Paint, Tone};

/// How wide the names of lines are.
const NAME: usize = 12;

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
    let blocks: Vec<String> = updates.iter().map(|update| block(update, paint)).collect();
    blocks.join("\n")
}

/// What of an answer is shown.
fn told(update: &Update) -> (UpdateStatus, &Option<String>, &Option<String>, &str) {
    (update.status, &update.reason, &update.newest, &update.rule)
}

fn block(update: &Update, paint: Paint) -> String {
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
    let mut lines = vec![
        ("patch", &update.latest_in_patch),
        ("minor", &update.latest_in_minor),
        ("newest", &update.newest),
    ];
    // What is the newest of all need not be told twice.
    let newest = update.newest.clone();
    lines.retain(|(name, tag)| tag.is_some() && (*name == "newest" || **tag != newest));
    for (name, tag) in lines {
        let Some(tag) = tag else { continue };
        let app = match (name, &update.newest_app_version) {
            ("newest", Some(app)) => format!("  (application {})", shown(app)),
            _ => String::new(),
        };
        row(&mut out, name, &format!("{}{app}", shown(tag)), paint);
    }
    if let Some(reason) = &update.reason {
        row(&mut out, "because", &records::text::clean(reason, 400), paint);
    }
    for (at, left_out) in update.left_out.iter().enumerate() {
        row(&mut out, if at == 0 { "left out" } else { "" }, &shown(left_out), paint);
    }
    out
}

fn status(update: &Update, paint: Paint) -> String {
    let behind = match update.behind {
        Some(behind) if behind > 1 => format!("update available, {behind} newer"),
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
