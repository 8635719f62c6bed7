//! Text in columns of a terminal: how wide it is, and how it is made to fit.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many columns `text` takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// `text` with spaces behind it up to `columns`.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    let room = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(room))
}

/// The start of `text`, at most `columns` wide, with `…` where it was cut.
pub(crate) fn cut_end(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut cut = head(text, columns.saturating_sub(1));
    if columns > 0 {
        cut.push('…');
    }
    cut
}

/// Start and end of `text`, at most `columns` wide, with `…` between: of an image reference the
/// registry and the tag are what people look for.
pub(crate) fn cut_middle(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    let front = head(text, room / 3);
    let back = tail(text, room - width(&front));
    if columns == 0 {
        return String::new();
    }
    format!("{front}…{back}")
}

/// `text` in lines of at most `columns`, broken between words; a word that is longer is cut.
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').map(|word| cut_middle(word, columns)) {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(&word) <= columns => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

fn head(text: &str, columns: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= columns
        })
        .collect()
}

fn tail(text: &str, columns: usize) -> String {
    let mut used = 0;
    let mut tail: Vec<char> = text
        .chars()
        .rev()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= columns
        })
        .collect();
    // A mark that combines with what was cut off would combine with something else here.
    while tail.last().is_some_and(|c| c.width() == Some(0)) {
        tail.pop();
    }
    tail.iter().rev().collect()
}

/// `1 image`, `2 images`.
pub(crate) fn many(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays() {
        assert_eq!(cut_end("nginx", 5), "nginx");
        assert_eq!(cut_middle("nginx", 5), "nginx");
        assert_eq!(padded("中", 4), "中  ");
    }

    #[test]
    fn cut_text_is_never_wider_than_its_room() {
        let texts = [
            "registry.example.com/a/very/long/path/to/some/image:1.2.3",
            "中文名字很长很长很长很长:标签",
            "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
            "a",
            "",
        ];
        for text in texts {
            for columns in 0..40 {
                for cut in [cut_end(text, columns), cut_middle(text, columns)] {
                    assert!(width(&cut) <= columns, "{cut:?} in {columns}");
                }
            }
        }
    }

    #[test]
    fn the_middle_goes_first() {
        let cut = cut_middle("registry.example.com/team/product/component/web:1.4", 24);
        assert_eq!(cut, "registr…omponent/web:1.4");
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a abcdefghij b", 5), ["a", "a…hij", "b"]);
        assert!(wrapped("中文名字 很长很长 x", 5).iter().all(|line| width(line) <= 5));
    }

    #[test]
    fn nouns() {
        assert_eq!((many(1, "use"), many(0, "use")), ("1 use".into(), "0 uses".into()));
    }
}
