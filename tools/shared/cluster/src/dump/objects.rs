//! The objects that pods are made of.
//!
//! `kind` may stand behind the rest of its object: the parts that need it are kept as text until
//! it comes.

use serde::de::{DeserializeOwned, MapAccess};
use serde_json::value::RawValue;

use super::{Gather, ObjectKind, null_or_default, pass_over};
use crate::resource::{self, Resource};
use crate::types::{
    Metadata, Node, NodeStatus, Pod, PodSpec, PodStatus, Templated, TemplatedSpec, Text,
};

/// One object of a dump, as far as it is read here.
#[derive(Debug, Clone)]
pub enum Object {
    /// A pod.
    Pod(Box<Pod>),
    /// A node.
    Node(Box<Node>),
    /// A namespace, by its name.
    Namespace(Text),
    /// An object with a pod template.
    Workload(Resource, Box<Templated>),
    /// Something else.
    Other,
}

/// What an object is, once its `apiVersion` and `kind` are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Pod,
    Node,
    Namespace,
    Workload(Resource),
    Other,
}

fn classify(kind: &ObjectKind) -> Class {
    const WORKLOADS: [Resource; 7] = [
        resource::REPLICA_SETS,
        resource::REPLICATION_CONTROLLERS,
        resource::JOBS,
        resource::CRON_JOBS,
        resource::DEPLOYMENTS,
        resource::STATEFUL_SETS,
        resource::DAEMON_SETS,
    ];
    let is = |resource: Resource| resource.is(&kind.api_version, &kind.kind);
    if is(resource::PODS) {
        Class::Pod
    } else if is(resource::NODES) {
        Class::Node
    } else if is(resource::NAMESPACES) {
        Class::Namespace
    } else {
        WORKLOADS.into_iter().find(|workload| is(*workload)).map_or(Class::Other, Class::Workload)
    }
}

/// `spec`: read, or kept as text until the kind is known.
#[derive(Default)]
enum Spec {
    #[default]
    Skipped,
    Pod(Box<PodSpec>),
    Workload(Box<TemplatedSpec>),
    Kept(Box<RawValue>),
}

/// `status`, likewise.
#[derive(Default)]
enum Status {
    #[default]
    Skipped,
    Pod(Box<PodStatus>),
    Node(Box<NodeStatus>),
    Kept(Box<RawValue>),
}

fn from_kept<T: DeserializeOwned + Default, E: serde::de::Error>(text: &RawValue) -> Result<T, E> {
    let read: Result<Option<T>, _> = serde_json::from_str(text.get());
    read.map(Option::unwrap_or_default).map_err(E::custom)
}

/// The parts of an object that are read, by what it may turn out to be.
#[derive(Default)]
pub(super) struct Parts {
    spec: Spec,
    status: Status,
}

impl Gather for Parts {
    type Object = Object;

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        kind: Option<&ObjectKind>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let class = kind.map(classify);
        match name {
            "spec" => self.spec = spec(class, map)?,
            "status" => self.status = status(class, map)?,
            _ => pass_over(map)?,
        }
        Ok(())
    }

    fn finish<E: serde::de::Error>(
        self,
        kind: &ObjectKind,
        metadata: Metadata,
    ) -> Result<Object, E> {
        Ok(match classify(kind) {
            Class::Pod => Object::Pod(Box::new(self.pod(metadata)?)),
            Class::Node => Object::Node(Box::new(self.node(metadata)?)),
            Class::Workload(resource) => {
                Object::Workload(resource, Box::new(self.workload(metadata)?))
            }
            Class::Namespace => Object::Namespace(metadata.name),
            Class::Other => Object::Other,
        })
    }
}

fn spec<'de, A: MapAccess<'de>>(class: Option<Class>, map: &mut A) -> Result<Spec, A::Error> {
    Ok(match class {
        None => Spec::Kept(map.next_value()?),
        Some(Class::Pod) => Spec::Pod(Box::new(null_or_default(map)?)),
        Some(Class::Workload(_)) => Spec::Workload(Box::new(null_or_default(map)?)),
        Some(_) => pass_over(map).map(|()| Spec::Skipped)?,
    })
}

fn status<'de, A: MapAccess<'de>>(class: Option<Class>, map: &mut A) -> Result<Status, A::Error> {
    Ok(match class {
        None => Status::Kept(map.next_value()?),
        Some(Class::Pod) => Status::Pod(Box::new(null_or_default(map)?)),
        Some(Class::Node) => Status::Node(Box::new(null_or_default(map)?)),
        Some(_) => pass_over(map).map(|()| Status::Skipped)?,
    })
}

impl Parts {
    fn pod<E: serde::de::Error>(self, metadata: Metadata) -> Result<Pod, E> {
        Ok(Pod {
            metadata,
            spec: match self.spec {
                Spec::Pod(spec) => *spec,
                Spec::Kept(text) => from_kept(&text)?,
                Spec::Skipped | Spec::Workload(_) => PodSpec::default(),
            },
            status: match self.status {
                Status::Pod(status) => *status,
                Status::Kept(text) => from_kept(&text)?,
                Status::Skipped | Status::Node(_) => PodStatus::default(),
            },
        })
    }

    fn node<E: serde::de::Error>(self, metadata: Metadata) -> Result<Node, E> {
        Ok(Node {
            metadata,
            status: match self.status {
                Status::Node(status) => *status,
                Status::Kept(text) => from_kept(&text)?,
                Status::Skipped | Status::Pod(_) => NodeStatus::default(),
            },
        })
    }

    fn workload<E: serde::de::Error>(self, metadata: Metadata) -> Result<Templated, E> {
        Ok(Templated {
            metadata,
            spec: match self.spec {
                Spec::Workload(spec) => *spec,
                Spec::Kept(text) => from_kept(&text)?,
                Spec::Skipped | Spec::Pod(_) => TemplatedSpec::default(),
            },
        })
    }
}
