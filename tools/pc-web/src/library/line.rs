//! What lists and counts are made of: one row of a report, in short, with everything that a person
//! can filter and sort by. Rows that did not change from report to report are kept once.

use std::collections::HashSet;
use std::sync::Arc;

use records::{ContainerType, Digest};
use report::{Answers, Row};

/// One row of a report, in short. Its full text stays in the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Line {
    /// The image reference, verbatim.
    pub image: Arc<str>,
    /// The registry of the reference; `None` for a malformed one.
    pub registry: Option<Arc<str>>,
    /// The repository of the reference, normalized; `None` for a malformed one.
    pub repository: Option<Arc<str>>,
    /// The tag of the reference.
    pub tag: Option<Arc<str>>,
    /// The digest of what runs.
    pub digest: Option<Digest>,
    /// The index that lists the manifest.
    pub index: Option<Digest>,
    /// The platform manifest that runs.
    pub manifest: Option<Digest>,
    /// The namespace of the pods.
    pub namespace: Option<Arc<str>>,
    /// The kind of the workload, `Deployment` for example.
    pub workload_kind: Option<Arc<str>>,
    /// The name of the workload.
    pub workload: Option<Arc<str>>,
    /// The name of the container.
    pub container: Option<Arc<str>>,
    /// In which list of the pod the container stands.
    pub container_type: Option<ContainerType>,
    /// `os/architecture` of the nodes.
    pub platform: Option<Arc<str>>,
    /// Whether it runs, waits, or is idle.
    pub state: State,
    /// How many pods run it.
    pub pods: u64,
    /// Whether the repository has the manifest now.
    pub present: Option<bool>,
    /// What it says: verdicts, drift, update, and so on.
    pub answers: Answers,
    /// The SLSA build level that is earned.
    pub level: Option<u8>,
    /// The newest of the same major version.
    pub latest_in_major: Option<Arc<str>>,
    /// The newest of all.
    pub newest: Option<Arc<str>>,
}

/// Whether an image runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Some pod runs it, or it was named as an argument.
    Running,
    /// Pods are there that do not run it yet.
    Pending,
    /// Its workload runs nothing now.
    Idle,
}

/// Texts and lines that reports share, each kept once. Used while reports are read; what no report
/// uses any more is given back by [`Pool::sweep`].
#[derive(Debug, Default)]
pub(super) struct Pool {
    texts: HashSet<Arc<str>>,
    lines: HashSet<Arc<Line>>,
}

impl Pool {
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = Arc::from(text);
        self.texts.insert(Arc::clone(&text));
        text
    }

    fn maybe(&mut self, text: Option<&str>) -> Option<Arc<str>> {
        text.map(|text| self.text(text))
    }

    /// The line of a row.
    pub(super) fn line(&mut self, row: &Row) -> Arc<Line> {
        let line = self.short(row);
        if let Some(known) = self.lines.get(&line) {
            return Arc::clone(known);
        }
        let line = Arc::new(line);
        self.lines.insert(Arc::clone(&line));
        line
    }

    fn short(&mut self, row: &Row) -> Line {
        let registry = row.repository.as_deref().and_then(|name| name.split('/').next());
        let workload = row.workload.as_ref();
        Line {
            image: self.text(&row.image),
            registry: self.maybe(registry),
            repository: self.maybe(row.repository.as_deref()),
            tag: self.maybe(row.tag.as_deref()),
            digest: row.digest.clone(),
            index: row.index.clone(),
            manifest: row.manifest.clone(),
            namespace: self.maybe(row.namespace.as_deref()),
            workload_kind: self.maybe(workload.map(|workload| workload.kind.as_str())),
            workload: self.maybe(workload.map(|workload| workload.name.as_str())),
            container: self.maybe(row.container.as_deref()),
            container_type: row.container_type,
            platform: self.maybe(row.platform.as_deref()),
            state: match (row.idle, row.is_pending()) {
                (true, _) => State::Idle,
                (false, true) => State::Pending,
                (false, false) => State::Running,
            },
            pods: row.pods,
            present: row.present,
            answers: Answers::of(row),
            level: row.provenance.level,
            latest_in_major: self.maybe(row.update.latest_in_major.as_deref()),
            newest: self.maybe(row.update.newest_available.as_deref()),
        }
    }

    /// Forgets what no report uses any more.
    pub(super) fn sweep(&mut self) {
        self.lines.retain(|line| Arc::strong_count(line) > 1);
        self.texts.retain(|text| Arc::strong_count(text) > 1);
    }
}
