//! Workloads: objects with a pod template.

use serde::Deserialize;

use super::{Metadata, PodSpec, or_default};

/// A Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job or CronJob.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Templated {
    /// Its names and owners.
    pub metadata: Metadata,
    /// What it should be.
    #[serde(deserialize_with = "or_default")]
    pub spec: TemplatedSpec,
}

/// The fields of all their `spec`s that are read here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplatedSpec {
    /// Whether a Job or CronJob is told to start nothing.
    pub suspend: Option<bool>,
    /// The template of its pods.
    #[serde(deserialize_with = "or_default")]
    pub template: PodTemplate,
    /// A CronJob's template of Jobs.
    #[serde(deserialize_with = "or_default")]
    pub job_template: JobTemplate,
}

/// A template of pods.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PodTemplate {
    /// Labels and annotations of its pods.
    #[serde(deserialize_with = "or_default")]
    pub metadata: Metadata,
    /// What its pods should be.
    #[serde(deserialize_with = "or_default")]
    pub spec: PodSpec,
}

/// A template of Jobs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct JobTemplate {
    /// What its Jobs should be.
    #[serde(deserialize_with = "or_default")]
    pub spec: JobTemplateSpec,
}

/// `spec` of a template of Jobs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct JobTemplateSpec {
    /// The template of the Jobs' pods.
    #[serde(deserialize_with = "or_default")]
    pub template: PodTemplate,
}

impl Templated {
    /// The template of the pods, wherever the kind keeps it.
    #[must_use]
    pub fn pod_template(&self) -> &PodTemplate {
        let nested = &self.spec.job_template.spec.template;
        if nested.spec.containers.is_empty() { &self.spec.template } else { nested }
    }
}
