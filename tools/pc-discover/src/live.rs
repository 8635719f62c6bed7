//! Discovering from the API server.
//!
//! Lists come in the order of namespaces, so a namespace is whole when the next one begins: its
//! owners are looked up then, its records are written, and it is forgotten, before the page after
//! its last is asked for.

use std::collections::BTreeSet;

use cluster::resource::{NAMESPACES, NODES, PODS};
use cluster::types::{NamedObject, Node, Owned, Pod, Templated, Text};
use cluster::{AskError, Cluster, Scope, View, Why};
use records::Failure;
use stage::Fault;

use crate::failures::{self, Source};
use crate::gather::Gathered;
use crate::idle::{self, TEMPLATED};
use crate::nodes::Nodes;
use crate::output::{NodesKnown, Output};
use crate::owners::Owners;
use crate::rows::Rows;
use crate::settings::{Idle, Settings};

/// One discovery, under way.
pub(crate) struct Live<'a> {
    cluster: &'a Cluster,
    settings: &'a Settings,
    out: &'a mut Output,
    nodes: Nodes,
    nodes_known: NodesKnown,
    /// The chosen namespaces of the cluster, where they may be listed.
    known: Option<BTreeSet<String>>,
    /// The namespaces that are written.
    done: BTreeSet<String>,
}

/// An error before anything was found out: there is nothing to go on with.
fn cannot_start(error: AskError) -> Fault {
    let hint = error.hint();
    Fault::incomplete(error).with_hint(hint)
}

fn is_forbidden(error: &AskError) -> bool {
    matches!(error.why, Why::Forbidden { .. })
}

impl<'a> Live<'a> {
    /// A discovery of `cluster`.
    #[must_use]
    pub(crate) fn new(cluster: &'a Cluster, settings: &'a Settings, out: &'a mut Output) -> Self {
        Self {
            cluster,
            settings,
            out,
            nodes: Nodes::new(settings.default_platform.clone()),
            nodes_known: NodesKnown::No,
            known: None,
            done: BTreeSet::new(),
        }
    }

    /// Asks for everything and writes it.
    ///
    /// # Errors
    /// When nothing at all may be read, the cluster cannot be asked, or the output cannot be
    /// written.
    pub(crate) async fn discover(mut self) -> Result<(), Fault> {
        self.read_nodes().await?;
        match self.settings.namespaces.listed() {
            Some(listed) => self.one_by_one(listed).await,
            None => {
                let unlisted = self.read_namespaces().await?;
                self.whole(unlisted).await
            }
        }
    }

    async fn read_nodes(&mut self) -> Result<(), Fault> {
        let mut list = self.cluster.list::<Node>(NODES, Scope::Cluster, View::Whole);
        loop {
            match list.page().await {
                Ok(Some(page)) => {
                    if page.restarted {
                        self.nodes.clear();
                    }
                    page.items.iter().for_each(|node| self.nodes.learn(node));
                }
                Ok(None) => {
                    self.nodes_known = NodesKnown::Listed;
                    return Ok(());
                }
                Err(error) if is_forbidden(&error) => {
                    let suffers = self.settings.suffers();
                    let failure = failures::unread_nodes(suffers, self.cluster.host(), &error);
                    return self.out.failure(&failure).map_err(Fault::from);
                }
                Err(error) => return Err(cannot_start(error)),
            }
        }
    }

    /// Lists the namespaces, and gives the error where that is forbidden.
    async fn read_namespaces(&mut self) -> Result<Option<AskError>, Fault> {
        let list = self.cluster.list::<NamedObject>(NAMESPACES, Scope::Cluster, View::Metadata);
        let choice = &self.settings.namespaces;
        match list.all(|namespace| choice.selects(&namespace.metadata.name)).await {
            Ok(found) => {
                let names = found.iter().map(|namespace| namespace.metadata.name.to_string());
                self.known = Some(names.collect());
                Ok(None)
            }
            Err(error) if is_forbidden(&error) => {
                tracing::info!("namespaces may not be listed: those without pods stay unknown");
                Ok(Some(error))
            }
            Err(error) => Err(cannot_start(error)),
        }
    }

