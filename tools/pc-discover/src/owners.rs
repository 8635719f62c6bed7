//! Who answers for a pod: the top of its chain of controllers, by owner references alone.
//!
//! Names are never guessed from other names: `web-5f6d` may belong to anything. Of ReplicaSets,
//! ReplicationControllers and Jobs the controller must be looked up; every other owner is the
//! workload itself, by its own kind, and nobody needs the right to read it.

use std::collections::{BTreeSet, HashMap};

use cluster::Resource;
use cluster::resource::{JOBS, REPLICA_SETS, REPLICATION_CONTROLLERS};
use cluster::types::{OwnerReference, Pod, Text, controller};
use records::Workload;

/// The kinds that are controlled themselves as a rule.
pub(crate) const BETWEEN: [Resource; 3] = [JOBS, REPLICA_SETS, REPLICATION_CONTROLLERS];

/// What directly controls a pod; the pod itself where nothing does.
#[must_use]
pub(crate) fn direct(pod: &Pod) -> OwnerReference {
    controller(&pod.metadata.owner_references).cloned().unwrap_or_else(|| OwnerReference {
        api_version: "v1".into(),
        kind: "Pod".into(),
        name: pod.metadata.name.clone(),
        uid: pod.metadata.uid.clone(),
        controller: Some(true),
    })
}

/// The kind to look `owner` up in, where its own controller may be the workload.
#[must_use]
pub(crate) fn between(owner: &OwnerReference) -> Option<Resource> {
    BETWEEN.into_iter().find(|resource| resource.is(&owner.api_version, &owner.kind))
}

/// The controllers of ReplicaSets, ReplicationControllers and Jobs, by the uid of these.
#[derive(Debug, Default)]
pub(crate) struct Owners(HashMap<Text, Option<OwnerReference>>);

impl Owners {
    /// Learns who controls an object, or that nothing does.
    pub(crate) fn learn(&mut self, uid: Text, owners: &[OwnerReference]) {
        self.0.insert(uid, controller(owners).cloned());
    }

    /// The workload that answers for pods of `owner`.
    #[must_use]
    pub(crate) fn top(&self, owner: &OwnerReference) -> Top {
        let Some(resource) = between(owner) else { return Top::Known(workload(owner)) };
        match self.0.get(&owner.uid) {
            Some(Some(above)) => Top::Known(workload(above)),
            Some(None) => Top::Known(workload(owner)),
            None => Top::Unproven(workload(owner), resource),
        }
    }
}

/// The top of a chain of controllers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Top {
    /// This one.
    Known(Workload),
    /// At least this one; whether something controls it could not be looked up.
    Unproven(Workload, Resource),
}

fn workload(owner: &OwnerReference) -> Workload {
    Workload {
        api_version: owner.api_version.to_string(),
        kind: owner.kind.to_string(),
        name: owner.name.to_string(),
    }
}

/// The kinds whose workloads cannot be called idle while the owners of `unproven` kinds are not
/// known: pods that run may be theirs.
#[must_use]
pub(crate) fn clouded(unproven: &BTreeSet<Resource>, templated: Resource) -> bool {
    use cluster::resource::{CRON_JOBS, DEPLOYMENTS};
    (templated == DEPLOYMENTS && unproven.contains(&REPLICA_SETS))
        || (templated == CRON_JOBS && unproven.contains(&JOBS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(api_version: &str, kind: &str, name: &str) -> OwnerReference {
        OwnerReference {
            api_version: api_version.into(),
            kind: kind.into(),
            name: name.into(),
            uid: format!("uid-{name}").as_str().into(),
            controller: Some(true),
        }
    }

    fn known(api_version: &str, kind: &str, name: &str) -> Top {
        Top::Known(workload(&owner(api_version, kind, name)))
    }

    #[test]
    fn chains_end_where_they_should() {
        let mut owners = Owners::default();
        owners.learn("uid-web-5f6d".into(), &[owner("apps/v1", "Deployment", "web")]);
        owners.learn("uid-roll-77".into(), &[owner("argoproj.io/v1alpha1", "Rollout", "roll")]);
        owners.learn("uid-alone".into(), &[]);
        owners.learn("uid-nightly-1".into(), &[owner("batch/v1", "CronJob", "nightly")]);
        owners.learn("uid-dc-3".into(), &[owner("apps.openshift.io/v1", "DeploymentConfig", "dc")]);
        for (direct, top) in [
            (owner("apps/v1", "ReplicaSet", "web-5f6d"), known("apps/v1", "Deployment", "web")),
            (
                owner("apps/v1", "ReplicaSet", "roll-77"),
                known("argoproj.io/v1alpha1", "Rollout", "roll"),
            ),
            (owner("apps/v1", "ReplicaSet", "alone"), known("apps/v1", "ReplicaSet", "alone")),
            (owner("batch/v1", "Job", "nightly-1"), known("batch/v1", "CronJob", "nightly")),
            (
                owner("v1", "ReplicationController", "dc-3"),
                known("apps.openshift.io/v1", "DeploymentConfig", "dc"),
            ),
            (owner("apps/v1", "StatefulSet", "db"), known("apps/v1", "StatefulSet", "db")),
            (owner("v1", "Node", "n1"), known("v1", "Node", "n1")),
            (
                owner("batch.volcano.sh/v1alpha1", "Job", "mpi"),
                known("batch.volcano.sh/v1alpha1", "Job", "mpi"),
            ),
        ] {
            assert_eq!(owners.top(&direct), top, "{direct:?}");
        }
    }

    #[test]
    fn what_could_not_be_looked_up_is_not_made_up() {
        let direct = owner("apps/v1", "ReplicaSet", "web-5f6d");
        assert_eq!(Owners::default().top(&direct), Top::Unproven(workload(&direct), REPLICA_SETS));
        let unproven = BTreeSet::from([REPLICA_SETS]);
        assert!(clouded(&unproven, cluster::resource::DEPLOYMENTS));
        assert!(!clouded(&unproven, cluster::resource::STATEFUL_SETS));
    }

    #[test]
    fn only_a_controller_owns_a_pod() {
        let pod: Pod = serde_json::from_str(
            r#"{"metadata":{"name":"bare","ownerReferences":[{"kind":"Config","name":"x","uid":"1"}]}}"#,
        )
        .expect("a pod");
        assert_eq!((&*direct(&pod).kind, &*direct(&pod).name), ("Pod", "bare"));
    }
}
