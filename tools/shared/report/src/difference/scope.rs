//! What a report covers: whether something that is not in it is not there, or was not looked for.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use records::text::shown;
use records::{Failure, FailureCode, Image, NamespaceGlob, Record, Release, Runtime, Tally};
use serde_json::Value;

use crate::{Report, Row};

/// The stage that says what runs.
const DISCOVER: &str = "pc-discover";

/// The stage that lists releases.
const HELM: &str = "pc-helm";

/// The scopes of both reports.
pub(super) struct Scopes<'a> {
    /// Why nothing of one report is expected in the other.
    apart: Option<String>,
    older: Scope<'a>,
    newer: Scope<'a>,
}

/// Something that one report has and the other has not.
#[derive(Debug, Clone, Copy)]
pub(super) enum Thing<'a> {
    /// A container's use of an image, in a namespace where it runs in one.
    Use {
        /// The namespace.
        namespace: Option<&'a str>,
        /// Whether it runs nothing now.
        idle: bool,
    },
    /// A Helm release in a namespace.
    Release(&'a str),
}

impl<'a> Scopes<'a> {
    pub(super) fn of(older: &'a Report, newer: &'a Report) -> Self {
        let names = (&older.metadata.cluster_name, &newer.metadata.cluster_name);
        let apart = match names {
            (Some(a), Some(b)) if a != b => {
                let (a, b) = (shown(a), shown(b));
                Some(format!("other-cluster: one report is of `{a}`, the other of `{b}`"))
            }
            _ => None,
        };
        Self { apart, older: Scope::of(older, newer), newer: Scope::of(newer, older) }
    }

    /// Why something that only the older report has may be there all the same; none where the
    /// newer report would have it.
    pub(super) fn unseen_now(&self, thing: Thing<'a>) -> Option<Cow<'a, str>> {
        self.apart.clone().map(Cow::Owned).or_else(|| self.newer.misses(thing))
    }

    /// What the older report has where the newer one did not look.
    pub(super) fn all_unseen_now(&self, older: &'a Report) -> Unseen<'a> {
        Unseen::of(&older.images, |thing| self.unseen_now(thing).is_some())
    }

    /// What the newer report has where the older one did not look.
    pub(super) fn all_unseen_before(&self, newer: &'a Report) -> Unseen<'a> {
        Unseen::of(&newer.images, |thing| self.unseen_before(thing).is_some())
    }

    /// Why something that only the newer report has may have been there before.
    pub(super) fn unseen_before(&self, thing: Thing<'a>) -> Option<Cow<'a, str>> {
        self.apart.clone().map(Cow::Owned).or_else(|| self.older.misses(thing))
    }
}

/// What one report has and the other may have too, without covering it.
#[derive(Default)]
pub(super) struct Unseen<'a> {
    /// Image references.
    pub(super) images: HashSet<&'a str>,
    /// Repositories.
    pub(super) repositories: HashSet<&'a str>,
}

impl<'a> Unseen<'a> {
    /// Of the rows of a report: those whose place the other does not cover.
    fn of(rows: &'a [Row], misses: impl Fn(Thing<'a>) -> bool) -> Self {
        let mut unseen = Self::default();
        for row in rows {
            let namespace = row.namespace.as_deref();
            if misses(Thing::Use { namespace, idle: row.idle }) {
                unseen.images.insert(&row.image);
                unseen.repositories.extend(row.repository.as_deref());
            }
        }
        unseen
    }
}

/// What one report covers.
struct Scope<'a> {
    report: &'a Report,
    uses: Listed<'a>,
    releases: Listed<'a>,
    /// Whether idle workloads were asked for.
    idle: bool,
    /// Why those without pods may be missing.
    idle_failed: Option<&'a Failure>,
}

impl<'a> Scope<'a> {
    fn of(report: &'a Report, other: &'a Report) -> Self {
        let uses = Listed::of(report, other, DISCOVER, &["selector"], |failure| {
            // A record that was too large, or nodes that are not known, hide nothing that runs.
            let whole = failure.image.is_none() && failure.workload.is_none();
            whole && is_about(failure, Image::TYPE) && !is_about(failure, Runtime::TYPE)
        });
        let releases = Listed::of(report, other, HELM, &["helmDriver"], |failure| {
            is_about(failure, Release::TYPE)
        });
        let include =
            |tally: &&Tally| tally.settings.get("includeIdle") == Some(&Value::Bool(true));
        let idle = tallies(report, DISCOVER).any(|tally| include(&tally));
        // Only namespaces without pods are unknown where namespaces may not be listed.
        let idle_failed = uses.everywhere.filter(|failure| !is_not_found(failure));
        Self { report, uses, releases, idle, idle_failed }
    }

