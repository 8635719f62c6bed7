//! Asking the cluster for objects that say where charts come from: only for kinds that it has.

use cluster::types::or_default;
use cluster::{AskError, Cluster, Resource, Scope, View, Why};
use records::Failure;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Asked, Kind, Objects, Place};
use crate::failures;

/// Who may say where charts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Origin {
    /// Those of the following that the cluster has
    Auto,
    /// Flux: HelmReleases and their sources
    Flux,
    /// Argo CD: Applications
    ArgoCd,
    /// k3s: HelmCharts
    K3s,
    /// Nobody
    None,
}

impl Origin {
    /// The word on the command line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Flux => "flux",
            Self::ArgoCd => "argo-cd",
            Self::K3s => "k3s",
            Self::None => "none",
        }
    }

    /// The kinds of objects that belong to it.
    fn kinds(self) -> &'static [Kind] {
        const FLUX: [Kind; 4] =
            [Kind::FluxRelease, Kind::FluxHelmRepository, Kind::FluxOciRepository, Kind::FluxChart];
        match self {
            Self::Auto => &Kind::ALL,
            Self::Flux => &FLUX,
            Self::ArgoCd => &[Kind::Application],
            Self::K3s => &[Kind::K3sChart],
            Self::None => &[],
        }
    }
}

/// The ways to ask for a kind, the newest version first.
fn resources(kind: Kind) -> Vec<Resource> {
    let (group, name) = kind.names();
    let (plural, versions): (_, &[&str]) = match kind {
        Kind::FluxRelease => ("helmreleases", &["v2", "v2beta2", "v2beta1"]),
        Kind::FluxHelmRepository => ("helmrepositories", &["v1", "v1beta2"]),
        Kind::FluxOciRepository => ("ocirepositories", &["v1", "v1beta2"]),
        Kind::FluxChart => ("helmcharts", &["v1", "v1beta2"]),
        Kind::Application => ("applications", &["v1alpha1"]),
        Kind::K3sChart => ("helmcharts", &["v1"]),
    };
    versions.iter().map(|version| Resource { group, version, plural, kind: name }).collect()
}

/// An object as far as it is kept until its kind's own reader takes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Object {
    #[serde(deserialize_with = "or_default")]
    metadata: Place,
    spec: Option<Box<RawValue>>,
}

/// Asks for what `origins` name, and says what could not be asked.
pub(crate) async fn ask(cluster: &Cluster, origins: &[Origin]) -> (Objects, Vec<Failure>) {
    let (mut objects, mut failures) = (Objects::default(), Vec::new());
    let auto = origins.contains(&Origin::Auto);
    let mut kinds: Vec<Kind> = origins.iter().flat_map(|origin| origin.kinds()).copied().collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.is_empty() {
        return (objects, failures);
    }
    objects.asked = Asked::Objects;
    let served = match serving(cluster, &kinds).await {
        Ok(served) => served,
        Err(error) => {
            objects.miss("which kinds of objects there are".to_owned());
            failures.push(failures::unread_origins(cluster.host(), &error));
            return (objects, failures);
        }
    };
    for (kind, resource) in served {
        let listed = match resource {
            Some(resource) => list(cluster, kind, resource, &mut objects).await,
            None if auto => Ok(()),
            None => {
                objects.miss(kind.plural());
                failures.push(failures::no_such_kind(cluster.host(), &kind.plural()));
                Ok(())
            }
        };
        if let Err(error) = listed {
            // Discovery may name what is just going away.
            if !(auto && matches!(error.why, Why::NotFound { .. })) {
                objects.miss(kind.plural());
                failures.push(failures::unread_origins(cluster.host(), &error));
            }
        }
    }
    objects.finish();
    (objects, failures)
}

/// By which version each of these kinds can be asked for, if the cluster has it.
async fn serving(
    cluster: &Cluster,
    kinds: &[Kind],
) -> Result<Vec<(Kind, Option<Resource>)>, AskError> {
    let groups = cluster.groups().await?;
    let mut known = Vec::new();
    let mut served = Vec::new();
    for kind in kinds {
        let mut found = None;
        for resource in resources(*kind) {
            let Resource { group, version, plural, .. } = resource;
            if found.is_some() || !groups.get(group).is_some_and(|all| all.contains(version)) {
                continue;
            }
            if !known.iter().any(|(place, _)| *place == (group, version)) {
                known.push(((group, version), cluster.kinds(group, version).await?));
            }
            let has = |((g, v), names): &((&str, &str), std::collections::BTreeSet<String>)| {
                (*g, *v) == (group, version) && names.contains(plural)
            };
            found = known.iter().any(has).then_some(resource);
        }
        served.push((*kind, found));
    }
    Ok(served)
}

async fn list(
    cluster: &Cluster,
    kind: Kind,
    resource: Resource,
    objects: &mut Objects,
) -> Result<(), AskError> {
    // A list that expires is begun again; an object that is taken twice says the same twice.
    let mut list = cluster.list::<Object>(resource, Scope::Cluster, View::Whole);
    while let Some(page) = list.page().await? {
        for object in page.items {
            let spec = object.spec.as_ref().map_or("{}", |spec| spec.get());
            objects.take(kind, &object.metadata, spec);
        }
    }
    Ok(())
}
