//! From a tag's text to what it says.

use super::suffix::{self, Suffix};
use super::{Scheme, Shape, Tag, Version};

/// The longest number that is one: 18 digits fit into 64 bits whatever they are.
const MAX_DIGITS: usize = 18;

/// The longest first number of a version. Longer ones count builds.
const MAX_VERSION_DIGITS: usize = 4;

/// What stands before a number that counts something else than versions.
const COUNTERS: [&str; 24] = [
    "pr", "mr", "pull", "merge", "feature", "feat", "fix", "bugfix", "hotfix", "issue", "branch",
    "test", "dev", "main", "master", "develop", "trunk", "build", "ci", "run", "job", "pipeline",
    "nightly", "snapshot",
];

/// Words of names that do not stand still, and that say nothing of a version.
const FLOATING: [&str; 10] = [
    "latest", "lts", "stable", "mainline", "rolling", "edge", "current", "release", "devel",
    "rawhide",
];

/// Words for platforms, which have numbers in them.
const PLATFORMS: [&str; 15] = [
    "amd64", "arm64", "arm64v8", "arm32v6", "arm32v7", "armv6", "armv7", "x86", "x64", "i386",
    "i686", "ppc64le", "s390x", "riscv64", "aarch64",
];

/// Reads a tag.
pub(super) fn tag(text: &str) -> Tag {
    if is_evidence(text) {
        return Tag::Evidence;
    }
    if is_commit(text) {
        return Tag::Commit;
    }
    read(text, Reader::Tag)
}

/// Reads what was picked out of a tag.
pub(super) fn picked(text: &str) -> Tag {
    read(text, Reader::Picked)
}

/// Who decides what a number means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// The rules here.
    Tag,
    /// Somebody who picked it out.
    Picked,
}

fn read(text: &str, reader: Reader) -> Tag {
    let Some((prefix, rest)) = split(text) else {
        return Tag::Name;
    };
    if reader == Reader::Tag && is_name(prefix) && !is_date(rest) {
        return Tag::Name;
    }
    // `sha-` and the like are followed by commits, and by nothing that has an order.
    if reader == Reader::Tag && is_counter(prefix) && !is_date(rest) {
        return Tag::Build;
    }
    let (scheme, (numbers, shape, behind)) = match (date(rest), numbers(rest, reader)) {
        (Some(date), _) => (Scheme::Date, date),
        (None, Some(numbers)) if matches!(numbers.0[..], [1990..=2100, ..]) => {
            (Scheme::Calendar, numbers)
        }
        (None, Some(numbers)) => (Scheme::Numbers, numbers),
        (None, None) => return Tag::Build,
    };
    let said = rest[..rest.len() - behind.len()].to_owned();
    let Suffix { shape: suffix, pre, revision, base } = suffix::read(behind);
    let shape = Shape { prefix: prefix.to_owned(), numbers: shape, suffix };
    Tag::Version(Version { said, scheme, shape, numbers, pre, revision, base })
}

/// What stands before the first number, and what begins with it. The numbers in platforms' names
/// are none.
fn split(text: &str) -> Option<(&str, &str)> {
    let is_separator = |c: char| matches!(c, '-' | '_' | '.' | '/');
    let mut from = 0;
    loop {
        let digit = from + text[from..].find(|c: char| c.is_ascii_digit())?;
        let start = text[..digit].rfind(is_separator).map_or(0, |at| at + 1);
        let end = digit + text[digit..].find(is_separator).unwrap_or(text.len() - digit);
        if !PLATFORMS.contains(&text[start..end].to_ascii_lowercase().as_str()) {
            return Some(text.split_at(digit));
        }
        let is_64 = &text[start..end] == "x86" && text[end..].starts_with("_64");
        from = if is_64 { end + 3 } else { end };
    }
}

/// Whether a number behind this prefix is another's: a distribution's (`alpine3.20`), or that of a
/// word behind a floating name (`lts-jdk21`; but `stable-2.14.10` is a version).
fn is_name(prefix: &str) -> bool {
    let prefix = prefix.to_ascii_lowercase();
    let (first, behind) = prefix.split_once(['-', '_', '.']).unwrap_or((&prefix, ""));
    let last = prefix.rsplit(['-', '_', '.']).find(|word| !word.is_empty()).unwrap_or_default();
    (FLOATING.contains(&first) && !matches!(behind, "" | "v")) || suffix::is_distribution(last)
}

/// Numbers with `.` between them, or `u` as in `8u432`: the numbers, their shape, and the rest.
fn numbers(text: &str, reader: Reader) -> Option<(Vec<u64>, String, &str)> {
    let (mut numbers, mut shape, mut rest) = (Vec::new(), String::new(), text);
    loop {
        let digits = digits(rest);
        let longest = match (numbers.is_empty(), reader) {
            (true, Reader::Tag) => MAX_VERSION_DIGITS,
            _ => MAX_DIGITS,
        };
        if digits.len() > longest {
            return None;
        }
        numbers.push(digits.parse().ok()?);
        shape.push('#');
        rest = &rest[digits.len()..];
        let separator = match rest.as_bytes() {
            [b'.', next, ..] if next.is_ascii_digit() => '.',
            [b'u', next, ..] if next.is_ascii_digit() => 'u',
            _ => return Some((numbers, shape, rest)),
        };
        shape.push(separator);
        rest = &rest[1..];
    }
}

