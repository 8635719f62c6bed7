//! What the pods of one namespace use, summed up while they come in.
//!
//! A pod is folded into sums at once and forgotten: memory follows the number of different things
//! that run in a namespace, not the number of its pods, and not the size of the cluster.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use cluster::Resource;
use cluster::types::{OwnerReference, Pod, PodSpec, Text};
use records::{ContainerType, text};

use crate::constraints::constraints;
use crate::owners::{between, direct};
use crate::pods::{Use, runs, uses};

/// How many pods are named.
pub(crate) const NAMED_PODS: usize = 10;

/// The sums of one namespace.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// The namespace.
    pub(crate) namespace: String,
    /// The direct owners of its pods; sums refer to them by position.
    pub(crate) owners: Vec<OwnerReference>,
    /// The nodes of its pods; sums refer to them by position.
    pub(crate) nodes: Vec<Text>,
    /// What runs, by what it is.
    pub(crate) sums: HashMap<Thing, Sum>,
    /// What binds the pods of an owner to nodes, by the owner's position.
    pub(crate) constraints: HashMap<usize, BTreeSet<String>>,
    /// How many pods were seen, those included that run no more.
    pub(crate) seen: u64,
    owner_ids: HashMap<OwnerReference, usize>,
    node_ids: HashMap<Text, usize>,
}

/// One thing that an owner's pods use.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Thing {
    /// The position of the direct owner.
    pub(crate) owner: usize,
    /// In which list of the pod it stands.
    pub(crate) container_type: ContainerType,
    /// The container's or the volume's name.
    pub(crate) container: Text,
    /// The reference.
    pub(crate) image: Text,
    /// The image id, once there is one.
    pub(crate) image_id: Option<Text>,
}

/// By how many pods, and where.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sum {
    /// By the position of the node; `None` for pods that no node has yet.
    pub(crate) places: BTreeMap<Option<usize>, Place>,
    /// The pull secrets of all these pods.
    pub(crate) pull_secrets: BTreeSet<Text>,
    /// Our annotations on all these pods. Where two pods differ, the smaller value counts: the
    /// answer must not depend on the order of pods.
    pub(crate) annotations: BTreeMap<Text, Text>,
    /// What did not fit into these two.
    pub(crate) left_out: LeftOut,
}

/// Pull secrets and annotations that were left out, told apart by a hash: strangers write them, in
/// any number.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeftOut(HashSet<u64>);

impl LeftOut {
    /// More than this are not told apart.
    const MOST: usize = 1_000;

    fn note(&mut self, list: &str, name: &str) {
        let mut hasher = DefaultHasher::new();
        (list, name).hash(&mut hasher);
        self.add(hasher.finish());
    }

    fn add(&mut self, hash: u64) {
        if self.0.len() < Self::MOST {
            self.0.insert(hash);
        }
    }

    /// How many different ones there were, or 1,000 where there were more.
    pub(crate) fn count(&self) -> u64 {
        self.0.len() as u64
    }
}

/// By how many pods on one node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// How many.
    pub(crate) pods: u64,
    /// The first of their names, sorted.
    pub(crate) names: Vec<Text>,
}

impl Gathered {
    /// Nothing yet.
    #[must_use]
    pub(crate) fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..Self::default() }
    }

    /// Adds a pod.
    pub(crate) fn add(&mut self, pod: &Pod) {
        self.seen += 1;
        if !runs(pod) {
            return;
        }
        let owner = self.owner(direct(pod));
        let node = pod.spec.node_name.given().map(|_| self.node(&pod.spec.node_name));
        let binding = constraints(&pod.spec);
        if !binding.is_empty() {
            self.constraints.entry(owner).or_default().extend(binding);
        }
        for used in uses(pod) {
            let sum = self.sums.entry(thing(owner, &used)).or_default();
            sum.note(&pod.spec, &pod.metadata.annotations.0);
            sum.places.entry(node).or_default().note(&pod.metadata.name);
        }
    }

    /// The kinds in which owners must be looked up, and the uids to look for.
    #[must_use]
    pub(crate) fn wanted_owners(&self) -> BTreeMap<Resource, HashSet<Text>> {
        let mut wanted = BTreeMap::<Resource, HashSet<Text>>::new();
        for owner in &self.owners {
            if let Some(resource) = between(owner) {
                wanted.entry(resource).or_default().insert(owner.uid.clone());
            }
        }
        wanted
    }

    fn owner(&mut self, owner: OwnerReference) -> usize {
        let Self { owners, owner_ids, .. } = self;
        *owner_ids.entry(owner).or_insert_with_key(|owner| {
            owners.push(owner.clone());
            owners.len() - 1
        })
    }

    fn node(&mut self, node: &Text) -> usize {
        if let Some(id) = self.node_ids.get(node) {
            return *id;
        }
        self.nodes.push(node.clone());
        self.node_ids.insert(node.clone(), self.nodes.len() - 1);
        self.nodes.len() - 1
    }
}

