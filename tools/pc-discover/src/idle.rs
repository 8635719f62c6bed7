//! Templates that run nothing now: scaled to zero, suspended, or between two runs.

use cluster::Resource;
use cluster::resource::{CRON_JOBS, DAEMON_SETS, DEPLOYMENTS, JOBS, STATEFUL_SETS};
use cluster::types::{Templated, Text, controller};
use records::Workload;

use crate::constraints::constraints;
use crate::gather::Sum;
use crate::owners::clouded;
use crate::pods::from_spec;
use crate::rows::{Rows, Subject};
use crate::selector::Selector;

/// The kinds whose templates are looked at.
pub(crate) const TEMPLATED: [Resource; 5] =
    [CRON_JOBS, DAEMON_SETS, DEPLOYMENTS, JOBS, STATEFUL_SETS];

/// Adds a workload's template to the rows of its namespace, if it runs nothing.
///
/// Of Jobs only suspended ones: a Job that is done will not run again.
pub(crate) fn add(
    rows: &mut Rows,
    kind: Resource,
    templated: &Templated,
    selector: Option<&Selector>,
) {
    let workload = Workload {
        api_version: kind.api_version(),
        kind: kind.kind.to_owned(),
        name: templated.metadata.name.to_string(),
    };
    let template = templated.pod_template();
    let would_run = kind != JOBS || is_paused_job(templated);
    let chosen = selector.is_none_or(|selector| selector.matches(&template.metadata.labels));
    if !would_run || !chosen || rows.running.contains(&workload) || clouded(&rows.unproven, kind) {
        return;
    }
    for used in from_spec(&template.spec) {
        let mut sum = Sum::default();
        sum.note(&template.spec, &template.metadata.annotations.0);
        let subject = Subject {
            workload: workload.clone(),
            container_type: used.container_type,
            container: used.container.into(),
        };
        rows.add_idle(subject, Text::from(used.image), sum, constraints(&template.spec));
    }
}

/// A suspended Job of its own; one of a CronJob is that CronJob's affair.
fn is_paused_job(job: &Templated) -> bool {
    job.spec.suspend == Some(true) && controller(&job.metadata.owner_references).is_none()
}
