//! The names of files in a store: reports, the newest report, and what only this tool uses.
//!
//! A name is an index and no proof: before a file is removed or handed out, its content is read.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// The name under which the newest report lies a second time.
pub const LATEST: &str = "provenance-latest.json";

/// The log of the store: what happened to it, an entry a line.
pub const LOG: &str = "provenance-log.jsonl";

/// The file that is locked while a store is changed.
pub(crate) const LOCK: &str = ".provenance.lock";

const PREFIX: &str = "provenance-";
const SUFFIX: &str = ".json";
const SIGNATURE: &str = ".sigstore.json";
const TEMPORARY: (&str, &str) = (".provenance-", ".tmp");
/// How a time is written in a name: UTC, to the second.
const TIME: &str = "%Y%m%d-%H%M%S";
const TIME_LENGTH: usize = "YYYYMMDD-HHMMSS".len();

/// The name of a report: `provenance-YYYYMMDD-HHMMSS.json`, and `provenance-YYYYMMDD-HHMMSS-1.json`
/// and so on for more reports of the same second.
///
/// Names are ordered by time, then by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportName {
    time: Timestamp,
    number: u32,
}

/// Why a text is not the name of a report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not the name of a report: `latest` or `provenance-YYYYMMDD-HHMMSS.json`", records::text::shown(.0))]
pub struct NameError(String);

impl ReportName {
    /// The name of the `number`th further report (0 for the first) that was generated at `time`.
    #[must_use]
    pub fn new(time: Timestamp, number: u32) -> Self {
        Self { time: whole_second(time), number }
    }

    /// When the report was generated, to the second.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// 0 for the first report of its second.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The name of the report's signature, which lies beside it.
    #[must_use]
    pub fn signature(&self) -> String {
        let name = self.to_string();
        format!("{}{SIGNATURE}", name.strip_suffix(SUFFIX).unwrap_or(&name))
    }

    /// Whether a report generated at `time` belongs under this name.
    #[must_use]
    pub fn fits(&self, time: Timestamp) -> bool {
        self.time == whole_second(time)
    }
}

/// `time` without its fraction, rounded down.
fn whole_second(time: Timestamp) -> Timestamp {
    // `as_second` rounds towards zero, so that times before 1970 need one second less.
    let second = time.as_second() - i64::from(time.subsec_nanosecond() < 0);
    Timestamp::from_second(second).unwrap_or(time)
}

impl fmt::Display for ReportName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.time.strftime(TIME);
        match self.number {
            0 => write!(f, "{PREFIX}{time}{SUFFIX}"),
            number => write!(f, "{PREFIX}{time}-{number}{SUFFIX}"),
        }
    }
}

impl FromStr for ReportName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let name = parse(text).ok_or_else(|| NameError(text.to_owned()))?;
        // One report, one name: `-01`, `-0` or `+1` would be a second way to write the same.
        if name.to_string() == text { Ok(name) } else { Err(NameError(text.to_owned())) }
    }
}

fn parse(text: &str) -> Option<ReportName> {
    let middle = text.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let (time, number) = middle.split_at_checked(TIME_LENGTH)?;
    let time = DateTime::strptime(TIME, time).ok()?;
    let time = TimeZone::fixed(Offset::UTC).to_timestamp(time).ok()?;
    let number = match number {
        "" => 0,
        number => number.strip_prefix('-')?.parse().ok()?,
    };
    Some(ReportName { time, number })
}

/// A name for a temporary file of this process.
pub(crate) fn temporary(process: u32, nanosecond: u128) -> String {
    let (prefix, suffix) = TEMPORARY;
    format!("{prefix}{process}-{nanosecond}{suffix}")
}

/// Whether `name` is one that [`temporary`] gives.
pub(crate) fn is_temporary(name: &str) -> bool {
    let (prefix, suffix) = TEMPORARY;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.strip_prefix(prefix)
        .and_then(|rest| rest.strip_suffix(suffix))
        .and_then(|middle| middle.split_once('-'))
        .is_some_and(|(process, nanosecond)| digits(process) && digits(nanosecond))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_name_says_the_time_in_utc_to_the_second() {
        let name = ReportName::new(at("2026-11-24T07:00:00.9+01:00"), 0);
        assert_eq!(name.to_string(), "provenance-20261124-060000.json");
        assert!(name.fits(at("2026-11-24T06:00:00.1Z")));
        assert!(!name.fits(at("2026-11-24T06:00:01Z")));
        let second = ReportName::new(at("2026-11-24T06:00:00Z"), 1);
        assert_eq!(second.to_string(), "provenance-20261124-060000-1.json");
        assert!(second > name);
        assert_eq!(second.signature(), "provenance-20261124-060000-1.sigstore.json");
    }

    #[test]
    fn names_read_back() {
        for text in [
            "provenance-20261124-060000.json",
            "provenance-20261124-060000-12.json",
            "provenance-19700101-000000.json",
        ] {
            assert_eq!(text.parse::<ReportName>().map(|name| name.to_string()), Ok(text.into()));
        }
    }

    #[test]
    fn other_names_are_refused() {
        for text in [
            "",
            "latest",
            LATEST,
            LOG,
            "provenance-20261124-060000.sigstore.json",
            "provenance-20261124-060000.json.bak",
            "provenance-20261124-060000-0.json",
            "provenance-20261124-060000-01.json",
            "provenance-20261124-060000-+1.json",
            "provenance-20261324-060000.json",
            "provenance-20261124-0600é.json",
            "provenance-2026-1124-06000.json",
            "../provenance-20261124-060000.json",
            "provenance-20261124-060000-99999999999.json",
        ] {
            assert!(text.parse::<ReportName>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_our_temporary_names_are_ours() {
        assert!(is_temporary(&temporary(7, 12)));
        for name in [
            ".provenance-.tmp",
            ".provenance-7-.tmp",
            ".provenance-a-1.tmp",
            "provenance-7-1.tmp",
            LOCK,
        ] {
            assert!(!is_temporary(name), "{name}");
        }
    }
}
