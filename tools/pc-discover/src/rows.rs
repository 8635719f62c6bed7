//! From the sums of a namespace to its records: owners, platforms, order.

use std::collections::{BTreeMap, BTreeSet};

use cluster::Resource;
use cluster::types::Text;
use records::{ContainerType, Image, Runtime, Shard, Workload, text};
use registry::Reference;

use crate::gather::{Gathered, NAMED_PODS, Place, Sum, Thing};
use crate::nodes::{Machine, Nodes};
use crate::owners::{Owners, Top};
use crate::pods::running_digest;
use crate::shard;

/// What the records about one namespace say, and what is left open.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    namespace: String,
    images: BTreeMap<Key, Row>,
    runtimes: BTreeMap<Subject, OnWhat>,
    /// The workloads that run something.
    pub(crate) running: BTreeSet<Workload>,
    /// The kinds in which the owner of an owner could not be looked up.
    pub(crate) unproven: BTreeSet<Resource>,
    /// The nodes that pods run on and of which nothing is known.
    pub(crate) unknown_nodes: BTreeSet<Text>,
}

/// An `image` record's subject, in the order of output.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    subject: Subject,
    image: Text,
    image_id: Option<Text>,
    platform: Option<String>,
}

/// A `runtime` record's subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subject {
    /// Who answers for it.
    pub(crate) workload: Workload,
    /// In which list of the pod it stands.
    pub(crate) container_type: ContainerType,
    /// The container's or the volume's name.
    pub(crate) container: Text,
}

#[derive(Debug, Default)]
struct Row {
    pods: u64,
    nodes: BTreeSet<usize>,
    names: BTreeSet<Text>,
    sum: Sum,
    idle: bool,
}

/// Pods by machine, and what binds them.
#[derive(Debug, Default)]
struct OnWhat {
    machines: BTreeMap<Machine, u64>,
    constraints: BTreeSet<String>,
}

/// One record of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    /// One thing that runs.
    Image(Image),
    /// On what it runs; behind the first image of its subject.
    Runtime(Runtime),
}

impl Rows {
    /// The rows of a namespace.
    #[must_use]
    pub(crate) fn new(gathered: Gathered, owners: &Owners, nodes: &Nodes) -> Self {
        let mut rows = Self { namespace: gathered.namespace, ..Self::default() };
        let tops: Vec<Workload> =
            gathered.owners.iter().map(|owner| rows.settle(owners.top(owner))).collect();
        for (thing, sum) in gathered.sums {
            let subject = Subject {
                workload: tops[thing.owner].clone(),
                container_type: thing.container_type,
                container: thing.container.clone(),
            };
            rows.running.insert(subject.workload.clone());
            let constraints = gathered.constraints.get(&thing.owner);
            rows.add(&subject, &thing, sum, &gathered.nodes, nodes);
            let on_what = rows.runtimes.entry(subject).or_default();
            on_what.constraints.extend(constraints.into_iter().flatten().cloned());
        }
        rows
    }

    fn settle(&mut self, top: Top) -> Workload {
        match top {
            Top::Known(workload) => workload,
            Top::Unproven(workload, resource) => {
                self.unproven.insert(resource);
                workload
            }
        }
    }

    /// Adds a sum, one row for each platform.
    fn add(&mut self, subject: &Subject, thing: &Thing, sum: Sum, names: &[Text], nodes: &Nodes) {
        let mut sum = sum;
        for (node, place) in std::mem::take(&mut sum.places) {
            let name = node.map(|node| &names[node]);
            let machine = name.and_then(|name| nodes.machine(name));
            match (name, machine) {
                (Some(_), Some(machine)) => self.count(subject, machine, place.pods),
                (Some(name), None) => drop(self.unknown_nodes.insert(name.clone())),
                (None, _) => {}
            }
            let key = Key {
                subject: subject.clone(),
                image: thing.image.clone(),
                image_id: thing.image_id.clone(),
                platform: name.and_then(|name| nodes.platform(name)).map(str::to_owned),
            };
            let row = self.images.entry(key).or_default();
            row.add(node, place);
            row.sum.merge(&sum);
        }
    }

    fn count(&mut self, subject: &Subject, machine: &Machine, pods: u64) {
        let machines = &mut self.runtimes.entry(subject.clone()).or_default().machines;
        if let Some(count) = machines.get_mut(machine) {
            *count += pods;
        } else {
            machines.insert(machine.clone(), pods);
        }
    }

