//! The only writer of standard output: records, counted, and the `end`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use records::wire;
use records::{End, Histogram, Record, Shard, Tally};
use serde_json::value::RawValue;

use crate::clock::Clock;
use crate::error::EdgeError;

/// What a stage adds to its tally beside counts and times.
#[derive(Debug, Clone, Default)]
pub struct TallyFacts {
    /// Requests by host and kind.
    pub requests: BTreeMap<String, BTreeMap<String, u64>>,
    /// The settings that bear on what the records say.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// How long things took, by what they are.
    pub timings: BTreeMap<String, Histogram>,
    /// pc-discover: the cluster's name.
    pub cluster: Option<String>,
    /// pc-discover: the namespaces that were asked.
    pub namespaces: Option<Vec<String>>,
    /// pc-discover: the part of the cluster.
    pub shard: Option<Shard>,
}

/// Writes records to standard output (or, in tests, elsewhere) and counts those that this stage
/// made.
pub struct Emitter {
    out: Box<dyn Write + Send>,
    stage: &'static str,
    version: &'static str,
    clock: Clock,
    started: String,
    written: BTreeMap<String, u64>,
    closed: Closed,
    buffer: Vec<u8>,
}

/// What to do once nobody reads our output any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closed {
    /// Stop.
    Stops,
    /// Go on without writing: a gate wants to judge to the end.
    Silences,
    /// Gone on without writing.
    Silent,
}

/// How much output is gathered before it is written, in bytes.
const BUFFER: usize = 64 * 1024;

impl Emitter {
    /// An emitter on standard output for stage `stage`.
    #[must_use]
    pub fn stdout(stage: &'static str, version: &'static str, clock: Clock) -> Self {
        // A lock-free handle of our own: `Stdout` flushes at every line feed.
        Self::new(Box::new(RawStdout), stage, version, clock)
    }

    /// An emitter on any writer.
    #[must_use]
    pub fn new(
        out: Box<dyn Write + Send>,
        stage: &'static str,
        version: &'static str,
        clock: Clock,
    ) -> Self {
        Self {
            out,
            stage,
            version,
            clock,
            started: clock.now_text(),
            written: BTreeMap::new(),
            closed: Closed::Stops,
            buffer: Vec::with_capacity(BUFFER),
        }
    }

    /// Goes on in silence when nobody reads the output any more, instead of stopping.
    pub(crate) fn outlive_reader(&mut self) {
        self.closed = Closed::Silences;
    }

    /// Writes a record that this stage made.
    ///
    /// # Errors
    /// When it is too large, or the output cannot be written.
    pub fn record<R: Record>(&mut self, record: &R) -> Result<(), EdgeError> {
        wire::write(&mut self.buffer, record).map_err(EdgeError::Record)?;
        self.count(R::TYPE, 1);
        self.write_if_full()
    }

    /// Flushes: what was written so far is with the next stage.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn flush(&mut self) -> Result<(), EdgeError> {
        let result = if self.closed == Closed::Silent || self.buffer.is_empty() {
            Ok(())
        } else {
            self.out.write_all(&self.buffer).and_then(|()| self.out.flush())
        };
        self.buffer.clear();
        self.note(result)
    }

    /// Writes the `end`: the tallies of the stages before, and this one's.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn end(mut self, before: &[Box<RawValue>], facts: TallyFacts) -> Result<(), EdgeError> {
        let own = Tally {
            stage: self.stage.to_owned(),
            version: self.version.to_owned(),
            started_at: std::mem::take(&mut self.started),
            ended_at: self.clock.now_text(),
            written: std::mem::take(&mut self.written),
            cluster: facts.cluster,
            namespaces: facts.namespaces,
            shard: facts.shard,
            requests: facts.requests,
            settings: facts.settings,
            // With a fixed clock nothing takes time, and two runs give the same bytes.
            timings: if self.clock.is_fixed() { BTreeMap::new() } else { facts.timings },
        };
        let own = serde_json::to_string(&own).map_err(|source| {
            EdgeError::Record(wire::WireError::Unwritable { kind: End::TYPE, source })
        })?;
        let stages: Vec<&str> =
            before.iter().map(|tally| tally.get()).chain([own.as_str()]).collect();
        let line = format!(
            "{{\"type\":\"{}\",\"v\":{},\"stages\":[{}]}}\n",
            End::TYPE,
            End::VERSION,
            stages.join(",")
        );
        self.forward(line.as_bytes())?;
        self.flush()
    }

    /// Writes bytes that came from elsewhere, unchanged.
    ///
    /// A long run is written from where it lies, without a copy.
    pub(crate) fn forward(&mut self, bytes: &[u8]) -> Result<(), EdgeError> {
        if bytes.len() < BUFFER {
            self.buffer.extend_from_slice(bytes);
            return self.write_if_full();
        }
        self.flush()?;
        if self.closed == Closed::Silent {
            return Ok(());
        }
        let result = self.out.write_all(bytes).and_then(|()| self.out.flush());
        self.note(result)
    }

    /// Counts records of this stage that were, or will be, forwarded as bytes.
    pub(crate) fn count(&mut self, kind: &str, more: u64) {
        if let Some(count) = self.written.get_mut(kind) {
            *count += more;
        } else {
            self.written.insert(kind.to_owned(), more);
        }
    }

    fn write_if_full(&mut self) -> Result<(), EdgeError> {
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn note(&mut self, result: io::Result<()>) -> Result<(), EdgeError> {
        match result {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                if self.closed == Closed::Stops {
                    return Err(EdgeError::OutputClosed);
                }
                self.closed = Closed::Silent;
                Ok(())
            }
            Err(error) => Err(EdgeError::Write(error)),
        }
    }
}

/// Standard output without the line buffering of [`io::Stdout`]: every write holds whole buffers,
/// and is flushed at once.
struct RawStdout;

impl Write for RawStdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
