//! Where an image runs, since when and under which constraints: SCAI reports.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/predicates/scai.md>. One for each
//! repository and manifest that is proven to run, with one attribute for each place.

use std::collections::{BTreeMap, HashMap};

use records::{ContainerType, Digest, PolicyResult, Runtime, Workload};
use serde::Serialize;

use super::statement::{ResourceDescriptor, Statement, Subject};
use super::{COLLECTOR, REPORT_MEDIA_TYPE, Stated};
use crate::export::Source;
use crate::{Report, Row};

/// The kind of claim.
pub const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/scai/v0.3";

/// The attribute that is asserted.
pub const RUNNING: &str = "RUNNING_IN_CLUSTER";

/// What is claimed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Predicate<'a> {
    /// The places where it runs, in the report's order.
    pub attributes: Vec<Attribute<'a>>,
    /// Who found that out.
    pub producer: ResourceDescriptor<Producer<'a>>,
}

/// That it runs in one place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attribute<'a> {
    /// [`RUNNING`].
    pub attribute: &'static str,
    /// Where and how.
    pub conditions: Conditions<'a>,
    /// The report that says so, and what the policies say of the image there.
    pub evidence: ResourceDescriptor<Policies<'a>>,
}

/// Where and how something runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conditions<'a> {
    /// The cluster's name; null where none was given.
    pub cluster: Option<&'a str>,
    /// The namespace.
    pub namespace: Option<&'a str>,
    /// The object that answers for the pods.
    pub workload: &'a Workload,
    /// In which list of the pod it stands.
    pub container_type: Option<ContainerType>,
    /// The container's name.
    pub container: Option<&'a str>,
    /// The image reference in the pod's spec.
    pub image: &'a str,
    /// `os/architecture` of the nodes; null where unknown.
    pub platform: Option<&'a str>,
    /// How many pods run it.
    pub pods: u64,
    /// On how many nodes.
    pub nodes: u64,
    /// When that was so, RFC 3339.
    pub observed_at: &'a str,
    /// On what it runs, and what constrains the pods; null where that was not asked.
    pub runtime: Option<Facts<'a>>,
}

/// On what a container runs: pods by value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts<'a> {
    /// Operating systems.
    pub os_images: &'a BTreeMap<String, u64>,
    /// Kernels.
    pub kernels: &'a BTreeMap<String, u64>,
    /// Container runtimes.
    pub container_runtimes: &'a BTreeMap<String, u64>,
    /// Kubelets.
    pub kubelets: &'a BTreeMap<String, u64>,
    /// Architectures.
    pub architectures: &'a BTreeMap<String, u64>,
    /// What constrains the pods.
    pub constraints: &'a [String],
    /// How many of all these were left out or cut.
    pub dropped: u64,
}

/// What the policies say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policies<'a> {
    /// The result by the policy's name, exceptions for the namespace applied; null where nobody
    /// judged it.
    pub policies: Option<BTreeMap<&'a str, PolicyResult>>,
}

/// Who found it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Producer<'a> {
    /// The collector's version.
    pub version: &'a str,
}

/// A container, as runtime facts have it.
type Place<'a> = (&'a str, &'a Workload, ContainerType, &'a str);

/// Hands the SCAI report of everything that is proven to run to `take`, sorted by repository and
/// digest. `source` is the report.
///
/// # Errors
/// The first that `take` returns.
pub fn each<'a, E>(
    report: &'a Report,
    source: &Source<'_>,
    mut take: impl FnMut(&Statement<Predicate<'a>>) -> Result<(), E>,
) -> Result<Stated, E> {
    let mut stated = Stated::default();
    let runtimes: HashMap<Place<'_>, &Runtime> =
        report.runtimes.iter().map(|runtime| (place_of(runtime), runtime)).collect();
    for ((repository, digest), rows) in running(report, &mut stated) {
        let attribute = |(row, workload): (&'a Row, &'a Workload)| Attribute {
            attribute: RUNNING,
            conditions: conditions(report, row, workload, &runtimes),
            evidence: evidence(row, source),
        };
        let predicate = Predicate {
            attributes: rows.into_iter().map(attribute).collect(),
            producer: producer(report),
        };
        let subject = vec![Subject::new(repository, digest)];
        take(&Statement::new(subject, PREDICATE_TYPE, predicate))?;
        stated.statements += 1;
    }
    Ok(stated)
}

fn producer(report: &Report) -> ResourceDescriptor<Producer<'_>> {
    ResourceDescriptor {
        name: None,
        uri: Some(COLLECTOR.to_owned()),
        digest: None,
        media_type: None,
        annotations: Some(Producer { version: &report.metadata.collector_version }),
    }
}

/// The rows of what is proven to run, by repository and digest, each with its workload.
type Running<'a> = BTreeMap<(&'a str, &'a Digest), Vec<(&'a Row, &'a Workload)>>;

fn running<'a>(report: &'a Report, stated: &mut Stated) -> Running<'a> {
    let mut running = Running::new();
    for row in &report.images {
        let Some(workload) = &row.workload else {
            stated.leave_out("it was named as an argument and runs nowhere");
            continue;
        };
        if !row.runs() {
            stated.leave_out("nothing of it runs");
            continue;
        }
        match row.manifest.as_ref().or(row.digest.as_ref()) {
            Some(digest) if row.digest_is_proven() => {
                let repository = row.repository.as_deref().unwrap_or(&row.image);
                running.entry((repository, digest)).or_default().push((row, workload));
            }
            _ => stated.leave_out("which digest runs is not proven"),
        }
    }
    running
}

fn place_of(runtime: &Runtime) -> Place<'_> {
    (&runtime.namespace, &runtime.workload, runtime.container_type, &runtime.container)
}

fn conditions<'a>(
    report: &'a Report,
    row: &'a Row,
    workload: &'a Workload,
    runtimes: &HashMap<Place<'_>, &'a Runtime>,
) -> Conditions<'a> {
    let runtime = match (&row.namespace, row.container_type, &row.container) {
        (Some(namespace), Some(kind), Some(container)) => {
            runtimes.get(&(namespace.as_str(), workload, kind, container.as_str())).copied()
        }
        _ => None,
    };
    Conditions {
        cluster: report.metadata.cluster_name.as_deref(),
        namespace: row.namespace.as_deref(),
        workload,
        container_type: row.container_type,
        container: row.container.as_deref(),
        image: &row.image,
        platform: row.platform.as_deref(),
        pods: row.pods,
        nodes: row.nodes,
        observed_at: &report.metadata.generated_at,
        runtime: runtime.map(|runtime| Facts {
            os_images: &runtime.os_images,
            kernels: &runtime.kernels,
            container_runtimes: &runtime.container_runtimes,
            kubelets: &runtime.kubelets,
            architectures: &runtime.architectures,
            constraints: &runtime.constraints,
            dropped: runtime.dropped,
        }),
    }
}

fn evidence<'a>(row: &'a Row, source: &Source<'_>) -> ResourceDescriptor<Policies<'a>> {
    let policies = row.policies.as_ref().map(|policies| {
        policies.iter().map(|policy| (policy.policy.as_str(), policy.result)).collect()
    });
    ResourceDescriptor {
        name: source.name.map(str::to_owned),
        uri: None,
        digest: Some((&source.digest).into()),
        media_type: Some(REPORT_MEDIA_TYPE),
        annotations: Some(Policies { policies }),
    }
}
