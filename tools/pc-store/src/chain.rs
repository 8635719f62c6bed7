//! The log of a store: one entry an event, each with the hash of the one before, so that none can be
//! altered, taken out or moved unseen.
//!
//! One entry is one line of JSON. `previous` is the SHA-256 of the exact bytes of the line before,
//! without its end; `sum`, always last, that of the line's own bytes before it, so that damage to the
//! last entry shows too. The SHA-256 of the last line is the head of the chain.
//!
//! An entry is written before what it says is done. Whoever dies in between leaves a last entry that
//! the next writer finishes; only the last one can be so ([`State::last`]).

mod entry;
mod state;

use records::Digest;

use crate::document::digest;

pub use entry::{Entry, Event, Flaw};
pub use state::{Gone, Held, State};

/// Where a log ends: what the next entry goes behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tip {
    /// How long the log is up to there, in bytes: the end of its last whole line.
    pub length: u64,
    /// How many entries there are up to there.
    pub entries: u64,
    /// The hash of the last entry; `None` where there is none.
    pub head: Option<Digest>,
}

impl Tip {
    /// The tip behind one more line, which ends in a line feed.
    #[must_use]
    pub fn behind(&self, line: &[u8]) -> Self {
        Self {
            length: self.length + line.len() as u64,
            entries: self.entries + 1,
            head: Some(digest(trimmed(line))),
        }
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// A line of a log, taken apart.
#[derive(Debug)]
pub struct Line {
    /// The hash of its bytes.
    pub hash: Digest,
    /// What it says, or why it cannot be believed.
    pub entry: Result<Entry, Flaw>,
}

/// A log, taken apart.
#[derive(Debug, Default)]
pub struct Log {
    /// Its whole lines.
    pub lines: Vec<Line>,
    /// Where its whole lines end.
    pub tip: Tip,
    /// What follows its last whole line: what a writer left that died in the middle.
    pub torn: Vec<u8>,
}

impl Log {
    /// Takes a log apart. No line is too damaged for that.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let mut log = Self::default();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !line.ends_with(b"\n") {
                line.clone_into(&mut log.torn);
                break;
            }
            log.tip = log.tip.behind(line);
            let line = trimmed(line);
            log.lines.push(Line { hash: digest(line), entry: Entry::parse(line) });
        }
        log
    }

    /// What the store holds by the entries that can be believed.
    #[must_use]
    pub fn state(&self) -> State {
        let mut state = State::default();
        for line in &self.lines {
            match &line.entry {
                Ok(entry) => state.apply(entry),
                Err(_) => state.forget_last(),
            }
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sequence: u64, previous: Option<Digest>) -> Entry {
        Entry {
            sequence,
            event: Event::Stored,
            name: Some(format!("provenance-2026112{sequence}-060000.json")),
            digest: digest(b"{}"),
            size: 2,
            generated_at: Some("2026-11-24T06:00:00Z".parse().expect("a time")),
            staged: None,
            at: "2026-11-24T06:00:01Z".parse().expect("a time"),
            by: "pc-store 0.1.0".into(),
            previous,
        }
    }

    #[test]
    fn a_log_reads_back_and_its_tip_is_where_it_ends() {
        let first = entry(1, None).line().expect("written");
        let tip = Tip::default().behind(&first);
        let second = entry(2, tip.head.clone()).line().expect("written");
        let tip = tip.behind(&second);
        let mut bytes = [first, second].concat();
        bytes.extend_from_slice(b"{\"torn");
        let log = Log::parse(&bytes);
        assert_eq!(log.tip, tip);
        assert_eq!(log.torn, b"{\"torn");
        let entries: Vec<&Entry> =
            log.lines.iter().map(|line| line.entry.as_ref().expect("an entry")).collect();
        assert_eq!(entries, [&entry(1, None), &entry(2, Some(log.lines[0].hash.clone()))]);
    }

    #[test]
    fn every_changed_byte_of_an_entry_is_noticed() {
        let line = entry(1, None).line().expect("written");
        for at in 0..line.len() - 1 {
            for flip in [1, 2, 4, 8, 16, 32, 64, 128] {
                let mut changed = line.clone();
                changed[at] ^= flip;
                let log = Log::parse(&changed);
                let good = log.lines.iter().any(|line| line.entry.is_ok());
                assert!(!good, "byte {at}, {flip}");
            }
        }
    }
}
