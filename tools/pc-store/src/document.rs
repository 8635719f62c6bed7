//! A report as it is kept: exactly the bytes that came, their hash, and what they say.

use std::io::{Read, Write};

use records::Digest;
use report::{Head, ReadError, Report};
use sha2::{Digest as _, Sha256};

use crate::place::Fingerprint;

/// A whole report that may be stored.
#[derive(Debug)]
pub struct Document {
    /// The bytes, as they came.
    pub bytes: Vec<u8>,
    /// Their hash.
    pub digest: Digest,
    /// What they say of themselves.
    pub head: Head,
    /// What they say.
    pub report: Report,
}

/// Why the input is not a report that may be stored.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The operating system refused.
    #[error("cannot read standard input")]
    Read(#[source] std::io::Error),
    /// More than may be read.
    #[error("the report on standard input is larger than {0} bytes")]
    TooLarge(u64),
    /// Not a whole report of ours.
    #[error("nothing was stored")]
    NotAReport(#[from] ReadError),
}

impl DocumentError {
    /// What would mend it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read(_) => None,
            Self::TooLarge(_) => Some("raise `--max-bytes`"),
            Self::NotAReport(ReadError::Empty | ReadError::Truncated { .. }) => Some(
                "whatever should have written the report stopped early: see its messages above",
            ),
            Self::NotAReport(ReadError::Rows { .. }) => {
                Some("store what pc-assemble writes, unchanged")
            }
            Self::NotAReport(ReadError::Newer(_)) => {
                Some("use the pc-store that came with pc-assemble")
            }
            Self::NotAReport(_) => Some("give one report, as `pc-assemble` writes it"),
        }
    }
}

/// Reads one report, to the end of the input.
///
/// # Errors
/// When the input cannot be read, is larger than `max` bytes, or is not one whole report.
pub fn read(from: impl Read, max: u64) -> Result<Document, DocumentError> {
    let mut bytes = Vec::new();
    from.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(DocumentError::Read)?;
    if bytes.len() as u64 > max {
        return Err(DocumentError::TooLarge(max));
    }
    let (head, report) = Report::read(&bytes)?;
    Ok(Document { digest: digest(&bytes), bytes, head, report })
}

/// The SHA-256 of `bytes`.
#[must_use]
pub fn digest(bytes: &[u8]) -> Digest {
    of_hash(&Sha256::digest(bytes))
}

fn of_hash(hash: &[u8]) -> Digest {
    let text = format!("sha256:{}", hex::encode(hash));
    text.parse().expect("`sha256:` and 64 lower-case hexadecimal digits are a digest")
}

/// Takes bytes in pieces, and keeps none of them.
#[derive(Default)]
pub(crate) struct Hasher {
    state: Sha256,
    size: u64,
}

impl Hasher {
    pub(crate) fn finish(self) -> Fingerprint {
        Fingerprint { digest: of_hash(&self.state.finalize()), size: self.size }
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.state.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_the_bytes() {
        assert_eq!(
            digest(b"abc").as_str(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn the_limit_is_the_last_size_that_is_taken() {
        let text = b"[1, 2]";
        assert!(matches!(
            read(&text[..], 6),
            Err(DocumentError::NotAReport(ReadError::NotAnObject))
        ));
        assert!(matches!(read(&text[..], 5), Err(DocumentError::TooLarge(5))));
    }
}
