//! Writing what was found, namespace by namespace.

use std::collections::BTreeSet;

use records::wire::WireError;
use records::{Failure, Image, Runtime};
use stage::EdgeError;
use stage::{Emitter, Progress, TallyFacts};

use crate::failures::{self, Source, Suffers};
use crate::rows::{Rows, Written};
use crate::settings::Settings;

/// The stream, and what its tally will say.
pub(crate) struct Output {
    emitter: Emitter,
    progress: Progress,
    asked: BTreeSet<String>,
    failed: u64,
}

impl Output {
    /// Nothing is written yet.
    #[must_use]
    pub(crate) fn new(emitter: Emitter, progress: Progress) -> Self {
        Self { emitter, progress, asked: BTreeSet::new(), failed: 0 }
    }

    /// A namespace is asked, whatever comes of it.
    pub(crate) fn asked(&mut self, namespace: &str) {
        if self.asked.insert(namespace.to_owned()) {
            self.progress.raised();
        }
    }

    /// Writes a failure.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn failure(&mut self, failure: &Failure) -> Result<(), EdgeError> {
        self.failed += 1;
        let namespace = failure.namespace.as_ref().and_then(Option::as_deref);
        tracing::warn!(namespace, "{}", failure.message);
        self.emitter.record(failure)
    }

    /// Writes the records of a namespace and hands them on at once.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn namespace(
        &mut self,
        rows: Rows,
        mut failures: Vec<Failure>,
        settings: &Settings,
        nodes: NodesKnown,
    ) -> Result<(), EdgeError> {
        let namespace = rows.namespace().to_owned();
        self.asked(&namespace);
        if nodes == NodesKnown::Listed && !rows.unknown_nodes.is_empty() {
            let suffers = settings.suffers();
            failures.push(failures::unknown_nodes(suffers, &namespace, &rows.unknown_nodes));
        }
        for written in rows.into_records(settings.shard) {
            match written {
                Written::Image(image) => self.image(image)?,
                Written::Runtime(runtime) => self.runtime(&runtime)?,
            }
        }
        for failure in &failures {
            self.failure(failure)?;
        }
        self.progress.answered();
        self.progress.say(&namespace);
        self.emitter.flush()
    }

    fn image(&mut self, mut image: Image) -> Result<(), EdgeError> {
        match self.emitter.record(&image) {
            // A tenant may fill a record by annotations; that must not hide what runs.
            Err(EdgeError::Record(WireError::TooLarge { .. })) => {
                let left_out = image.annotations.len() + image.pull_secrets.len();
                image.dropped += left_out as u64;
                image.annotations.clear();
                image.pull_secrets.clear();
                self.emitter.record(&image)?;
                self.failure(&failures::too_large(&image))
            }
            other => other,
        }
    }

    fn runtime(&mut self, runtime: &Runtime) -> Result<(), EdgeError> {
        match self.emitter.record(runtime) {
            Err(EdgeError::Record(WireError::TooLarge { .. })) => {
                self.failure(&failures::runtime_too_large(runtime))
            }
            other => other,
        }
    }

    /// Says for each namespace that was named and not seen that it is not there.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn not_there(
        &mut self,
        named: &BTreeSet<String>,
        seen: impl Fn(&str) -> bool,
        source: Source,
    ) -> Result<(), EdgeError> {
        for namespace in named.iter().filter(|namespace| !seen(namespace)) {
            self.asked(namespace);
            self.failure(&failures::no_namespace(namespace, source))?;
        }
        Ok(())
    }

    /// Hands on what was written so far.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn flush(&mut self) -> Result<(), EdgeError> {
        self.emitter.flush()
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn end(self, facts: TallyFacts) -> Result<(), EdgeError> {
        self.progress.finish();
        if self.failed > 0 {
            tracing::info!(failures = self.failed, "the stream is whole, with failures in it");
        }
        let namespaces = Some(self.asked.into_iter().collect());
        self.emitter.end(&[], TallyFacts { namespaces, ..facts })
    }
}

/// Whether the nodes of the cluster are known as a whole; where not, one failure has said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodesKnown {
    /// They were listed.
    Listed,
    /// They may not be read, or are not in the dump.
    No,
}

impl Settings {
    /// What suffers where nodes are not known.
    #[must_use]
    pub(crate) fn suffers(&self) -> Suffers {
        match self.default_platform {
            Some(_) => Suffers::Runtime,
            None => Suffers::ImageAndRuntime,
        }
    }
}
