//! What stands behind the numbers of a tag, part by part.
//!
//! | part | example | for two tags to be comparable |
//! |---|---|---|
//! | a pre-release | `-rc.1`, `rc1` | may differ; it bears on the order |
//! | a build | `-r4`, `-gke.1014001`, `-3`, `_11` | may differ; it bears on the order |
//! | a distribution | `alpine3.20`, `-debian-12` | same name; its version may rise |
//! | a commit | `-g1abb7b5` | may differ |
//! | anything else | `-fpm`, `-jdk17`, `-slim-bookworm` | must be equal |

/// A suffix, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Suffix {
    /// All that must be equal, with `#`, `@` and `<commit>` for what may differ.
    pub(super) shape: String,
    /// A pre-release's mark.
    pub(super) pre: Option<String>,
    /// What counts builds.
    pub(super) revision: Vec<u64>,
    /// The versions of distributions.
    pub(super) base: Vec<u64>,
}

/// Marks of pre-releases wherever they stand.
const PRE_RELEASES: [&str; 9] =
    ["rc", "cr", "alpha", "beta", "preview", "milestone", "canary", "snapshot", "nightly"];

/// Marks of pre-releases directly behind the numbers, with a number of their own: by itself `dev`
/// is as often a variant (an image with a shell).
const NUMBERED_PRE_RELEASES: [&str; 7] = ["a", "b", "c", "dev", "pre", "m", "ea"];

/// What builds are counted by, directly before a number or with `.` or `-` between.
const BUILDS: [&str; 17] = [
    "r", "rev", "ls", "b", "build", "gke", "eks", "aks", "k3s", "rke2r", "ce", "ee", "p", "patch",
    "post", "hotfix", "u",
];

/// Distributions that images are built on and whose versions rise with them.
const DISTRIBUTIONS: [&str; 17] = [
    "alpine",
    "debian",
    "ubuntu",
    "ubi",
    "el",
    "rhel",
    "centos",
    "fedora",
    "rockylinux",
    "rocky",
    "almalinux",
    "photon",
    "ol",
    "oraclelinux",
    "al",
    "amazonlinux",
    "amzn",
];

/// A piece of a suffix: what separates it from the piece before, and its text.
#[derive(Debug, Clone, Copy)]
struct Piece<'a> {
    separator: &'a str,
    text: &'a str,
}

/// Reads what stands behind the numbers.
pub(super) fn read(text: &str) -> Suffix {
    let mut suffix = Suffix::default();
    let all = pieces(text);
    let mut at = 0;
    while let Some(rest) = all.get(at..).filter(|rest| !rest.is_empty()) {
        at += suffix.take(rest, at == 0);
    }
    suffix
}

