//! The machines that pods run on, kept small: most nodes of a cluster are alike.

use std::collections::HashMap;

use cluster::types::{Node, Text};
use records::Platform;

/// What is known of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Machine {
    /// `os/architecture`; `None` where the node does not say.
    pub(crate) platform: Option<Box<str>>,
    /// Its architecture.
    pub(crate) architecture: Text,
    /// Its operating system's name and version.
    pub(crate) os_image: Text,
    /// Its kernel.
    pub(crate) kernel: Text,
    /// Its container runtime.
    pub(crate) container_runtime: Text,
    /// Its kubelet.
    pub(crate) kubelet: Text,
}

impl From<&Node> for Machine {
    fn from(node: &Node) -> Self {
        let info = &node.status.node_info;
        // A node that has not reported yet may have the labels all the same.
        let or_label = |reported: &Text, label: &str| match reported.given() {
            Some(_) => reported.clone(),
            None => node.metadata.labels.get(label).cloned().unwrap_or_default(),
        };
        let os = or_label(&info.operating_system, "kubernetes.io/os");
        let architecture = or_label(&info.architecture, "kubernetes.io/arch");
        let platform = (os.given().is_some() && architecture.given().is_some())
            .then(|| named(&os, &architecture).to_string().into());
        Self {
            platform,
            architecture,
            os_image: info.os_image.clone(),
            kernel: info.kernel_version.clone(),
            container_runtime: info.container_runtime_version.clone(),
            kubelet: info.kubelet_version.clone(),
        }
    }
}

/// A node reports no variant.
fn named(os: &str, architecture: &str) -> Platform {
    Platform { os: os.to_owned(), architecture: architecture.to_owned(), variant: None }
}

/// The nodes of a cluster.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nodes {
    by_name: HashMap<Text, usize>,
    machines: Vec<Machine>,
    ids: HashMap<Machine, usize>,
    default_platform: Option<Box<str>>,
}

impl Nodes {
    /// No nodes yet; pods on nodes that stay unknown count as running on `default_platform`.
    #[must_use]
    pub(crate) fn new(default_platform: Option<String>) -> Self {
        Self { default_platform: default_platform.map(String::into_boxed_str), ..Self::default() }
    }

    /// Learns of a node.
    pub(crate) fn learn(&mut self, node: &Node) {
        let machine = Machine::from(node);
        let id = *self.ids.entry(machine).or_insert_with_key(|machine| {
            self.machines.push(machine.clone());
            self.machines.len() - 1
        });
        self.by_name.insert(node.metadata.name.clone(), id);
    }

    /// Forgets every node.
    pub(crate) fn clear(&mut self) {
        *self = Self { default_platform: self.default_platform.take(), ..Self::default() };
    }

    /// What is known of a node.
    #[must_use]
    pub(crate) fn machine(&self, node: &str) -> Option<&Machine> {
        self.by_name.get(node).map(|id| &self.machines[*id])
    }

    /// The platform of a node: what it says, else the default.
    #[must_use]
    pub(crate) fn platform(&self, node: &str) -> Option<&str> {
        let said = self.machine(node).and_then(|machine| machine.platform.as_deref());
        said.or(self.default_platform.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, info: &str, labels: &str) -> Node {
        let text = format!(
            r#"{{"metadata":{{"name":"{name}","labels":{labels}}},"status":{{"nodeInfo":{info}}}}}"#
        );
        serde_json::from_str(&text).expect("a node")
    }

    #[test]
    fn platforms_come_from_the_node_then_its_labels_then_the_default() {
        let mut nodes = Nodes::new(None);
        nodes.learn(&node("a", r#"{"operatingSystem":"linux","architecture":"arm64"}"#, "{}"));
        let labels = r#"{"kubernetes.io/os":"windows","kubernetes.io/arch":"amd64"}"#;
        nodes.learn(&node("b", "null", labels));
        nodes.learn(&node("c", "{}", "{}"));
        assert_eq!(nodes.platform("a"), Some("linux/arm64"));
        assert_eq!(nodes.platform("b"), Some("windows/amd64"));
        assert_eq!(nodes.platform("c"), None);
        assert_eq!(nodes.platform("gone"), None);

        let mut nodes = Nodes::new(Some("linux/amd64".into()));
        nodes.learn(&node("a", r#"{"operatingSystem":"linux","architecture":"arm64"}"#, "{}"));
        assert_eq!(nodes.platform("a"), Some("linux/arm64"));
        assert_eq!(nodes.platform("gone"), Some("linux/amd64"));
        nodes.clear();
        assert_eq!(nodes.platform("a"), Some("linux/amd64"));
    }

    #[test]
    fn equal_machines_are_kept_once() {
        let mut nodes = Nodes::new(None);
        for number in 0..100 {
            nodes.learn(&node(&format!("n{number}"), r#"{"kernelVersion":"6.12"}"#, "{}"));
        }
        assert_eq!((nodes.machines.len(), nodes.by_name.len()), (1, 100));
    }
}
