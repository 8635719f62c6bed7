//! What is newer: the `update` and `repository` records.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Record;

/// How much text the evidence tags of a repository may have to be listed, in bytes: 5,000 digests
/// with a signature and an attestation each. With quotes and commas it fits into a record.
pub const MAX_EVIDENCE: usize = 900 * 1024;

/// `repository`: its tag list was read whole. Subject: repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepositoryRecord {
    /// The repository, normalized.
    pub repository: String,
    /// How many tags it has.
    pub tags: u64,
    /// Those that are evidence (`sha256-…`): all of them as far as they fit into a record, which
    /// is more than other lists may have, since a list that was cut spares nobody a question.
    pub evidence: Vec<String>,
    /// How many of those were left out; then absence from the list means nothing.
    #[serde(default)]
    pub dropped: u64,
}

impl Record for RepositoryRecord {
    const TYPE: &'static str = "repository";
    const VERSION: u32 = 1;
}

/// Whether something newer is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateStatus {
    /// Nothing newer by the rule.
    Current,
    /// Something newer by the rule.
    Available,
    /// The tag has no version that could be compared.
    NotComparable,
    /// A rule says not to look.
    Ignored,
    /// Could not be checked.
    Unknown,
}

/// What an `update` record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum UpdateKind {
    /// An image reference.
    Image,
    /// A Helm release's chart.
    Release,
}

/// Who says by which rule newer ones are looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RuleFrom {
    /// Nobody: the settings of the run.
    #[default]
    Default,
    /// The file of rules.
    Configuration,
    /// An annotation of the pods.
    Annotation,
}

/// The annotation of pods that holds a rule.
pub const RULE_ANNOTATION: &str = "provenance.nebari.dev/update";

/// A rule in canonical text: its words sorted, each once, one blank between them.
#[must_use]
pub fn canonical_rule(text: &str) -> String {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

/// A key of a subject: absent, null, or a value.
type Key<T> = Option<Option<T>>;

/// Tells a key with null from an absent one.
fn there<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Key<T>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// `update`: what is newer than an image's tag, or a release's chart.
///
/// Subject: image and rule, or namespace, releaseName and rule; the other keys are not there. A
/// floating name (`latest`) is judged by what runs, so its subject has imageId and platform too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// The reference, verbatim, of an image's update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Of a floating name: the status's imageID, verbatim.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub image_id: Key<String>,
    /// Of a floating name: the platform that runs it.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    pub platform: Key<String>,
    /// The namespace of a release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name of a release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_name: Option<String>,
    /// The effective rule in canonical text, empty for the default.
    pub rule: String,
    /// Who says so.
    #[serde(default)]
    pub rule_from: RuleFrom,
    /// What this is about.
    pub kind: UpdateKind,
    /// The answer.
    pub status: UpdateStatus,
    /// What is used now: the whole tag, or the chart's version. Of a reference by digest alone,
    /// the most precise of `tags` that has a version.
    pub current: Option<String>,
    /// Of a reference by digest alone: the tags that stand for this digest now, as far as the
    /// registry was asked, the most precise first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The number in it, without prefix and suffix; null where it has none.
    #[serde(default)]
    pub current_version: Option<String>,
    /// The newest of the same minor version; this and the three below are null unless newer than
    /// what is used.
    pub latest_in_patch: Option<String>,
    /// The newest of the same major version with another minor one.
    pub latest_in_minor: Option<String>,
    /// The newest of the same major version.
    pub latest_in_major: Option<String>,
    /// The newest of all.
    pub newest: Option<String>,
    /// The version of the application in the newest chart, where the repository says it.
    #[serde(default)]
    pub newest_app_version: Option<String>,
    /// How many newer ones there are; null when not known.
    pub behind: Option<u64>,
    /// Why the status is what it is, where that is not plain.
    pub reason: Option<String>,
    /// Newer candidates that were left out: a line for each reason, with the newest of them and
    /// how many there are.
    pub left_out: Vec<String>,
    /// A guess where the chart may be from, where nobody knows and guesses are asked for. It bears
    /// on nothing else in this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guess: Option<ChartGuess>,
    /// How many texts of this record were cut.
    #[serde(default)]
    pub dropped: u64,
}

/// A chart of the same name in a public catalogue that lists the version which is used: perhaps
/// the one that is used, perhaps not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartGuess {
    /// The page of the catalogue that shows it.
    pub page: String,
    /// The name of the repository in the catalogue.
    pub repository: String,
    /// Where that repository is.
    pub url: Option<String>,
    /// Whether the catalogue has verified that the publisher owns the repository.
    pub verified_publisher: bool,
    /// Whether the catalogue calls it the official one of the software in it.
    pub official: bool,
    /// How many charts of exactly this name the catalogue has in other repositories.
    pub others: u64,
    /// The newest version there by the rule; null where none is newer than what is used.
    pub newest: Option<String>,
    /// The version of the application in that.
    pub newest_app_version: Option<String>,
    /// Why this one of them, in words.
    pub why: String,
}

impl Record for Update {
    const TYPE: &'static str = "update";
    const VERSION: u32 = 1;

    fn verbatim(&self) -> Vec<&str> {
        let keys = [&self.image_id, &self.platform].into_iter().filter_map(Option::as_ref);
        let texts = self.image.iter().chain(keys.flatten()).chain([&self.rule]);
        texts.map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_of_a_rule_are_one() {
        let one = canonical_rule("  pin=1.27\tlevel=minor level=minor\n");
        assert_eq!(one, "level=minor pin=1.27");
        assert_eq!(canonical_rule(&one), one);
        assert_eq!(canonical_rule(" "), "");
    }
}
