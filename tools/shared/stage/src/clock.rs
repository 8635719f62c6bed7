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
    /// Whether it stands still.
    #[must_use]
    pub fn is_fixed(self) -> bool {
        matches!(self, Self::Fixed(_))
    }

    /// The clock that the environment asks for.
    ///
    /// # Errors
    /// When `SOURCE_DATE_EPOCH` is set to something that is not a time.
    pub fn from_env() -> Result<Self, ClockError> {
        match std::env::var(SOURCE_DATE_EPOCH) {
            Err(_) => Ok(Self::System),
            Ok(text) if text.is_empty() => Ok(Self::System),
            Ok(text) => fixed(&text).map(Self::Fixed).ok_or(ClockError(text)),
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

/// Reports and stores know no time before 1970.
fn fixed(text: &str) -> Option<Timestamp> {
    let seconds: u64 = text.parse().ok()?;
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_is_a_time_since_1970() {
        let text = |text| fixed(text).map(|time| time.to_string());
        assert_eq!(text("0").as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(text("1795500000").as_deref(), Some("2026-11-24T06:00:00Z"));
        for bad in ["-1", "", "1.5", "noon", "99999999999999", "18446744073709551615"] {
            assert_eq!(text(bad), None, "{bad}");
        }
    }
}