    /// Adds what a template would run.
    pub(crate) fn add_idle(
        &mut self,
        subject: Subject,
        image: Text,
        sum: Sum,
        binding: BTreeSet<String>,
    ) {
        self.runtimes.entry(subject.clone()).or_default().constraints.extend(binding);
        let key = Key { subject, image, image_id: None, platform: None };
        self.images.insert(key, Row { sum, idle: true, ..Row::default() });
    }

    /// The namespace.
    #[must_use]
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The records, in order; of images only those of the shard.
    pub(crate) fn into_records(self, shard: Option<Shard>) -> impl Iterator<Item = Written> {
        let Self { namespace, images, mut runtimes, .. } = self;
        images
            .into_iter()
            .filter(move |(key, _)| shard.is_none_or(|shard| shard::holds(shard, &key.image)))
            .flat_map(move |(key, row)| {
                let runtime = runtimes
                    .remove(&key.subject)
                    .map(|on_what| Written::Runtime(on_what.record(&namespace, &key.subject)));
                [Written::Image(row.record(&namespace, key))].into_iter().chain(runtime)
            })
    }
}

impl Row {
    fn add(&mut self, node: Option<usize>, place: Place) {
        self.pods += place.pods;
        self.nodes.extend(node);
        self.names.extend(place.names);
        while self.names.len() > NAMED_PODS {
            self.names.pop_last();
        }
    }

    fn record(self, namespace: &str, key: Key) -> Image {
        let dropped = self.dropped(&key);
        let Key { subject, image, image_id, platform } = key;
        let owned =
            |texts: BTreeSet<Text>| texts.into_iter().map(|text| text.to_string()).collect();
        Image {
            namespace: Some(namespace.to_owned()),
            workload: Some(subject.workload),
            container: Some(subject.container.to_string()),
            container_type: Some(subject.container_type),
            running_digest: image_id.as_deref().and_then(running_digest),
            pinned: image.parse::<Reference>().is_ok_and(|image| image.digest().is_some()),
            image: image.to_string(),
            image_id: image_id.map(|id| id.to_string()),
            platform,
            pods: self.pods,
            nodes: self.nodes.len() as u64,
            pod_names: owned(self.names),
            pull_secrets: owned(self.sum.pull_secrets),
            annotations: self
                .sum
                .annotations
                .into_iter()
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .collect(),
            idle: self.idle,
            dropped,
        }
    }

    /// What is not in the record, and what is in it and was cut.
    fn dropped(&self, key: &Key) -> u64 {
        let Subject { workload, container, .. } = &key.subject;
        let Workload { api_version, kind, name } = workload;
        let sum = &self.sum;
        let names = [container, &key.image].into_iter().chain(&key.image_id).chain(&self.names);
        let annotations = sum.annotations.iter().flat_map(|(key, value)| [key, value]);
        let texts = names.chain(&sum.pull_secrets).chain(annotations).map(|text| -> &str { text });
        let texts = texts.chain([api_version, kind, name].into_iter().map(String::as_str));
        sum.left_out.count() + count_cut(texts)
    }
}

fn count_cut<'a>(texts: impl Iterator<Item = &'a str>) -> u64 {
    texts.filter(|text| text::is_cut(text)).count() as u64
}

impl OnWhat {
    fn record(self, namespace: &str, subject: &Subject) -> Runtime {
        let mut dropped = 0;
        let mut count = |of: fn(&Machine) -> &Text| {
            let mut counts = BTreeMap::<String, u64>::new();
            for (machine, pods) in &self.machines {
                if let Some(value) = of(machine).given() {
                    *counts.entry(value.to_owned()).or_default() += pods;
                }
            }
            while counts.len() > text::MAX_LIST {
                counts.pop_last();
                dropped += 1;
            }
            counts
        };
        let mut runtime = Runtime {
            namespace: namespace.to_owned(),
            workload: subject.workload.clone(),
            container: subject.container.to_string(),
            container_type: subject.container_type,
            os_images: count(|machine| &machine.os_image),
            kernels: count(|machine| &machine.kernel),
            container_runtimes: count(|machine| &machine.container_runtime),
            kubelets: count(|machine| &machine.kubelet),
            architectures: count(|machine| &machine.architecture),
            constraints: self.constraints.into_iter().collect(),
            dropped: 0,
        };
        runtime.dropped = dropped + text::cut_list(&mut runtime.constraints);
        let Runtime { os_images, kernels, container_runtimes, kubelets, architectures, .. } =
            &runtime;
        let values = [os_images, kernels, container_runtimes, kubelets, architectures];
        let texts = values.into_iter().flat_map(BTreeMap::keys).chain(&runtime.constraints);
        runtime.dropped += count_cut(texts.map(String::as_str));
        runtime
    }
}

#[cfg(test)]
mod tests;
