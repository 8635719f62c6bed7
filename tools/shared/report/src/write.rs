//! Writing a report: JSON with one line for each row, each piece of evidence, each failure.
//!
//! So it can be read by a person, searched by line, and compared by `diff`, at two thirds of the
//! size that a fully indented document has.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::Report;

/// How deep values are still laid out line by line: the document, and the lists in it.
const OPEN: usize = 2;

impl Report {
    /// Writes the report as JSON, a line feed at the end. The same report gives the same bytes.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write_to(&self, mut out: impl Write) -> io::Result<()> {
        let mut serializer = Serializer::with_formatter(&mut out, Lines::new(OPEN));
        self.serialize(&mut serializer)?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

/// Breaks lines down to some depth, and writes what is deeper on one line.
pub(crate) struct Lines {
    open: usize,
    depth: usize,
    filled: bool,
}

impl Lines {
    /// Values down to this depth are laid out line by line; 1 is the document itself.
    pub(crate) fn new(open: usize) -> Self {
        Self { open, depth: 0, filled: false }
    }

    fn open(&mut self, out: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        out.write_all(bracket)
    }

    fn close(&mut self, out: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.filled && self.depth < self.open {
            self.line(out)?;
        }
        self.filled = true;
        out.write_all(bracket)
    }

    fn next(&mut self, out: &mut (impl Write + ?Sized), first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        if self.depth <= self.open {
            self.line(out)?;
        }
        Ok(())
    }

    fn line(&self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(if self.depth <= self.open { b": " } else { b":" })
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn laid_out(value: &Value) -> String {
        let mut out = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut out, Lines::new(OPEN));
        value.serialize(&mut serializer).expect("written");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn one_line_for_each_row() {
        let value = json!({
            "schemaVersion": "1.0",
            "metadata": { "names": ["a", "b"], "none": [] },
            "images": [{ "image": "a", "workload": { "kind": "Pod" } }, { "image": "b\n" }],
            "other": [],
            "empty": {},
        });
        let text = laid_out(&value);
        assert_eq!(
            text,
            r#"{
  "schemaVersion": "1.0",
  "metadata": {
    "names": ["a","b"],
    "none": []
  },
  "images": [
    {"image":"a","workload":{"kind":"Pod"}},
    {"image":"b\n"}
  ],
  "other": [],
  "empty": {}
}"#
        );
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), value);
    }
}
