//! A stored release as far as it is read: some fields, and of the manifest its images.
//!
//! Helm keeps the whole chart beside them, templates, files and all, and the values that a user
//! gave, passwords too. Those are skipped while reading, and never in memory as a whole.

use std::collections::BTreeSet;
use std::fmt;

use cluster::types::{Text, or_default};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::images::{self, Named};

/// `release.Release` of Helm 3 and 4 (`pkg/release`, storage format v1).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Contents {
    /// The release's name.
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: Text,
    /// The namespace that its objects go to.
    #[serde(deserialize_with = "or_default")]
    pub(crate) namespace: Text,
    /// The number of the revision.
    pub(crate) version: u64,
    /// What happened to it.
    #[serde(deserialize_with = "or_default")]
    pub(crate) info: Info,
    /// The chart that it was made from.
    #[serde(deserialize_with = "or_default")]
    pub(crate) chart: Chart,
    /// The images that its manifest names.
    #[serde(deserialize_with = "or_default")]
    manifest: Manifest,
    /// What runs before and after, kept out of the manifest.
    #[serde(deserialize_with = "or_default")]
    hooks: Vec<Hook>,
}

/// `release.Info`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Info {
    /// RFC 3339, or empty.
    #[serde(deserialize_with = "or_default")]
    pub(crate) first_deployed: Text,
    /// RFC 3339, or empty.
    #[serde(deserialize_with = "or_default")]
    pub(crate) last_deployed: Text,
    /// A sentence about the last action.
    #[serde(deserialize_with = "or_default")]
    pub(crate) description: Text,
    /// `deployed`, `failed`, …
    #[serde(deserialize_with = "or_default")]
    pub(crate) status: Text,
}

/// `chart.Chart`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Chart {
    /// Its Chart.yaml.
    #[serde(deserialize_with = "or_default")]
    pub(crate) metadata: ChartMetadata,
}

/// `chart.Metadata`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ChartMetadata {
    /// The chart's name.
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: Text,
    /// Its version.
    #[serde(deserialize_with = "or_default")]
    pub(crate) version: Text,
    /// The version of what it installs.
    #[serde(deserialize_with = "or_default")]
    pub(crate) app_version: Text,
    /// Whether it calls itself deprecated.
    #[serde(deserialize_with = "or_default")]
    pub(crate) deprecated: bool,
}

/// `release.Hook`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Hook {
    #[serde(deserialize_with = "or_default")]
    manifest: Manifest,
    #[serde(deserialize_with = "or_default")]
    events: Vec<Text>,
}

impl Hook {
    /// Whether it runs for `helm test` alone, which is no part of the release's life.
    fn is_test(&self) -> bool {
        !self.events.is_empty() && self.events.iter().all(|event| event.starts_with("test"))
    }
}

/// A manifest: read for its images while it is still the decoder's text, which is not kept.
#[derive(Debug, Default)]
struct Manifest(Named);

impl<'de> Deserialize<'de> for Manifest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(ManifestVisitor).map(Self)
    }
}

struct ManifestVisitor;

impl Visitor<'_> for ManifestVisitor {
    type Value = Named;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a manifest")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Named, E> {
        Ok(images::named(text))
    }
}

impl Contents {
    /// The images that manifest and hooks name, sorted, and how many documents could not be read.
    pub(crate) fn images(&self) -> (BTreeSet<&Text>, u64) {
        let hooks = self.hooks.iter().filter(|hook| !hook.is_test()).map(|hook| &hook.manifest);
        let (mut images, mut unread) = (BTreeSet::new(), 0);
        for Manifest(named) in [&self.manifest].into_iter().chain(hooks) {
            images.extend(&named.images);
            unread += named.unread;
        }
        (images, unread)
    }
}
