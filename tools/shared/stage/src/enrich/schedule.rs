//! The window: what waits for its turn to be written, in the order of the input.

use std::collections::VecDeque;

use bytes::Bytes;
use records::wire::WireError;
use serde_json::value::RawValue;
use tokio::task::{JoinError, JoinHandle};

use super::held::Held;
use super::intake::FeedEnd;
use super::{Answers, Gate};
use crate::error::EdgeError;
use crate::exit::Outcome;
use crate::input::{InputError, Mine, Piece};
use crate::output::{Emitter, TallyFacts};
use crate::progress::Progress;

/// How many records may wait for their turn.
const WINDOW_RECORDS: u64 = 4096;

/// How many bytes of them: lines of the input, answers, and what is expected of those that are
/// being asked.
const WINDOW_BYTES: usize = 16 * 1024 * 1024;

/// A question that is being asked.
pub(super) type Task = JoinHandle<Result<Answers, WireError>>;

/// One place in the order of the output.
enum Slot {
    Ready { bytes: Bytes, lines: u64 },
    Waiting(Task),
    Answered(Answers),
}

/// The window: what waits for its turn, in the order of the input.
pub(super) struct Schedule {
    emitter: Emitter,
    progress: Progress,
    window: VecDeque<Slot>,
    waiting: u64,
    bytes: usize,
    held: Held,
    ends: Vec<Box<RawValue>>,
    gate: Gate,
    judged: u64,
    missed: Vec<String>,
    missed_count: u64,
}

/// How many reasons a gate gives.
const REASONS: usize = 5;

impl Schedule {
    pub(super) fn new(mut emitter: Emitter, progress: Progress, gate: Gate) -> Self {
        if gate == Gate::Judges {
            emitter.outlive_reader();
        }
        Self {
            emitter,
            progress,
            window: VecDeque::new(),
            waiting: 0,
            bytes: 0,
            held: Held::default(),
            ends: Vec::new(),
            gate,
            judged: 0,
            missed: Vec::new(),
            missed_count: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.window.is_empty()
    }

    /// The count of answers that wait, in which every question must be watched.
    pub(super) fn held(&self) -> Held {
        self.held.clone()
    }

    /// Whether one more may wait. Where none does, one may, whatever its size.
    pub(super) fn has_room(&self) -> bool {
        self.window.is_empty()
            || (self.waiting < WINDOW_RECORDS && self.bytes + self.held.bytes() < WINDOW_BYTES)
    }

    pub(super) fn accept(
        &mut self,
        piece: Piece,
        ask: impl FnOnce(&Mine) -> Result<Option<Task>, InputError>,
    ) -> Result<(), EdgeError> {
        match piece {
            Piece::Foreign { bytes, lines } => self.place(bytes, lines),
            Piece::Ended(ended) => {
                self.ends.extend(ended.stages);
                Ok(())
            }
            Piece::Mine(mine) => {
                let task = ask(&mine)?;
                if mine.line == 0 {
                    self.emitter.count(mine.kind, 1);
                }
                self.place(mine.bytes, 1)?;
                if let Some(task) = task {
                    self.progress.raised();
                    self.waiting += 1;
                    self.window.push_back(Slot::Waiting(task));
                }
                Ok(())
            }
        }
    }

    /// Adds a record of this stage's own, which raises no question.
    pub(super) fn add(&mut self, mine: Mine) -> Result<(), EdgeError> {
        self.emitter.count(mine.kind, 1);
        self.progress.raised();
        self.progress.answered();
        self.place(mine.bytes, 1)
    }

    /// Writes bytes at once where nothing stands before them, else gives them a place.
    fn place(&mut self, bytes: Bytes, lines: u64) -> Result<(), EdgeError> {
        if self.window.is_empty() {
            return self.emitter.forward(&bytes);
        }
        self.waiting += lines;
        self.bytes += bytes.len();
        self.window.push_back(Slot::Ready { bytes, lines });
        Ok(())
    }

    /// Writes what stands in front and is ready.
    pub(super) async fn write_finished(&mut self) -> Result<(), EdgeError> {
        while let Some(slot) = self.window.pop_front() {
            match slot {
                Slot::Ready { bytes, lines } => {
                    self.waiting -= lines;
                    self.bytes -= bytes.len();
                    self.emitter.forward(&bytes)?;
                }
                Slot::Answered(answers) => self.write(answers)?,
                Slot::Waiting(task) if task.is_finished() => {
                    match answered(task).await {
                        Ok(answers) => self.write(answers)?,
                        Err(error) => {
                            // What stands before it was forwarded, and is not lost.
                            self.emitter.flush()?;
                            return Err(error);
                        }
                    }
                }
                waiting @ Slot::Waiting(_) => {
                    self.window.push_front(waiting);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, answers: Answers) -> Result<(), EdgeError> {
        self.waiting -= 1;
        self.held.written(answers.size());
        self.progress.answered();
        for (kind, count) in answers.counts {
            self.emitter.count(kind, count);
        }
        self.judged += u64::from(answers.judged);
        if let Some(reason) = answers.missed {
            self.missed_count += 1;
            if self.missed.len() < REASONS {
                self.missed.push(reason);
            }
        }
        self.emitter.forward(&answers.bytes)
    }

    /// Waits for the question in front. Safe to drop: the task goes on.
    pub(super) async fn front(&mut self) -> Result<Answers, EdgeError> {
        match self.window.front_mut() {
            Some(Slot::Waiting(task)) => answered(task).await,
            _ => Ok(Answers::new()),
        }
    }

    pub(super) fn settle(&mut self, answers: Answers) {
        if let Some(slot @ Slot::Waiting(_)) = self.window.front_mut() {
            *slot = Slot::Answered(answers);
        }
    }

    pub(super) fn flush(&mut self) -> Result<(), EdgeError> {
        self.emitter.flush()
    }

    pub(super) fn close(
        mut self,
        fault: Option<FeedEnd>,
        facts: impl FnOnce() -> TallyFacts,
    ) -> Result<Outcome, EdgeError> {
        self.progress.finish();
        if let Some(fault) = fault {
            self.emitter.flush()?;
            return Err(match fault {
                FeedEnd::Input(error) => EdgeError::Input(error),
                FeedEnd::Truncated(truncation) => EdgeError::Truncated(truncation),
                FeedEnd::Unmade(error) => EdgeError::Record(error),
                FeedEnd::Terminated => EdgeError::Terminated,
                FeedEnd::Lost => EdgeError::Lost,
            });
        }
        self.emitter.end(&self.ends, facts())?;
        Ok(outcome(self.gate, self.judged, self.missed_count, &self.missed))
    }
}

async fn answered(
    task: impl Future<Output = Result<Result<Answers, WireError>, JoinError>>,
) -> Result<Answers, EdgeError> {
    task.await.map_err(EdgeError::Task)?.map_err(EdgeError::Record)
}

fn outcome(gate: Gate, judged: u64, missed: u64, reasons: &[String]) -> Outcome {
    match (gate, judged, missed) {
        (Gate::Open, ..) => Outcome::Complete,
        (Gate::Judges, 0, _) => Outcome::GateNotMet("nothing was judged".into()),
        (Gate::Judges, _, 0) => Outcome::Complete,
        (Gate::Judges, ..) => {
            let more = missed.saturating_sub(reasons.len() as u64);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            Outcome::GateNotMet(format!("{}{more}", reasons.join("; ")))
        }
    }
}
