//! One entry of the log, and its line.

use jiff::Timestamp;
use records::Digest;
use serde::{Deserialize, Serialize};

use crate::document::digest;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Event {
    /// A report was stored.
    Stored,
    /// A signature was stored beside its report.
    Signed,
    /// A report was there that the log did not know, and belongs to the store from now on.
    Adopted,
    /// The retention removed it.
    Pruned,
    /// Somebody had it removed.
    Removed,
    /// It was found missing, and somebody said that this is known.
    Lost,
    /// What the entry before says could not be done: it was not stored.
    Withdrawn,
    /// What the entry before says could not be done: it was not removed.
    Kept,
    /// A torn line at the end of the log was taken out: these bytes.
    Healed,
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Event {
    /// Whether a name belongs to the store from this event on.
    #[must_use]
    pub fn adds(self) -> bool {
        matches!(self, Self::Stored | Self::Signed | Self::Adopted | Self::Kept)
    }

    /// Whether a name no longer belongs to the store from this event on.
    #[must_use]
    pub fn drops(self) -> bool {
        matches!(self, Self::Pruned | Self::Removed | Self::Lost | Self::Withdrawn)
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its place in the log, from 1. This is the order of events; clocks are not.
    pub sequence: u64,
    /// What happened.
    pub event: Event,
    /// To what; nothing for [`Event::Healed`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The hash of its bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
    /// When the report was generated; nothing for what is no report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<Timestamp>,
    /// Where its bytes are until they have their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged: Option<String>,
    /// When the entry was written, by the writer's clock.
    pub at: Timestamp,
    /// The writer: its name and version.
    pub by: String,
    /// The hash of the line before; nothing for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
}

/// Why a line is no entry that can be believed.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    /// Its own sum is missing or another.
    #[error("its bytes are not those that were written")]
    Sum,
    /// It is not of the form of an entry, though its sum is right: another tool, or a later version.
    #[error("it has another form")]
    Form(#[source] serde_json::Error),
}

/// What stands before the sum.
const SUM: &[u8] = b",\"sum\":\"";

impl Entry {
    /// Its line, with its end.
    ///
    /// # Errors
    /// Never, in truth: an entry has nothing that JSON cannot hold.
    pub fn line(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut line = serde_json::to_vec(self)?;
        line.pop();
        let sum = digest(&line);
        line.extend_from_slice(SUM);
        line.extend_from_slice(sum.as_str().as_bytes());
        line.extend_from_slice(b"\"}\n");
        Ok(line)
    }

    /// Reads a line, without its end.
    ///
    /// # Errors
    /// When it is none that was written as it stands.
    pub fn parse(line: &[u8]) -> Result<Self, Flaw> {
        let tail = SUM.len() + "sha256:".len() + 64 + "\"}".len();
        let at = line.len().checked_sub(tail).ok_or(Flaw::Sum)?;
        let (body, rest) = line.split_at(at);
        let sum = rest.strip_prefix(SUM).and_then(|rest| rest.strip_suffix(b"\"}"));
        if sum != Some(digest(body).as_str().as_bytes()) {
            return Err(Flaw::Sum);
        }
        serde_json::from_slice(line).map_err(Flaw::Form)
    }
}
