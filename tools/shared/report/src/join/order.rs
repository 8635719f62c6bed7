//! The order of failures in a report: by subject, then by what failed.

use std::cmp::Ordering;

use records::Failure;

/// Compares two failures by everything that they say; equal means the same failure.
pub(crate) fn failures(a: &Failure, b: &Failure) -> Ordering {
    subject(a).cmp(&subject(b)).then_with(|| facts(a).cmp(&facts(b)))
}

fn subject(failure: &Failure) -> impl Ord + '_ {
    (
        (&failure.namespace, &failure.workload),
        (&failure.container_type, &failure.container),
        (&failure.image, &failure.image_id, &failure.platform),
        (&failure.repository, &failure.index, &failure.manifest),
        (&failure.release_name, &failure.rule),
    )
}

fn facts(failure: &Failure) -> impl Ord + '_ {
    (
        (&failure.stage, &failure.about, &failure.store),
        (&failure.code, &failure.message),
        (failure.retryable, &failure.host, failure.status),
    )
}
