//! The log against itself, and against a head that was kept elsewhere.

use records::Digest;

use super::{Grade, Proof, Word};
use crate::chain::{Entry, Event, Flaw, Log};

/// Checks that each entry is as it was written, and behind the one that it was written behind.
pub(super) fn check(log: &Log, proof: &mut Proof) {
    let mut before: Option<(&Digest, u64)> = None;
    // Behind an entry that was altered, the next one's hash cannot fit.
    let mut excused = false;
    for (line, number) in log.lines.iter().zip(1_u64..) {
        match &line.entry {
            Ok(entry) => {
                if !excused {
                    check_order(before, entry, proof);
                }
                if entry.event == Event::Unknown {
                    let text = "says what this version does not know".to_owned();
                    proof.find(Grade::Unchecked, Word::EntryUnknown, subject(entry.sequence), text);
                }
                (before, excused) = (Some((&line.hash, entry.sequence)), false);
            }
            Err(flaw) => {
                let (grade, word) = match flaw {
                    Flaw::Sum => (Grade::Broken, Word::EntryAltered),
                    Flaw::Form(_) => (Grade::Unchecked, Word::EntryUnknown),
                };
                let text = format!("line {number} of the log: {}", stage::exit::chain(flaw));
                let sequence = before.map_or(1, |(_, sequence)| sequence + 1);
                let sequence = if excused { number } else { sequence };
                proof.find(grade, word, subject(sequence), text);
                // What is only not understood has a hash all the same, which the next one names.
                excused = matches!(flaw, Flaw::Sum);
                before = Some((&line.hash, sequence));
            }
        }
    }
    if !log.torn.is_empty() {
        let text = format!(
            "{} bytes behind the last whole entry: a writer died in the middle, and the next run takes them out and says so",
            log.torn.len()
        );
        proof.find(Grade::Pending, Word::Torn, subject(log.tip.entries + 1), text);
    }
}

fn check_order(before: Option<(&Digest, u64)>, entry: &Entry, proof: &mut Proof) {
    let (sequence, hash) = before.map_or((0, None), |(hash, sequence)| (sequence, Some(hash)));
    if entry.sequence != sequence + 1 {
        let text = match sequence {
            0 => format!("the log starts with entry {}", entry.sequence),
            _ => format!("entry {} follows entry {sequence}", entry.sequence),
        };
        proof.find(Grade::Broken, Word::EntryMissing, subject(sequence + 1), text);
    } else if entry.previous.as_ref() != hash {
        let text = format!("it is not the one that entry {} was written behind", entry.sequence);
        proof.find(Grade::Broken, Word::EntryReplaced, subject(sequence), text);
    }
}

/// Checks that `head` is the hash of an entry.
pub(super) fn check_head(log: &Log, head: Option<&Digest>, proof: &mut Proof) {
    let Some(head) = head else {
        return;
    };
    let at = log.lines.iter().zip(1_u64..).find(|(line, _)| line.hash == *head);
    proof.kept_head = at.map(|(_, number)| number);
    if at.is_none() {
        let text =
            "no entry of the log has this hash: entries that were there are gone or replaced";
        proof.find(Grade::Broken, Word::Head, head.as_str(), text.to_owned());
    }
}

fn subject(sequence: u64) -> String {
    format!("entry {sequence}")
}
