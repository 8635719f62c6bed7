//! What `--fail-on` judges: the report, row by row.

use std::collections::BTreeMap;

use clap::ValueEnum;
use records::text::shown;
use records::{Failure, PolicyResult, Verdict};
use report::{DriftState, HelmRelease, Report, Row, UpdateState};

/// How many images are named that fall short.
const FEW: usize = 5;

/// A state that fails the gate. What could not be checked is no pass of any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum FailOn {
    /// No signature is shown to be there
    Unsigned,
    /// No signature is trusted
    Untrusted,
    /// Signature, provenance or SBOM is contradicted, or could not be checked
    Invalid,
    /// No SLSA provenance is shown to be there
    NoProvenance,
    /// No bill of materials is shown to be there
    NoSbom,
    /// Anything that was asked could not be answered
    Unknown,
    /// The tag means something else than what runs, or could not be compared with it
    #[value(alias = "drift")]
    Moved,
    /// The digest could not be found out
    Unresolved,
    /// What runs could not be compared with the tag
    Unproven,
    /// The repository does not have the manifest, or could not be asked
    Missing,
    /// The reference names no digest
    Unpinned,
    /// A policy fails, or could not be judged
    Policy,
    /// Something newer is there, or could not be looked for
    Outdated,
}

/// What a word says of a row.
enum Judged {
    /// Nothing: it was not asked for, or nothing runs.
    Not,
    /// All is well.
    Met,
    /// It falls short.
    Missed,
}

impl From<bool> for Judged {
    fn from(missed: bool) -> Self {
        if missed { Self::Missed } else { Self::Met }
    }
}

