//! What is newer among the versions of a chart: plain functions.

use std::cmp::Ordering;

use jiff::Timestamp;
use records::{FailureCode, Update, UpdateStatus};

use super::index::Chart;
use super::version::ChartVersion;
use crate::age;
use crate::answer::{Judged, List};
use crate::compare::{LeftOut, Why};
use crate::problem::Problem;
use crate::rule::{PreReleases, Rule};
use crate::version::Change;

/// What is newer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newest {
    /// The newest of the same minor version.
    pub in_patch: Option<Chart>,
    /// The newest of the same major version with another minor one.
    pub in_minor: Option<Chart>,
    /// The newest of all.
    pub all: Option<Chart>,
    /// How many there are.
    pub behind: u64,
    /// How large the step to the newest is.
    pub change: Option<Change>,
    /// What was left out.
    pub left_out: LeftOut,
    /// The one that is used, where it is listed.
    pub used: Option<Chart>,
}

/// By what newer ones are looked for.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The time of this run, which ages are counted from.
    pub now: Timestamp,
}

/// What is newer than `current`, written `used`, by the rule.
#[must_use]
pub fn newest(used: &str, current: &ChartVersion, versions: &[Chart], by: By<'_>) -> Newest {
    let mut newest = Newest::default();
    for chart in versions {
        if *chart.text == *used || (newest.used.is_none() && chart.version == *current) {
            newest.used = Some(chart.clone());
        }
        let Some(change) = current.change(&chart.version) else { continue };
        if let Some(why) = why_not(current, chart, by) {
            newest.left_out.note_numbers(why, &chart.text, &chart.version.numbers());
            continue;
        }
        newest.behind += 1;
        match change {
            Change::Minor => keep(&mut newest.in_minor, chart),
            Change::Major => {}
            _ => keep(&mut newest.in_patch, chart),
        }
        keep(&mut newest.all, chart);
    }
    newest.change = newest.all.as_ref().and_then(|chart| current.change(&chart.version));
    newest
}

fn keep(slot: &mut Option<Chart>, chart: &Chart) {
    let is_newer = |kept: &Chart| {
        // Of equals the order of the list must not decide.
        chart.version.order(&kept.version).then_with(|| chart.text.cmp(&kept.text))
            == Ordering::Greater
    };
    if slot.as_ref().is_none_or(is_newer) {
        *slot = Some(chart.clone());
    }
}

/// Why a newer version is no candidate, if it is none.
fn why_not(current: &ChartVersion, chart: &Chart, by: By<'_>) -> Option<Why> {
    let rule = by.rule;
    let is_allowed = rule.pre_releases == PreReleases::Allow
        || (current.is_pre_release() && current.numbers() == chart.version.numbers());
    Some(if chart.removed {
        Why::Removed
    } else if chart.deprecated {
        Why::Deprecated
    } else if chart.version.is_pre_release() && !is_allowed {
        Why::PreRelease
    } else if !chart.version.numbers().starts_with(&rule.pin) {
        Why::Pin
    } else if rule.excludes(&chart.text) {
        Why::Excluded
    } else if rule.read(&chart.text).is_none() {
        Why::Filter
    } else if is_young(chart, by) {
        Why::Young
    } else {
        return None;
    })
}

/// Whether a version is younger than the rule wants. One that does not say how old it is may stay.
fn is_young(chart: &Chart, by: By<'_>) -> bool {
    let created = chart.created.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let wanted = by.rule.minimum_age.zip(created);
    wanted.is_some_and(|(minimum, created)| age::is_younger(created, by.now, minimum))
}

impl Newest {
    /// What is to be known beside the status: of the version that is used, and of the newest.
    pub(crate) fn remarks(&self, release_is_deprecated: bool, rule: &Rule) -> Vec<String> {
        let is_removed = self.used.as_ref().is_some_and(|chart| chart.removed);
        let is_deprecated =
            release_is_deprecated || self.used.as_ref().is_some_and(|chart| chart.deprecated);
        let of_unknown_age =
            self.all.as_ref().filter(|chart| rule.minimum_age.is_some() && chart.created.is_none());
        let removed = is_removed.then(|| "its publisher took this version back".to_owned());
        let deprecated = is_deprecated.then(|| "the chart calls itself deprecated".to_owned());
        let unknown =
            of_unknown_age.map(|chart| format!("how old is not known of `{}`", chart.text));
        [removed, deprecated, unknown].into_iter().flatten().collect()
    }

