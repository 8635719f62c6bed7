//! Discovering from a dump: the objects come in any order, and the rows are made at the end.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::BufRead;

use cluster::types::{Pod, Templated, Text};
use cluster::{DumpError, Object, Resource, read_dump};
use stage::EdgeError;

use crate::failures::{self, Source};
use crate::gather::Gathered;
use crate::idle::{self, TEMPLATED};
use crate::nodes::Nodes;
use crate::output::{NodesKnown, Output};
use crate::owners::{BETWEEN, Owners};
use crate::rows::Rows;
use crate::settings::{Idle, Settings};

/// A dump, summed up.
#[derive(Debug)]
pub(crate) struct Dump {
    /// In the order in which their first pods come.
    namespaces: Vec<Gathered>,
    positions: HashMap<String, usize>,
    /// All namespaces that something was seen of.
    seen: BTreeSet<String>,
    /// The uids of the pods: dumps may overlap.
    pods: HashSet<Text>,
    owners: Owners,
    nodes: Nodes,
    nodes_known: NodesKnown,
    templates: BTreeMap<String, Vec<(Resource, Templated)>>,
    has_pods: bool,
}

impl Dump {
    /// Reads a dump to its end.
    ///
    /// # Errors
    /// [`DumpError`].
    pub(crate) fn read(from: impl BufRead, settings: &Settings) -> Result<Self, DumpError> {
        let mut dump = Self {
            namespaces: Vec::new(),
            positions: HashMap::new(),
            seen: BTreeSet::new(),
            pods: HashSet::new(),
            owners: Owners::default(),
            nodes: Nodes::new(settings.default_platform.clone()),
            nodes_known: NodesKnown::No,
            templates: BTreeMap::new(),
            has_pods: false,
        };
        read_dump(from, |object| dump.take(object, settings))?;
        Ok(dump)
    }

    fn take(&mut self, object: Object, settings: &Settings) {
        match object {
            Object::Pod(pod) => self.take_pod(&pod, settings),
            Object::Node(node) => {
                self.nodes.learn(&node);
                self.nodes_known = NodesKnown::Listed;
            }
            Object::Namespace(name) => self.see(&name, settings),
            Object::Workload(kind, templated) => self.take_workload(kind, *templated, settings),
            Object::Other => {}
        }
    }

    fn see(&mut self, namespace: &str, settings: &Settings) {
        if settings.namespaces.selects(namespace) && !self.seen.contains(namespace) {
            self.seen.insert(namespace.to_owned());
        }
    }

    fn take_pod(&mut self, pod: &Pod, settings: &Settings) {
        self.has_pods = true;
        let metadata = &pod.metadata;
        let again = metadata.uid.given().is_some() && !self.pods.insert(metadata.uid.clone());
        self.see(&metadata.namespace, settings);
        let selector = settings.selector.as_ref();
        let chosen = selector.is_none_or(|selector| selector.matches(&metadata.labels));
        if again || !chosen || !settings.namespaces.selects(&metadata.namespace) {
            return;
        }
        let at = match self.positions.get(&*metadata.namespace) {
            Some(at) => *at,
            None => {
                self.positions.insert(metadata.namespace.to_string(), self.namespaces.len());
                self.namespaces.push(Gathered::new(&metadata.namespace));
                self.namespaces.len() - 1
            }
        };
        self.namespaces[at].add(pod);
    }

    fn take_workload(&mut self, kind: Resource, templated: Templated, settings: &Settings) {
        let metadata = &templated.metadata;
        self.see(&metadata.namespace, settings);
        if BETWEEN.contains(&kind) {
            self.owners.learn(metadata.uid.clone(), &metadata.owner_references);
        }
        let wanted = settings.idle == Idle::Included
            && TEMPLATED.contains(&kind)
            && settings.namespaces.selects(&metadata.namespace);
        if wanted {
            let namespace = metadata.namespace.to_string();
            self.templates.entry(namespace).or_default().push((kind, templated));
        }
    }

    /// Writes what was found.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn write(mut self, settings: &Settings, out: &mut Output) -> Result<(), EdgeError> {
        if !self.has_pods {
            out.failure(&failures::no_pods())?;
        }
        if self.nodes_known == NodesKnown::No && !self.namespaces.is_empty() {
            out.failure(&failures::no_nodes(settings.suffers()))?;
        }
        let resting = self.templates.keys().filter(|name| !self.positions.contains_key(*name));
        let resting: Vec<Gathered> = resting.map(|name| Gathered::new(name)).collect();
        for gathered in std::mem::take(&mut self.namespaces).into_iter().chain(resting) {
            self.write_namespace(gathered, settings, out)?;
        }
        for namespace in &self.seen {
            out.asked(namespace);
        }
        let seen = |name: &str| self.seen.contains(name);
        out.not_there(&settings.namespaces.named(), seen, Source::Dump)
    }

    fn write_namespace(
        &self,
        gathered: Gathered,
        settings: &Settings,
        out: &mut Output,
    ) -> Result<(), EdgeError> {
        let mut rows = Rows::new(gathered, &self.owners, &self.nodes);
        let namespace = rows.namespace().to_owned();
        let lost = rows.unproven.iter();
        let failures =
            lost.map(|kind| failures::lost_owners(&namespace, *kind, Source::Dump)).collect();
        for (kind, templated) in self.templates.get(&namespace).into_iter().flatten() {
            idle::add(&mut rows, *kind, templated, settings.selector.as_ref());
        }
        out.namespace(rows, failures, settings, self.nodes_known)
    }
}
