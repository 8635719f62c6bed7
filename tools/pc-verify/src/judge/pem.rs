//! PEM (RFC 7468): just the blocks, with the base64 of foreign annotations read leniently.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The most blocks that are read: a chain is short.
const MAX_BLOCKS: usize = 16;

/// Why a text is no PEM.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PemError {
    #[error("there is no `-----BEGIN …-----` in it")]
    NoBlock,
    #[error("the block `{0}` has no `-----END {0}-----`")]
    NoEnd(String),
    #[error("the block `{0}` is not base64")]
    Base64(String),
    #[error("it has more than {MAX_BLOCKS} blocks")]
    TooMany,
}

/// A block: its label (`CERTIFICATE` for example) and its bytes.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) der: Vec<u8>,
}

/// Every block of a text; text around them is skipped, as RFC 7468 §2 allows.
pub(super) fn blocks(text: &str) -> Result<Vec<Block>, PemError> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((label, body, after)) = next(rest)? {
        if blocks.len() == MAX_BLOCKS {
            return Err(PemError::TooMany);
        }
        let der = decode(body).ok_or_else(|| PemError::Base64(label.to_owned()))?;
        blocks.push(Block { label: label.to_owned(), der });
        rest = after;
    }
    if blocks.is_empty() { Err(PemError::NoBlock) } else { Ok(blocks) }
}

type Found<'a> = (&'a str, &'a str, &'a str);

/// The next block: label, body, and the text behind it.
fn next(text: &str) -> Result<Option<Found<'_>>, PemError> {
    const BEGIN: &str = "-----BEGIN ";
    let Some(at) = text.find(BEGIN) else { return Ok(None) };
    let Some((label, behind)) = text[at + BEGIN.len()..].split_once("-----") else {
        return Err(PemError::NoBlock);
    };
    let label = label.get(..label.len().min(40)).unwrap_or_default();
    let end = format!("-----END {label}-----");
    let (body, after) =
        behind.split_once(&end).ok_or_else(|| PemError::NoEnd(records::text::shown(label)))?;
    Ok(Some((label, body, after)))
}

/// Standard base64 with padding. White space inside it is skipped: some signers break the lines
/// of annotations too.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    if !text.contains(|c: char| c.is_ascii_whitespace()) {
        return STANDARD.decode(text).ok();
    }
    let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(packed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_blocks_and_skips_what_is_around_them() {
        let text = "x\n-----BEGIN A-----\nYWJj\n-----END A-----\ny\n-----BEGIN B C-----\nZA==\n-----END B C-----\n";
        let blocks = blocks(text).expect("two blocks");
        assert_eq!(blocks.len(), 2);
        assert_eq!((blocks[0].label.as_str(), blocks[0].der.as_slice()), ("A", &b"abc"[..]));
        assert_eq!((blocks[1].label.as_str(), blocks[1].der.as_slice()), ("B C", &b"d"[..]));
    }

    #[test]
    fn says_what_is_wrong() {
        let error = |text: &str| blocks(text).err();
        assert_eq!(error("nothing"), Some(PemError::NoBlock));
        assert_eq!(error("-----BEGIN A"), Some(PemError::NoBlock));
        assert_eq!(error("-----BEGIN A-----\nYWJj"), Some(PemError::NoEnd("A".into())));
        let bad = "-----BEGIN A-----\n%%\n-----END A-----";
        assert_eq!(error(bad), Some(PemError::Base64("A".into())));
        let many = "-----BEGIN A-----\n-----END A-----".repeat(MAX_BLOCKS + 1);
        assert_eq!(error(&many), Some(PemError::TooMany));
    }

    #[test]
    fn skips_white_space_inside_base64() {
        assert_eq!(decode(" YW\nJj\r\n").as_deref(), Some(&b"abc"[..]));
        assert_eq!(decode("YWJ"), None);
    }
}