    /// Puts what is newer into a record.
    pub(crate) fn fill(&self, update: &mut Update) {
        let text = |chart: &Option<Chart>| chart.as_ref().map(|chart| chart.text.to_string());
        update.latest_in_patch = text(&self.in_patch);
        update.latest_in_minor = text(&self.in_minor);
        update.latest_in_major = text(&self.in_minor).or_else(|| text(&self.in_patch));
        update.newest = text(&self.all);
        let app_version = self.all.as_ref().and_then(|chart| chart.app_version.as_deref());
        update.newest_app_version = app_version.map(str::to_owned);
        update.behind = Some(self.behind);
        update.left_out = self.left_out.lines();
    }

    /// What follows: as for images, half a list proves nothing but what is in it.
    pub(crate) fn judge(&self, used: &str, rule: &Rule, list: List) -> Judged {
        if self.change.is_some_and(|change| rule.level.counts(change)) {
            return Judged::plain(UpdateStatus::Available);
        }
        if list == List::OfMirror {
            return Judged::failed(Problem::new(
                FailureCode::Mirror,
                "only a mirror has listed the chart's versions, and there is nothing newer in its list, which may lack some".into(),
            ));
        }
        if self.used.is_none() {
            return Judged::failed(Problem::new(
                FailureCode::NotFound,
                format!(
                    "there is nothing newer in the chart's repository, and not `{used}` either: it was removed, or the release came from elsewhere"
                ),
            ));
        }
        match &self.all {
            Some(chart) => Judged::because(
                UpdateStatus::Current,
                format!("`{}` is a smaller step than `{}`", chart.text, rule.level.as_str()),
            ),
            None => Judged::plain(UpdateStatus::Current),
        }
    }
}

#[cfg(test)]
mod tests {
    use records::RuleFrom;

    use super::*;
    use crate::rule::Defaults;

    fn ask(used: &str, rule: &str, versions: &[&str]) -> (Newest, Judged) {
        let rule = Rule::parse(rule, RuleFrom::Configuration, Defaults::default()).expect("a rule");
        let chart = |text: &&str| {
            let (text, marks) = text.split_once('!').unwrap_or((text, ""));
            let mut chart = Chart::of_tag(text)?;
            chart.deprecated = marks.contains('d');
            chart.removed = marks.contains('r');
            Some(chart)
        };
        let versions: Vec<Chart> = versions.iter().filter_map(chart).collect();
        let current = ChartVersion::parse(used).expect("a version");
        let by = By { rule: &rule, now: Timestamp::UNIX_EPOCH };
        let newest = newest(used, &current, &versions, by);
        let judged = newest.judge(used, &rule, List::Whole);
        (newest, judged)
    }

    /// In patch, in major, newest, and the status.
    fn lines(used: &str, rule: &str, versions: &[&str]) -> ([Option<String>; 3], UpdateStatus) {
        let (newest, judged) = ask(used, rule, versions);
        let mut update = crate::answer::blank(records::UpdateKind::Release);
        newest.fill(&mut update);
        ([update.latest_in_patch, update.latest_in_major, update.newest], judged.status)
    }

    #[test]
    fn the_lines_of_a_chart() {
        let all = [
            "1.2.3",
            "1.2.4",
            "1.3.0",
            "2.0.0",
            "2.1.0-rc.1",
            "latest",
            "1.2",
            "2.0.1!d",
            "2.0.2!r",
        ];
        let some = |texts: [&str; 3]| texts.map(|text| (!text.is_empty()).then(|| text.to_owned()));
        let available = UpdateStatus::Available;
        assert_eq!(lines("1.2.3", "", &all), (some(["1.2.4", "1.3.0", "2.0.0"]), available));
        assert_eq!(lines("1.2.3", "pin=1.2", &all), (some(["1.2.4", "1.2.4", "1.2.4"]), available));
        assert_eq!(
            lines("1.2.3", "pin=1.2 level=minor", &all),
            (some(["1.2.4", "1.2.4", "1.2.4"]), UpdateStatus::Current)
        );
        assert_eq!(lines("2.0.0", "", &all), (some(["", "", ""]), UpdateStatus::Current));
        assert_eq!(
            lines("2.0.0", "prerelease=allow", &all).0,
            some(["", "2.1.0-rc.1", "2.1.0-rc.1"])
        );
        assert_eq!(lines("2.1.0-rc.1", "", &all).1, UpdateStatus::Current);
        // A tag writes `_` for `+`, and what is behind it does not bear on the order.
        assert_eq!(lines("1.0.0+up1", "", &["1.0.0_up1", "1.0.0_up2"]).1, UpdateStatus::Current);
        assert_eq!(
            lines("v1.14.0", "", &["v1.14.0", "v1.15.0"]).0,
            some(["", "v1.15.0", "v1.15.0"])
        );
    }

