//! JSON documents that are never whole in memory.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use crate::write::Lines;

/// A list whose items are made while it is written.
pub(super) struct Streamed<F>(pub(super) F);

impl<F, I> Serialize for Streamed<F>
where
    F: Fn() -> I,
    I: Iterator,
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// Writes a document, laid out line by line down to `open` levels, a line feed at the end.
pub(super) fn write(document: &impl Serialize, open: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Lines::new(open));
    document.serialize(&mut serializer)?;
    out.write_all(b"\n")
}
