//! When a run is over: after a while, or at a time that all stages of a pipeline share.

use std::str::FromStr;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use records::duration::{self, DurationError};

/// The end of a run, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// So long after the stage began.
    After(Duration),
    /// At this time, by this machine's clock.
    At(Timestamp),
}

impl Deadline {
    /// The end on the clock that does not jump, for a run that begins now. A time that is past has
    /// come already: nothing is asked then.
    #[must_use]
    pub fn instant(self) -> Instant {
        let left = match self {
            Self::After(after) => after,
            Self::At(time) => {
                Duration::try_from(time.duration_since(Timestamp::now())).unwrap_or_default()
            }
        };
        let now = Instant::now();
        // A time beyond what the clock can tell is no deadline, and a century comes near it.
        now.checked_add(left).unwrap_or_else(|| now + CENTURY)
    }
}

const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Neither a duration nor a time.
#[derive(Debug, thiserror::Error)]
#[error(
    "write how long the run may take, as in `30m`, or when it is over, as in `2026-11-24T06:30:00Z` (RFC 3339)"
)]
pub struct DeadlineError(#[source] DurationError);

impl FromStr for Deadline {
    type Err = DeadlineError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(time) => Ok(Self::At(time)),
            Err(_) => duration::parse(text).map(Self::After).map_err(DeadlineError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_duration_or_a_time() {
        let parse = |text: &str| text.parse::<Deadline>();
        assert_eq!(parse("30m").expect("a duration"), Deadline::After(Duration::from_secs(1800)));
        let time = "2026-11-24T06:30:00Z".parse().expect("a time");
        for same in ["2026-11-24T06:30:00Z", "2026-11-24T07:30:00+01:00"] {
            assert_eq!(parse(same).expect("a time"), Deadline::At(time));
        }
        for bad in ["", "30", "soon", "2026-11-24", "06:30:00Z", "-1"] {
            let error = parse(bad).expect_err(bad);
            assert!(error.to_string().contains("RFC 3339"), "{error}");
        }
    }

    #[test]
    fn a_time_that_is_past_has_come() {
        let past = Deadline::At("1999-12-31T00:00:00Z".parse().expect("a time")).instant();
        assert!(past <= Instant::now());
        let soon = Deadline::At(Timestamp::now() + Duration::from_secs(60)).instant();
        let left = soon.saturating_duration_since(Instant::now());
        assert!((55..=60).contains(&left.as_secs()), "{left:?}");
        assert!(Deadline::After(Duration::MAX).instant() > Instant::now());
    }
}
