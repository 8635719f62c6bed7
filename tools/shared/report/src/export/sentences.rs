//! Answers as sentences.

use super::vocabulary::{Answer, Check};

/// An answer as half a sentence about an image.
pub(super) fn sentence(check: Check, answer: Answer) -> &'static str {
    match (check, answer) {
        (Check::Digest, Answer::Proven) => "the digest that runs is proven",
        (Check::Digest, Answer::Gone) => "the repository no longer has the manifest that runs",
        (Check::Digest, Answer::Unknown) => {
            "it is not proven which digest runs, or whether its repository still has it"
        }
        (Check::Drift, Answer::Same) => "the tag means the digest that runs",
        (Check::Drift, Answer::Pinned) => "the reference names a digest",
        (Check::Drift, Answer::Moved) => "the tag means another digest than the one that runs",
        (Check::Drift, Answer::Unknown) => {
            "it is not known whether the tag means the digest that runs"
        }
        (Check::Signature, answer) => evidence_words(answer, &SIGNATURE),
        (Check::Provenance, answer) => evidence_words(answer, &PROVENANCE),
        (Check::Sbom, answer) => evidence_words(answer, &SBOM),
        (Check::Update, Answer::Current) => "no newer version is there",
        (Check::Update, Answer::Available) => "a newer version is there",
        (Check::Update, Answer::NotComparable) => "there is no version that could be compared",
        (Check::Update, Answer::Unknown) => "newer versions could not be looked for",
        (Check::ChartUpdate, Answer::Current) => "no newer chart is there",
        (Check::ChartUpdate, Answer::Available) => "a newer chart is there",
        (Check::ChartUpdate, Answer::NotComparable) => {
            "the chart has no version that can be compared"
        }
        (Check::ChartUpdate, Answer::Unknown) => "newer charts could not be looked for",
        (Check::Policy, Answer::Met) => "the policy is met",
        (Check::Policy, Answer::Unmet) => "the policy is not met",
        (Check::Policy, Answer::Warned) => "the policy, which only warns, is not met",
        (Check::Policy, Answer::Excused) => "the policy does not apply, or an exception holds",
        (Check::Policy, Answer::Unknown) => "the policy could not be judged",
        (_, Answer::Ignored) => "a rule says not to look for newer versions",
        (_, Answer::NotRunning) => "nothing runs",
        (_, Answer::Skipped) => "not asked",
        _ => "could not be checked",
    }
}

/// The sentences of one kind of evidence: trusted, valid, present, absent, invalid, unknown.
type Sentences = [&'static str; 6];

const SIGNATURE: Sentences = [
    "signed by a trusted signer",
    "signed; nobody said to trust the signer",
    "a signature is there, with nothing to check it against",
    "not signed",
    "the signature is contradicted",
    "signatures could not be checked",
];

const PROVENANCE: Sentences = [
    "SLSA provenance by a trusted signer",
    "SLSA provenance is signed; nobody said to trust the signer",
    "SLSA provenance is there, with nothing to check it against",
    "no SLSA provenance",
    "the SLSA provenance is contradicted",
    "SLSA provenance could not be checked",
];

const SBOM: Sentences = [
    "a bill of materials by a trusted signer",
    "a bill of materials is signed; nobody said to trust the signer",
    "a bill of materials is there, with nothing to check it against",
    "no bill of materials",
    "the bill of materials is contradicted",
    "bills of materials could not be checked",
];

fn evidence_words(answer: Answer, sentences: &Sentences) -> &'static str {
    let [trusted, valid, present, absent, invalid, unknown] = sentences;
    match answer {
        Answer::Trusted => trusted,
        Answer::Valid => valid,
        Answer::Present => present,
        Answer::Absent => absent,
        Answer::Invalid => invalid,
        Answer::Unknown => unknown,
        _ => "not asked",
    }
}
