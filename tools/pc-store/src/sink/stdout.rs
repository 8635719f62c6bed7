//! Standard output as a sink: the report's bytes, and nothing else.

use std::io::{self, Write as _};

use jiff::Timestamp;

use super::Delivery;
use crate::document::Document;
use crate::place::{Kind, PlaceError};

/// Standard output.
#[derive(Debug)]
pub(super) struct Stdout;

/// The report did not get out whole.
#[derive(Debug, thiserror::Error)]
#[error("the report was not written whole to standard output")]
struct StdoutError(#[source] io::Error);

impl Delivery for Stdout {
    fn deliver(&self, document: &Document, _now: Timestamp) -> Result<String, PlaceError> {
        let mut out = io::stdout().lock();
        let written = out.write_all(&document.bytes).and_then(|()| out.flush());
        // A reader who left has not got it.
        written.map_err(|error| PlaceError::new(Kind::Other, StdoutError(error), None))?;
        Ok(String::new())
    }
}
