//! Nodes: the machines, and what runs the pods there.

use serde::Deserialize;

use super::{Metadata, Text, or_default};

/// A node.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Node {
    /// Its name and labels.
    pub metadata: Metadata,
    /// What it reports.
    #[serde(deserialize_with = "or_default")]
    pub status: NodeStatus,
}

/// `status` of a node.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeStatus {
    /// The machine and its software.
    #[serde(deserialize_with = "or_default")]
    pub node_info: NodeInfo,
}

/// `status.nodeInfo`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeInfo {
    /// `linux` or `windows`.
    pub operating_system: Text,
    /// In Go's words, `amd64` for example.
    pub architecture: Text,
    /// The distribution, `Debian GNU/Linux 13 (trixie)` for example.
    pub os_image: Text,
    /// The kernel's release.
    pub kernel_version: Text,
    /// Name and version, `containerd://2.1.4` for example.
    pub container_runtime_version: Text,
    /// The kubelet's version.
    pub kubelet_version: Text,
}
