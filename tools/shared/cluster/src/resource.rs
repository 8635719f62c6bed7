//! What can be asked: resources, where, in which form, and the question as a sentence.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A kind of object, as the API serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The version in that group.
    pub version: &'static str,
    /// The name in paths and in RBAC rules, `deployments` for example.
    pub plural: &'static str,
    /// The kind of one object, `Deployment` for example.
    pub kind: &'static str,
}

/// Pods.
pub const PODS: Resource = Resource::core("pods", "Pod");
/// Nodes.
pub const NODES: Resource = Resource::core("nodes", "Node");
/// Namespaces.
pub const NAMESPACES: Resource = Resource::core("namespaces", "Namespace");
/// Secrets.
pub const SECRETS: Resource = Resource::core("secrets", "Secret");
/// ConfigMaps.
pub const CONFIG_MAPS: Resource = Resource::core("configmaps", "ConfigMap");
/// ReplicationControllers.
pub const REPLICATION_CONTROLLERS: Resource =
    Resource::core("replicationcontrollers", "ReplicationController");
/// ReplicaSets.
pub const REPLICA_SETS: Resource = Resource::apps("replicasets", "ReplicaSet");
/// Deployments.
pub const DEPLOYMENTS: Resource = Resource::apps("deployments", "Deployment");
/// StatefulSets.
pub const STATEFUL_SETS: Resource = Resource::apps("statefulsets", "StatefulSet");
/// DaemonSets.
pub const DAEMON_SETS: Resource = Resource::apps("daemonsets", "DaemonSet");
/// Jobs.
pub const JOBS: Resource = Resource::batch("jobs", "Job");
/// CronJobs.
pub const CRON_JOBS: Resource = Resource::batch("cronjobs", "CronJob");

impl Resource {
    const fn core(plural: &'static str, kind: &'static str) -> Self {
        Self { group: "", version: "v1", plural, kind }
    }

    const fn apps(plural: &'static str, kind: &'static str) -> Self {
        Self { group: "apps", version: "v1", plural, kind }
    }

    const fn batch(plural: &'static str, kind: &'static str) -> Self {
        Self { group: "batch", version: "v1", plural, kind }
    }

    /// `apiVersion` of its objects: `v1` or `apps/v1`.
    #[must_use]
    pub fn api_version(self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether objects of this kind carry such an `apiVersion` and `kind`; any version of the
    /// group counts, another group with a kind of the same name does not.
    #[must_use]
    pub fn is(self, api_version: &str, kind: &str) -> bool {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        kind == self.kind && group == self.group
    }
}

/// As RBAC and kubectl write it: `pods`, `deployments.apps`.
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.plural)?;
        if self.group.is_empty() { Ok(()) } else { write!(f, ".{}", self.group) }
    }
}

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// In the whole cluster; also for what has no namespace.
    Cluster,
    /// In one namespace.
    Namespace(String),
}

/// How much of each object the server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// All of it.
    Whole,
    /// Its metadata (PartialObjectMetadata), a few hundred bytes.
    Metadata,
}

impl View {
    /// The media types to accept; a server that cannot cut an object down sends all of it, which
    /// decodes as well.
    pub(crate) fn accept(self, which: &Which) -> &'static str {
        match (self, which) {
            (Self::Whole, _) | (_, Which::Served) => "application/json",
            (Self::Metadata, Which::All) => {
                "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
            }
            (Self::Metadata, Which::Named(_)) => {
                "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
            }
        }
    }
}

/// All objects of a kind, or one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// `list`.
    All,
    /// `get` by name.
    Named(String),
    /// None: which API groups there are, or which kinds a version of a group has.
    Served,
}

/// One question to the API server; prints as what a person would say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The kind of object.
    pub resource: Resource,
    /// Where.
    pub scope: Scope,
    /// All or one.
    pub which: Which,
}

/// What may stand unescaped in a path segment or a query value (RFC 3986, 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) fn escaped(text: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(text, ESCAPED)
}

