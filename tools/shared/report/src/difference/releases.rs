//! Helm releases: appeared, gone, up, down, failed, and whether a newer chart is there.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use semver::Version;

use crate::{HelmRelease, Report};

use super::Code;
use super::gather::{Found, Gather};
use super::scope::{Scopes, Thing};
use super::updates::{Answer, Codes, change, is_switched};

const CHARTS: Codes = Codes { appeared: Code::ChartUpdateAppeared, gone: Code::ChartUpdateGone };

/// Helm's word for a release that failed.
const FAILED: &str = "failed";

type Releases<'a> = HashMap<(&'a str, &'a str), &'a HelmRelease>;

pub(super) fn compare<'a>(
    older: &'a Report,
    newer: &'a Report,
    scopes: &Scopes<'a>,
    gather: &mut Gather<'a>,
) {
    let (older, newer) = (releases(older), releases(newer));
    for (key, before) in &older {
        match newer.get(key) {
            Some(after) => both(before, after, gather),
            None => {
                let why = scopes.unseen_now(Thing::Release(&before.namespace));
                let (code, open) = (Code::ReleaseGone, Code::NotCovered);
                one(before, code, open, why, gather);
            }
        }
    }
    for (_, after) in newer.iter().filter(|(key, _)| !older.contains_key(*key)) {
        let why = scopes.unseen_before(Thing::Release(&after.namespace));
        one(after, Code::ReleaseAppeared, Code::NewlyCovered, why, gather);
    }
}

fn releases(report: &Report) -> Releases<'_> {
    let releases = report.helm_releases.iter();
    releases.map(|one| ((one.namespace.as_str(), one.release_name.as_str()), one)).collect()
}

/// A release that only one report has.
fn one<'a>(
    release: &'a HelmRelease,
    code: Code,
    open: Code,
    why: Option<Cow<'a, str>>,
    gather: &mut Gather<'a>,
) {
    if let Some(why) = why {
        let mut found = Found::new(open).about("release");
        found.namespace = Some(&release.namespace);
        found.reason = Some(why);
        gather.add(found);
        return;
    }
    let mut found = subject(code, release);
    let words = vec![version_of(release)];
    if code == Code::ReleaseGone {
        found.before = words;
    } else {
        found.after = words;
    }
    gather.add(found);
}

fn subject(code: Code, release: &HelmRelease) -> Found<'_> {
    let mut found = Found::new(code);
    found.namespace = Some(&release.namespace);
    found.release = Some(&release.release_name);
    found
}

fn both<'a>(before: &'a HelmRelease, after: &'a HelmRelease, gather: &mut Gather<'a>) {
    if (&before.chart, &before.version) != (&after.chart, &after.version) {
        let mut found = subject(version_code(before, after), after);
        found.before = vec![version_of(before)];
        found.after = vec![version_of(after)];
        gather.add(found);
    }
    let code = match (before.status == FAILED, after.status == FAILED) {
        (false, true) => Some(Code::ReleaseFailed),
        (true, false) => Some(Code::ReleaseRecovered),
        _ => None,
    };
    if let Some(code) = code {
        let mut found = subject(code, after).words(&before.status, &after.status);
        let description = if code == Code::ReleaseFailed { &after.description } else { &None };
        found.reason = description.as_deref().map(Cow::Borrowed);
        gather.add(found);
    }
    if let Some(mut found) = change(&CHARTS, &answer(before), &answer(after)) {
        if !is_switched(&found) {
            found.namespace = Some(&after.namespace);
            found.release = Some(&after.release_name);
        }
        gather.add(found.about("chart update"));
    }
}

fn answer(release: &HelmRelease) -> Answer<'_> {
    Answer {
        status: release.update.status,
        newest: release.update.newest.as_deref(),
        reason: release.update.reason.as_deref(),
    }
}

/// Up or down, where both are versions of one chart (semver.org 2.0.0, as Helm demands).
fn version_code(before: &HelmRelease, after: &HelmRelease) -> Code {
    let parse = |release: &HelmRelease| {
        let text = release.version.as_deref()?;
        Version::parse(text.strip_prefix('v').unwrap_or(text)).ok()
    };
    let same_chart = before.chart == after.chart;
    match (parse(before), parse(after)) {
        (Some(before), Some(after)) if same_chart => match after.cmp_precedence(&before) {
            Ordering::Greater => Code::ReleaseUpgraded,
            Ordering::Less => Code::ReleaseDowngraded,
            Ordering::Equal => Code::ReleaseChanged,
        },
        _ => Code::ReleaseChanged,
    }
}

fn version_of(release: &HelmRelease) -> Cow<'_, str> {
    let chart = release.chart.as_deref().unwrap_or("(chart unknown)");
    match &release.version {
        Some(version) => format!("{chart} {version}").into(),
        None => chart.into(),
    }
}
