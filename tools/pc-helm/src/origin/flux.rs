//! Flux: a HelmRelease names its chart, and where that is: in a HelmRepository, in an
//! OCIRepository, or by way of a HelmChart. Git repositories and buckets hold charts, too, that
//! are in no chart repository.

use std::collections::BTreeMap;

use cluster::types::{Text, or_default};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};

use super::{Place, Saying, address};
use crate::object::Key;

/// The longest name of a release; longer ones are shortened (helm-controller,
/// `internal/release/name.go`).
const LONGEST_NAME: usize = 53;

/// `spec` of a HelmRelease (helm.toolkit.fluxcd.io v2).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Release {
    #[serde(deserialize_with = "or_default")]
    release_name: Text,
    #[serde(deserialize_with = "or_default")]
    target_namespace: Text,
    #[serde(deserialize_with = "or_default")]
    storage_namespace: Text,
    chart: Option<Template>,
    chart_ref: Option<Reference>,
    /// There where the release is in another cluster.
    kube_config: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Template {
    spec: Chart,
}

/// `spec` of a HelmChart (source.toolkit.fluxcd.io v1), also inside a HelmRelease.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Chart {
    #[serde(deserialize_with = "or_default")]
    chart: Text,
    source_ref: Reference,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Reference {
    #[serde(deserialize_with = "or_default")]
    kind: Text,
    #[serde(deserialize_with = "or_default")]
    name: Text,
    #[serde(deserialize_with = "or_default")]
    namespace: Text,
}

impl Reference {
    /// What it refers to, seen from an object in `namespace`.
    fn place(&self, namespace: &Text) -> Place {
        let own = self.namespace.given().map_or(namespace.clone(), Text::from);
        Place { namespace: own, name: self.name.clone() }
    }
}

/// `spec` of a HelmRepository and of an OCIRepository.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Repository {
    #[serde(deserialize_with = "or_default")]
    url: Text,
}

/// All objects of Flux that matter here.
#[derive(Debug, Default)]
pub(super) struct Flux {
    releases: Vec<(Place, Release)>,
    helm_repositories: BTreeMap<Place, Text>,
    oci_repositories: BTreeMap<Place, Text>,
    charts: BTreeMap<Place, Chart>,
}

impl Flux {
    pub(super) fn release(&mut self, place: &Place, spec: Release) {
        // What it releases into another cluster says nothing about this one.
        if spec.kube_config.is_none() {
            self.releases.push((place.clone(), spec));
        }
    }

    pub(super) fn helm(&mut self, place: &Place, spec: Repository) {
        self.helm_repositories.insert(place.clone(), spec.url);
    }

    pub(super) fn oci(&mut self, place: &Place, spec: Repository) {
        self.oci_repositories.insert(place.clone(), spec.url);
    }

    pub(super) fn chart(&mut self, place: &Place, spec: Chart) {
        self.charts.insert(place.clone(), spec);
    }

    /// What they say together.
    pub(super) fn sayings(self) -> Vec<(Key, Saying)> {
        let said = |(place, spec)| (key(place, spec), self.saying(place, spec));
        self.releases.iter().map(|(place, spec)| said((place, spec))).collect()
    }

    fn saying(&self, place: &Place, spec: &Release) -> Saying {
        let how = place.called("HelmRelease");
        match (&spec.chart_ref, &spec.chart) {
            (Some(to), _) if &*to.kind == "OCIRepository" => {
                let to = to.place(&place.namespace);
                let how = format!("{how} -> {}", to.called("OCIRepository"));
                let url = self.oci_repositories.get(&to);
                Saying { kind: "flux-oci", ..found(how, url.map(|url| address::repository(url))) }
            }
            (Some(to), _) if &*to.kind == "HelmChart" => {
                let to = to.place(&place.namespace);
                let how = format!("{how} -> {}", to.called("HelmChart"));
                match self.charts.get(&to) {
                    Some(chart) => self.of_chart(&how, &to.namespace, chart),
                    None => found(how, None),
                }
            }
            (_, Some(template)) => self.of_chart(&how, &place.namespace, &template.spec),
            _ => found(format!("{how}, which names no chart"), Some(None)),
        }
    }

    fn of_chart(&self, how: &str, namespace: &Text, chart: &Chart) -> Saying {
        let to = chart.source_ref.place(namespace);
        let how = format!("{how} -> {}", to.called(&records::text::shown(&chart.source_ref.kind)));
        if &*chart.source_ref.kind != "HelmRepository" {
            // In a Git repository or bucket `chart` is a path.
            return found(how, Some(None));
        }
        let url = self.helm_repositories.get(&to);
        let url = url.map(|url| address::of_chart(url, &chart.chart));
        let is_oci = url.iter().flatten().any(|url| url.starts_with("oci://"));
        let kind = match (url.is_some(), is_oci) {
            (false, _) => "flux-other",
            (true, true) => "flux-oci",
            (true, false) => "flux-helm",
        };
        let name = (!chart.chart.is_empty()).then(|| chart.chart.clone());
        // Of `team/web` the chart is called `web`.
        let name = name.map(|name| name.rsplit('/').next().map_or(name.clone(), Text::from));
        Saying { kind, chart: name, ..found(how, url) }
    }
}

/// A saying with this address: of an object that is not there, or of one that is and has none.
fn found(how: String, url: Option<Option<String>>) -> Saying {
    let how = if url.is_none() { format!("{how} (not there)") } else { how };
    Saying { how, kind: "flux-other", url: url.flatten(), chart: None }
}

/// The release that a HelmRelease makes (helm-controller, `api/v2/helmrelease_types.go`).
fn key(place: &Place, spec: &Release) -> Key {
    let own = |text: &Text| text.given().map(str::to_owned);
    let composed = || match spec.target_namespace.given() {
        Some(target) => format!("{target}-{}", place.name),
        None => place.name.to_string(),
    };
    let name = own(&spec.release_name).unwrap_or_else(composed);
    let namespace = spec.storage_namespace.given().unwrap_or(&place.namespace);
    Key { namespace: namespace.into(), name: shortened(&name).as_str().into() }
}

fn shortened(name: &str) -> String {
    const HASH: usize = 12;
    if name.len() <= LONGEST_NAME {
        return name.to_owned();
    }
    let mut hash = hex::encode(Sha256::digest(name));
    hash.truncate(HASH);
    match name.get(..LONGEST_NAME - HASH - 1) {
        Some(start) => format!("{start}-{hash}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_flux_gives() {
        let place = Place { namespace: "flux-system".into(), name: "web".into() };
        let of = |spec: &str| {
            let key = key(&place, &serde_json::from_str(spec).expect("a spec"));
            key.text()
        };
        assert_eq!(of("{}"), "flux-system/web");
        assert_eq!(of(r#"{"targetNamespace":"shop"}"#), "flux-system/shop-web");
        assert_eq!(
            of(r#"{"releaseName":"x","targetNamespace":"shop","storageNamespace":"shop"}"#),
            "shop/x"
        );
        let long = of(&format!(r#"{{"releaseName":"{}"}}"#, "a".repeat(60)));
        // printf '%060d' 0 | tr 0 a | sha256sum
        assert_eq!(long, format!("flux-system/{}-11ee391211c6", "a".repeat(40)));
    }
}