impl Question {
    /// The RBAC verb.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self.which {
            Which::All => "list",
            Which::Named(_) | Which::Served => "get",
        }
    }

    /// Which API groups there are.
    pub(crate) fn groups() -> Self {
        Self::served("", "")
    }

    /// Which kinds a version of a group has; of the group and version "" which groups there are.
    pub(crate) fn served(group: &'static str, version: &'static str) -> Self {
        let resource = Resource { group, version, plural: "apis", kind: "" };
        Self { resource, scope: Scope::Cluster, which: Which::Served }
    }

    /// The path on the API server.
    pub(crate) fn path(&self) -> String {
        let Resource { group, version, plural, .. } = self.resource;
        if self.which == Which::Served {
            return if group.is_empty() {
                "/apis".to_owned()
            } else {
                format!("/apis/{group}/{version}")
            };
        }
        let mut path = if group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{group}/{version}")
        };
        if let Scope::Namespace(namespace) = &self.scope {
            path.push_str(&format!("/namespaces/{}", escaped(namespace)));
        }
        path.push_str(&format!("/{plural}"));
        if let Which::Named(name) = &self.which {
            path.push_str(&format!("/{}", escaped(name)));
        }
        path
    }

    /// The RBAC rule that allows it, as YAML on one line, and the kind of role that it belongs in.
    #[must_use]
    pub fn rule(&self) -> String {
        let Resource { group, plural, .. } = self.resource;
        if self.which == Which::Served {
            return "{nonResourceURLs: [\"/apis\", \"/apis/*\"], verbs: [\"get\"]} in a ClusterRole"
                .to_owned();
        }
        let role = match &self.scope {
            Scope::Cluster => "a ClusterRole".to_owned(),
            Scope::Namespace(namespace) => {
                format!(
                    "a ClusterRole, or a Role in namespace `{}`",
                    records::text::shown(namespace)
                )
            }
        };
        format!(
            "{{apiGroups: [\"{group}\"], resources: [\"{plural}\"], verbs: [\"{}\"]}} in {role}",
            self.verb()
        )
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use records::text::shown;
        match (&self.which, self.resource.group) {
            (Which::Served, "") => return f.write_str("ask which API groups there are"),
            (Which::Served, _) => {
                return write!(f, "ask which kinds `{}` has", self.resource.api_version());
            }
            _ => {}
        }
        write!(f, "{} `{}`", self.verb(), self.resource)?;
        if let Which::Named(name) = &self.which {
            write!(f, " `{}`", shown(name))?;
        }
        match &self.scope {
            Scope::Namespace(namespace) => write!(f, " in namespace `{}`", shown(namespace)),
            Scope::Cluster if matches!(self.which, Which::All) => {
                f.write_str(" in the whole cluster")
            }
            Scope::Cluster => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(resource: Resource, scope: Scope, which: Which) -> Question {
        Question { resource, scope, which }
    }

    #[test]
    fn paths_and_sentences() {
        let all = question(PODS, Scope::Cluster, Which::All);
        assert_eq!(all.path(), "/api/v1/pods");
        assert_eq!(all.to_string(), "list `pods` in the whole cluster");
        let one =
            question(DEPLOYMENTS, Scope::Namespace("shop".into()), Which::Named("web".into()));
        assert_eq!(one.path(), "/apis/apps/v1/namespaces/shop/deployments/web");
        assert_eq!(one.to_string(), "get `deployments.apps` `web` in namespace `shop`");
        assert_eq!(
            one.rule(),
            "{apiGroups: [\"apps\"], resources: [\"deployments\"], verbs: [\"get\"]} in a ClusterRole, or a Role in namespace `shop`"
        );
    }

    #[test]
    fn what_is_served() {
        let groups = Question::groups();
        assert_eq!((groups.path(), groups.verb()), ("/apis".to_owned(), "get"));
        assert_eq!(groups.to_string(), "ask which API groups there are");
        let kinds = Question::served("apps", "v1");
        assert_eq!(kinds.path(), "/apis/apps/v1");
        assert_eq!(kinds.to_string(), "ask which kinds `apps/v1` has");
        assert!(kinds.rule().starts_with("{nonResourceURLs: "), "{}", kinds.rule());
    }

    #[test]
    fn hostile_names_stay_in_their_segment() {
        let one = question(NAMESPACES, Scope::Cluster, Which::Named("../x?y#z".into()));
        assert_eq!(one.path(), "/api/v1/namespaces/..%2Fx%3Fy%23z");
    }

    #[test]
    fn kinds_of_other_groups_are_other_kinds() {
        assert!(JOBS.is("batch/v1", "Job") && JOBS.is("batch/v1beta1", "Job"));
        assert!(!JOBS.is("batch.volcano.sh/v1alpha1", "Job") && !JOBS.is("v1", "Job"));
        assert!(PODS.is("v1", "Pod") && !PODS.is("metrics.k8s.io/v1beta1", "Pod"));
    }
}
