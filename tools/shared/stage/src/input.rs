//! A stream of bytes into pieces: the records that a stage reads, one by one, and everything else
//! in runs that travel as one slice.

use std::io::Read;

use bytes::{Bytes, BytesMut};
use records::wire::{self, Head, WireError};
use records::{End, Record};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The longest line that is taken, in bytes, where nothing else is configured.
pub const DEFAULT_MAX_LINE: usize = 16 * 1024 * 1024;

/// How much is asked for in one read, in bytes.
const READ_SIZE: usize = 256 * 1024;

/// A record type that a stage reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reads {
    kind: &'static str,
    version: u32,
}

/// The entry for record type `R`.
#[must_use]
pub const fn reads<R: Record>() -> Reads {
    Reads { kind: R::TYPE, version: R::VERSION }
}

/// Why the input cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The operating system refused.
    #[error("cannot read standard input")]
    Read(#[source] std::io::Error),
    /// A line is not a record, or not one that can be read here.
    #[error("line {line} of the input")]
    Line {
        /// The line's number, from 1.
        line: u64,
        /// What is wrong with it.
        #[source]
        source: WireError,
    },
    /// A line is longer than it may be.
    #[error("line {line} of the input is longer than {max} bytes")]
    TooLong {
        /// The line's number, from 1.
        line: u64,
        /// The limit.
        max: usize,
    },
}

/// A part of the input.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Lines of types that the stage does not read, each with its line feed.
    Foreign {
        /// The bytes.
        bytes: Bytes,
        /// How many lines.
        lines: u64,
    },
    /// A record that the stage reads, or one that it made itself from an argument.
    Mine(Mine),
    /// An `end`.
    Ended(Ended),
}

/// One record of a type that the stage reads.
#[derive(Debug, Clone)]
pub struct Mine {
    /// The record type's name.
    pub kind: &'static str,
    /// The line, with its line feed.
    pub bytes: Bytes,
    /// The line's number in the input, from 1; 0 where this stage made the record itself.
    pub line: u64,
    v: u32,
}

impl Mine {
    /// A record that this stage makes itself, from an argument.
    ///
    /// # Errors
    /// When it would be too large.
    pub fn made<R: Record>(record: &R) -> Result<Self, WireError> {
        let mut line = Vec::new();
        wire::write(&mut line, record)?;
        Ok(Self { kind: R::TYPE, bytes: line.into(), line: 0, v: R::VERSION })
    }

    /// Parses the record.
    ///
    /// # Errors
    /// When the version is newer or the payload does not fit; the line is named.
    pub fn parse<R: Record>(&self) -> Result<R, InputError> {
        let head = Head { kind: self.kind.into(), v: self.v };
        wire::read(&head, &self.bytes)
            .map_err(|source| InputError::Line { line: self.line, source })
    }
}

/// An `end`: the tallies as they stand, so that fields unknown here survive.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Each tally's JSON, verbatim.
    pub stages: Vec<Box<RawValue>>,
}

impl Ended {
    fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        #[derive(Deserialize)]
        struct Payload {
            stages: Vec<Box<RawValue>>,
        }
        let bad = |source| WireError::BadPayload { kind: End::TYPE, source };
        // Each tally must be one, or the books downstream cannot be kept.
        serde_json::from_slice::<End>(bytes).map_err(bad)?;
        let payload: Payload = serde_json::from_slice(bytes).map_err(bad)?;
        Ok(Self { stages: payload.stages })
    }
}

/// How the input ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Truncation {
    /// Not a byte came.
    #[error("the input is empty: whatever should have written it did not start")]
    Empty,
    /// Bytes after the last line feed.
    #[error("the input stops in the middle of line {0}")]
    MidLine(u64),
    /// Records, and no `end` behind them.
    #[error("the input stops after line {0} without an `end` record")]
    NoEnd(u64),
}

/// Cuts bytes into pieces; does no I/O.
#[derive(Debug)]
pub struct Splitter {
    reads: &'static [Reads],
    max_line: usize,
    pending: BytesMut,
    line: u64,
    after_end: bool,
}

impl Splitter {
    /// A splitter for a stage that reads `reads`.
    #[must_use]
    pub fn new(reads: &'static [Reads], max_line: usize) -> Self {
        Self { reads, max_line, pending: BytesMut::new(), line: 0, after_end: false }
    }

