//! Argo CD: an Application whose source is a chart, deployed into this cluster.
//!
//! Argo CD renders charts and stores no releases of Helm's, so that this speaks of releases that
//! were made before it took over, or by another hand. Both name and chart must fit.

use cluster::types::{Text, or_default};
use serde::Deserialize;

use super::{Place, Saying, address};
use crate::object::Key;

/// The name and the address of the cluster that Argo CD itself runs in.
const THIS_CLUSTER: [&str; 2] = ["in-cluster", "https://kubernetes.default.svc"];

/// `spec` of an Application (argoproj.io v1alpha1).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Application {
    destination: Destination,
    source: Option<Source>,
    #[serde(deserialize_with = "or_default")]
    sources: Vec<Source>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Destination {
    #[serde(deserialize_with = "or_default")]
    namespace: Text,
    #[serde(deserialize_with = "or_default")]
    name: Text,
    #[serde(deserialize_with = "or_default")]
    server: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Source {
    #[serde(rename = "repoURL", deserialize_with = "or_default")]
    repo_url: Text,
    #[serde(deserialize_with = "or_default")]
    chart: Text,
    helm: Option<Helm>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Helm {
    #[serde(deserialize_with = "or_default")]
    release_name: Text,
}

/// What an Application says, by the release that each of its sources would be.
pub(super) fn sayings(place: &Place, spec: &Application) -> Vec<(Key, Saying)> {
    let to = &spec.destination;
    let here = [&to.name, &to.server].iter().any(|text| THIS_CLUSTER.contains(&&***text));
    let sources = spec.source.iter().chain(&spec.sources).filter(|source| !source.chart.is_empty());
    sources.filter(|_| here).map(|source| saying(place, to, source)).collect()
}

fn saying(place: &Place, to: &Destination, source: &Source) -> (Key, Saying) {
    let named = source.helm.as_ref().and_then(|helm| helm.release_name.given());
    let key = Key { namespace: to.namespace.clone(), name: named.unwrap_or(&place.name).into() };
    // An OCI registry is written without a scheme.
    let repository = if source.repo_url.contains("://") {
        source.repo_url.to_string()
    } else {
        format!("oci://{}", source.repo_url)
    };
    let said = Saying {
        how: place.called("Application"),
        kind: "argo-cd",
        url: address::of_chart(&repository, &source.chart),
        chart: Some(source.chart.rsplit('/').next().unwrap_or_default().into()),
    };
    (key, said)
}
