//! What `--fail-on` judges.

use clap::ValueEnum;
use records::{DigestRecord, Drift};
use registry::Reference;

use crate::question::Question;

/// A state that fails the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// The digest could not be found out
    Unresolved,
    /// The tag means something else than what runs, or could not be compared with it
    Moved,
    /// The repository does not have the manifest, or could not be asked
    Missing,
    /// What runs could not be compared with the tag
    Unproven,
    /// The reference names no digest
    Unpinned,
}

impl FailOn {
    /// The word on the command line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unresolved => "unresolved",
            Self::Moved => "moved",
            Self::Missing => "missing",
            Self::Unproven => "unproven",
            Self::Unpinned => "unpinned",
        }
    }

    /// What could not be checked is no pass: `missing` demands that the manifest was seen, and
    /// `moved` that what runs was compared with the tag.
    fn holds(self, question: &Question, record: &DigestRecord) -> bool {
        match self {
            Self::Unresolved => record.digest.is_none(),
            Self::Moved => {
                record.drift == Drift::Moved || question.runs() && record.drift == Drift::Unknown
            }
            Self::Missing => record.present != Some(true),
            Self::Unproven => question.runs() && record.drift == Drift::Unknown,
            // What is no reference names no digest either.
            Self::Unpinned => {
                !record.image.parse::<Reference>().is_ok_and(|image| image.digest().is_some())
            }
        }
    }
}

/// Why an answer falls short of the gate, if it does.
pub(crate) fn missed(
    fail_on: &[FailOn],
    question: &Question,
    record: &DigestRecord,
) -> Option<String> {
    let words: Vec<&str> = fail_on
        .iter()
        .filter(|word| word.holds(question, record))
        .map(|word| word.as_str())
        .collect();
    let image = records::text::shown(&record.image);
    (!words.is_empty()).then(|| format!("`{image}` is {}", words.join(" and ")))
}
