//! What provenance says, as far as records tell of it.

use records::text::{MAX_LIST, cut};
use records::{BuildValue, Completeness, FindVerdict};

use crate::judged::Judged;
use crate::provenance::{self, Build, Expectations, Flag, Signing, Table, Values, flags};

/// What a provenance find tells, beside what all finds do; the fields are those of
/// [`records::ProvenanceFind`].
#[derive(Debug, Clone, Default)]
pub struct BuildFacts {
    pub(crate) build_type: Option<String>,
    pub(crate) builder_id: Option<String>,
    pub(crate) builder_proven: bool,
    pub(crate) source_repository: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) git_ref: Option<String>,
    pub(crate) entry_point: Option<String>,
    pub(crate) invocation: Option<String>,
    pub(crate) started_on: Option<String>,
    pub(crate) finished_on: Option<String>,
    pub(crate) runner: Option<String>,
    pub(crate) trigger: Option<String>,
    pub(crate) initiator: Option<String>,
    pub(crate) parameters: Option<Vec<BuildValue>>,
    pub(crate) environment: Option<Vec<BuildValue>>,
    pub(crate) dropped: u64,
    pub(crate) completeness: Option<Completeness>,
    pub(crate) reproducible: Option<bool>,
    pub(crate) materials: Option<u64>,
    pub(crate) materials_without_digest: Option<u64>,
    pub(crate) flags: Vec<String>,
    pub(crate) unmet: Vec<String>,
    pub(crate) level: Option<u8>,
    pub(crate) level_rule: Option<String>,
}

impl BuildFacts {
    /// What of a build goes into a record.
    pub(super) fn of(
        build: &Build,
        judged: &Judged,
        builders: &Table,
        expected: &Expectations,
    ) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(|text| cut(text).into_owned());
        let earned = builders.level(build, judged.signed_by.as_ref());
        // What is contradicted earns nothing.
        let level = match judged.verdict {
            FindVerdict::Invalid | FindVerdict::Unknown => None,
            _ => Some(earned.level.as_u8()),
        };
        let flags = flags(build, Signing::from(judged));
        let unmet = expected.check(build, judged.signed_by.as_ref());
        let short = |line: String| cut(&line).into_owned();
        let word = |flag: &Flag| short(format!("{}: {flag}", flag.as_str()));
        let mut values = Values::new();
        let parameters = values.of(build.parameters.as_deref());
        let environment = values.of(build.environment.all.as_deref());
        Self {
            build_type: text(&build.build_type),
            builder_id: text(&build.builder_id),
            builder_proven: earned.builder_proven,
            source_repository: text(&build.source.repository),
            commit: text(&build.source.commit),
            git_ref: text(&build.source.git_ref),
            entry_point: text(&build.entry_point),
            invocation: text(&build.invocation),
            started_on: build.started_on.map(|time| time.to_string()),
            finished_on: build.finished_on.map(|time| time.to_string()),
            runner: text(&build.environment.runner),
            trigger: text(&build.environment.trigger),
            initiator: text(&build.environment.initiator),
            parameters,
            environment,
            dropped: values.dropped(),
            completeness: completeness(build),
            reproducible: build.reproducible,
            materials: Some(build.materials.total),
            materials_without_digest: Some(build.materials.without_digest),
            flags: flags.iter().take(MAX_LIST).map(word).collect(),
            unmet: unmet.iter().map(|unmet| short(unmet.to_string())).collect(),
            level,
            level_rule: Some(earned.rule),
        }
    }
}

/// What the builder says to have listed in full; none where it says nothing of it.
fn completeness(build: &Build) -> Option<Completeness> {
    let provenance::Completeness { parameters, environment, materials } = build.completeness;
    let said = build.completeness != provenance::Completeness::default();
    said.then_some(Completeness { parameters, environment, materials })
}
