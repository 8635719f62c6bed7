//! Durations as settings write them: Go's syntax (`30s`, `1h30m`), days (`7d`), and `-1` for
//! "never" where a setting allows it.

use std::time::Duration;

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a duration: write a number and a unit, as in `500ms`, `30s`, `1h30m` or `7d`", crate::text::shown(.0))]
pub struct DurationError(String);

/// A span of time that may be without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// That long.
    For(Duration),
    /// Without end, written `-1`.
    Forever,
}

/// Parses a duration that has an end.
///
/// # Errors
/// When the text is empty, has no unit, has an unknown unit, or is negative.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let bad = || DurationError(text.to_owned());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(bad)?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return Err(bad()),
        };
        let number: f64 = number.parse().map_err(|_| bad())?;
        let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| bad())?;
        total = total.checked_add(part).ok_or_else(bad)?;
        rest = tail;
    }
    if text.is_empty() { Err(bad()) } else { Ok(total) }
}

/// Parses a duration, or `-1` for one without end.
///
/// # Errors
/// As [`parse`].
pub fn parse_span(text: &str) -> Result<Span, DurationError> {
    if text == "-1" { Ok(Span::Forever) } else { parse(text).map(Span::For) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_go_durations_and_days() {
        let seconds = |text: &str| parse(text).map(|d| d.as_secs_f64());
        assert_eq!(seconds("30s"), Ok(30.0));
        assert_eq!(seconds("1h30m"), Ok(5400.0));
        assert_eq!(seconds("1.5h"), Ok(5400.0));
        assert_eq!(seconds("7d"), Ok(604_800.0));
        assert_eq!(seconds("500ms"), Ok(0.5));
        assert_eq!(seconds("0"), Ok(0.0));
        assert_eq!(parse_span("-1"), Ok(Span::Forever));
    }

    #[test]
    fn refuses_the_rest() {
        for bad in ["", "30", "s", "-30s", "1w", "30 s", "1..2s", "99999999999999999999d"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
