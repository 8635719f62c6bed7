//! What `verify` found, for people and for programs.

use std::fmt::Write as _;

use records::text::shown;
use serde::Serialize;

use super::reports;
use crate::place::Place;
use crate::verify::{Grade, Proof, Word};

/// The JSON: what it comes to, then everything.
#[derive(Serialize)]
struct Told<'a> {
    /// `proven`; `pending`, where a run died and the next one finishes; `broken`; or `unchecked`,
    /// which goes before `broken`.
    verdict: &'static str,
    #[serde(flatten)]
    proof: &'a Proof,
}

pub(crate) fn json(proof: &Proof) -> Result<String, serde_json::Error> {
    let verdict = if proof.count(Grade::Unchecked) > 0 {
        "unchecked"
    } else if proof.count(Grade::Broken) > 0 {
        "broken"
    } else if proof.count(Grade::Pending) > 0 {
        "pending"
    } else {
        "proven"
    };
    Ok(serde_json::to_string_pretty(&Told { verdict, proof })? + "\n")
}

/// For people: what was found, what is as it was written, and the head.
pub(crate) fn text(place: &dyn Place, proof: &Proof) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail, here and below.
    for finding in &proof.findings {
        let (word, subject) = (shout(finding.word), shown(&finding.subject));
        let _ = writeln!(text, "{word}: {subject}: {}", finding.text);
    }
    let whereabouts = records::text::clean(&place.whereabouts(), usize::MAX);
    let _ = match proof.head {
        None => writeln!(text, "Log: none in {whereabouts}, so nothing is proven."),
        Some(_) => writeln!(
            text,
            "As stored: {} and {} signatures, {} bytes, in {whereabouts}.",
            reports(usize::try_from(proof.reports).unwrap_or(usize::MAX)),
            proof.signatures,
            proof.bytes,
        ),
    };
    let _ = writeln!(
        text,
        "By the log: {} removed by retention, {} by hand, {} known to be lost, {} adopted; {} other names, not looked at.",
        proof.pruned, proof.removed, proof.lost, proof.adopted, proof.others
    );
    if let Some(kept) = proof.kept_head {
        let since = proof.entries.saturating_sub(kept);
        let _ = writeln!(text, "The head given is that of entry {kept}, {since} before the last.");
    }
    if let Some(head) = &proof.head {
        let _ = writeln!(text, "Head: {head} (entry {}; keep it elsewhere)", proof.entries);
    }
    text
}

fn shout(word: Word) -> &'static str {
    match word {
        Word::Altered => "ALTERED",
        Word::Missing => "MISSING",
        Word::NotInLog => "NOT IN THE LOG",
        Word::Latest => "NOT THE LATEST",
        Word::EntryAltered => "LOG ENTRY ALTERED",
        Word::EntryMissing => "LOG ENTRY MISSING",
        Word::EntryReplaced => "LOG ENTRY REPLACED",
        Word::Head => "HEAD NOT FOUND",
        Word::NoLog => "NO LOG",
        Word::Unreadable => "NOT CHECKED",
        Word::EntryUnknown => "LOG ENTRY NOT KNOWN",
        Word::Unfinished => "PENDING",
        Word::Torn => "PENDING: LOG TORN",
    }
}
