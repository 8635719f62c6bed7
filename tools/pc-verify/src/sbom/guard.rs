//! A reader that keeps hostile JSON small: texts are cut, nesting is bounded, bytes are counted.
//!
//! The JSON parser behind it keeps each text and each open bracket in memory; a document that is
//! one text, or brackets alone, would be kept whole. Nothing that is asked for here is long.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

/// The longest text that is passed on, in bytes as they are written.
const MAX_TEXT: usize = 16 * 1024;

/// How deep lists and objects may be nested; below the JSON parser's own limit of 128.
pub(super) const MAX_DEPTH: usize = 100;

/// Nested deeper than [`MAX_DEPTH`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooDeep;

impl fmt::Display for TooDeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nested too deep")
    }
}

impl std::error::Error for TooDeep {}

/// Where in the JSON a byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between texts.
    Outside,
    /// In a text, behind so many bytes of it.
    Text(usize),
    /// Behind a backslash in it.
    Escape(usize),
    /// In `\u…`, with so many digits to come.
    Unicode(usize, u8),
    /// In the part of a text that is left out.
    Cut,
    /// Behind a backslash in that part.
    CutEscape,
}

/// Passes JSON on, with long texts cut at a character's boundary.
pub(super) struct Guard<R> {
    inner: R,
    state: State,
    /// Whether the escape just read is the first half of a character (`\ud83d`).
    half: bool,
    depth: usize,
}

impl<R: Read> Guard<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, state: State::Outside, half: false, depth: 0 }
    }

    /// Whether a byte is passed on.
    fn pass(&mut self, byte: u8) -> Result<bool, TooDeep> {
        self.state = match (self.state, byte) {
            (State::Outside, b'"') => State::Text(0),
            (State::Outside, _) => return self.structure(byte),
            (State::Text(_), b'"') => State::Outside,
            // A continuation byte belongs to the character before it.
            (State::Text(length), _)
                if length >= MAX_TEXT && !self.half && !matches!(byte, 0x80..=0xbf) =>
            {
                if byte == b'\\' { State::CutEscape } else { State::Cut }
            }
            (State::Text(length), b'\\') => State::Escape(length + 1),
            (State::Text(length), _) => self.text(length),
            (State::Escape(length), b'u') => State::Unicode(length + 1, 4),
            (State::Escape(length), _) => self.text(length),
            (State::Unicode(length, left), _) => self.unicode(length, left, byte),
            (State::Cut, b'"') => State::Outside,
            (State::Cut, b'\\') => State::CutEscape,
            (State::Cut | State::CutEscape, _) => State::Cut,
        };
        Ok(!matches!(self.state, State::Cut | State::CutEscape))
    }

    fn text(&mut self, length: usize) -> State {
        self.half = false;
        State::Text(length + 1)
    }

    /// A digit of `\u…`: D8 to DB in front are a first half.
    fn unicode(&mut self, length: usize, left: u8, digit: u8) -> State {
        match left {
            4 => self.half = matches!(digit, b'd' | b'D') && !self.half,
            3 => self.half &= matches!(digit, b'8'..=b'9' | b'a'..=b'b' | b'A'..=b'B'),
            _ => {}
        }
        if left == 1 { State::Text(length + 1) } else { State::Unicode(length + 1, left - 1) }
    }

    fn structure(&mut self, byte: u8) -> Result<bool, TooDeep> {
        match byte {
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > MAX_DEPTH { Err(TooDeep) } else { Ok(true) }
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.inner.read(buffer)?;
            let mut kept = 0;
            for at in 0..read {
                let byte = buffer[at];
                if self.pass(byte).map_err(io::Error::other)? {
                    buffer[kept] = byte;
                    kept += 1;
                }
            }
            // Nothing kept is no end: all of it was cut out.
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}

/// Counts the bytes that come through.
pub(super) struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Counted<R> {
    /// The reader, and the count.
    pub(super) fn new(inner: R) -> (Self, Rc<Cell<u64>>) {
        let count = Rc::new(Cell::new(0));
        (Self { inner, count: Rc::clone(&count) }, count)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.set(self.count.get().saturating_add(read as u64));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(json: &str, step: usize) -> io::Result<String> {
        let mut guard = Guard::new(json.as_bytes());
        let (mut out, mut buffer) = (Vec::new(), vec![0; step]);
        loop {
            match guard.read(&mut buffer)? {
                0 => return Ok(String::from_utf8(out).expect("UTF-8")),
                read => out.extend_from_slice(&buffer[..read]),
            }
        }
    }

    #[test]
    fn passes_on_what_is_small() {
        let json = r#"{"a": ["b\"]}", "\u00e9\\", {"é": "\ud83d\ude00"}], "c": 1}"#;
        for step in [1, 2, 7, 4096] {
            assert_eq!(through(json, step).expect("JSON"), json);
        }
    }

    #[test]
    fn cuts_texts_and_nothing_else() {
        for piece in ["x", "é", "語", r"\n", r"\u00e9", r"\ud83d\ude00", r#"\""#, r"a\\"] {
            let text = piece.repeat(5 * MAX_TEXT);
            let json = format!(r#"["{text}", "b", {{"{text}": 5}}]"#);
            for step in [1, 4096] {
                let cut = through(&json, step).expect("JSON");
                let found: serde_json::Value = serde_json::from_str(&cut).expect(piece);
                assert_eq!(found[1], "b");
                let whole: String = serde_json::from_str(&format!("\"{text}\"")).expect("text");
                assert!(whole.starts_with(found[0].as_str().expect("text")), "{piece}");
            }
        }
    }

    #[test]
    fn bounds_what_the_parser_keeps() {
        let plain = through(&format!(r#"["{}"]"#, "x".repeat(1 << 20)), 4096).expect("JSON");
        assert!(plain.len() < 2 * MAX_TEXT, "{}", plain.len());
        let escapes = through(&format!(r#"["{}"]"#, r"\u0041".repeat(1 << 20)), 4096);
        assert!(escapes.expect("JSON").len() < 2 * MAX_TEXT);
        let error = through(&"[".repeat(MAX_DEPTH + 1), 4096).expect_err("too deep");
        assert!(error.get_ref().is_some_and(|inner| inner.is::<TooDeep>()));
        assert!(through(&"[]".repeat(1000), 4096).is_ok());
    }
}
