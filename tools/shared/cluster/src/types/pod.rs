//! Pods: what they run, on which node, and what the node says about it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Metadata, Text, or_default};

/// A pod.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Pod {
    /// Its names, labels and owners.
    pub metadata: Metadata,
    /// What it should be.
    #[serde(deserialize_with = "or_default")]
    pub spec: PodSpec,
    /// What its node reports.
    #[serde(deserialize_with = "or_default")]
    pub status: PodStatus,
}

/// `spec` of a pod, or of a pod template.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    /// The node that the pod is bound to; empty while it is not.
    pub node_name: Text,
    /// The containers that run side by side.
    #[serde(deserialize_with = "or_default")]
    pub containers: Vec<Container>,
    /// The containers that run before them.
    #[serde(deserialize_with = "or_default")]
    pub init_containers: Vec<Container>,
    /// The containers that were added to debug the pod.
    #[serde(deserialize_with = "or_default")]
    pub ephemeral_containers: Vec<Container>,
    /// Volumes; only those made of an image have more than a name here.
    #[serde(deserialize_with = "or_default")]
    pub volumes: Vec<Volume>,
    /// The secrets to pull the images with.
    #[serde(deserialize_with = "or_default")]
    pub image_pull_secrets: Vec<LocalReference>,
    /// Labels that the node must have.
    #[serde(deserialize_with = "or_default")]
    pub node_selector: BTreeMap<Text, Text>,
    /// The RuntimeClass, `gvisor` for example.
    pub runtime_class_name: Text,
    /// What draws the pod to nodes.
    #[serde(deserialize_with = "or_default")]
    pub affinity: Affinity,
    /// The taints that the pod tolerates.
    #[serde(deserialize_with = "or_default")]
    pub tolerations: Vec<Toleration>,
}

/// A container as it should be.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    /// Its name, unique in the pod.
    pub name: Text,
    /// The image reference.
    pub image: Text,
    /// `Always` makes a sidecar of an init container.
    pub restart_policy: Text,
}

/// A volume.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// Its name, unique among the pod's volumes.
    pub name: Text,
    /// The image that it is made of (KEP-4639).
    pub image: Option<ImageVolume>,
}

/// An image mounted as a volume.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ImageVolume {
    /// The image reference.
    pub reference: Text,
}

/// The name of an object in the same namespace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct LocalReference {
    /// The name.
    pub name: Text,
}

/// A taint that a pod tolerates.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Toleration {
    /// The taint's key; empty tolerates every key.
    pub key: Text,
    /// `Equal` or `Exists`.
    pub operator: Text,
    /// The taint's value.
    pub value: Text,
    /// The taint's effect; empty tolerates every effect.
    pub effect: Text,
}

/// `spec.affinity`, of which only the part about nodes is read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Affinity {
    /// About nodes.
    #[serde(deserialize_with = "or_default")]
    pub node_affinity: NodeAffinity,
}

/// `nodeAffinity`, of which only what is required is read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NodeAffinity {
    /// What a node must fulfil.
    #[serde(
        rename = "requiredDuringSchedulingIgnoredDuringExecution",
        deserialize_with = "or_default"
    )]
    pub required: NodeSelector,
}

/// A choice of nodes: any of the terms.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSelector {
    /// Of which one must hold.
    #[serde(deserialize_with = "or_default")]
    pub node_selector_terms: Vec<NodeSelectorTerm>,
}

/// All of its requirements must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSelectorTerm {
    /// On the node's labels.
    #[serde(deserialize_with = "or_default")]
    pub match_expressions: Vec<NodeSelectorRequirement>,
    /// On the node's fields.
    #[serde(deserialize_with = "or_default")]
    pub match_fields: Vec<NodeSelectorRequirement>,
}

/// One requirement on a node.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NodeSelectorRequirement {
    /// The label or field.
    pub key: Text,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`.
    pub operator: Text,
    /// The values to compare with.
    #[serde(deserialize_with = "or_default")]
    pub values: Vec<Text>,
}

/// `status` of a pod.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    pub phase: Text,
    /// Of `spec.containers`.
    #[serde(deserialize_with = "or_default")]
    pub container_statuses: Vec<ContainerStatus>,
    /// Of `spec.initContainers`.
    #[serde(deserialize_with = "or_default")]
    pub init_container_statuses: Vec<ContainerStatus>,
    /// Of `spec.ephemeralContainers`.
    #[serde(deserialize_with = "or_default")]
    pub ephemeral_container_statuses: Vec<ContainerStatus>,
}

/// A container as its node reports it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStatus {
    /// Its name.
    pub name: Text,
    /// The reference as the container runtime names it.
    pub image: Text,
    /// The image as the container runtime knows it; empty until it is pulled.
    #[serde(rename = "imageID")]
    pub image_id: Text,
    /// Its mounted volumes.
    #[serde(deserialize_with = "or_default")]
    pub volume_mounts: Vec<VolumeMountStatus>,
}

/// A mounted volume as the node reports it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeMountStatus {
    /// The volume's name.
    pub name: Text,
    /// More about it, from Kubernetes 1.36 on (KEP-5365).
    #[serde(deserialize_with = "or_default")]
    pub volume_status: VolumeStatus,
}

/// What is known of a mounted volume.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct VolumeStatus {
    /// Of a volume made of an image.
    #[serde(deserialize_with = "or_default")]
    pub image: ImageVolumeStatus,
}

/// What is known of an image mounted as a volume.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImageVolumeStatus {
    /// The image, in the form of a container's `imageID`.
    pub image_ref: Text,
}
