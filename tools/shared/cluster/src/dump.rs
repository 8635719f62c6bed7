//! Reading a cluster from a file: what `kubectl get pods,replicasets,jobs,nodes -A -o json`
//! prints, streamed object by object.
//!
//! Lists of mixed kinds in any order, single objects, lists of one kind as the API itself sends
//! them, and several of these one after the other. `kind` may stand behind the rest of its object:
//! the parts that need it are kept as text until it comes.

use std::fmt;
use std::io::{self, BufRead};

use records::text::shown;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

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

/// Why a dump cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// There is nothing in it; not even an empty list.
    #[error("the dump is empty: whatever should have written it failed")]
    Empty,
    /// It is YAML, or something else that is no JSON object.
    #[error("the dump is no JSON object")]
    NotJson,
    /// It ends in the middle.
    #[error("the dump ends in the middle, at line {line} column {column}")]
    Truncated {
        /// The last line, from 1.
        line: usize,
        /// The last column, from 1.
        column: usize,
    },
    /// It is JSON of another form.
    #[error("the dump is malformed")]
    Malformed(#[source] serde_json::Error),
    /// It cannot be read from its file.
    #[error("the dump cannot be read")]
    Read(#[source] io::Error),
}

impl DumpError {
    /// What would mend it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read(_) => None,
            Self::Truncated { .. } => Some("write it again, and check that the disk is not full"),
            Self::Empty | Self::NotJson | Self::Malformed(_) => Some(
                "write it by `kubectl get pods,replicasets,replicationcontrollers,jobs,nodes -A -o json`",
            ),
        }
    }
}

/// Reads a dump and hands each object to `sink` as soon as it is read.
///
/// # Errors
/// [`DumpError`]; what was handed over before is not to be trusted then.
pub fn read_dump<R: BufRead>(mut reader: R, mut sink: impl FnMut(Object)) -> Result<(), DumpError> {
    let beginning = reader.fill_buf().map_err(DumpError::Read)?;
    if beginning.is_empty() {
        return Err(DumpError::Empty);
    }
    match beginning.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') | None => {}
        Some(_) => return Err(DumpError::NotJson),
    }
    let mut json = serde_json::Deserializer::from_reader(reader);
    let mut documents = 0_u64;
    // `end` looks one character ahead and leaves it there.
    while documents == 0 || json.end().is_err() {
        ObjectSeed { sink: &mut sink, inherited: None }.deserialize(&mut json).map_err(why)?;
        documents += 1;
    }
    Ok(())
}

fn why(error: serde_json::Error) -> DumpError {
    use serde_json::error::Category;
    match error.classify() {
        Category::Io => DumpError::Read(error.into()),
        Category::Eof => DumpError::Truncated { line: error.line(), column: error.column() },
        Category::Syntax | Category::Data => DumpError::Malformed(error),
    }
}

/// What an object is, once its `apiVersion` and `kind` are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Pod,
    Node,
    Namespace,
    Workload(Resource),
    /// The API server's word for an error.
    Status,
    Other,
}

fn classify(api_version: &str, kind: &str) -> Class {
    const WORKLOADS: [Resource; 7] = [
        resource::REPLICA_SETS,
        resource::REPLICATION_CONTROLLERS,
        resource::JOBS,
        resource::CRON_JOBS,
        resource::DEPLOYMENTS,
        resource::STATEFUL_SETS,
        resource::DAEMON_SETS,
    ];
    let is = |resource: Resource| resource.is(api_version, kind);
    if is(resource::PODS) {
        Class::Pod
    } else if is(resource::NODES) {
        Class::Node
    } else if is(resource::NAMESPACES) {
        Class::Namespace
    } else if api_version == "v1" && kind == "Status" {
        Class::Status
    } else {
        WORKLOADS.into_iter().find(|workload| is(*workload)).map_or(Class::Other, Class::Workload)
    }
}

/// Reads one object, or a list of objects.
struct ObjectSeed<'a, F> {
    sink: &'a mut F,
    /// What the list around it says about its items.
    inherited: Option<Class>,
}

/// Reads the `items` of a list.
struct ItemsSeed<'a, F> {
    sink: &'a mut F,
    inherited: Option<Class>,
}

/// `spec`: read, or kept as text until the kind is known.
enum Spec {
    Skipped,
    Pod(Box<PodSpec>),
    Workload(Box<TemplatedSpec>),
    Kept(Box<RawValue>),
}

/// `status`, likewise.
enum Status {
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
struct Parts {
    api_version: Text,
    kind: Text,
    inherited: Option<Class>,
    metadata: Metadata,
    spec: Spec,
    status: Status,
    message: Text,
    is_list: bool,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Key {
    ApiVersion,
    Kind,
    Metadata,
    Items,
    Spec,
    Status,
    Message,
    #[serde(other)]
    Other,
}

impl Parts {
    fn new(inherited: Option<Class>) -> Self {
        Self {
            api_version: Text::default(),
            kind: Text::default(),
            inherited,
            metadata: Metadata::default(),
            spec: Spec::Skipped,
            status: Status::Skipped,
            message: Text::default(),
            is_list: false,
        }
    }

