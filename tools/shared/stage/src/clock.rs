//! The time of a run, which `SOURCE_DATE_EPOCH` can fix so that two runs give the same bytes.

use jiff::Timestamp;

/// The variable that fixes the clock: whole seconds since 1970
/// (reproducible-builds.org, "SOURCE_DATE_EPOCH specification").
pub const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// `SOURCE_DATE_EPOCH` is set and is not a time.
#[derive(Debug, thiserror::Error)]
#[error("`{SOURCE_DATE_EPOCH}` is `{}`, which is not a number of seconds since 1970", records::text::shown(.0))]
pub struct ClockError(String);

/// Where the time comes from.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The system's clock.
    System,
    /// Always this time.
    Fixed(Timestamp),
}

impl Clock {
    /// The clock that the environment asks for.
    ///
    /// # Errors
    /// When `SOURCE_DATE_EPOCH` is set to something that is not a time.
    pub fn from_env() -> Result<Self, ClockError> {
        match std::env::var(SOURCE_DATE_EPOCH) {
            Err(_) => Ok(Self::System),
            Ok(text) if text.is_empty() => Ok(Self::System),
            Ok(text) => match text.parse().map(Timestamp::from_second) {
                Ok(Ok(time)) => Ok(Self::Fixed(time)),
                _ => Err(ClockError(text)),
            },
        }
    }

    /// The time now, to the second.
    #[must_use]
    pub fn now(self) -> Timestamp {
        match self {
            Self::Fixed(time) => time,
            Self::System => {
                let now = Timestamp::now();
                Timestamp::from_second(now.as_second()).unwrap_or(now)
            }
        }
    }

    /// The time now as RFC 3339, UTC, to the second: `2026-11-24T06:00:00Z`.
    #[must_use]
    pub fn now_text(self) -> String {
        self.now().to_string()
    }
}
