//! A stored release as far as it is read: some fields, and of the manifest its images.
//!
//! Helm keeps the whole chart beside them, templates, files and all, and the values that a user
//! gave, passwords too. Those are skipped while reading, and never in memory as a whole.

use std::collections::BTreeSet;
use std::fmt;

use cluster::types::{Text, or_default};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

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
    /// The images of what runs before and after, which is kept out of the manifest.
    #[serde(deserialize_with = "or_default")]
    hooks: Hooks,
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

/// `release.Hook`, which is read for its images and not kept.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Hook {
    #[serde(deserialize_with = "or_default")]
    manifest: String,
    #[serde(deserialize_with = "or_default")]
    events: Vec<Text>,
}

impl Hook {
    /// Whether it runs for `helm test` alone, which is no part of the release's life.
    fn is_test(&self) -> bool {
        !self.events.is_empty() && self.events.iter().all(|event| event.starts_with("test"))
    }
}

/// All hooks: read one after the other, and together no further than a manifest.
#[derive(Debug, Default)]
struct Hooks(Named);

impl<'de> Deserialize<'de> for Hooks {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(HooksVisitor).map(Self)
    }
}

struct HooksVisitor;

impl<'de> Visitor<'de> for HooksVisitor {
    type Value = Named;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hooks")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut hooks: A) -> Result<Named, A::Error> {
        let (mut all, mut left) = (Named::default(), images::LOOKED_AT);
        while let Some(hook) = hooks.next_element::<Option<Hook>>()? {
            if let Some(hook) = hook.filter(|hook| !hook.is_test()) {
                let Named { images, unread } = images::named(&hook.manifest, &mut left);
                all.images.extend(images);
                all.unread += unread;
            }
        }
        Ok(all)
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
        let mut left = images::LOOKED_AT;
        Ok(images::named(text, &mut left))
    }
}

impl Contents {
    /// The images that manifest and hooks name, sorted, and how many documents could not be read.
    pub(crate) fn images(&self) -> (BTreeSet<&Text>, u64) {
        let (Manifest(manifest), Hooks(hooks)) = (&self.manifest, &self.hooks);
        let images = manifest.images.union(&hooks.images).collect();
        (images, manifest.unread + hooks.unread)
    }
}
