//! What runs: the `image` and `runtime` records.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Digest, Record};

/// The object that answers for a pod: the top of its chain of controllers.
///
/// A Deployment and not its ReplicaSet, a CronJob and not its Job, a Node for a static pod, a
/// custom controller by its own kind, the Pod itself where nothing controls it.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// Group and version, `apps/v1` for example.
    pub api_version: String,
    /// The kind, `Deployment` for example.
    pub kind: String,
    /// The name in its namespace.
    pub name: String,
}

/// In which list of a pod a container (or volume) stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum ContainerType {
    /// `spec.containers`.
    Container,
    /// `spec.initContainers`, run once before the others.
    InitContainer,
    /// `spec.initContainers` with `restartPolicy: Always`: runs beside the others.
    Sidecar,
    /// `spec.ephemeralContainers`, added to debug a running pod.
    EphemeralContainer,
    /// `spec.volumes[].image`: mounted, not run.
    ImageVolume,
}

impl ContainerType {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::InitContainer => "initContainer",
            Self::Sidecar => "sidecar",
            Self::EphemeralContainer => "ephemeralContainer",
            Self::ImageVolume => "imageVolume",
        }
    }
}

/// `image`: one thing that runs. Two digests in a roll-out, or two architectures, are two records.
///
/// Subject: namespace, workload, containerType, container, image, imageId, platform. An image
/// given as an argument has null for the first four.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The namespace of the pods.
    pub namespace: Option<String>,
    /// The top of the pods' chain of controllers.
    pub workload: Option<Workload>,
    /// The container's name in the pod, or the volume's.
    pub container: Option<String>,
    /// In which list of the pod it stands.
    pub container_type: Option<ContainerType>,
    /// The reference in the pod's spec, verbatim.
    pub image: String,
    /// `imageID` of the container's status, verbatim; null while pending or idle.
    pub image_id: Option<String>,
    /// `os/architecture` of the node that runs it; null where unknown.
    pub platform: Option<String>,
    /// The manifest digest that `imageId` names; null for a bare `sha256:`, which is an image id.
    pub running_digest: Option<Digest>,
    /// Whether the reference itself names a digest.
    #[serde(default)]
    pub pinned: bool,
    /// How many pods run it.
    pub pods: u64,
    /// On how many nodes.
    pub nodes: u64,
    /// The first ten pods' names, sorted.
    pub pod_names: Vec<String>,
    /// The pull secrets that the pods name, sorted.
    pub pull_secrets: Vec<String>,
    /// The pods' annotations below `provenance.nebari.dev/`.
    pub annotations: BTreeMap<String, String>,
    /// Whether the template runs nothing now (scaled to zero, suspended).
    pub idle: bool,
    /// How many pull secrets and annotations were left out, and how many texts were cut. Pod names
    /// behind the tenth are not among them: `pods` counts those.
    #[serde(default)]
    pub dropped: u64,
}

impl Record for Image {
    const TYPE: &'static str = "image";
    const VERSION: u32 = 1;
}

/// `runtime`: on what a container runs, and what constrains its pods.
///
/// Subject: namespace, workload, containerType, container. Each map counts pods by value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Runtime {
    /// The namespace of the pods.
    pub namespace: String,
    /// The top of the pods' chain of controllers.
    pub workload: Workload,
    /// The container's name in the pod.
    pub container: String,
    /// In which list of the pod it stands.
    pub container_type: ContainerType,
    /// Pods by the node's operating system image (`Debian GNU/Linux 13 (trixie)`).
    pub os_images: BTreeMap<String, u64>,
    /// Pods by the node's kernel version.
    pub kernels: BTreeMap<String, u64>,
    /// Pods by the node's container runtime and version (`containerd://2.1.4`).
    pub container_runtimes: BTreeMap<String, u64>,
    /// Pods by the node's kubelet version.
    pub kubelets: BTreeMap<String, u64>,
    /// Pods by the node's architecture.
    pub architectures: BTreeMap<String, u64>,
    /// What constrains the pods, as short texts (`runtimeClass gvisor`, `node kubernetes.io/arch=amd64`), sorted.
    pub constraints: Vec<String>,
    /// How many values of the lists and maps above were left out, and how many texts were cut.
    #[serde(default)]
    pub dropped: u64,
}

impl Record for Runtime {
    const TYPE: &'static str = "runtime";
    const VERSION: u32 = 1;
}