    fn class(&self) -> Option<Class> {
        match (self.api_version.given(), self.kind.given()) {
            (Some(api_version), Some(kind)) => Some(classify(api_version, kind)),
            _ => self.inherited,
        }
    }

    /// Of what the items of this list are, where its own kind tells.
    fn class_of_items(&self) -> Option<Class> {
        let kind = self.kind.strip_suffix("List").filter(|kind| !kind.is_empty())?;
        Some(classify(self.api_version.given()?, kind))
    }

    fn may_be_list(&self) -> bool {
        self.inherited.is_none() && self.kind.given().is_none_or(|kind| kind.ends_with("List"))
    }

    /// One page of a list is not the list.
    fn check_whole<E: serde::de::Error>(&self) -> Result<(), E> {
        let remaining = self.metadata.remaining_item_count.unwrap_or(0);
        if self.metadata.next_page.is_empty() && remaining == 0 {
            return Ok(());
        }
        Err(E::custom("it holds one page of a list, and more objects follow on others"))
    }

    fn read_spec<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        self.spec = match self.class() {
            None => Spec::Kept(map.next_value()?),
            Some(Class::Pod) => Spec::Pod(Box::new(null_or_default(map)?)),
            Some(Class::Workload(_)) => Spec::Workload(Box::new(null_or_default(map)?)),
            Some(_) => skip(map).map(|()| Spec::Skipped)?,
        };
        Ok(())
    }

    fn read_status<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        self.status = match self.class() {
            None => Status::Kept(map.next_value()?),
            Some(Class::Pod) => Status::Pod(Box::new(null_or_default(map)?)),
            Some(Class::Node) => Status::Node(Box::new(null_or_default(map)?)),
            Some(_) => skip(map).map(|()| Status::Skipped)?,
        };
        Ok(())
    }

    fn finish<E: serde::de::Error>(self) -> Result<Object, E> {
        let class = self.class().ok_or_else(|| {
            E::custom(
                "an object without `apiVersion` and `kind`: no Kubernetes object is like that",
            )
        })?;
        Ok(match class {
            Class::Pod => Object::Pod(Box::new(self.pod()?)),
            Class::Node => Object::Node(Box::new(self.node()?)),
            Class::Workload(resource) => Object::Workload(resource, Box::new(self.workload()?)),
            Class::Namespace => Object::Namespace(self.metadata.name),
            Class::Status => {
                let message = shown(&self.message);
                return Err(E::custom(format!("it holds a refusal of the API server: {message}")));
            }
            Class::Other => Object::Other,
        })
    }

    fn pod<E: serde::de::Error>(self) -> Result<Pod, E> {
        Ok(Pod {
            metadata: self.metadata,
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

    fn node<E: serde::de::Error>(self) -> Result<Node, E> {
        Ok(Node {
            metadata: self.metadata,
            status: match self.status {
                Status::Node(status) => *status,
                Status::Kept(text) => from_kept(&text)?,
                Status::Skipped | Status::Pod(_) => NodeStatus::default(),
            },
        })
    }

    fn workload<E: serde::de::Error>(self) -> Result<Templated, E> {
        Ok(Templated {
            metadata: self.metadata,
            spec: match self.spec {
                Spec::Workload(spec) => *spec,
                Spec::Kept(text) => from_kept(&text)?,
                Spec::Skipped | Spec::Pod(_) => TemplatedSpec::default(),
            },
        })
    }
}

fn null_or_default<'de, A: MapAccess<'de>, T: Deserialize<'de> + Default>(
    map: &mut A,
) -> Result<T, A::Error> {
    map.next_value::<Option<T>>().map(Option::unwrap_or_default)
}

fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

impl<'de, F: FnMut(Object)> DeserializeSeed<'de> for ObjectSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de, F: FnMut(Object)> Visitor<'de> for ObjectSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Kubernetes object or a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut parts = Parts::new(self.inherited);
        while let Some(key) = map.next_key()? {
            match key {
                Key::ApiVersion => parts.api_version = map.next_value()?,
                Key::Kind => parts.kind = map.next_value()?,
                Key::Metadata => parts.metadata = null_or_default(&mut map)?,
                Key::Spec => parts.read_spec(&mut map)?,
                Key::Status => parts.read_status(&mut map)?,
                Key::Message if parts.class() == Some(Class::Status) => {
                    parts.message = map.next_value()?;
                }
                Key::Items if parts.may_be_list() => {
                    let inherited = parts.class_of_items();
                    map.next_value_seed(ItemsSeed { sink: &mut *self.sink, inherited })?;
                    parts.is_list = true;
                }
                Key::Items | Key::Message | Key::Other => skip(&mut map)?,
            }
        }
        if parts.is_list {
            return parts.check_whole();
        }
        if self.inherited.is_none() && parts.kind.ends_with("List") {
            return Err(A::Error::custom("it has a list without `items`"));
        }
        (self.sink)(parts.finish()?);
        Ok(())
    }
}

impl<'de, F: FnMut(Object)> DeserializeSeed<'de> for ItemsSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, F: FnMut(Object)> Visitor<'de> for ItemsSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the items of a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        loop {
            let seed = ObjectSeed { sink: &mut *self.sink, inherited: self.inherited };
            if items.next_element_seed(seed)?.is_none() {
                return Ok(());
            }
        }
    }
}
