//! Which of the formats bytes are in, and reading them so.

use std::io::{self, BufRead, BufReader, Read};

use serde::de::DeserializeSeed as _;

use super::document::{Document, Sink};
use super::guard::{Counted, Guard, TooDeep};
use super::walk::{AMBIGUOUS, TWICE, Walk};
use super::{Encoding, Facts, SbomError, tag_value};

const BUFFER: usize = 64 * 1024;

/// Reads a document; packages go to `sink`, where there is one.
pub(super) fn read(reader: impl Read, sink: Sink<'_>) -> Result<Facts, SbomError> {
    let (counted, count) = Counted::new(reader);
    let mut reader = BufReader::with_capacity(BUFFER, counted);
    let (whole, encoding) = match first_byte(&mut reader).map_err(SbomError::Read)? {
        None => return Err(SbomError::Format("it is empty")),
        Some(b'{') => (json(reader, sink)?, Encoding::Json),
        Some(b'[' | b'"') => return Err(SbomError::Format("JSON, but no object")),
        Some(b'<') => return Err(SbomError::Format("XML; JSON and SPDX tag-value are")),
        Some(_) => (tag_value::read(reader, sink)?, Encoding::TagValue),
    };
    Ok(Facts {
        format: whole.format,
        version: whole.version,
        encoding,
        tool: whole.tool,
        packages: whole.packages,
        bytes: count.get(),
    })
}

/// The first byte that counts; it stays in the reader. White space and a byte order mark are
/// skipped.
fn first_byte(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let skipped = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf);
        let at = buffer.iter().take_while(|byte| skipped(byte)).count();
        let found = buffer.get(at).copied();
        reader.consume(at);
        if found.is_some() {
            return Ok(found);
        }
    }
}

fn json(reader: impl Read, sink: Sink<'_>) -> Result<super::document::Whole, SbomError> {
    let mut document = Document::new(sink);
    let guarded = BufReader::with_capacity(BUFFER, Guard::new(reader));
    let mut json = serde_json::Deserializer::from_reader(guarded);
    Walk(&mut document).deserialize(&mut json).and_then(|()| json.end()).map_err(error)?;
    document.whole()
}

fn error(error: serde_json::Error) -> SbomError {
    let (line, column) = (error.line(), error.column());
    if error.is_eof() {
        return SbomError::Truncated { line };
    }
    if error.is_io() {
        let error = io::Error::from(error);
        let is_deep = error.get_ref().is_some_and(|inner| inner.is::<TooDeep>());
        return if is_deep { SbomError::TooDeep } else { SbomError::Read(error) };
    }
    let text = error.to_string();
    let why = text.rsplit_once(" at line ").map_or(text.as_str(), |(why, _)| why);
    if why.ends_with(TWICE) || why.ends_with(AMBIGUOUS) {
        return SbomError::Ambiguous(why.to_owned());
    }
    SbomError::Malformed { line, column, why: records::text::shown(why) }
}
