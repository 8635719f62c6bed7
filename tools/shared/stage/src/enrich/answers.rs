//! What answers a question, and whether a gate judges it.

use records::Record;
use records::wire::{self, WireError};

/// The records that answer one question, as bytes.
#[derive(Debug, Default)]
pub struct Answers {
    pub(super) bytes: Vec<u8>,
    pub(super) counts: Vec<(&'static str, u64)>,
    pub(super) missed: Option<String>,
    pub(super) judged: bool,
}

impl Answers {
    /// No records yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record.
    ///
    /// # Errors
    /// When it is too large.
    pub fn push<R: Record>(&mut self, record: &R) -> Result<(), WireError> {
        wire::write(&mut self.bytes, record)?;
        self.counts.push((R::TYPE, 1));
        Ok(())
    }

    /// How much memory they take, in bytes.
    pub(super) fn size(&self) -> usize {
        self.bytes.capacity() + self.missed.as_ref().map_or(0, String::capacity)
    }

    /// Says that the gate judged the subject of this question, and why it fell short, if it did.
    pub fn judge(&mut self, missed: Option<String>) {
        self.judged = true;
        self.missed = missed;
    }
}

/// Whether a gate judges the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Answers are data.
    Open,
    /// Every answer is judged; none judged is a gate not met.
    Judges,
}
