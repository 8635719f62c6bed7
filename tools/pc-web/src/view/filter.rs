//! Which lines a list is about.

use std::sync::Arc;

use records::Verdict;
use report::{Answers, DriftState, UpdateState};

use crate::library::Line;

/// A word that can be picked in a filter.
pub trait Pick: Copy + Eq + 'static {
    /// All words, in the order in which they are offered.
    const ALL: &'static [Self];
    /// The word in addresses, as reports write it.
    fn word(self) -> &'static str;
}

impl Pick for Verdict {
    const ALL: &'static [Self] = &[
        Self::Trusted,
        Self::Valid,
        Self::Present,
        Self::Absent,
        Self::Invalid,
        Self::Unknown,
        Self::Skipped,
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Pick for UpdateState {
    const ALL: &'static [Self] = &[
        Self::Available,
        Self::Current,
        Self::NotComparable,
        Self::Ignored,
        Self::Unknown,
        Self::Skipped,
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Pick for DriftState {
    const ALL: &'static [Self] =
        &[Self::Moved, Self::Same, Self::Pinned, Self::Unknown, Self::Skipped];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// Whether something is asked for, or its contrary, or nothing of the kind.
type Wanted = Option<bool>;

/// What a list is about. Words of one kind are alternatives; kinds must all hold. Empty means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// A part of the image, namespace, workload or digest; case does not matter.
    pub search: String,
    /// Namespaces.
    pub namespaces: Vec<String>,
    /// Registries.
    pub registries: Vec<String>,
    /// Verdicts on signatures.
    pub signature: Vec<Verdict>,
    /// Verdicts on SLSA provenance.
    pub provenance: Vec<Verdict>,
    /// Verdicts on bills of materials.
    pub sbom: Vec<Verdict>,
    /// Answers about newer versions.
    pub update: Vec<UpdateState>,
    /// What tags mean now.
    pub drift: Vec<DriftState>,
    /// Whether the reference names a digest.
    pub pinned: Wanted,
    /// Whether something about it could not be checked.
    pub unchecked: Wanted,
    /// Whether its repository no longer has it.
    pub gone: Wanted,
}

impl Filter {
    /// Whether everything is shown.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a line is where the filter looks: namespace, registry, text.
    pub(super) fn looks_at(&self, line: &Line, needle: &str) -> bool {
        is_among(&self.namespaces, line.namespace.as_ref())
            && is_among(&self.registries, line.registry.as_ref())
            && (needle.is_empty() || mentions(line, needle))
    }

    /// Whether answers are what the filter wants.
    pub(super) fn wants(&self, answers: &Answers) -> bool {
        picked(&self.signature, Some(answers.signature))
            && picked(&self.provenance, Some(answers.provenance))
            && picked(&self.sbom, Some(answers.sbom))
            && picked(&self.update, Some(answers.update))
            && picked(&self.drift, answers.drift)
            && holds(self.pinned, answers.pinned)
            && holds(self.gone, answers.gone)
            && holds(self.unchecked, answers.are_open())
    }
}

fn is_among(names: &[String], name: Option<&Arc<str>>) -> bool {
    names.is_empty()
        || names.iter().any(|wanted| match name {
            Some(name) => **wanted == **name,
            None => wanted.is_empty(),
        })
}

fn picked<T: PartialEq>(words: &[T], word: Option<T>) -> bool {
    words.is_empty() || word.is_some_and(|word| words.contains(&word))
}

fn holds(wanted: Wanted, is: bool) -> bool {
    wanted.is_none_or(|wanted| wanted == is)
}

/// Whether a line has a text somewhere; `needle` is in lower case.
fn mentions(line: &Line, needle: &str) -> bool {
    let texts = [
        Some(&line.image),
        line.namespace.as_ref(),
        line.workload.as_ref(),
        line.container.as_ref(),
    ];
    let digests = [&line.digest, &line.manifest, &line.index];
    texts.into_iter().flatten().any(|text| contains(text, needle))
        || digests.into_iter().flatten().any(|digest| contains(digest.as_str(), needle))
}

/// Whether `text` has `needle`, which is in lower case, whatever the case of `text`.
fn contains(text: &str, needle: &str) -> bool {
    if text.is_ascii() {
        let (text, needle) = (text.as_bytes(), needle.as_bytes());
        return text.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle));
    }
    text.to_lowercase().contains(needle)
}