    /// Reads the pods of the whole cluster in one list.
    async fn whole(&mut self, unlisted: Option<AskError>) -> Result<(), Fault> {
        let mut list = self.pods(Scope::Cluster);
        let mut open: Option<Gathered> = None;
        let mut read_before = BTreeSet::new();
        let mut begun = false;
        loop {
            let page = match list.page().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(error) if begun => return self.broken(open, error),
                Err(error) => return self.not_whole(error).await,
            };
            begun = true;
            if page.restarted {
                // What is written stays; the rest is read again.
                open = None;
                read_before.clone_from(&self.done);
            }
            for pod in page.items {
                let namespace = &*pod.metadata.namespace;
                if !self.settings.namespaces.selects(namespace) || read_before.contains(namespace) {
                    continue;
                }
                let gathered = match open.take() {
                    Some(gathered) if gathered.namespace == namespace => open.insert(gathered),
                    before => {
                        self.turn(before, namespace).await?;
                        open.insert(Gathered::new(namespace))
                    }
                };
                gathered.add(&pod);
            }
        }
        if let Some(last) = open {
            self.close(last).await?;
        }
        self.without_pods(unlisted).await
    }

    /// One namespace is over, the next begins.
    async fn turn(&mut self, before: Option<Gathered>, next: &str) -> Result<(), Fault> {
        if let Some(before) = before {
            self.close(before).await?;
        }
        if self.done.contains(next) {
            self.out.failure(&failures::split_namespace(next, self.cluster.host()))?;
        }
        Ok(())
    }

    /// The cluster may not be read as a whole; perhaps its namespaces may, one by one.
    async fn not_whole(&mut self, error: AskError) -> Result<(), Fault> {
        match self.known.take() {
            Some(known) if is_forbidden(&error) => {
                tracing::info!("pods may not be listed cluster-wide: asking each namespace");
                let named = self.settings.namespaces.named();
                self.out.not_there(&named, |name| known.contains(name), Source::Live)?;
                self.one_by_one(known).await
            }
            _ if is_forbidden(&error) => Err(Fault::incomplete(error).with_hint(
                "name the namespaces that may be read by --namespaces, or allow {apiGroups: \
                 [\"\"], resources: [\"pods\", \"nodes\", \"namespaces\"], verbs: [\"list\"]} in \
                 a ClusterRole",
            )),
            _ => Err(cannot_start(error)),
        }
    }

    /// The list broke off: the namespaces that it did not reach are failures.
    fn broken(&mut self, open: Option<Gathered>, error: AskError) -> Result<(), Fault> {
        let Some(known) = self.known.take() else { return Err(cannot_start(error)) };
        let open = open.map(|gathered| gathered.namespace);
        let reached = self.done.iter().chain(&open).map(|name| key(name)).max();
        // What rests in a namespace without pods is looked up at the end, which is not reached.
        let idle = self.settings.idle == Idle::Included;
        let missing = known.iter().filter(|name| {
            !self.done.contains(*name)
                && (idle || reached.as_ref().is_none_or(|reached| key(name) >= *reached))
        });
        for namespace in missing {
            let failure = failures::unread_namespace(namespace, self.cluster.host(), &error);
            self.out.failure(&failure)?;
        }
        let named = self.settings.namespaces.named();
        self.out.not_there(&named, |name| known.contains(name), Source::Live)?;
        known.iter().for_each(|namespace| self.out.asked(namespace));
        Ok(())
    }

    /// What is to be said of namespaces in which no pod was seen.
    async fn without_pods(&mut self, unlisted: Option<AskError>) -> Result<(), Fault> {
        let known = self.known.take();
        if let (Some(error), Idle::Included) = (&unlisted, self.settings.idle) {
            let failure = failures::unlisted_namespaces(self.cluster.host(), error);
            self.out.failure(&failure)?;
        }
        for namespace in known.iter().flatten() {
            self.out.asked(namespace);
            if self.settings.idle == Idle::Included && !self.done.contains(namespace) {
                self.close(Gathered::new(namespace)).await?;
            }
        }
        if known.as_ref().is_some_and(BTreeSet::is_empty) && self.done.is_empty() {
            tracing::warn!("no namespace of the cluster is chosen");
        }
        if let Some(known) = known {
            let seen = |name: &str| known.contains(name);
            self.out.not_there(&self.settings.namespaces.named(), seen, Source::Live)?;
            return Ok(());
        }
        // Not listed and not seen: only asking for them by name can tell.
        let named = self.settings.namespaces.named();
        let unseen: BTreeSet<String> = named.difference(&self.done).cloned().collect();
        if unseen.is_empty() { Ok(()) } else { self.one_by_one(unseen).await }
    }

    /// Reads each of these namespaces by itself.
    async fn one_by_one(&mut self, namespaces: BTreeSet<String>) -> Result<(), Fault> {
        let mut refused = None;
        let mut answered = !self.done.is_empty();
        for namespace in namespaces {
            self.out.asked(&namespace);
            match self.gather(&namespace).await {
                Ok(gathered) => {
                    answered = true;
                    self.close(gathered).await?;
                }
                Err(error) => {
                    // Where only the namespace itself could not be read, its pods could.
                    answered |= error.question.resource == NAMESPACES;
                    let host = self.cluster.host();
                    self.out.failure(&failures::unread_namespace(&namespace, host, &error))?;
                    refused.get_or_insert(error);
                }
            }
        }
        match refused {
            Some(error) if !answered => Err(cannot_start(error)),
            _ => Ok(()),
        }
    }

    async fn gather(&self, namespace: &str) -> Result<Gathered, AskError> {
        let mut list = self.pods(Scope::Namespace(namespace.to_owned()));
        let mut gathered = Gathered::new(namespace);
        while let Some(page) = list.page().await? {
            if page.restarted {
                gathered = Gathered::new(namespace);
            }
            page.items.iter().for_each(|pod| gathered.add(pod));
        }
        if gathered.seen == 0 {
            // A namespace that does not exist is listed as an empty one.
            let all = Scope::Cluster;
            self.cluster.get::<NamedObject>(NAMESPACES, all, namespace, View::Metadata).await?;
        }
        Ok(gathered)
    }

    fn pods(&self, scope: Scope) -> cluster::Listing<Pod> {
        let selector = self.settings.selector.as_ref().map(ToString::to_string);
        self.cluster.list(PODS, scope, View::Whole).labels(selector)
    }

    /// A namespace is whole: looks up its owners and templates, and writes it.
    async fn close(&mut self, gathered: Gathered) -> Result<(), Fault> {
        let namespace = gathered.namespace.clone();
        let mut failures = Vec::new();
        let owners = self.owners(&gathered, &mut failures).await;
        let unread = failures.len();
        let mut rows = Rows::new(gathered, &owners, &self.nodes);
        if unread == 0 {
            let lost = rows.unproven.iter();
            failures
                .extend(lost.map(|kind| failures::lost_owners(&namespace, *kind, Source::Live)));
        }
        if self.settings.idle == Idle::Included {
            self.add_idle(&mut rows, &mut failures).await;
        }
        self.out.namespace(rows, failures, self.settings, self.nodes_known)?;
        self.done.insert(namespace);
        Ok(())
    }

    async fn owners(&self, gathered: &Gathered, failures: &mut Vec<Failure>) -> Owners {
        let mut owners = Owners::default();
        for (resource, wanted) in gathered.wanted_owners() {
            let scope = Scope::Namespace(gathered.namespace.clone());
            let list = self.cluster.list::<Owned>(resource, scope, View::Metadata);
            let wanted = |one: &Owned| wanted.contains::<Text>(&one.metadata.uid);
            match list.all(wanted).await {
                Ok(found) => found.into_iter().for_each(|one| {
                    owners.learn(one.metadata.uid, &one.metadata.owner_references);
                }),
                Err(error) => {
                    let host = self.cluster.host();
                    failures.push(failures::unread_objects(&gathered.namespace, host, &error));
                }
            }
        }
        owners
    }

    async fn add_idle(&self, rows: &mut Rows, failures: &mut Vec<Failure>) {
        let namespace = rows.namespace().to_owned();
        for kind in TEMPLATED {
            let scope = Scope::Namespace(namespace.clone());
            let list = self.cluster.list::<Templated>(kind, scope, View::Whole);
            match list.all(|_| true).await {
                Ok(found) => found.iter().for_each(|templated| {
                    idle::add(rows, kind, templated, self.settings.selector.as_ref());
                }),
                Err(error) => {
                    let host = self.cluster.host();
                    failures.push(failures::unread_objects(&namespace, host, &error));
                }
            }
        }
    }
}

/// Where a namespace stands in the order of the API server, whose keys end the name by a slash.
fn key(namespace: &str) -> String {
    format!("{namespace}/")
}

#[cfg(test)]
mod tests;
