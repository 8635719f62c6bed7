//! On what containers run, and what constrains them.
//!
//! Pods go from node to node by themselves, so what nodes are is compared over all containers that
//! are in both reports together; what constrains a container is its own.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use records::Runtime;

use crate::Report;

use super::Code;
use super::gather::{Found, Gather, PlaceRef};

/// What constraints begin with that let a container do more.
const PRIVILEGES: [&str; 8] = [
    "privileged",
    "allowPrivilegeEscalation",
    "capability ",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "runAsUser 0",
    "unconfined ",
];

/// Facts of nodes, by name.
type Facts<'a> = [(&'static str, &'a BTreeMap<String, u64>); 5];

fn facts(runtime: &Runtime) -> Facts<'_> {
    [
        ("osImages", &runtime.os_images),
        ("kernels", &runtime.kernels),
        ("containerRuntimes", &runtime.container_runtimes),
        ("kubelets", &runtime.kubelets),
        ("architectures", &runtime.architectures),
    ]
}

/// What is seen of the nodes in both reports, by fact.
type Seen<'a> = BTreeMap<&'static str, [BTreeSet<&'a str>; 2]>;

pub(super) fn compare<'a>(older: &'a Report, newer: &'a Report, gather: &mut Gather<'a>) {
    let before: HashMap<PlaceRef<'_>, &Runtime> =
        older.runtimes.iter().map(|runtime| (place_of(runtime), runtime)).collect();
    let mut seen = Seen::new();
    for now in &newer.runtimes {
        let place = place_of(now);
        let Some(before) = before.get(&place) else { continue };
        // Of a list that was cut nobody knows what is missing.
        let cut = match (before.dropped > 0, now.dropped > 0) {
            (false, false) => {
                note(&mut seen, before, now);
                constraints(place, before, now, gather);
                continue;
            }
            (false, true) => Code::NotChecked,
            (true, false) => Code::Checked,
            (true, true) => continue,
        };
        let mut found = Found::new(cut).about("runtime");
        found.reason =
            Some("dropped: what constrains the container was too long to be kept".into());
        gather.add_at(place, found);
    }
    for (fact, [before, after]) in seen {
        if before != after {
            let mut found = Found::new(Code::NodesChanged).about(fact);
            found.before = before.into_iter().map(Cow::Borrowed).collect();
            found.after = after.into_iter().map(Cow::Borrowed).collect();
            gather.add(found);
        }
    }
}

fn place_of(runtime: &Runtime) -> PlaceRef<'_> {
    PlaceRef {
        namespace: Some(&runtime.namespace),
        workload: Some(&runtime.workload),
        container_type: Some(runtime.container_type),
        container: Some(&runtime.container),
    }
}

fn note<'a>(seen: &mut Seen<'a>, before: &'a Runtime, now: &'a Runtime) {
    // What runs nowhere now says nothing of any node.
    let runs = |runtime: &Runtime| facts(runtime).iter().any(|(_, values)| !values.is_empty());
    if !runs(before) || !runs(now) {
        return;
    }
    for (at, runtime) in [before, now].into_iter().enumerate() {
        for (fact, values) in facts(runtime) {
            let known = &mut seen.entry(fact).or_default()[at];
            known.extend(values.keys().map(String::as_str));
        }
    }
}

fn constraints<'a>(
    place: PlaceRef<'a>,
    before: &'a Runtime,
    now: &'a Runtime,
    gather: &mut Gather<'a>,
) {
    fn only<'a>(one: &'a Runtime, other: &Runtime, privileges: bool) -> Vec<Cow<'a, str>> {
        let own = one.constraints.iter().filter(|text| is_privilege(text) == privileges);
        own.filter(|text| !other.constraints.contains(text))
            .map(|text| text.as_str().into())
            .collect()
    }
    let (less, more) = (only(before, now, true), only(now, before, true));
    if !less.is_empty() || !more.is_empty() {
        let raised = !more.is_empty();
        let code = if raised { Code::PrivilegesRaised } else { Code::PrivilegesLowered };
        let mut found = Found::new(code);
        (found.before, found.after) = (less, more);
        gather.add_at(place, found);
    }
    let (old, new) = (only(before, now, false), only(now, before, false));
    if !old.is_empty() || !new.is_empty() {
        let mut found = Found::new(Code::ConstraintsChanged);
        (found.before, found.after) = (old, new);
        gather.add_at(place, found);
    }
}

fn is_privilege(text: &str) -> bool {
    PRIVILEGES.iter().any(|prefix| match prefix.strip_suffix(' ') {
        Some(_) => text.starts_with(prefix),
        None => text == *prefix,
    })
}
