//! Columns that fit the terminal: first the long ones shrink, then the least important ones go.

use super::paint::{Cell, Paint, Tone};
use super::text;

/// Columns between two columns.
const GAP: usize = 2;

/// What a column does when there is not enough room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Give {
    /// It keeps its width.
    Nothing,
    /// It shrinks, at the cost of its text.
    Width(Shrink),
    /// It is left out, the lowest number first, once the others are down to their comfort.
    All(u8),
}

/// How a column shrinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shrink {
    /// What its text loses.
    pub(crate) cut: Cut,
    /// Down to here before a column is left out.
    pub(crate) comfort: usize,
    /// Down to here when no more can be left out.
    pub(crate) least: usize,
}

/// What a text loses that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Its end.
    End,
    /// Its middle.
    Middle,
}

/// A column: its heading, its cells from top to bottom, and what it gives.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) head: &'static str,
    pub(crate) cells: Vec<Cell>,
    pub(crate) give: Give,
}

impl Column {
    fn natural(&self) -> usize {
        let widest = self.cells.iter().map(|cell| text::width(&cell.text)).max();
        widest.unwrap_or_default().max(text::width(self.head))
    }

    fn comfort(&self) -> usize {
        match self.give {
            Give::Width(shrink) => self.natural().min(shrink.comfort),
            Give::Nothing | Give::All(_) => self.natural(),
        }
    }

    fn least(&self) -> usize {
        match self.give {
            Give::Width(shrink) => self.natural().min(shrink.least),
            Give::Nothing | Give::All(_) => self.natural(),
        }
    }

    fn fitted(&self, text: &str, columns: usize) -> String {
        match self.give {
            Give::Width(Shrink { cut: Cut::Middle, .. }) => text::cut_middle(text, columns),
            _ => text::cut_end(text, columns),
        }
    }
}

/// The lines of a table with `indent` spaces before each, headings first.
pub(crate) fn lines(
    columns: Vec<Column>,
    indent: usize,
    width: usize,
    paint: Paint,
) -> Vec<String> {
    let room = width.saturating_sub(indent);
    let columns = with_room(columns, room);
    let widths = widths(&columns, room);
    let rows = columns.iter().map(|column| column.cells.len()).max();
    let heading = columns.iter().zip(&widths).map(|(column, width)| {
        let head = text::padded(&column.fitted(column.head, *width), *width);
        (Tone::Faint, head)
    });
    let mut lines = vec![line(indent, heading, paint)];
    for row in 0..rows.unwrap_or_default() {
        let cells = columns.iter().zip(&widths).filter_map(|(column, width)| {
            let cell = column.cells.get(row)?;
            let text = text::padded(&column.fitted(&cell.text, *width), *width);
            Some((cell.tone, text))
        });
        lines.push(line(indent, cells, paint));
    }
    lines
}

/// The columns that find room when all others have shrunk to their comfort.
fn with_room(mut columns: Vec<Column>, room: usize) -> Vec<Column> {
    while total(columns.iter().map(Column::comfort)) > room {
        let first = columns
            .iter()
            .enumerate()
            .filter_map(|(at, column)| match column.give {
                Give::All(order) => Some((order, at)),
                _ => None,
            })
            .min();
        let Some((_, at)) = first else {
            break;
        };
        columns.remove(at);
    }
    columns
}

/// The width of each column: its own, or less where it can shrink, the widest first; nobody goes
/// below comfort while somebody is above.
fn widths(columns: &[Column], room: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(Column::natural).collect();
    for floor in [Column::comfort, Column::least] {
        let floors: Vec<usize> = columns.iter().map(floor).collect();
        while total(widths.iter().copied()) > room {
            let above = widths.iter_mut().zip(&floors).filter(|(width, floor)| **width > **floor);
            let Some((widest, _)) = above.max_by_key(|(width, _)| **width) else {
                break;
            };
            *widest -= 1;
        }
    }
    widths
}

fn total(widths: impl ExactSizeIterator<Item = usize>) -> usize {
    let gaps = widths.len().saturating_sub(1) * GAP;
    widths.sum::<usize>() + gaps
}

fn line(indent: usize, cells: impl Iterator<Item = (Tone, String)>, paint: Paint) -> String {
    let mut cells: Vec<(Tone, String)> = cells.collect();
    // Nothing stands behind the last word: blanks there wrap on a narrow terminal.
    while let Some((_, text)) = cells.last_mut() {
        text.truncate(text.trim_end().len());
        if !text.is_empty() {
            break;
        }
        cells.pop();
    }
    let painted: Vec<String> = cells
        .iter()
        .map(|(tone, text)| {
            let word = text.trim_end();
            format!("{}{}", paint.on(*tone, word), &text[word.len()..])
        })
        .collect();
    format!("{}{}", " ".repeat(indent), painted.join(&" ".repeat(GAP)))
}

#[cfg(test)]
mod tests {
    use super::super::paint::Color;
    use super::*;

    const NAME: Give = Give::Width(Shrink { cut: Cut::Middle, comfort: 20, least: 8 });

    fn column(head: &'static str, give: Give, cells: &[&str]) -> Column {
        Column {
            head,
            cells: cells.iter().map(|text| Cell::new(Tone::Plain, *text)).collect(),
            give,
        }
    }

    fn table(width: usize) -> Vec<String> {
        let columns = vec![
            column("NAME", NAME, &["registry.example.com/web:1.4", "中文中文中文"]),
            column("DIGEST", Give::All(0), &["0123456789ab", ""]),
            column("STATE", Give::Nothing, &["trusted", "unknown"]),
        ];
        lines(columns, 2, width, Paint::new(Color::No))
    }

    #[test]
    fn no_line_is_wider_than_the_room() {
        for width in 24..80 {
            for line in table(width) {
                assert!(text::width(&line) <= width, "{width}: {line}");
                assert_eq!(line.trim_end(), line);
            }
        }
    }

    #[test]
    fn long_columns_shrink_before_others_go() {
        assert_eq!(
            table(48),
            [
                "  NAME                     DIGEST        STATE",
                "  registr…ple.com/web:1.4  0123456789ab  trusted",
                "  中文中文中文                           unknown",
            ]
            .map(str::to_owned)
        );
        assert!(!table(28)[0].contains("DIGEST"));
    }
}
