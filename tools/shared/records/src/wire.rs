//! Records as lines: reading, writing, and looking at a line without parsing it.
//!
//! A record is one JSON object on one line. `type` comes first and `v` second in what these tools
//! write; that order is a fast path for readers and nothing more ([`Head::peek`] takes any).
//! Three answers, never one: an unknown type is forwarded, a newer version of a known type and a
//! bad payload stop the reader.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest record that is written, in bytes, line feed included, the texts of its subject
/// aside: those are verbatim, whatever their length, or the record could not be joined.
pub const MAX_RECORD: usize = 1024 * 1024;

/// A record type: its name and version on the wire.
pub trait Record: Serialize + DeserializeOwned {
    /// The value of `type`.
    const TYPE: &'static str;
    /// The version that this code writes, and the newest that it reads.
    const VERSION: u32;

    /// The texts of the subject that somebody else wrote and that are of any length.
    fn verbatim(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Why a line is no record that can be read here.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The line is not a JSON object with a text `type` and a number `v`.
    #[error("not a record: a JSON object with `type` and `v` must stand on a line of its own")]
    NotARecord(#[source] serde_json::Error),
    /// A type that is known here, in a version that is newer.
    #[error("`{kind}` record of version {found}, this tool reads up to version {known}")]
    NewerVersion {
        /// The record type.
        kind: &'static str,
        /// The version of the line.
        found: u32,
        /// The newest version that is known here.
        known: u32,
    },
    /// A known type and version whose facts do not fit.
    #[error("bad `{kind}` payload")]
    BadPayload {
        /// The record type.
        kind: &'static str,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
    /// A record that would be larger than [`MAX_RECORD`].
    #[error(
        "a `{kind}` record of {size} bytes is larger than the {MAX_RECORD} that a record may have"
    )]
    TooLarge {
        /// The record type.
        kind: &'static str,
        /// Its size in bytes, the texts of its subject aside.
        size: usize,
    },
    /// A record that JSON cannot hold; a fault of the writer.
    #[error("cannot write a `{kind}` record")]
    Unwritable {
        /// The record type.
        kind: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// What a line says of itself: type and version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Head<'a> {
    /// The record type. `Cow`, since an escape in the text must not be an error.
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    /// The version of the record type.
    pub v: u32,
}

impl<'a> Head<'a> {
    /// Looks at a line (without its line feed).
    ///
    /// When `type` and `v` come first, the rest of the line is not looked at: whoever reads that
    /// type will.
    ///
    /// # Errors
    /// [`WireError::NotARecord`].
    pub fn peek(line: &'a [u8]) -> Result<Self, WireError> {
        match Self::peek_fast(line) {
            Some(head) => Ok(head),
            None => serde_json::from_slice(line).map_err(WireError::NotARecord),
        }
    }

    fn peek_fast(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(br#"{"type":""#)?;
        // Type names are short; one that is not takes the slow path.
        let quote = rest.iter().take(64).position(|&byte| byte == b'"')?;
        let (kind, rest) = rest.split_at(quote);
        if !kind
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        {
            return None;
        }
        let kind = std::str::from_utf8(kind).ok()?;
        let rest = rest.strip_prefix(br#"","v":"#)?;
        let digits = rest.iter().take(10).position(|byte| !byte.is_ascii_digit())?;
        let v = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
        let closed = matches!(rest[digits], b',' | b'}') && line.last() == Some(&b'}');
        closed.then_some(Self { kind: Cow::Borrowed(kind), v })
    }
}

/// Reads a line as the record type `R`, whose name `head` already gave.
///
/// # Errors
/// [`WireError::NewerVersion`] and [`WireError::BadPayload`].
pub fn read<R: Record>(head: &Head<'_>, line: &[u8]) -> Result<R, WireError> {
    if head.v > R::VERSION {
        return Err(WireError::NewerVersion { kind: R::TYPE, found: head.v, known: R::VERSION });
    }
    serde_json::from_slice(line).map_err(|source| WireError::BadPayload { kind: R::TYPE, source })
}

/// Appends `record` to `out` as one line, `type` and `v` first.
///
/// # Errors
/// [`WireError::TooLarge`]; `out` is then as it was.
pub fn write<R: Record>(out: &mut Vec<u8>, record: &R) -> Result<(), WireError> {
    let start = out.len();
    out.extend_from_slice(format!(r#"{{"type":"{}","v":{},"#, R::TYPE, R::VERSION).as_bytes());
    let body = out.len();
    if let Err(source) = serde_json::to_writer(&mut *out, record) {
        out.truncate(start);
        return Err(WireError::Unwritable { kind: R::TYPE, source });
    }
    // The payload is an object with at least one field: its opening brace gives way to the head.
    out.remove(body);
    out.push(b'\n');
    let size = out.len() - start;
    if size <= MAX_RECORD || R::TYPE == crate::End::TYPE {
        return Ok(());
    }
    let facts = size.saturating_sub(record.verbatim().into_iter().map(size_in_json).sum());
    if facts > MAX_RECORD {
        out.truncate(start);
        return Err(WireError::TooLarge { kind: R::TYPE, size: facts });
    }
    Ok(())
}

/// How many bytes a text takes in JSON, its quotes aside.
fn size_in_json(text: &str) -> usize {
    // A text can always be written; where it could not, it would count as a fact.
    serde_json::to_string(text).map_or(0, |json| json.len() - 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Failure, RepositoryRecord, Shard};

    fn example() -> RepositoryRecord {
        RepositoryRecord {
            repository: "ghcr.io/acme/web".into(),
            tags: 3,
            evidence: vec!["sha256-aa.sig".into()],
            dropped: 0,
        }
    }

    #[test]
    fn writes_type_and_version_first_and_reads_it_back() {
        let mut line = Vec::new();
        write(&mut line, &example()).expect("written");
        let text = String::from_utf8(line.clone()).expect("UTF-8");
        assert_eq!(
            text,
            "{\"type\":\"repository\",\"v\":1,\"repository\":\"ghcr.io/acme/web\",\"tags\":3,\"evidence\":[\"sha256-aa.sig\"],\"dropped\":0}\n"
        );
        let line = line.strip_suffix(b"\n").expect("a line");
        let head = Head::peek(line).expect("a head");
        assert_eq!(read::<RepositoryRecord>(&head, line).expect("read"), example());
    }

    #[test]
    fn any_order_and_escapes_are_read_too() {
        let line = br#"{"evidence":[],"tags":3,"v":1,"repository":"r","\u0074ype":"repos\u0069tory","new":1}"#;
        let head = Head::peek(line).expect("a head");
        assert_eq!(head.kind, "repository");
        assert_eq!(read::<RepositoryRecord>(&head, line).expect("read").tags, 3);
    }

    #[test]
    fn a_newer_version_names_both() {
        let head = Head { kind: "repository".into(), v: 7 };
        let error = read::<RepositoryRecord>(&head, b"{}").expect_err("refused");
        assert_eq!(
            error.to_string(),
            "`repository` record of version 7, this tool reads up to version 1"
        );
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for bad in [
            "",
            "{",
            "[]",
            "1",
            r#"{"v":1}"#,
            r#"{"type":"x"}"#,
            r#"{"type":"x","v":1,"#,
            r#"{"type":"x","v":-1}"#,
        ] {
            assert!(Head::peek(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn too_large_leaves_the_buffer_as_it_was() {
        let mut out = b"before".to_vec();
        let record = RepositoryRecord { repository: "x".repeat(MAX_RECORD), ..example() };
        assert!(matches!(write(&mut out, &record), Err(WireError::TooLarge { .. })));
        assert_eq!(out, b"before");
    }

    #[test]
    fn a_subject_is_verbatim_whatever_its_length() {
        let image = "\u{1}".repeat(MAX_RECORD);
        let failure = |message: &str| Failure {
            image: Some(Some(image.clone())),
            image_id: Some(None),
            message: message.into(),
            ..Failure::default()
        };
        let mut out = Vec::new();
        write(&mut out, &failure("small")).expect("written");
        let line = out.strip_suffix(b"\n").expect("a line");
        let head = Head::peek(line).expect("a head");
        assert_eq!(read::<Failure>(&head, line).expect("read").image, Some(Some(image.clone())));
        let error = write(&mut Vec::new(), &failure(&"x".repeat(MAX_RECORD))).expect_err("refused");
        let WireError::TooLarge { size, .. } = error else { panic!("{error}") };
        assert!(size < MAX_RECORD + 1000, "{size}");
    }

    #[test]
    fn shards_parse() {
        assert_eq!("2/3".parse::<Shard>().expect("a shard"), Shard { index: 2, count: 3 });
        for bad in ["0/3", "4/3", "3", "a/b", "1/0"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }
}
