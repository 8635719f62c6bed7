//! Kubernetes objects as far as they are read here.
//!
//! A pod of a real cluster is 9 KB of JSON, of which some 500 bytes matter; the complete types
//! cost forty times the memory. Every field is optional, null is empty, unknown fields are
//! skipped, and foreign text is bounded ([`Text`]).

mod meta;
mod node;
mod pod;
mod text;
mod workload;

pub use meta::{
    ANNOTATION_PREFIX, Annotations, ListMetadata, LocalName, Metadata, NamedObject, Owned,
    OwnedMetadata, OwnerReference, controller,
};
pub use node::{Node, NodeInfo, NodeStatus};
pub use pod::{
    Affinity, Container, ContainerStatus, ImageVolume, ImageVolumeStatus, LocalReference,
    NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, PodStatus,
    Toleration, Volume, VolumeMountStatus, VolumeStatus,
};
pub use text::Text;
pub use workload::{JobTemplate, JobTemplateSpec, PodTemplate, Templated, TemplatedSpec};

pub use text::or_default;
