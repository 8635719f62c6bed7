//! Verdicts for people: always a word, an icon and a colour together.

use maud::{Markup, PreEscaped, html};
use records::Verdict;
use report::{DriftState, UpdateState};

/// The colour and icon of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Trusted,
    Valid,
    Present,
    Absent,
    Invalid,
    Unknown,
    Skipped,
}

impl Tone {
    /// The class of what has this tone.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Trusted => "is-trusted",
            Self::Valid => "is-valid",
            Self::Present => "is-present",
            Self::Absent => "is-absent",
            Self::Invalid => "is-invalid",
            Self::Unknown => "is-unknown",
            Self::Skipped => "is-skipped",
        }
    }

    /// The icon, decoration beside a word.
    pub(crate) fn icon(self) -> Markup {
        let path = match self {
            Self::Trusted => "M8 1l6 2.5V8c0 3.5-2.5 6-6 7-3.5-1-6-3.5-6-7V3.5zM5 8l2.2 2.2L11.2 6",
            Self::Valid => "M2.5 8.5l3.5 3.5 7.5-8",
            Self::Present => "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM8 7.5V11M8 5v.2",
            Self::Absent => "M3 8h10",
            Self::Invalid => "M3.5 3.5l9 9M12.5 3.5l-9 9",
            Self::Unknown => "M5.5 6a2.5 2.5 0 1 1 3.5 2.3c-.7.4-1 .9-1 1.7M8 13v.2",
            Self::Skipped => "M3 8h2M7 8h2M11 8h2",
        };
        html! {
            svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.8"
                stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" {
                (PreEscaped(format!("<path d=\"{path}\"/>")))
            }
        }
    }
}

impl From<Verdict> for Tone {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Trusted => Self::Trusted,
            Verdict::Valid => Self::Valid,
            Verdict::Present => Self::Present,
            Verdict::Absent => Self::Absent,
            Verdict::Invalid => Self::Invalid,
            Verdict::Unknown => Self::Unknown,
            Verdict::Skipped => Self::Skipped,
        }
    }
}

impl From<DriftState> for Tone {
    fn from(drift: DriftState) -> Self {
        match drift {
            DriftState::Same | DriftState::Pinned => Self::Valid,
            DriftState::Moved => Self::Invalid,
            DriftState::Unknown => Self::Unknown,
            DriftState::Skipped => Self::Skipped,
        }
    }
}

impl From<UpdateState> for Tone {
    fn from(update: UpdateState) -> Self {
        match update {
            UpdateState::Current => Self::Valid,
            UpdateState::Available => Self::Present,
            UpdateState::NotComparable | UpdateState::Ignored => Self::Absent,
            UpdateState::Unknown => Self::Unknown,
            UpdateState::Skipped => Self::Skipped,
        }
    }
}

/// A state as a word with its icon and colour.
pub(crate) fn badge(tone: Tone, word: &str) -> Markup {
    html! { span class={"badge " (tone.class())} { (tone.icon()) (word) } }
}

/// A verdict.
pub(crate) fn verdict(verdict: Verdict) -> Markup {
    badge(verdict.into(), verdict.as_str())
}

/// What a tag means now; nothing runs that could be compared where there is none.
pub(crate) fn drift(drift: Option<DriftState>) -> Markup {
    match drift {
        Some(drift) => badge(drift.into(), drift.as_str()),
        None => html! { span.quiet { "not running" } },
    }
}

/// Whether something newer is there.
pub(crate) fn update(update: UpdateState, newest: Option<&str>) -> Markup {
    match (update, newest) {
        (UpdateState::Available, Some(newest)) => html! {
            (badge(update.into(), "available")) " " code { (newest) }
        },
        _ => badge(update.into(), update.as_str()),
    }
}

/// A reference that is shortened in the middle where there is no room: its end tells most.
pub(crate) fn middle(text: &str) -> Markup {
    let cut = text.rfind('/').or_else(|| text.rfind('@')).unwrap_or(0);
    let (start, tail) = text.split_at(cut);
    html! {
        span.middle title=(text) {
            @if !start.is_empty() { span.start { (start) } }
            span.tail { (tail) }
        }
    }
}