    #[test]
    fn what_is_not_listed_is_not_called_current() {
        let (_, judged) = ask("3.0.0", "", &["1.0.0", "2.0.0"]);
        assert_eq!(judged.status, UpdateStatus::Unknown);
        let (newest, _) = ask("1.2.3", "", &["1.2.3"]);
        let rule = Rule::default_of(Defaults::default());
        assert_eq!(newest.judge("1.2.3", &rule, List::OfMirror).status, UpdateStatus::Unknown);
        let (newest, _) = ask("2.0.0", "", &["2.0.1!d", "2.0.2!r", "2.1.0-rc.1", "2.1.0-rc.2"]);
        let wanted = [
            "a pre-release: 2.1.0-rc.2 and 1 more",
            "deprecated: 2.0.1",
            "taken back by its publisher: 2.0.2",
        ];
        assert_eq!(newest.left_out.lines(), wanted);
    }

    #[test]
    fn what_a_rule_wants_of_charts() {
        let lines_of =
            |rule| lines("1.2.3", rule, &["1.2.3", "1.2.4", "1.3.0", "2.0.0"]).0[2].clone();
        assert_eq!(lines_of("exclude=2.*").as_deref(), Some("1.3.0"));
        assert_eq!(lines_of("filter=^1[.]2[.]").as_deref(), Some("1.2.4"));
        let day = 86_400;
        let chart = |text: &str, created: Option<i64>| Chart {
            created,
            ..Chart::of_tag(text).expect("a version")
        };
        let versions = [
            chart("1.2.3", Some(0)),
            chart("1.3.0", Some(80 * day)),
            chart("1.4.0", Some(95 * day)),
            chart("1.5.0", None),
        ];
        let rule = Rule::parse("minimumAge=7d", RuleFrom::Configuration, Defaults::default());
        let rule = rule.expect("a rule");
        let now = Timestamp::from_second(100 * day).expect("a time");
        let current = ChartVersion::parse("1.2.3").expect("a version");
        let ask = |versions| newest("1.2.3", &current, versions, By { rule: &rule, now });
        let found = ask(&versions[..3]);
        assert_eq!(found.all.as_ref().map(|chart| &*chart.text), Some("1.3.0"));
        assert_eq!(found.left_out.lines(), ["younger than the minimum age: 1.4.0"]);
        assert_eq!(found.remarks(false, &rule), Vec::<String>::new());
        let found = ask(&versions[..]);
        assert_eq!(found.all.as_ref().map(|chart| &*chart.text), Some("1.5.0"));
        assert_eq!(found.remarks(false, &rule), ["how old is not known of `1.5.0`"]);
    }

    #[test]
    fn what_is_used_may_be_deprecated_or_taken_back() {
        let remarks = |used, release_is_deprecated| {
            let (newest, judged) = ask(used, "", &["1.0.0!d", "1.1.0!r", "1.2.0"]);
            let rule = Rule::default_of(Defaults::default());
            (newest.remarks(release_is_deprecated, &rule).join("; "), judged.status)
        };
        let available = UpdateStatus::Available;
        assert_eq!(
            remarks("1.0.0", false),
            ("the chart calls itself deprecated".into(), available)
        );
        assert_eq!(remarks("1.1.0", false).0, "its publisher took this version back");
        assert_eq!(remarks("1.2.0", false), (String::new(), UpdateStatus::Current));
        assert_eq!(remarks("1.2.0", true).0, "the chart calls itself deprecated");
    }
}
