//! Proving that a store is as it was written: its log against itself, and what lies there against
//! the log. Takes no lock and changes nothing.
//!
//! What could not be looked at is never taken for proven, nor for broken. What a writer that died
//! may have left is told as pending: the next run finishes it.

mod chain;
mod files;

use records::Digest;
use serde::Serialize;

use crate::chain::{Event, Log, State};
use crate::place::{Place, PlaceError};

/// How often all is looked at anew because a writer changed the store meanwhile.
const TRIES: u32 = 5;

/// What a finding means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Grade {
    /// The store is not as it was written.
    Broken,
    /// It could not be looked at.
    Unchecked,
    /// A writer died, and the next one finishes it.
    Pending,
}

/// What was found. The words are stable; the text beside them is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// A report or signature has other bytes than were stored.
    Altered,
    /// A report or signature is gone, and no entry says that it was removed.
    Missing,
    /// A report or signature is there that the log does not have.
    NotInLog,
    /// `provenance-latest.json` is not the newest report.
    Latest,
    /// An entry of the log has other bytes than were written.
    EntryAltered,
    /// An entry is gone, or not at its place.
    EntryMissing,
    /// An entry is not the one that the next was written behind.
    EntryReplaced,
    /// The head that was kept elsewhere is not in the chain.
    Head,
    /// There are reports, and no log.
    NoLog,
    /// Something could not be read.
    Unreadable,
    /// An entry is of a later version, or of another tool.
    EntryUnknown,
    /// The last entry is not done yet.
    Unfinished,
    /// The log ends in the middle of an entry.
    Torn,
}

/// One finding.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What it means.
    pub grade: Grade,
    /// What was found.
    pub word: Word,
    /// The file, or `entry N`.
    pub subject: String,
    /// What is known of it.
    pub text: String,
}

/// What was proven, and what was not.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// How many entries the log has.
    pub entries: u64,
    /// The hash of the last one: what to keep elsewhere.
    pub head: Option<Digest>,
    /// The entry whose hash was kept elsewhere.
    pub kept_head: Option<u64>,
    /// How many reports are exactly as they were stored.
    pub reports: u64,
    /// How many signatures are.
    pub signatures: u64,
    /// How many bytes these are.
    pub bytes: u64,
    /// How many reports the retention removed.
    pub pruned: u64,
    /// How many somebody had removed.
    pub removed: u64,
    /// How many are known to be lost.
    pub lost: u64,
    /// How many the log had not seen stored when it took them in.
    pub adopted: u64,
    /// How many other names there are, which belong to others and were not looked at.
    pub others: u64,
    /// What was found, gravest first.
    pub findings: Vec<Finding>,
}

impl Proof {
    /// How many findings mean `grade`.
    #[must_use]
    pub fn count(&self, grade: Grade) -> usize {
        self.findings.iter().filter(|finding| finding.grade == grade).count()
    }

    fn find(&mut self, grade: Grade, word: Word, subject: impl Into<String>, text: String) {
        self.findings.push(Finding { grade, word, subject: subject.into(), text });
    }
}

/// Looks at everything. `head` is one that was kept elsewhere; `max_bytes` limits what is read of
/// files that the log does not know.
///
/// # Errors
/// When the log or the names cannot be read at all.
pub fn verify(
    place: &dyn Place,
    head: Option<&Digest>,
    max_bytes: u64,
) -> Result<Proof, PlaceError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let bytes = place.log()?;
        let proof = look(place, &Log::parse(&bytes), head, max_bytes)?;
        // A writer that was in the middle of something explains what was found.
        if proof.findings.is_empty() || tries == TRIES || place.log()? == bytes {
            return Ok(proof);
        }
    }
}

fn look(
    place: &dyn Place,
    log: &Log,
    head: Option<&Digest>,
    max_bytes: u64,
) -> Result<Proof, PlaceError> {
    let mut proof =
        Proof { entries: log.tip.entries, head: log.tip.head.clone(), ..Proof::default() };
    chain::check(log, &mut proof);
    chain::check_head(log, head, &mut proof);
    let state = log.state();
    count(&state, &mut proof);
    files::Files { place, log, state: &state, max_bytes }.check(&mut proof)?;
    proof.findings.sort_by_key(|finding| finding.grade);
    Ok(proof)
}

fn count(state: &State, proof: &mut Proof) {
    for (name, gone) in state.gone() {
        if name.parse::<crate::names::ReportName>().is_ok() {
            match gone.event {
                Event::Pruned => proof.pruned += 1,
                Event::Removed => proof.removed += 1,
                Event::Lost => proof.lost += 1,
                _ => {}
            }
        }
    }
    proof.adopted = state.adopted();
}
