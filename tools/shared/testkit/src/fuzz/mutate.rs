//! Mutants of bytes: of any, and of JSON by its structure.

use super::json;
use super::random::Random;

/// How long a mutant may be, in bytes.
const LONGEST: usize = 256 * 1024;

/// How much is repeated at most, in bytes.
const REPEATED: usize = 48 * 1024;

/// What parsers stumble over.
const WORDS: &[&str] = &[
    "",
    "\0",
    "\u{feff}",
    "\r\n",
    "\n",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    "[[[[[[[[",
    ":",
    ",",
    "\"",
    "'",
    "null",
    "true",
    "-1",
    "0",
    "00",
    "1e999",
    "-0.0",
    "9223372036854775808",
    "18446744073709551616",
    "4294967296",
    "%00",
    "../",
    "//",
    "@",
    "sha256:",
    "é",
    "\u{202e}",
    "---\n",
    "&a ",
    "*a",
    "!!binary ",
    "<<: ",
    "Infinity",
    "NaN",
    "=",
    "==",
    "\u{1b}[2J",
    "0x10",
];

/// Makes mutants of inputs.
pub(super) struct Mutator<'a> {
    random: Random,
    inputs: &'a [Vec<u8>],
    words: Vec<&'a str>,
}

impl<'a> Mutator<'a> {
    pub(super) fn new(seed: u64, inputs: &'a [Vec<u8>], words: &[&'a str]) -> Self {
        let words = WORDS.iter().chain(words).copied().collect();
        Self { random: Random::new(seed), inputs, words }
    }

    /// The next mutant: one to four changes, by structure where there is one and the dice say so.
    pub(super) fn next(&mut self) -> Vec<u8> {
        let mut bytes = self.random.pick(self.inputs).clone();
        for _ in 0..=self.random.below(4) {
            let by_structure = !self.random.once_in(3);
            match json::read(&bytes).filter(|_| by_structure) {
                Some(mut value) => {
                    let other = self.random.pick(self.inputs).clone();
                    json::mutate(&mut value, &mut self.random, &self.words, &other, 0);
                    bytes = value.to_string().into_bytes();
                }
                None => self.change(&mut bytes),
            }
        }
        bytes.truncate(LONGEST);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let other = self.random.pick(self.inputs).clone();
        change(bytes, &mut self.random, &self.words, &other);
    }
}

/// One change of bytes, without regard to what they are.
pub(super) fn change(bytes: &mut Vec<u8>, random: &mut Random, words: &[&str], other: &[u8]) {
    let at = random.below(bytes.len() + 1);
    let until = (at + 1 + random.below(16)).min(bytes.len());
    let byte = at.min(bytes.len().saturating_sub(1));
    match random.below(9) {
        0 if !bytes.is_empty() => bytes[byte] ^= 1 << random.below(8),
        1 if !bytes.is_empty() => bytes[byte] = random.next().to_le_bytes()[0],
        2 if at < until => drop(bytes.drain(at..until)),
        3 => bytes.truncate(at),
        4 => {
            let word = random.pick(words).as_bytes().to_vec();
            bytes.splice(at..at, word);
        }
        5 if at < until => {
            let word = random.pick(words).as_bytes().to_vec();
            bytes.splice(at..until, word);
        }
        6 => {
            let from = random.below(other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        7 if at < until => {
            let again = bytes[at..until].to_vec();
            bytes.splice(at..at, again);
        }
        _ if at < until && random.once_in(8) => {
            // Many times the same: what is not linear shows, and so does a stack without limit.
            let again = bytes[at..until].repeat(REPEATED / (until - at));
            bytes.splice(at..at, again);
        }
        _ => bytes.extend_from_slice(random.pick(words).as_bytes()),
    }
}
