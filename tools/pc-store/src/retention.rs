//! Which reports are too old: decided by the reports' own times, never by this machine's clock.
//!
//! Ages are counted from the newest report that is not later than the clock. So a clock that is
//! ahead removes nothing, and neither does a report from the future. Where the clock of the whole
//! run jumped ahead, the new report is far away from the others: reports before such a gap are
//! held until somebody says that the gap is real.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use records::duration::Span;

use crate::names::ReportName;

/// How far a report may be ahead of the clock before one of the two is called wrong.
pub(crate) const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// The shortest distance between two reports that is called a gap: longer than a month, because
/// reports may be monthly.
pub(crate) const LEAST_GAP: Duration = Duration::from_secs(32 * 24 * 60 * 60);

/// What to do with reports before a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Hold them.
    Hold,
    /// Treat them as all others.
    Cross,
}

/// Which reports to remove, and which would be removed were there no gap.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Too old, oldest first.
    pub expired: Vec<ReportName>,
    /// Too old and before a gap, oldest first.
    pub held: Vec<ReportName>,
}

/// Whether `time` is later than the clock says it can be.
#[must_use]
pub(crate) fn is_future(time: Timestamp, now: Timestamp) -> bool {
    now.duration_until(time) > TOLERANCE
}

/// Decides which of `names` are older than `keep`, seen from report `reference`.
#[must_use]
pub fn plan(names: &[ReportName], reference: ReportName, keep: Span, gap: Gap) -> Plan {
    let Span::For(keep) = keep else {
        return Plan::default();
    };
    let mut older: Vec<ReportName> =
        names.iter().copied().filter(|name| *name < reference).collect();
    older.sort_unstable_by(|a, b| b.cmp(a));
    let widest = LEAST_GAP.max(keep.saturating_mul(2));
    let mut plan = Plan::default();
    let (mut later, mut behind_gap) = (reference, false);
    for name in older {
        behind_gap |= gap == Gap::Hold && age(name, later) > widest;
        later = name;
        if age(name, reference) > keep {
            let list = if behind_gap { &mut plan.held } else { &mut plan.expired };
            list.push(name);
        }
    }
    plan.expired.reverse();
    plan.held.reverse();
    plan
}

/// How much older `name` is than `than`; nothing when it is not.
fn age(name: ReportName, than: ReportName) -> Duration {
    name.time().duration_until(than.time()).try_into().unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK: Span = Span::For(Duration::from_secs(7 * 86_400));

    fn name(time: &str) -> ReportName {
        ReportName::new(time.parse().expect("a time"), 0)
    }

    fn names(times: &[&str]) -> Vec<ReportName> {
        times.iter().map(|time| name(time)).collect()
    }

    #[test]
    fn what_is_exactly_as_old_as_allowed_stays() {
        let names =
            names(&["2026-11-24T06:00:00Z", "2026-11-17T06:00:00Z", "2026-11-17T05:59:59Z"]);
        let plan = plan(&names, names[0], WEEK, Gap::Hold);
        assert_eq!(plan.expired, [names[2]]);
        assert_eq!(plan.held, []);
    }

    #[test]
    fn forever_is_forever_and_zero_keeps_the_newest_second() {
        let mut names = names(&["2026-11-24T06:00:00Z", "2026-11-24T05:59:59Z"]);
        names.push(ReportName::new(names[0].time(), 1));
        let reference = names[2];
        assert_eq!(plan(&names, reference, Span::Forever, Gap::Cross), Plan::default());
        let plan = plan(&names, reference, Span::For(Duration::ZERO), Gap::Hold);
        assert_eq!(plan.expired, [names[1]]);
    }

    #[test]
    fn reports_later_than_the_reference_stay() {
        let names = names(&["2036-01-01T00:00:00Z", "2026-11-24T06:00:00Z"]);
        assert_eq!(plan(&names, names[1], WEEK, Gap::Hold), Plan::default());
    }

    #[test]
    fn a_clock_that_jumped_ahead_removes_nothing_however_often_it_runs() {
        let names = names(&[
            "2036-01-02T06:00:00Z",
            "2036-01-01T06:00:00Z",
            "2026-11-24T06:00:00Z",
            "2026-11-23T06:00:00Z",
        ]);
        let held = plan(&names, names[0], WEEK, Gap::Hold);
        assert_eq!(held.expired, []);
        assert_eq!(held.held, [names[3], names[2]]);
        let crossed = plan(&names, names[0], WEEK, Gap::Cross);
        assert_eq!(crossed.expired, [names[3], names[2]]);
    }

    #[test]
    fn monthly_reports_kept_for_an_hour_are_not_a_gap() {
        let names = names(&["2026-12-31T06:00:00Z", "2026-11-30T06:00:00Z"]);
        let plan = plan(&names, names[0], Span::For(Duration::from_secs(3600)), Gap::Hold);
        assert_eq!(plan.expired, [names[1]]);
    }

    #[test]
    fn a_little_ahead_is_not_the_future() {
        let now: Timestamp = "2026-11-24T06:00:00Z".parse().expect("a time");
        let at = |text: &str| is_future(text.parse().expect("a time"), now);
        assert!(!at("2026-11-24T06:05:00Z"));
        assert!(at("2026-11-24T06:05:01Z"));
        assert!(!at("2026-11-23T06:00:00Z"));
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        let names = names(&["9999-12-30T22:00:00Z", "1970-01-01T00:00:00Z"]);
        let plan = plan(&names, names[0], Span::For(Duration::MAX), Gap::Hold);
        assert_eq!(plan, Plan::default());
    }
}