impl Suffix {
    /// Takes in the next part, and says how many pieces it had.
    fn take(&mut self, pieces: &[Piece<'_>], is_first: bool) -> usize {
        let Piece { separator, text } = pieces[0];
        let (word, number) = split(text);
        // What follows with numbers alone: `.1` of `rc.1`, `.20` of `alpine3.20`.
        let dotted = numbers_behind(pieces, 1, &["."]);
        let joined = numbers_behind(pieces, 1, &[".", "-"]);
        let lower = word.to_ascii_lowercase();
        let is = |words: &[&str]| words.contains(&lower.as_str());
        let has_number = number.is_some() || !joined.is_empty();
        if self.pre.is_none()
            && word.len() + number.map_or(0, str::len) == text.len()
            && (is(&PRE_RELEASES) || (is_first && has_number && is(&NUMBERED_PRE_RELEASES)))
            && !is_build_letter(&lower, separator)
        {
            return self.take_pre_release(pieces, joined.len());
        }
        if is_hash(text.strip_prefix('g').unwrap_or(text)) {
            self.part(separator, "<commit>");
            return 1;
        }
        if is(&BUILDS) && (number.is_some() || !joined.is_empty()) && is_whole(text, word, number) {
            self.part(separator, &format!("{lower}#"));
            self.revision.extend(number.and_then(value));
            self.revision.extend(&joined);
            return 1 + joined.len();
        }
        if is(&DISTRIBUTIONS)
            && (number.is_some() || !joined.is_empty())
            && is_whole(text, word, number)
        {
            // `debian-12`, `alpine3.20`, and `ubuntu-22.04`: of a `-`, one number.
            let behind = if number.is_some() { dotted } else { base_behind(pieces) };
            let own: Vec<u64> = number.and_then(value).into_iter().collect();
            let marks = vec!["@"; own.len() + behind.len()].join(".");
            self.part(separator, &format!("{lower}{marks}"));
            self.base.extend(own);
            self.base.extend(&behind);
            return 1 + behind.len();
        }
        if let (true, Some(build)) = (is_first && word.is_empty(), value(text)) {
            self.part(separator, "#");
            self.revision.push(build);
            self.revision.extend(&dotted);
            return 1 + dotted.len();
        }
        if text.len() == 8
            && let Some(day) = value(text).filter(|day| (19_900_101..=21_001_231).contains(day))
        {
            self.part(separator, "<day>");
            self.revision.push(day);
            return 1;
        }
        self.part(separator, text);
        1
    }

    fn take_pre_release(&mut self, pieces: &[Piece<'_>], numbers: usize) -> usize {
        let mut mark = pieces[0].text.to_owned();
        for piece in &pieces[1..=numbers] {
            mark.push_str(piece.separator);
            mark.push_str(piece.text);
        }
        self.pre = Some(mark);
        1 + numbers
    }

    fn part(&mut self, separator: &str, text: &str) {
        self.shape.push_str(separator);
        self.shape.push_str(text);
    }
}

/// Whether a word is the name of a distribution.
pub(super) fn is_distribution(word: &str) -> bool {
    DISTRIBUTIONS.contains(&word)
}

/// `b06` behind a `-` counts builds (`8u432-b06`); directly behind numbers `b1` is a beta.
fn is_build_letter(word: &str, separator: &str) -> bool {
    !separator.is_empty() && word == "b"
}

fn is_whole(text: &str, word: &str, number: Option<&str>) -> bool {
    word.len() + number.map_or(0, str::len) == text.len()
}

/// Cuts a suffix into pieces at `-`, `_`, `.` and `+`.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let separator = rest.len() - rest.trim_start_matches(['-', '_', '.', '+']).len();
        let (separator, behind) = rest.split_at(separator);
        let end = behind.find(['-', '_', '.', '+']).unwrap_or(behind.len());
        let (text, behind) = behind.split_at(end);
        pieces.push(Piece { separator, text });
        rest = behind;
    }
    pieces
}

/// The word that a text begins with, and the digits behind it. A word may have digits inside
/// (`k3s1`, `rke2r1`): the last run of digits counts.
fn split(text: &str) -> (&str, Option<&str>) {
    let word = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &text[word.len()..];
    if number.is_empty() { (word, None) } else { (word, Some(number)) }
}

/// The numbers that stand behind a piece, each by itself between these separators.
fn numbers_behind(pieces: &[Piece<'_>], from: usize, separators: &[&str]) -> Vec<u64> {
    let behind = pieces.iter().skip(from);
    behind
        .take_while(|piece| separators.contains(&piece.separator))
        .map_while(|piece| value(piece.text))
        .collect()
}

/// The version behind a distribution's bare name: one number, and what `.` adds to it.
fn base_behind(pieces: &[Piece<'_>]) -> Vec<u64> {
    let first = pieces.get(1).and_then(|piece| value(piece.text));
    first.into_iter().chain(numbers_behind(pieces, 2, &["."])).collect()
}

/// A number, where a text is one.
fn value(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// Whether a text is the hash of a commit: 7 to 40 hexadecimal digits, letters among them. (Digits
/// alone count builds; letters alone are words.)
pub(super) fn is_hash(text: &str) -> bool {
    (7..=40).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}
