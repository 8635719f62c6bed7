//! Lines of the stream, each to where it is joined.

use std::io::Read;

use records::wire::{Head, WireError};
use records::{
    Attestation, DigestRecord, End, Failure, Image, Policy, Provenance, Record, Release, Runtime,
    Sbom, Signature, Tally, Update,
};
use report::join::{Gathered, OtherError};
use stage::EdgeError;
use stage::input::{Ended, InputError, Piece, Splitter, Truncation, read_pieces};
use stage::{Fault, Mine, Progress, Reads, reads};

/// The record types that are joined. All others are kept as they are, whatever their version.
const JOINED: &[Reads] = &[
    reads::<Image>(),
    reads::<Runtime>(),
    reads::<Release>(),
    reads::<DigestRecord>(),
    reads::<Update>(),
    reads::<Signature>(),
    reads::<Provenance>(),
    reads::<Sbom>(),
    reads::<Attestation>(),
    reads::<Policy>(),
    reads::<Failure>(),
];

/// What came, and how it ended.
pub(crate) struct Intake {
    /// The records.
    pub(crate) gathered: Gathered,
    /// How the stream ended too early, if it did.
    pub(crate) truncation: Option<Truncation>,
}

/// A line of an unknown type that is not JSON behind its head.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the input")]
struct BadLine {
    line: u64,
    #[source]
    source: OtherError,
}

/// Reads a stream to its end.
///
/// # Errors
/// On the first line that cannot be read; it is named.
pub(crate) fn read(from: impl Read, max_line: usize, progress: &Progress) -> Result<Intake, Fault> {
    let mut lines = Lines { gathered: Gathered::new(), line: 0 };
    let mut fault = None;
    let ended = read_pieces(from, Splitter::new(JOINED, max_line), |pieces| {
        let taken = pieces.into_iter().try_for_each(|piece| lines.take(piece));
        progress.counted(lines.line);
        fault = taken.err();
        fault.is_none()
    });
    progress.finish();
    if let Some(fault) = fault {
        return Err(fault);
    }
    Ok(Intake { gathered: lines.gathered, truncation: ended.map_err(EdgeError::Input)?.err() })
}

/// The records so far, and the number of the last line.
struct Lines {
    gathered: Gathered,
    line: u64,
}

impl Lines {
    fn take(&mut self, piece: Piece) -> Result<(), Fault> {
        match piece {
            Piece::Mine(mine) => {
                self.line += 1;
                self.join(&mine).map_err(|error| EdgeError::Input(error).into())
            }
            Piece::Ended(ended) => {
                self.line += 1;
                self.end(&ended).map_err(|error| EdgeError::Input(error).into())
            }
            Piece::Foreign { bytes, .. } => {
                bytes.split_inclusive(|byte| *byte == b'\n').try_for_each(|line| self.keep(line))
            }
        }
    }

    fn join(&mut self, mine: &Mine) -> Result<(), InputError> {
        let to = &mut self.gathered;
        match mine.kind {
            Image::TYPE => to.image(mine.parse()?),
            Runtime::TYPE => to.runtime(mine.parse()?),
            Release::TYPE => to.release(mine.parse()?),
            DigestRecord::TYPE => to.digest(mine.parse()?),
            Update::TYPE => to.update(mine.parse()?),
            Signature::TYPE => to.signature(mine.parse()?),
            Provenance::TYPE => to.provenance(mine.parse()?),
            Sbom::TYPE => to.sbom(mine.parse()?),
            Attestation::TYPE => to.attestation(mine.parse()?),
            Policy::TYPE => to.policy(mine.parse()?),
            // The last of those in `JOINED`, and nothing else comes as a piece of its own.
            _ => to.failure(mine.parse()?),
        }
        Ok(())
    }

    fn end(&mut self, ended: &Ended) -> Result<(), InputError> {
        for tally in &ended.stages {
            let tally: Tally =
                serde_json::from_str(tally.get()).map_err(|source| self.bad_end(source))?;
            self.gathered.tally(tally);
        }
        Ok(())
    }

    fn bad_end(&self, source: serde_json::Error) -> InputError {
        InputError::Line {
            line: self.line,
            source: WireError::BadPayload { kind: End::TYPE, source },
        }
    }

    fn keep(&mut self, line: &[u8]) -> Result<(), Fault> {
        self.line += 1;
        let number = self.line;
        let head = Head::peek(line.trim_ascii_end())
            .map_err(|source| EdgeError::Input(InputError::Line { line: number, source }))?;
        self.gathered.other(&head.kind, line).map_err(|source| {
            let bad = BadLine { line: number, source };
            Fault::incomplete(bad).with_hint(
                "the input must be the output of a tool of this suite, one JSON record a line",
            )
        })
    }
}
