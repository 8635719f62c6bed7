//! Colour: what a word means, said once more.

/// Whether output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// By ANSI escapes (ECMA-48, SGR).
    Yes,
    /// Not at all.
    No,
}

/// What a piece of text is to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Neither good nor bad.
    Plain,
    /// To be seen first.
    Strong,
    /// To be seen last.
    Faint,
    /// As it should be.
    Good,
    /// Less than it should be.
    Fair,
    /// Not as it should be.
    Bad,
    /// Not known.
    Open,
    /// Something newer.
    New,
}

/// Colours text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub struct Paint(Color);

impl Paint {
    /// With colours or without.
    #[must_use]
    pub fn new(color: Color) -> Self {
        Self(color)
    }

    /// `text` in the colour of `tone`. A line feed at the end stays outside.
    #[must_use]
    pub fn on(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => "",
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Good => "32",
            Tone::Fair => "33",
            Tone::Bad => "1;31",
            Tone::Open => "35",
            Tone::New => "36",
        };
        if self.0 == Color::No || code.is_empty() || text.is_empty() {
            return text.to_owned();
        }
        let (text, end) = text.strip_suffix('\n').map_or((text, ""), |text| (text, "\n"));
        format!("\u{1b}[{code}m{text}\u{1b}[0m{end}")
    }
}

/// A cell of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Clean text, one line.
    pub(crate) text: String,
    /// What it is to the reader.
    pub(crate) tone: Tone,
}

impl Cell {
    pub(crate) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone }
    }

    pub(crate) fn empty() -> Self {
        Self::new(Tone::Plain, "")
    }
}