impl FailOn {
    /// The word on the command line.
    fn as_str(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    fn judge(self, row: &Row) -> Judged {
        match self {
            Self::Unpinned => (!row.pinned).into(),
            Self::Unresolved if row.drift == DriftState::Skipped => Judged::Not,
            Self::Unresolved => row.digest.is_none().into(),
            Self::Missing if row.drift == DriftState::Skipped => Judged::Not,
            Self::Missing => (row.present != Some(true)).into(),
            _ if !row.runs() => Judged::Not,
            Self::Unsigned => is_there(row.signature.verdict),
            Self::Untrusted => not_skipped(row.signature.verdict, |v| v != Verdict::Trusted),
            Self::NoProvenance => is_there(row.provenance.verdict),
            Self::NoSbom => is_there(row.sbom.verdict),
            Self::Invalid => {
                any_of_checks(row, |v| matches!(v, Verdict::Invalid | Verdict::Unknown))
            }
            Self::Unknown => unknown(row),
            Self::Moved => match row.drift {
                DriftState::Skipped => Judged::Not,
                drift => matches!(drift, DriftState::Moved | DriftState::Unknown).into(),
            },
            Self::Unproven => match row.drift {
                DriftState::Skipped => Judged::Not,
                drift => (drift == DriftState::Unknown).into(),
            },
            Self::Policy => match &row.policies {
                None => Judged::Not,
                Some(policies) => {
                    let bad = |result| matches!(result, PolicyResult::Fail | PolicyResult::Unknown);
                    // Where none is about it, or every one is excused, nothing was judged.
                    match policies.iter().all(|policy| policy.result == PolicyResult::Skip) {
                        true => Judged::Not,
                        false => policies.iter().any(|policy| bad(policy.result)).into(),
                    }
                }
            },
            Self::Outdated => match row.update.status {
                UpdateState::Skipped => Judged::Not,
                status => matches!(status, UpdateState::Available | UpdateState::Unknown).into(),
            },
        }
    }
}

fn not_skipped(verdict: Verdict, missed: impl Fn(Verdict) -> bool) -> Judged {
    if verdict == Verdict::Skipped { Judged::Not } else { missed(verdict).into() }
}

fn is_there(verdict: Verdict) -> Judged {
    not_skipped(verdict, |verdict| verdict.is_there() != Some(true))
}

fn any_of_checks(row: &Row, missed: impl Fn(Verdict) -> bool) -> Judged {
    let verdicts = [row.signature.verdict, row.provenance.verdict, row.sbom.verdict];
    let mut asked = verdicts.into_iter().filter(|v| *v != Verdict::Skipped).peekable();
    if asked.peek().is_none() { Judged::Not } else { asked.any(missed).into() }
}

fn unknown(row: &Row) -> Judged {
    let digest = row.drift != DriftState::Skipped;
    let open = digest
        && (row.drift == DriftState::Unknown || row.present.is_none() || !row.digest_is_proven());
    let policies = row.policies.iter().flatten();
    let policy = policies.into_iter().any(|policy| policy.result == PolicyResult::Unknown);
    let update = row.update.status == UpdateState::Unknown;
    match any_of_checks(row, |verdict| verdict == Verdict::Unknown) {
        Judged::Missed => Judged::Missed,
        _ if open || policy || update => Judged::Missed,
        Judged::Not if !digest && row.update.status == UpdateState::Skipped => Judged::Not,
        _ => Judged::Met,
    }
}

/// What a word says of a Helm release; most are about images alone.
fn judge_release(word: FailOn, release: &HelmRelease) -> Judged {
    match (word, release.update.status) {
        (_, UpdateState::Skipped) => Judged::Not,
        (FailOn::Unknown, status) => (status == UpdateState::Unknown).into(),
        (FailOn::Outdated, status) => {
            matches!(status, UpdateState::Available | UpdateState::Unknown).into()
        }
        _ => Judged::Not,
    }
}

/// What could not be listed, so that things are missing of which nothing can be judged.
fn hidden(report: &Report) -> impl Iterator<Item = String> {
    let lists = |failure: &&Failure| {
        let about = |kind: &str| failure.about.iter().any(|about| about == kind);
        failure.image.is_none()
            && failure.workload.is_none()
            && failure.release_name.is_none()
            && (about("image") || about("release"))
    };
    report.failures.iter().filter(lists).map(|failure| {
        let place = match failure.namespace.as_ref().and_then(Option::as_deref) {
            Some(namespace) => format!(" in `{}`", shown(namespace)),
            None => String::new(),
        };
        let what = failure.about.join(", ");
        format!("not all was listed ({what}{place}: {})", shown(&failure.code))
    })
}

/// Why a report does not meet the gate, in one line; none where it does. A word for which nothing
/// was judged is not met.
pub(crate) fn missed(fail_on: &[FailOn], report: &Report) -> Option<String> {
    let mut images: BTreeMap<String, Vec<FailOn>> = BTreeMap::new();
    let mut idle = Vec::new();
    for word in fail_on {
        let mut judged = false;
        let rows = report.images.iter().map(|row| (row.image.clone(), word.judge(row)));
        let releases = report.helm_releases.iter().map(|release| {
            let name = format!("release {}/{}", release.namespace, release.release_name);
            (name, judge_release(*word, release))
        });
        for (name, answer) in rows.chain(releases) {
            match answer {
                Judged::Not => continue,
                Judged::Met => {}
                Judged::Missed => {
                    let words = images.entry(name).or_default();
                    if !words.contains(word) {
                        words.push(*word);
                    }
                }
            }
            judged = true;
        }
        if *word == FailOn::Unknown {
            idle.extend(hidden(report).take(FEW));
        }
        if !judged {
            idle.push(format!("nothing was judged by `{}`", word.as_str()));
        }
    }
    let more = images.len().saturating_sub(FEW);
    let named = images.iter().take(FEW).map(|(image, words)| {
        let mut words = words.clone();
        words.sort_unstable();
        let words: Vec<String> = words.into_iter().map(FailOn::as_str).collect();
        format!("`{}` is {}", shown(image), words.join(" and "))
    });
    let mut reasons: Vec<String> = idle.into_iter().chain(named).collect();
    if more > 0 {
        let plural = if more == 1 { "" } else { "s" };
        reasons.push(format!("and {more} more image{plural}"));
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}
