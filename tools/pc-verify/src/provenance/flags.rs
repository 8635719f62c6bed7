//! What is odd about a build, though its signature holds.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use records::text::shown;

use super::{Build, Told, git};
use crate::judged::{CertifiedIdentity, Judged, SignedBy};

/// How far the clocks of a builder and of a log may be apart. Logs give whole seconds besides.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(60);

/// Something odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flag {
    /// The statement was signed, or could be signed, only before the build that it tells of.
    Backdated {
        /// `started` or `finished`.
        what: &'static str,
        /// When, as the statement says.
        at: Timestamp,
        /// The proven time of signing, or the end of the certificate.
        limit: Timestamp,
    },
    /// The build ended before it began.
    TimesReversed,
    /// A branch, tag or other ref, which may mean another commit every day, without a commit.
    BranchWithoutCommit {
        /// The ref.
        git_ref: String,
    },
    /// Two places name different sources: two of the statement, or the statement and the
    /// certificate.
    SourceDisagrees {
        /// What of the source.
        part: Part,
        /// A place, and what it says.
        one: (String, String),
        /// Another place, and what that says.
        other: (String, String),
    },
    /// Several git repositories went into the build, and nothing says which was built.
    SeveralSources {
        /// How many.
        count: usize,
    },
    /// The source is what the client said; the builder did not look.
    SourceHinted,
    /// A time that is none.
    TimeUnreadable {
        /// The field.
        field: &'static str,
    },
}

/// A part of what names a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The repository.
    Repository,
    /// The commit.
    Commit,
    /// The ref.
    Ref,
}

impl Part {
    /// Whether two places say the same.
    pub(super) fn is_same(self, one: &str, other: &str) -> bool {
        match self {
            Self::Repository | Self::Commit => one == other,
            Self::Ref => git::same_ref(one, other),
        }
    }
}

/// Who signed, and when that was.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signing<'a> {
    /// Who, as far as it is proven.
    pub signed_by: Option<&'a SignedBy>,
    /// The proven time.
    pub time: Option<Timestamp>,
}

impl<'a> From<&'a Judged> for Signing<'a> {
    fn from(judged: &'a Judged) -> Self {
        Self { signed_by: judged.signed_by.as_ref(), time: judged.time }
    }
}

/// All that is odd about a build that was signed so.
///
/// Backdated is a build with a time more than a minute behind the proven time of signing, or behind
/// the end of the certificate. A time *before* the certificate is none: certificates of a few minutes are issued
/// when the build is over.
#[must_use]
pub fn flags(build: &Build, signing: Signing<'_>) -> Vec<Flag> {
    let mut flags = build.doubts.clone();
    let certificate = match signing.signed_by {
        Some(SignedBy::Certificate(certificate)) => Some(certificate),
        _ => None,
    };
    let end = certificate.and_then(|it| it.lifetime).map(|(_, end)| end);
    let limit = [signing.time, end].into_iter().flatten().min();
    let times = [("started", build.started_on), ("finished", build.finished_on)];
    if let Some(limit) = limit {
        let times = times.into_iter().filter_map(|(what, at)| Some((what, at?)));
        let late = times.filter(|(_, at)| at.duration_since(limit) > CLOCKS_DIFFER);
        flags.extend(late.map(|(what, at)| Flag::Backdated { what, at, limit }));
    }
    if let (Some(started), Some(finished)) = (build.started_on, build.finished_on)
        && finished < started
    {
        flags.push(Flag::TimesReversed);
    }
    if let (Some(git_ref), None) = (&build.source.git_ref, &build.source.commit) {
        flags.push(Flag::BranchWithoutCommit { git_ref: git_ref.clone() });
    }
    if let Some(certificate) = certificate {
        flags.extend(disagreements(build, certificate));
    }
    flags
}

/// Where the certificate, which the build cannot forge, says another source than the statement.
pub(super) fn disagreements(build: &Build, certificate: &CertifiedIdentity) -> Vec<Flag> {
    if build.source.told == Told::Hinted {
        return Vec::new();
    }
    let source = &build.source;
    let repository = certificate.source_repository.as_deref().and_then(git::repository);
    let parts = [
        (Part::Repository, source.repository.as_deref(), repository.as_deref()),
        (Part::Commit, source.commit.as_deref(), certificate.source_commit.as_deref()),
        (Part::Ref, source.git_ref.as_deref(), certificate.source_ref.as_deref()),
    ];
    let place = source.place.clone().unwrap_or_else(|| "statement".to_owned());
    parts
        .into_iter()
        .filter_map(|(part, said, certified)| {
            let (said, certified) = (said?, certified?);
            (!part.is_same(said, certified)).then(|| Flag::SourceDisagrees {
                part,
                one: (place.clone(), said.to_owned()),
                other: ("certificate".to_owned(), certified.to_owned()),
            })
        })
        .collect()
}

impl Flag {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Backdated { .. } => "backdated",
            Self::TimesReversed => "times-reversed",
            Self::BranchWithoutCommit { .. } => "branch-without-commit",
            Self::SourceDisagrees { .. } => "source-disagrees",
            Self::SeveralSources { .. } => "several-sources",
            Self::SourceHinted => "source-hinted",
            Self::TimeUnreadable { .. } => "time-unreadable",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Repository => "repository",
            Self::Commit => "commit",
            Self::Ref => "ref",
        })
    }
}

/// For people: one line, foreign text in it cleaned and cut.
impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backdated { what, at, limit } => {
                write!(f, "the build {what} at {at}, and was signed by {limit} at the latest")
            }
            Self::TimesReversed => f.write_str("the build ended before it began"),
            Self::BranchWithoutCommit { git_ref } => {
                write!(f, "`{}` is named without a commit", shown(git_ref))
            }
            Self::SourceDisagrees { part, one, other } => write!(
                f,
                "the {part} is `{}` by {}, and `{}` by {}",
                shown(&one.1),
                shown(&one.0),
                shown(&other.1),
                shown(&other.0)
            ),
            Self::SeveralSources { count } => {
                write!(
                    f,
                    "{count} git repositories went into the build, none of them named as its source"
                )
            }
            Self::SourceHinted => {
                f.write_str("the source is what the client said, unchecked by the builder")
            }
            Self::TimeUnreadable { field } => write!(f, "`{field}` is no time"),
        }
    }
}
