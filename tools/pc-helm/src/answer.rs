//! What is said of a release: one record, and why it is not all there, if it is not.

use cluster::types::Text;
use jiff::Timestamp;
use records::{DeployedRevision, Failure, Origin, Release, text};

use crate::choose::Choice;
use crate::contents::Contents;
use crate::failures::{self, Unread};

/// A revision that was read, or why not.
pub(crate) type Read = Result<Box<Contents>, Unread>;

/// A release's revisions as they were read.
#[derive(Debug)]
pub(crate) struct Revisions {
    /// The newest.
    pub(crate) newest: Read,
    /// The newest deployed one, where that is another.
    pub(crate) deployed: Option<Read>,
}

/// The record of a release and what failed, in this order.
#[derive(Debug)]
pub(crate) struct Answer {
    /// What is known.
    pub(crate) release: Release,
    /// What is not.
    pub(crate) failures: Vec<Failure>,
}

/// Puts together what is known of a release. `origin` is asked for the name of its chart.
pub(crate) fn answer(
    choice: &Choice,
    revisions: Revisions,
    origin: impl FnOnce(Option<&str>) -> Origin,
) -> Answer {
    let mut failures = Vec::new();
    let newest = take(choice, choice.kept.newest.number, revisions.newest, &mut failures);
    let deployed = choice.kept.deployed_before().zip(revisions.deployed);
    let deployed = deployed.map(|(revision, read)| {
        deployed_revision(revision.number, take(choice, revision.number, read, &mut failures))
    });
    if let Some(other) = choice.other {
        failures.push(failures::twice(choice, other));
    }
    let origin = origin(newest.as_ref().and_then(|known| known.chart.metadata.name.given()));
    let mut release = blank(choice, deployed, origin);
    if let Some(contents) = newest {
        fill(&mut release, &contents);
    }
    Answer { release, failures }
}

/// The contents of a revision, or a failure; documents of its manifest that are none are one too.
fn take(
    choice: &Choice,
    number: u64,
    read: Read,
    failures: &mut Vec<Failure>,
) -> Option<Box<Contents>> {
    match read {
        Ok(contents) => {
            let (_, unread) = contents.images();
            if unread > 0 {
                failures.push(failures::manifest(choice, number, unread));
            }
            Some(contents)
        }
        Err(unread) => {
            failures.push(failures::unread(choice, number, &unread));
            None
        }
    }
}

/// What the metadata of the objects says.
fn blank(choice: &Choice, deployed: Option<DeployedRevision>, origin: Origin) -> Release {
    Release {
        namespace: choice.key.namespace.to_string(),
        release_name: choice.key.name.to_string(),
        driver: choice.driver.as_str().to_owned(),
        chart: None,
        version: None,
        app_version: None,
        revision: choice.kept.newest.number,
        status: choice.kept.newest.status.given().unwrap_or("unknown").to_owned(),
        deprecated: false,
        first_deployed: None,
        last_deployed: None,
        revisions: choice.kept.revisions,
        description: None,
        images: Vec::new(),
        target_namespace: None,
        deployed,
        origin,
        dropped: 0,
    }
}

fn given(text: &Text) -> Option<String> {
    text.given().map(str::to_owned)
}

fn fill(release: &mut Release, contents: &Contents) {
    let Contents { info, chart, namespace, .. } = contents;
    release.chart = given(&chart.metadata.name);
    release.version = given(&chart.metadata.version);
    release.app_version = given(&chart.metadata.app_version);
    release.deprecated = chart.metadata.deprecated;
    if let Some(status) = info.status.given() {
        release.status = status.to_owned();
    }
    release.first_deployed = utc(&info.first_deployed);
    release.last_deployed = utc(&info.last_deployed);
    release.description = given(&info.description);
    release.target_namespace = given(namespace).filter(|target| *target != release.namespace);
    (release.images, release.dropped) = images(contents);
}

fn deployed_revision(number: u64, contents: Option<Box<Contents>>) -> DeployedRevision {
    let contents = contents.unwrap_or_default();
    let chart = &contents.chart.metadata;
    let (images, dropped) = images(&contents);
    DeployedRevision {
        revision: number,
        chart: given(&chart.name),
        version: given(&chart.version),
        app_version: given(&chart.app_version),
        last_deployed: utc(&contents.info.last_deployed),
        images,
        dropped,
    }
}

fn images(contents: &Contents) -> (Vec<String>, u64) {
    let (named, _) = contents.images();
    let mut images: Vec<String> = named.into_iter().map(ToString::to_string).collect();
    let dropped = text::cut_list(&mut images);
    (images, dropped)
}

/// A time as Go writes it, in UTC and to the second. Go's zero time is none, and so is what is no
/// time at all.
fn utc(text: &str) -> Option<String> {
    let time: Timestamp = text.parse().ok()?;
    let seconds = time.as_second();
    let second = Timestamp::from_second(seconds).ok()?;
    let is_zero = text.starts_with("0001-01-01T00:00:00");
    (!is_zero).then(|| second.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_to_the_second() {
        let all = [
            ("2026-11-24T07:00:00.123456789+01:00", Some("2026-11-24T06:00:00Z")),
            ("2026-11-24T06:00:00Z", Some("2026-11-24T06:00:00Z")),
            ("0001-01-01T00:00:00Z", None),
            ("", None),
            ("yesterday", None),
        ];
        for (text, wanted) in all {
            assert_eq!(utc(text).as_deref(), wanted, "{text}");
        }
    }
}
