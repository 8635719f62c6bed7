//! What `--fail-on` judges.

use clap::ValueEnum;
use records::text::shown;
use records::{Update, UpdateStatus};

/// A state that fails the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Something newer is there, or that could not be found out
    Available,
    /// Could not be found out
    Unknown,
    /// There is no version that could be compared
    NotComparable,
}

impl FailOn {
    /// The word on the command line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Unknown => "unknown",
            Self::NotComparable => "not-comparable",
        }
    }

    /// What could not be checked is no pass.
    fn holds(self, status: UpdateStatus) -> bool {
        match self {
            Self::Available => {
                matches!(status, UpdateStatus::Available | UpdateStatus::Unknown)
            }
            Self::Unknown => status == UpdateStatus::Unknown,
            Self::NotComparable => status == UpdateStatus::NotComparable,
        }
    }
}

/// Why an answer falls short of the gate, if it does.
pub(crate) fn missed(fail_on: &[FailOn], update: &Update) -> Option<String> {
    fail_on.iter().any(|word| word.holds(update.status)).then(|| {
        let name = match (&update.image, &update.namespace, &update.release_name) {
            (Some(image), ..) => shown(image),
            (None, namespace, name) => {
                let text = |key: &Option<String>| shown(key.as_deref().unwrap_or_default());
                format!("{}/{}", text(namespace), text(name))
            }
        };
        let what = match (update.status, &update.newest) {
            (UpdateStatus::Available, Some(newest)) => format!("has {}", shown(newest)),
            (UpdateStatus::Available, None) => "means another image now".to_owned(),
            (UpdateStatus::NotComparable, _) => "has no version to compare".to_owned(),
            _ => "could not be checked".to_owned(),
        };
        format!("`{name}` {what}")
    })
}
