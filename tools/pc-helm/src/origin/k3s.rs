//! k3s: a HelmChart of its Helm controller, whose name is that of the release.

use cluster::types::{Text, or_default};
use serde::Deserialize;

use super::{Place, Saying, address};
use crate::object::Key;

/// `spec` of a HelmChart (helm.cattle.io v1).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Chart {
    #[serde(deserialize_with = "or_default")]
    target_namespace: Text,
    #[serde(deserialize_with = "or_default")]
    chart: Text,
    #[serde(deserialize_with = "or_default")]
    repo: Text,
}

/// What a HelmChart says, and of which release.
pub(super) fn saying(place: &Place, spec: &Chart) -> (Key, Saying) {
    let namespace = spec.target_namespace.given().unwrap_or(&place.namespace).into();
    let key = Key { namespace, name: place.name.clone() };
    let how = place.called("HelmChart");
    let chart = spec.chart.given();
    let (url, chart, what) = match (chart, spec.repo.given()) {
        (Some(chart), Some(repo)) => (address::of_chart(repo, chart), Some(chart), ""),
        (Some(chart), None) if chart.starts_with("oci://") => {
            (address::repository(chart), chart.rsplit('/').next(), "")
        }
        (Some(chart), None) if chart.contains("://") => (None, None, ", which names an archive"),
        (Some(chart), None) => (None, Some(chart), ", which names no repository"),
        (None, _) => (None, None, ", which holds the chart itself"),
    };
    let chart = chart.filter(|chart| !chart.is_empty()).map(Text::from);
    (key, Saying { how: format!("{how}{what}"), kind: "k3s", url, chart })
}
