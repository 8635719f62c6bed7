//! Bounds on DER (X.690) from strangers, before anything parses it.
//!
//! The parsers that the engine and we use sort the elements of a SET one by one, so that a thousand
//! in reverse order take seconds. Real certificates and timestamps have a few at each level.

/// The most elements within one.
const MAX_CHILDREN: usize = 64;

/// The deepest nesting.
const MAX_DEPTH: usize = 32;

/// The largest certificate or timestamp. Real ones have one to eight kilobytes.
const MAX_BYTES: usize = 32 * 1024;

/// Whether parsing this takes little time. What is no DER at all is left to the parsers.
pub(super) fn are_kept(der: &[u8]) -> bool {
    der.len() <= MAX_BYTES && holds_few(der, 0)
}

/// Whether a run of elements is short, and each of those within it.
fn holds_few(bytes: &[u8], depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    let mut rest = bytes;
    let mut count = 0;
    while let Some((tag, content, after)) = element(rest) {
        count += 1;
        if count > MAX_CHILDREN {
            return false;
        }
        // Constructed elements hold others; octet strings may, as those of extensions do.
        const OCTET_STRING: u8 = 0x04;
        let constructed = tag & 0x20 != 0;
        if (constructed || (tag == OCTET_STRING && is_run(content)))
            && !holds_few(content, depth + 1)
        {
            return false;
        }
        rest = after;
    }
    true
}

/// Whether bytes are elements to their end.
fn is_run(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        match element(rest) {
            Some((_, _, after)) => rest = after,
            None => return false,
        }
    }
    true
}

/// The first element: its tag, its content, and what is behind it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (digits.iter().fold(0, |sum, digit| (sum << 8) | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).expect("short").to_be_bytes();
        [&[tag, 0x82], length.as_slice(), content].concat()
    }

    #[test]
    fn counts_at_every_level() {
        let many = [0x05, 0x00].repeat(MAX_CHILDREN + 1);
        let few = [0x05, 0x00].repeat(MAX_CHILDREN);
        assert!(are_kept(&wrap(0x30, &few)));
        assert!(!are_kept(&wrap(0x30, &many)));
        assert!(!are_kept(&wrap(0x30, &wrap(0x31, &many))));
        assert!(!are_kept(&wrap(0x30, &wrap(0xa0, &many))));
        assert!(!are_kept(&wrap(0x30, &wrap(0x04, &wrap(0x30, &many)))), "within an extension");
        assert!(are_kept(&wrap(0x30, &wrap(0x04, b"\xffany bytes"))));
    }

    #[test]
    fn ends_on_whatever_it_gets() {
        let mut deep = vec![0x05, 0x00];
        for _ in 0..=MAX_DEPTH {
            deep = wrap(0x30, &deep);
        }
        assert!(!are_kept(&deep));
        assert!(!are_kept(&vec![0; MAX_BYTES + 1]));
        for bytes in [&[][..], &[0x30], &[0x30, 0x80], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]] {
            assert!(are_kept(bytes), "left to the parsers: {bytes:?}");
        }
    }
}