fn thing(owner: usize, used: &Use<'_>) -> Thing {
    Thing {
        owner,
        container_type: used.container_type,
        container: used.container.into(),
        image: used.image.into(),
        image_id: used.image_id.map(Text::from),
    }
}

impl Sum {
    /// Adds what a pod, or a template, says about pulling and to us.
    pub(crate) fn note(&mut self, spec: &PodSpec, annotations: &BTreeMap<Text, Text>) {
        let secrets = spec.image_pull_secrets.iter().map(|secret| &secret.name);
        self.add(secrets, annotations);
    }

    /// Adds what other pods say.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.add(other.pull_secrets.iter(), &other.annotations);
        other.left_out.0.iter().for_each(|hash| self.left_out.add(*hash));
    }

    fn add<'a>(
        &mut self,
        pull_secrets: impl Iterator<Item = &'a Text>,
        annotations: &BTreeMap<Text, Text>,
    ) {
        // The first in order stay, whatever the order of pods.
        for secret in pull_secrets {
            if !self.pull_secrets.contains(secret) {
                self.pull_secrets.insert(secret.clone());
            }
            if self.pull_secrets.len() > text::MAX_LIST
                && let Some(last) = self.pull_secrets.pop_last()
            {
                self.left_out.note("pull secret", &last);
            }
        }
        for (key, value) in annotations {
            match self.annotations.get_mut(key) {
                Some(known) if value < known => *known = value.clone(),
                Some(_) => {}
                None => drop(self.annotations.insert(key.clone(), value.clone())),
            }
            if self.annotations.len() > text::MAX_LIST
                && let Some((last, _)) = self.annotations.pop_last()
            {
                self.left_out.note("annotation", &last);
            }
        }
    }
}

impl Place {
    fn note(&mut self, name: &Text) {
        self.pods += 1;
        let at = self.names.partition_point(|known| known <= name);
        if at < NAMED_PODS {
            self.names.insert(at, name.clone());
            self.names.truncate(NAMED_PODS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, node: &str, rest: &str) -> Pod {
        let text = format!(
            r#"{{"metadata":{{"name":"{name}","annotations":{{"provenance.nebari.dev/rule":"{name}"}},
                 "ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-1","uid":"u","controller":true}}]}},
                 "spec":{{"nodeName":"{node}","containers":[{{"name":"c","image":"i"}}]{rest}}}}}"#
        );
        serde_json::from_str(&text).expect("a pod")
    }

    #[test]
    fn pods_become_sums() {
        let mut gathered = Gathered::new("shop");
        for number in (0..30).rev() {
            gathered.add(&pod(&format!("p{number:02}"), &format!("n{}", number % 2), ""));
        }
        gathered.add(&pod("q", "", r#","imagePullSecrets":[{"name":"s"},{"name":"s"}]"#));
        assert_eq!((gathered.sums.len(), gathered.owners.len(), gathered.seen), (1, 1, 31));
        let sum = gathered.sums.values().next().expect("a sum");
        assert_eq!(sum.places.len(), 3);
        let unbound = &sum.places[&None];
        assert_eq!((unbound.pods, unbound.names.len()), (1, 1));
        let bound = sum.places.values().find(|place| place.pods == 15).expect("a node");
        assert_eq!((&*bound.names[0], bound.names.len()), ("p01", NAMED_PODS));
        assert_eq!(sum.pull_secrets, [Text::from("s")].into());
        assert_eq!(&*sum.annotations["provenance.nebari.dev/rule"], "p00");
        assert_eq!(gathered.wanted_owners()[&cluster::resource::REPLICA_SETS].len(), 1);
    }

    #[test]
    fn tenants_cannot_fill_the_memory_with_secrets_and_annotations() {
        let secrets: Vec<String> = (0..300).map(|n| format!(r#"{{"name":"s{n}"}}"#)).collect();
        let spec =
            serde_json::from_str(&format!(r#"{{"imagePullSecrets":[{}]}}"#, secrets.join(",")));
        let annotations = (0..300).map(|n| (format!("a{n}").as_str().into(), "x".into())).collect();
        let (spec, mut sum) = (spec.expect("a spec"), Sum::default());
        sum.note(&spec, &annotations);
        let sizes = (sum.pull_secrets.len(), sum.annotations.len());
        assert_eq!((sizes, sum.left_out.count()), ((text::MAX_LIST, text::MAX_LIST), 400));
        // The same once more is nothing more, and neither is the order.
        sum.note(&spec, &annotations);
        let mut other = Sum::default();
        for secret in spec.image_pull_secrets.iter().rev() {
            other.add([&secret.name].into_iter(), &annotations);
        }
        sum.merge(&other);
        assert_eq!(sum.left_out.count(), 400);
        assert_eq!(sum.pull_secrets, other.pull_secrets);
        let many = |n: usize| Text::from(format!("z{n}").as_str());
        (0..2_000).for_each(|n| sum.add([&many(n)].into_iter(), &BTreeMap::new()));
        assert_eq!(sum.left_out.count(), 1_000);
    }
}
