//! Changes as Markdown (GitHub's, with tables), for an issue, a merge request or a chat.

use std::fmt::Write as _;

use records::text::{clean, shown};

use super::table::{place_of, subject, what, words};
use super::{Compared, Difference};

/// How many changes are listed; the rest is counted.
const MOST: usize = 200;

/// The longest text of a cell, in characters.
const MAX_TEXT: usize = 300;

/// The difference as a heading, a sentence and a table.
#[must_use]
pub fn render(difference: &Difference) -> String {
    let Difference { older, newer, counts, changes } = difference;
    let mut out = "## What changed\n\n".to_owned();
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(out, "From {} to {}.\n", report(older), report(newer));
    if changes.is_empty() {
        out.push_str("No change.\n");
        return out;
    }
    let parts: Vec<String> = words(*counts).into_iter().map(|(_, text)| text).collect();
    let _ = writeln!(
        out,
        "{}: {}.\n",
        crate::table::text::many(changes.len() as u64, "change"),
        parts.join(", ")
    );
    out.push_str("| severity | change | subject | before → after | where | why |\n");
    out.push_str("|---|---|---|---|---|---|\n");
    for change in changes.iter().take(MOST) {
        let cells = [
            escaped(change.severity.as_str()),
            escaped(&change.code),
            escaped(&subject(change)),
            escaped(&what(change)),
            escaped(&place_of(change)),
            escaped(change.reason.as_deref().unwrap_or_default()),
        ];
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    let more = changes.len().saturating_sub(MOST);
    if more > 0 {
        let _ = writeln!(out, "\n… and {more} more, none of them graver than these.");
    }
    out
}

fn report(report: &Compared) -> String {
    let name = report
        .cluster_name
        .as_deref()
        .map_or_else(String::new, |name| format!(" of {}", escaped(&shown(name))));
    let complete = if report.complete { "" } else { " (**incomplete**)" };
    format!("{}{name}{complete}", escaped(&shown(&report.generated_at)))
}

/// A text that is nothing but text in a cell of a table: names are a stranger's, and may hold
/// links, mentions, HTML or the end of the cell.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text, MAX_TEXT).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A mention, and an address that would become a link, are broken by a character
            // reference, which no renderer joins again.
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.replace("://", "&#58;//").replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_stays_text() {
        assert_eq!(escaped("a|b`c`<img src=x>"), "a\\|b\\`c\\`&lt;img src=x&gt;");
        assert_eq!(escaped("[x](https://evil)"), "\\[x\\]\\(https&#58;//evil\\)");
        assert_eq!(escaped("@all\n\u{202e}"), "&#64;all\u{fffd}\u{fffd}");
    }
}
