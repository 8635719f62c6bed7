//! What builders record of where and why they ran, each under its own names.

use serde_json::value::RawValue;

use super::{ProvenanceError, git};
use crate::statement::json::{self, Names};

/// What one of the known names means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fact {
    Runner,
    Trigger,
    Initiator,
    Ref,
    Branch,
    Tag,
    Commit,
    /// A repository's URL.
    Repository,
    /// `owner/repository` at GitHub's server.
    AtServer,
    Server,
    BaseRef,
    Event,
}

/// The names: of slsa-github-generator, GitHub Actions, `actions/attest`, GitLab CI, Google Cloud
/// Build, and of Jenkins' git plugin. Of several for one fact the first that is set counts.
const KNOWN: [(&str, Fact); 35] = [
    ("github_event_name", Fact::Trigger),
    ("GITHUB_EVENT_NAME", Fact::Trigger),
    ("event_name", Fact::Trigger),
    ("CI_PIPELINE_SOURCE", Fact::Trigger),
    ("TRIGGER_NAME", Fact::Trigger),
    ("github_actor", Fact::Initiator),
    ("GITHUB_ACTOR", Fact::Initiator),
    ("GITLAB_USER_LOGIN", Fact::Initiator),
    ("runner_environment", Fact::Runner),
    ("RUNNER_ENVIRONMENT", Fact::Runner),
    ("executor", Fact::Runner),
    ("github_ref", Fact::Ref),
    ("GITHUB_REF", Fact::Ref),
    ("GIT_BRANCH", Fact::Ref),
    ("CI_COMMIT_TAG", Fact::Tag),
    ("TAG_NAME", Fact::Tag),
    ("CI_COMMIT_BRANCH", Fact::Branch),
    ("BRANCH_NAME", Fact::Branch),
    ("github_sha1", Fact::Commit),
    ("GITHUB_SHA", Fact::Commit),
    ("CI_COMMIT_SHA", Fact::Commit),
    ("COMMIT_SHA", Fact::Commit),
    ("REVISION_ID", Fact::Commit),
    ("GIT_COMMIT", Fact::Commit),
    ("CI_PROJECT_URL", Fact::Repository),
    ("GIT_URL", Fact::Repository),
    ("github_repository", Fact::AtServer),
    ("GITHUB_REPOSITORY", Fact::AtServer),
    ("github_server_url", Fact::Server),
    ("GITHUB_SERVER_URL", Fact::Server),
    ("github_base_ref", Fact::BaseRef),
    ("GITHUB_BASE_REF", Fact::BaseRef),
    ("github_event_payload", Fact::Event),
    ("GITHUB_EVENT_PAYLOAD", Fact::Event),
    ("event_payload", Fact::Event),
];

/// What is known of a build's surroundings.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) runner: Option<String>,
    pub(super) trigger: Option<String>,
    pub(super) initiator: Option<String>,
    pub(super) repository: Option<String>,
    pub(super) commit: Option<String>,
    pub(super) git_ref: Option<String>,
    pub(super) tag: Option<String>,
    pub(super) branch_of_tag: Option<String>,
}

/// Gathers what objects say; an earlier one counts before a later one. What is no object says
/// nothing: the specification leaves it to the builder.
pub(super) fn gather<'a>(
    objects: impl IntoIterator<Item = Option<&'a RawValue>>,
) -> Result<Facts, ProvenanceError> {
    let mut facts = Facts::default();
    for object in objects.into_iter().flatten() {
        let Some(values) = json::fields(object, KNOWN.map(|(name, _)| name), Names::Keys)? else {
            continue;
        };
        facts.add(&values)?;
    }
    Ok(facts)
}

impl Facts {
    fn add(&mut self, values: &[Option<&RawValue>; 35]) -> Result<(), ProvenanceError> {
        let raw = |wanted: Fact| {
            let known = KNOWN.iter().zip(values).filter(move |((_, fact), _)| *fact == wanted);
            known.filter_map(|(_, value)| *value)
        };
        let text = |wanted| raw(wanted).filter_map(json::text).find(|text| !text.is_empty());
        let set = |into: &mut Option<String>, value: Option<String>| {
            if into.is_none() {
                *into = value;
            }
        };
        set(&mut self.runner, text(Fact::Runner));
        set(&mut self.trigger, text(Fact::Trigger));
        set(&mut self.initiator, text(Fact::Initiator));
        set(&mut self.commit, text(Fact::Commit).and_then(|text| git::commit(&text)));
        set(&mut self.tag, text(Fact::Tag));
        let tag = self.tag.as_ref().map(|tag| format!("refs/tags/{tag}"));
        let branch = text(Fact::Branch).map(|branch| format!("refs/heads/{branch}"));
        set(&mut self.git_ref, text(Fact::Ref).or(tag).or(branch));
        let at_server = text(Fact::AtServer).map(|name| {
            let server = text(Fact::Server).unwrap_or_else(|| "https://github.com".to_owned());
            format!("{}/{name}", server.trim_end_matches('/'))
        });
        let repository = text(Fact::Repository).or(at_server);
        set(&mut self.repository, repository.and_then(|uri| git::repository(&uri)));
        let mut base = text(Fact::BaseRef);
        for event in raw(Fact::Event) {
            base = base.or(branch_in_event(event)?);
        }
        set(&mut self.branch_of_tag, base);
        Ok(())
    }
}

/// The branch that a tag was pushed or released from, in GitHub's event: `base_ref` of a push,
/// `target_commitish` of a release. As slsa-verifier looks for it.
fn branch_in_event(event: &RawValue) -> Result<Option<String>, ProvenanceError> {
    let Some([base, release]) = json::fields(event, ["base_ref", "release"], Names::Keys)? else {
        return Ok(None);
    };
    let target = match release {
        Some(release) => json::fields(release, ["target_commitish"], Names::Keys)?,
        None => None,
    };
    let target = target.and_then(|[target]| target).and_then(json::text);
    let target = target.map(|branch| format!("refs/heads/{branch}"));
    Ok(base.and_then(json::text).or(target).filter(|text| !text.is_empty()))
}
