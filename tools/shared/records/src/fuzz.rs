//! Attacks on what reads the wire; see `testkit::fuzz`.

use crate::wire::{Head, Record, read, write};
use crate::{Digest, NamespaceGlob, Platform, Shard, duration};

/// A line of a stream: what is read is written so that the same is read again, and the fast look
/// at a line sees what the slow one sees.
pub fn record(line: &[u8]) {
    let Ok(head) = Head::peek(line) else { return };
    if let Ok(slow) = serde_json::from_slice::<Head<'_>>(line) {
        assert_eq!(head, slow, "the fast path sees something else");
    }
    round::<crate::Image>(&head, line);
    round::<crate::Runtime>(&head, line);
    round::<crate::Release>(&head, line);
    round::<crate::DigestRecord>(&head, line);
    round::<crate::RepositoryRecord>(&head, line);
    round::<crate::Update>(&head, line);
    round::<crate::Signature>(&head, line);
    round::<crate::Provenance>(&head, line);
    round::<crate::Sbom>(&head, line);
    round::<crate::Attestation>(&head, line);
    round::<crate::Policy>(&head, line);
    round::<crate::Packages>(&head, line);
    round::<crate::Failure>(&head, line);
    round::<crate::End>(&head, line);
}

/// Reads the line as `R`, whatever it says that it is: each has a parser of its own.
fn round<R: Record>(head: &Head<'_>, line: &[u8]) {
    let Ok(record) = read::<R>(head, line) else { return };
    let mut once = Vec::new();
    if write(&mut once, &record).is_err() {
        return;
    }
    assert_eq!(once.iter().filter(|byte| **byte == b'\n').count(), 1, "one line");
    let text = once.strip_suffix(b"\n").expect("a line");
    let head = Head::peek(text).expect("what was written has a head");
    assert_eq!((&*head.kind, head.v), (R::TYPE, R::VERSION));
    let again: R = read(&head, text).expect("what was written is read");
    let mut twice = Vec::new();
    write(&mut twice, &again).expect("what was written once is written again");
    assert_eq!(once, twice, "a `{}` record is not what it was", R::TYPE);
}

/// Words with a form of their own: what is read prints to what is read as the same.
pub fn word(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string().parse::<Digest>().as_ref(), Ok(&digest));
        assert_eq!(format!("{}:{}", digest.algorithm(), digest.hex()), digest.to_string());
    }
    if let Ok(platform) = text.parse::<Platform>() {
        assert_eq!(platform.to_string().parse::<Platform>().as_ref(), Ok(&platform));
    }
    if let Ok(shard) = text.parse::<Shard>() {
        assert!(1 <= shard.index && shard.index <= shard.count);
    }
    if let Ok(glob) = NamespaceGlob::try_from(text.to_owned()) {
        // Backtracking must not explode.
        let _ = glob.matches(&"a".repeat(253));
        let _ = glob.matches(text);
    }
    let _ = duration::parse(text);
    let shown = crate::text::shown(text);
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
}

#[cfg(test)]
mod tests {
    use testkit::fuzz::{Target, attack};

    const HERE: &str = env!("CARGO_MANIFEST_DIR");

    #[test]
    fn records_under_attack() {
        let words = &["\"type\"", "\"v\":", "{\"type\":\"end\",\"v\":1,", "unknown", "valid"];
        attack(Target::new(HERE, "record", super::record, words), Vec::new());
    }

    #[test]
    fn words_under_attack() {
        let words = &["sha512:", "linux/", "*", "**", "h", "7d", "1h30m", "1/2"];
        attack(Target::new(HERE, "word", super::word, words), Vec::new());
    }
}
