//! Which revision of a release is judged: the one that runs.
//!
//! A release's record is about its newest revision. Where that one failed, or is not done yet, an
//! older one is deployed: a version that was only tried is no version that is used.

use records::text::{cut_text, shown};
use records::{Origin, Release};

use crate::answer::Answer;
use crate::charts::UNINSTALLED;

/// The chart of what runs.
pub(crate) fn chart(release: &Release) -> Option<&str> {
    match &release.deployed {
        Some(deployed) => deployed.chart.as_deref(),
        None => release.chart.as_deref(),
    }
}

/// The release as it runs, and what is to be said where that is not its newest revision.
pub(crate) fn of(mut release: Release) -> (Release, Option<String>) {
    if release.status == UNINSTALLED {
        return (release, None);
    }
    let Some(deployed) = release.deployed.take() else {
        let remark = format!(
            "no revision is deployed; revision {}, which is `{}`, is judged",
            release.revision,
            shown(&release.status)
        );
        let is_deployed = release.status == "deployed";
        return (release, (!is_deployed).then_some(remark));
    };
    // Who said where the newest revision's chart came from said nothing of another chart.
    if deployed.chart != release.chart {
        release.origin = Origin {
            kind: "unknown".to_owned(),
            url: None,
            how: "the deployed revision is of another chart than the newest one".to_owned(),
        };
    }
    let tried = release.version.as_deref().map_or(String::new(), |version| {
        let differs = Some(version) != deployed.version.as_deref();
        if differs { format!(" ({})", shown(version)) } else { String::new() }
    });
    let remark = format!(
        "revision {}{tried} is `{}`; revision {}, the last deployed one, is judged",
        release.revision,
        shown(&release.status),
        deployed.revision
    );
    // Whether the older chart calls itself deprecated is not in the record.
    let deprecated = release.deprecated && deployed.version == release.version;
    let release = Release {
        chart: deployed.chart,
        version: deployed.version,
        app_version: deployed.app_version,
        revision: deployed.revision,
        status: "deployed".to_owned(),
        deprecated,
        ..release
    };
    (release, Some(remark))
}

/// The answer with that said first.
pub(crate) fn remarked(mut answer: Answer, remark: Option<String>) -> Answer {
    if let Some(remark) = remark {
        let reason = answer.update.reason.map_or(String::new(), |reason| format!("; {reason}"));
        let mut reason = format!("{remark}{reason}");
        answer.update.dropped += cut_text(&mut reason);
        answer.update.reason = Some(reason);
    }
    answer
}