    /// Takes more bytes and appends the pieces that are whole now.
    ///
    /// # Errors
    /// On the first line that cannot be read; pieces before it were appended.
    pub fn feed(&mut self, data: &[u8], pieces: &mut Vec<Piece>) -> Result<(), InputError> {
        let Some(last) = memchr::memrchr(b'\n', data) else {
            self.pending.extend_from_slice(data);
            return self.check_pending();
        };
        let mut block = std::mem::take(&mut self.pending);
        block.extend_from_slice(&data[..=last]);
        self.pending.extend_from_slice(&data[last + 1..]);
        self.split(&block.freeze(), pieces)?;
        self.check_pending()
    }

    fn check_pending(&self) -> Result<(), InputError> {
        if self.pending.len() > self.max_line {
            return Err(InputError::TooLong { line: self.line + 1, max: self.max_line });
        }
        Ok(())
    }

    fn split(&mut self, block: &Bytes, pieces: &mut Vec<Piece>) -> Result<(), InputError> {
        let mut run = Run { start: 0, lines: 0 };
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', block).map(|at| at + 1) {
            self.line += 1;
            match self.classify(block.slice(start..end)) {
                Err(error) => {
                    run.push(block, start, pieces);
                    return Err(error);
                }
                Ok(None) => run.lines += 1,
                Ok(Some(piece)) => {
                    run.push(block, start, pieces);
                    run = Run { start: end, lines: 0 };
                    pieces.push(piece);
                }
            }
            start = end;
        }
        run.push(block, start, pieces);
        Ok(())
    }

    /// What a line is; `None` for one that is only forwarded.
    fn classify(&mut self, bytes: Bytes) -> Result<Option<Piece>, InputError> {
        let line = self.line;
        if bytes.len() > self.max_line {
            return Err(InputError::TooLong { line, max: self.max_line });
        }
        let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let head = Head::peek(text).map_err(|source| InputError::Line { line, source })?;
        let v = head.v;
        self.after_end = head.kind == End::TYPE;
        let known = if self.after_end {
            Some(reads::<End>())
        } else {
            self.reads.iter().copied().find(|reads| reads.kind == head.kind)
        };
        let Some(Reads { kind, version }) = known else {
            return Ok(None);
        };
        if v > version {
            let source = WireError::NewerVersion { kind, found: v, known: version };
            return Err(InputError::Line { line, source });
        }
        if self.after_end {
            let ended = Ended::parse(text).map_err(|source| InputError::Line { line, source })?;
            return Ok(Some(Piece::Ended(ended)));
        }
        Ok(Some(Piece::Mine(Mine { kind, bytes, line, v })))
    }

    /// Whether the input was whole, now that nothing more comes.
    ///
    /// # Errors
    /// When it was cut.
    pub fn finish(&self) -> Result<(), Truncation> {
        match (self.pending.is_empty(), self.line, self.after_end) {
            (false, line, _) => Err(Truncation::MidLine(line + 1)),
            (true, 0, _) => Err(Truncation::Empty),
            (true, line, false) => Err(Truncation::NoEnd(line)),
            (true, _, true) => Ok(()),
        }
    }
}

/// Foreign lines in a row.
struct Run {
    start: usize,
    lines: u64,
}

impl Run {
    fn push(&self, block: &Bytes, end: usize, pieces: &mut Vec<Piece>) {
        if self.lines > 0 {
            pieces.push(Piece::Foreign { bytes: block.slice(self.start..end), lines: self.lines });
        }
    }
}

/// Reads `from` to its end and hands out the pieces, a read's worth at a time.
///
/// `take` says whether to go on. Nothing is held back: what one read brought is handed out before
/// the next one is asked for.
///
/// # Errors
/// On the first line that cannot be read, after the pieces before it were handed out.
pub fn read_pieces(
    mut from: impl Read,
    mut splitter: Splitter,
    mut take: impl FnMut(Vec<Piece>) -> bool,
) -> Result<Result<(), Truncation>, InputError> {
    let mut buffer = vec![0; READ_SIZE];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(splitter.finish()),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(InputError::Read(error)),
        };
        let mut pieces = Vec::new();
        let fed = splitter.feed(&buffer[..count], &mut pieces);
        if !pieces.is_empty() && !take(pieces) {
            return Ok(Ok(()));
        }
        fed?;
    }
}

#[cfg(test)]
mod tests;
