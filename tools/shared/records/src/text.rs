//! Foreign text: made safe to show, and cut to a bounded length.
//!
//! Names from pods, tags, annotations and registries are written by strangers. On the wire they
//! stay verbatim (JSON escapes what must be escaped) but bounded; in messages for people they are
//! cleaned first.

use std::borrow::Cow;

/// The longest foreign string in a record, in bytes.
pub const MAX_STRING: usize = 4 * 1024;

/// The longest foreign list in a record, in entries.
pub const MAX_LIST: usize = 100;

/// Where something was cut off.
const MARK: &str = "…";

/// The longest foreign text inside a message for people, in characters.
const MAX_SHOWN: usize = 200;

/// Cuts `text` at [`MAX_STRING`] bytes, on a character's boundary, and marks the cut by `…`.
#[must_use]
pub fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_STRING {
        return Cow::Borrowed(text);
    }
    let mut at = MAX_STRING - MARK.len();
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    Cow::Owned(format!("{}{MARK}", &text[..at]))
}

/// Whether a text was cut by [`cut`]. One that was just that long, and ends like that, counts as
/// cut too: nobody can tell.
#[must_use]
pub fn is_cut(text: &str) -> bool {
    // A character has at most four bytes, so that a cut is at most three before its place.
    text.len() + 3 >= MAX_STRING && text.ends_with(MARK)
}

/// Cuts `text` where it stands, and gives the number of texts that lost something: one or none.
pub fn cut_text(text: &mut String) -> u64 {
    match cut(text) {
        Cow::Borrowed(_) => 0,
        Cow::Owned(short) => {
            *text = short;
            1
        }
    }
}

/// Cuts a list at [`MAX_LIST`] entries and gives the number of those left out.
pub fn cut_list<T>(list: &mut Vec<T>) -> u64 {
    let dropped = list.len().saturating_sub(MAX_LIST);
    list.truncate(MAX_LIST);
    dropped as u64
}

/// `text` as it may be shown to a person: what steers a terminal or turns the reading direction
/// is replaced, and at most 200 characters are left.
#[must_use]
pub fn shown(text: &str) -> String {
    clean(text, MAX_SHOWN)
}

/// `text` with control, direction and zero-width characters replaced by `\u{fffd}`, and cut at
/// `max` characters.
#[must_use]
pub fn clean(text: &str, max: usize) -> String {
    let mut cleaned: String =
        text.chars().take(max).map(|c| if is_hostile(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(max).is_some() {
        cleaned.push('…');
    }
    cleaned
}

/// Control characters, direction marks and overrides, zero-width characters, line separators,
/// variation selectors and tags: what hides text from a reader or steers a terminal.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_on_a_boundary() {
        let long = "é".repeat(MAX_STRING);
        let short = cut(&long);
        assert!(short.len() <= MAX_STRING && short.ends_with('…'));
        assert_eq!(cut("nginx:1.27"), "nginx:1.27");
        for letter in ["x", "é", "字", "🦀"] {
            for before in ["", "a", "ab", "abc"] {
                let long = format!("{before}{}", letter.repeat(MAX_STRING + 1));
                assert!(is_cut(&cut(&long)) && !is_cut(&long[..before.len()]), "{letter}");
            }
        }
        assert!(!is_cut("so…") && !is_cut(&"x".repeat(MAX_STRING)));
    }

    #[test]
    fn counts_what_a_text_lost() {
        let (mut long, mut short) = ("x".repeat(MAX_STRING + 1), "x".to_owned());
        assert_eq!((cut_text(&mut long), cut_text(&mut short)), (1, 0));
        assert_eq!((long.len(), short.as_str()), (MAX_STRING, "x"));
    }

    #[test]
    fn cleans_what_steers_a_terminal() {
        assert_eq!(shown("a\u{1b}[31m\u{202e}b\n"), "a\u{fffd}[31m\u{fffd}b\u{fffd}");
        assert_eq!(clean("abcdef", 3), "abc…");
        assert_eq!(clean("abc", 3), "abc");
    }

    #[test]
    fn counts_what_a_list_lost() {
        let mut list: Vec<u32> = (0..103).collect();
        assert_eq!((cut_list(&mut list), list.len()), (3, MAX_LIST));
    }
}