/// A date and perhaps a time, as one number each; its shape; and the rest.
///
/// `20240211`, `20240211.1`, `20240211-0736`, `20240211T073600Z`, `202402110736`,
/// `20240211073600`, `2024-02-11`, `2024-02-11T07-36-00Z`.
fn date(text: &str) -> Option<(Vec<u64>, String, &str)> {
    let first = digits(text);
    let (mut numbers, mut shape, mut rest) = match first.len() {
        8 | 12 | 14 if is_day(&first[..8]) => {
            let (day, time) = first.split_at(8);
            let numbers = vec![day.parse().ok()?, time.parse().unwrap_or_default()];
            (numbers, format!("<{}>", first.len()), &text[first.len()..])
        }
        4 => {
            let day: String = [text.get(0..4)?, text.get(5..7)?, text.get(8..10)?].concat();
            let dashed = text.get(4..5)? == "-" && text.get(7..8)? == "-";
            if !dashed || !is_day(&day) {
                return None;
            }
            (vec![day.parse().ok()?, 0], "<date>".to_owned(), &text[10..])
        }
        _ => return None,
    };
    if let Some((time, length)) = time(rest) {
        numbers[1] = time;
        shape.push_str(&format!("{}<time>", &rest[..1]));
        rest = &rest[length..];
    }
    // Another build on the same day.
    if let [b'.', next, ..] = rest.as_bytes()
        && next.is_ascii_digit()
        && let build = digits(&rest[1..])
        && build.len() <= MAX_DIGITS
    {
        numbers.push(build.parse().ok()?);
        shape.push_str(".#");
        rest = &rest[1 + build.len()..];
    }
    Some((numbers, shape, rest))
}

/// A time behind a date: the number that its digits make, and how long it is.
fn time(text: &str) -> Option<(u64, usize)> {
    let body = text.strip_prefix(['T', 't', '-', '_'])?;
    let end = body
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '-' | ':' | '.' | '_'))
        .unwrap_or(body.len());
    let clock = body[..end].trim_end_matches(['-', ':', '.', '_']);
    let behind = &body[clock.len()..];
    let parts: Vec<&str> = clock.split(['-', ':', '.', '_']).collect();
    let is_clock = match parts[..] {
        [whole] => matches!(whole.len(), 4 | 6),
        [h, m] => h.len() == 2 && m.len() == 2,
        [h, m, s, ..] => h.len() == 2 && m.len() == 2 && s.len() == 2,
        [] => false,
    };
    let digits: String = parts.concat().chars().take(MAX_DIGITS).collect();
    let zone = usize::from(behind.starts_with(['Z', 'z']));
    let is_clock = is_clock && !behind[zone..].starts_with(|c: char| c.is_ascii_alphanumeric());
    Some((digits.parse().ok()?, 1 + clock.len() + zone)).filter(|_| is_clock)
}

/// Whether eight digits are a day that images can be from.
fn is_day(digits: &str) -> bool {
    let number = |range| digits.get(range).and_then(|text: &str| text.parse::<u32>().ok());
    digits.len() == 8
        && matches!(number(0..4), Some(1990..=2100))
        && matches!(number(4..6), Some(1..=12))
        && matches!(number(6..8), Some(1..=31))
}

/// Whether a text begins with a date.
fn is_date(text: &str) -> bool {
    date(text).is_some()
}

/// The digits that a text begins with.
fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

/// Whether what stands before a number says that the number counts no versions.
fn is_counter(prefix: &str) -> bool {
    let first = prefix.split(['-', '_', '.', '/']).next().unwrap_or_default();
    let first = first.to_ascii_lowercase();
    COUNTERS.contains(&first.as_str())
}

/// Whether a tag is a commit's hash, with or without `sha-` before it and a suffix behind.
fn is_commit(text: &str) -> bool {
    let behind = ["sha-", "git-", "commit-", "rev-", "sha", "git"]
        .into_iter()
        .find_map(|word| text.strip_prefix(word));
    let first = behind.unwrap_or(text).split(['-', '_', '.']).next().unwrap_or_default();
    suffix::is_hash(first) || (behind.is_some() && is_hex(first))
}

fn is_hex(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// cosign's `sha256-<hex>.sig`, `.att` and `.sbom`, and the fallback tag of the referrers API
/// (OCI distribution specification, "Referrers Tag Schema"), which has nothing behind the hash.
pub(super) fn is_evidence(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("sha256-").or_else(|| text.strip_prefix("sha512-")) else {
        return false;
    };
    let hex = rest.split('.').next().unwrap_or_default();
    hex.len() >= 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}
