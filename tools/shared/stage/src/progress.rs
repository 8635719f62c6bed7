//! Progress on a terminal; nothing anywhere else.

use std::io::IsTerminal;
use std::time::Duration;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use records::text::shown;

/// When progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressWhen {
    /// When standard error is a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A line on the terminal that says how far the stage is.
pub struct Progress(ProgressBar);

impl Progress {
    /// A progress line for stage `stage`.
    #[must_use]
    pub fn new(stage: &'static str, when: ProgressWhen) -> Self {
        let show = match when {
            ProgressWhen::Auto => std::io::stderr().is_terminal(),
            ProgressWhen::Always => true,
            ProgressWhen::Never => false,
        };
        if !show {
            return Self::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        if let Ok(style) =
            ProgressStyle::with_template("{prefix} {spinner} {pos}/{len} {elapsed} {msg}")
        {
            bar.set_style(style);
        }
        bar.set_prefix(stage);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// A progress line that nobody sees.
    #[must_use]
    pub fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Says what is going on; names in it may be strangers'.
    pub fn say(&self, message: &str) {
        self.0.set_message(shown(message));
    }

    /// One more question was raised.
    pub fn raised(&self) {
        self.0.inc_length(1);
    }

    /// One more question was answered.
    pub fn answered(&self) {
        self.0.inc(1);
    }

    /// So many things were dealt with so far, of which nobody knows how many there are.
    pub fn counted(&self, count: u64) {
        self.0.set_length(count);
        self.0.set_position(count);
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
