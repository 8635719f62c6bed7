//! Attacks on what cuts the input into pieces; see `testkit::fuzz`.

use records::wire::Head;
use records::{End, Record};

use crate::input::{InputError, Piece, Reads, Splitter, reads};

const READS: &[Reads] =
    &[reads::<records::Image>(), reads::<records::DigestRecord>(), reads::<records::Release>()];

/// The longest line that is taken here.
const MAX_LINE: usize = 64 * 1024;

/// A stream: its pieces together are its bytes, however these come, and all that is forwarded is
/// what came.
pub fn split(stream: &[u8]) {
    let whole = cut(stream, stream.len().max(1));
    let odd = 1 + usize::from(stream.first().copied().unwrap_or(0));
    let parts = cut(stream, odd);
    assert_eq!(whole.0.bytes, parts.0.bytes, "the cut of the bytes changes what is forwarded");
    assert_eq!(whole.0.mine, parts.0.mine);
    assert_eq!(whole.0.lines, parts.0.lines);
    match (&whole.1, &parts.1) {
        (None, None) => {
            let complete = stream.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            assert_eq!(whole.0.bytes, stream[..complete], "not every line was handed out");
        }
        // A line that is too long is known as such before its end comes, or by it.
        (Some(one), Some(other)) => assert_eq!(one, other),
        (one, other) => unreachable!("{one:?} against {other:?}"),
    }
    assert!(stream.starts_with(&whole.0.bytes));
}

/// What came out.
#[derive(Default)]
struct Out {
    bytes: Vec<u8>,
    mine: Vec<u64>,
    lines: u64,
}

/// Feeds the stream in parts of `size`, and gives the error's text where there is one.
fn cut(stream: &[u8], size: usize) -> (Out, Option<String>) {
    let mut splitter = Splitter::new(READS, MAX_LINE);
    let mut out = Out::default();
    for part in stream.chunks(size) {
        let mut pieces = Vec::new();
        let fed = splitter.feed(part, &mut pieces);
        pieces.iter().for_each(|piece| out.take(piece, stream));
        if let Err(error) = fed {
            return (out, Some(said(&error)));
        }
    }
    let ended = splitter.finish();
    let rest = stream.last().is_some_and(|byte| *byte != b'\n');
    assert!(!(rest && ended.is_ok()), "what was cut passed as whole");
    (out, None)
}

fn said(error: &InputError) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    format!("{error} {cause:?}")
}

impl Out {
    fn take(&mut self, piece: &Piece, stream: &[u8]) {
        match piece {
            Piece::Foreign { bytes, lines } => {
                let breaks = bytes.iter().filter(|byte| **byte == b'\n').count();
                assert_eq!(breaks as u64, *lines);
                self.lines += lines;
                self.bytes.extend_from_slice(bytes);
            }
            Piece::Mine(mine) => {
                self.lines += 1;
                assert_eq!(mine.line, self.lines);
                self.mine.push(mine.line);
                self.bytes.extend_from_slice(&mine.bytes);
                let _ = mine.parse::<records::Image>();
            }
            Piece::Ended(ended) => {
                self.lines += 1;
                let rest = &stream[self.bytes.len()..];
                let length = rest.iter().position(|byte| *byte == b'\n').expect("a line");
                let line = &rest[..=length];
                let head = Head::peek(&line[..length]).expect("a head");
                assert_eq!(head.kind, End::TYPE);
                let text = String::from_utf8_lossy(line);
                ended.stages.iter().for_each(|tally| assert!(text.contains(tally.get())));
                self.bytes.extend_from_slice(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use testkit::fuzz::{Target, attack};

    #[test]
    fn the_splitter_under_attack() {
        let words =
            &["\n", "{\"type\":\"image\",\"v\":1}\n", "{\"type\":\"end\",\"v\":1,\"stages\":[]}\n"];
        let target = Target::new(env!("CARGO_MANIFEST_DIR"), "split", super::split, words);
        attack(target, Vec::new());
    }
}