    fn misses(&self, thing: Thing<'a>) -> Option<Cow<'a, str>> {
        let metadata = &self.report.metadata;
        if !metadata.complete {
            let why = metadata.incomplete_why.first().map_or("", String::as_str);
            return Some(format!("incomplete: the report is not complete: {}", shown(why)).into());
        }
        match thing {
            Thing::Use { namespace: None, .. } => Some(
                "named: an image that is named as an argument is found where it is named".into(),
            ),
            Thing::Use { idle: true, .. } if !self.idle => {
                Some("idle: workloads that run nothing were not asked for".into())
            }
            Thing::Use { namespace: Some(namespace), idle } => {
                let all = self.uses.everywhere.filter(|failure| is_not_found(failure));
                let why = all.or(if idle { self.idle_failed } else { None });
                why.map(failed).or_else(|| self.uses.misses(namespace, self.report))
            }
            Thing::Release(namespace) => {
                let all = self.releases.everywhere.map(failed);
                all.or_else(|| self.releases.misses(namespace, self.report))
            }
        }
    }
}

/// What one stage listed.
struct Listed<'a> {
    stage: &'static str,
    tallies: Vec<&'a Tally>,
    /// A setting that lists less, and that the other report does not have in common.
    narrowed: Option<&'static str>,
    /// What could not be listed, by namespace.
    failed: HashMap<&'a str, &'a Failure>,
    /// What could not be listed and is about no namespace.
    everywhere: Option<&'a Failure>,
}

impl<'a> Listed<'a> {
    fn of(
        report: &'a Report,
        other: &'a Report,
        stage: &'static str,
        settings: &[&'static str],
        counts: impl Fn(&Failure) -> bool,
    ) -> Self {
        let of = |report: &'a Report, name: &str| -> Vec<Option<&'a Value>> {
            let mut values: Vec<_> =
                tallies(report, stage).map(|tally| tally.settings.get(name)).collect();
            values.dedup();
            values
        };
        let is_narrower = |name: &&&'static str| {
            let own = of(report, name);
            own.iter().any(Option::is_some) && own != of(other, name)
        };
        let mut listed = Self {
            stage,
            tallies: tallies(report, stage).collect(),
            narrowed: settings.iter().find(is_narrower).copied(),
            failed: HashMap::new(),
            everywhere: None,
        };
        for failure in report.failures.iter().filter(|one| one.stage == stage && counts(one)) {
            match failure.namespace.as_ref().and_then(Option::as_deref) {
                // That it is not there is an answer.
                Some(_) if failure.code == FailureCode::NamespaceNotFound.as_str() => {}
                Some(namespace) => {
                    listed.failed.entry(namespace).or_insert(failure);
                }
                None => listed.everywhere = listed.everywhere.or(Some(failure)),
            }
        }
        listed
    }

    fn misses(&self, namespace: &str, report: &Report) -> Option<Cow<'a, str>> {
        if self.tallies.is_empty() {
            return Some(format!("not-asked: {} was not in the pipeline", self.stage).into());
        }
        if let Some(failure) = self.failed.get(namespace) {
            return Some(failed(failure));
        }
        if let Some(setting) = self.narrowed {
            return Some(format!("setting: `{setting}` chose what was listed").into());
        }
        let scanned = &report.metadata.namespaces_scanned;
        if self.stage == DISCOVER && scanned.iter().any(|scanned| scanned == namespace) {
            return None;
        }
        // Not listed, although it was to be: then it is not there any more.
        let chosen = self.tallies.iter().any(|tally| is_chosen(tally, namespace));
        (!chosen).then(|| "setting: the settings leave the namespace out".into())
    }
}

fn tallies<'a>(report: &'a Report, stage: &str) -> impl Iterator<Item = &'a Tally> {
    report.stages.iter().filter(move |tally| tally.stage == stage)
}

fn is_about(failure: &Failure, kind: &str) -> bool {
    failure.about.iter().any(|about| about == kind)
}

fn is_not_found(failure: &Failure) -> bool {
    failure.code == FailureCode::NotFound.as_str()
}

fn failed(failure: &Failure) -> Cow<'static, str> {
    format!("failed: {}: {}", shown(&failure.code), shown(&failure.message)).into()
}

/// Whether a stage was surely to look at a namespace.
fn is_chosen(tally: &Tally, namespace: &str) -> bool {
    let texts = |name: &str| -> Vec<&str> {
        let list = tally.settings.get(name).and_then(Value::as_array);
        let texts = list.into_iter().flatten().filter_map(Value::as_str).map(str::trim);
        texts.filter(|text| !text.is_empty()).collect()
    };
    // Of a pattern that is not understood here neither inclusion nor exclusion is sure.
    let matches = |text: &str, unsure: bool| {
        NamespaceGlob::try_from(text.to_owned()).map_or(unsure, |glob| glob.matches(namespace))
    };
    let include = texts("namespaces");
    let included = include.is_empty() || include.iter().any(|text| matches(text, false));
    included && !texts("excludeNamespaces").iter().any(|text| matches(text, true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tally(settings: &Value) -> Tally {
        serde_json::from_value(json!({
            "stage": DISCOVER, "version": "0", "startedAt": "", "endedAt": "", "written": {},
            "settings": settings,
        }))
        .expect("a tally")
    }

    #[test]
    fn what_the_settings_choose() {
        for (settings, chosen) in [
            (json!({}), true),
            (json!({"namespaces": ["sh*"]}), true),
            (json!({"namespaces": [" shop "]}), true),
            (json!({"namespaces": ["bank"]}), false),
            (json!({"excludeNamespaces": ["shop"]}), false),
            (json!({"namespaces": ["shop"], "excludeNamespaces": ["s*"]}), false),
            (json!({"excludeNamespaces": ["bank"]}), true),
            // Not understood here, and so not sure.
            (json!({"namespaces": ["sho?"]}), false),
            (json!({"excludeNamespaces": ["{bank,x}"]}), false),
        ] {
            assert_eq!(is_chosen(&tally(&settings), "shop"), chosen, "{settings}");
        }
    }
}
