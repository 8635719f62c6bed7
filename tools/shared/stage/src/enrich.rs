//! A stage in the middle: forward everything, ask each question once, answer in order, end.
//!
//! Two numbers are kept apart. The *window* bounds how many records may wait for their turn to be
//! written; the *limits on asking* are the client's (in all, and per host). A slow host then holds
//! nobody up but the records behind it, and only as far as the window reaches.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::hash::{BuildHasher, Hash, RandomState};
use std::io::Read;

use bytes::Bytes;
use records::Record;
use records::wire::{self, WireError};
use serde_json::value::RawValue;
use siphasher::sip128::{Hasher128, SipHasher13};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};

use crate::exit::Outcome;
use crate::input::{InputError, Mine, Piece, Reads, Splitter, Truncation, read_pieces};
use crate::output::{Emitter, TallyFacts};
use crate::progress::Progress;

/// How many records may wait for their turn.
const WINDOW_RECORDS: u64 = 4096;

/// How many bytes of them.
const WINDOW_BYTES: usize = 16 * 1024 * 1024;

/// How many reads' worth of pieces may lie between reader and schedule.
const CHANNEL: usize = 4;

/// Why a stage stopped.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The input cannot be read on.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The input was cut: what came was answered and forwarded, without an `end`.
    #[error("the stream is cut, so none was ended here")]
    Truncated(#[source] Truncation),
    /// SIGTERM: what came was answered and forwarded, without an `end`.
    #[error("stopped by SIGTERM; what had come was answered, the stream was not ended")]
    Terminated,
    /// Nobody reads the output any more.
    #[error("standard output is closed")]
    OutputClosed,
    /// The output cannot be written.
    #[error("cannot write standard output")]
    Write(#[source] std::io::Error),
    /// A record cannot be written.
    #[error("cannot write a record")]
    Record(#[source] WireError),
    /// The task of a question ended without an answer; a fault of this program.
    #[error("a question ended without an answer")]
    Task(#[source] JoinError),
    /// The reader or the signal handler could not be started.
    #[error("cannot start")]
    Start(#[source] std::io::Error),
}

impl EdgeError {
    /// What would mend it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Truncated(_) => Some(
                "look at the messages of the stage before this one; with nothing to read, give an \
                 argument or `-n`",
            ),
            Self::Input(InputError::Line { source: WireError::NewerVersion { .. }, .. }) => {
                Some("use tools of one version in a pipeline")
            }
            Self::Input(InputError::Line { .. }) => {
                Some("the input must be the output of a tool of this suite, one JSON record a line")
            }
            Self::Input(InputError::TooLong { .. }) => Some("see --max-line"),
            Self::Write(_) => Some("see that the target of the output has room and may be written"),
            _ => None,
        }
    }
}

/// The records that answer one question, as bytes.
#[derive(Debug, Default)]
pub struct Answers {
    bytes: Vec<u8>,
    counts: Vec<(&'static str, u64)>,
    missed: Option<String>,
    judged: bool,
}

impl Answers {
    /// No records yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record.
    ///
    /// # Errors
    /// When it is too large.
    pub fn push<R: Record>(&mut self, record: &R) -> Result<(), WireError> {
        wire::write(&mut self.bytes, record)?;
        self.counts.push((R::TYPE, 1));
        Ok(())
    }

    /// Says that the gate judged the subject of this question, and why it fell short, if it did.
    pub fn judge(&mut self, missed: Option<String>) {
        self.judged = true;
        self.missed = missed;
    }
}

/// Whether a gate judges the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Answers are data.
    Open,
    /// Every answer is judged; none judged is a gate not met.
    Judges,
}

/// What makes a stage: functions, and what they need to know of the stream.
pub struct Steps<Raises, Key, Ask, Facts> {
    /// Which record types are read; everything else is only forwarded.
    pub reads: &'static [Reads],
    /// The question that a record raises, if any.
    pub raises: Raises,
    /// What makes two questions the same.
    pub key: Key,
    /// Asks a question, and answers it with records.
    pub ask: Ask,
    /// What the tally says beside counts and times, when all is done.
    pub facts: Facts,
    /// Whether a gate judges.
    pub gate: Gate,
}

/// Where the records come from.
pub enum Input {
    /// A stream of bytes.
    Stream {
        /// The bytes.
        from: Box<dyn Read + Send>,
        /// The longest line that is taken, in bytes.
        max_line: usize,
    },
    /// Records that this stage makes itself from its arguments, in order.
    Made(mpsc::Receiver<Mine>),
    /// None: the stage is a source of nothing (`-n`).
    Nothing,
}

impl Input {
    /// Standard input.
    #[must_use]
    pub fn stdin(max_line: usize) -> Self {
        Self::Stream { from: Box::new(std::io::stdin()), max_line }
    }
}

/// Runs a stage to its end.
///
/// # Errors
/// When the input is cut or cannot be read, or the output cannot be written. What came before was
/// answered and forwarded, and no `end` was written.
pub async fn run<Q, K, Raises, Key, Ask, Answer, Facts>(
    input: Input,
    emitter: Emitter,
    progress: Progress,
    steps: Steps<Raises, Key, Ask, Facts>,
) -> Result<Outcome, EdgeError>
where
    Q: Send + 'static,
    K: Hash,
    Raises: FnMut(&Mine) -> Result<Option<Q>, InputError>,
    Key: Fn(&Q) -> K,
    Ask: Fn(Q) -> Answer,
    Answer: Future<Output = Result<Answers, WireError>> + Send + 'static,
    Facts: FnOnce() -> TallyFacts,
{
    let Steps { reads, mut raises, key, ask, facts, gate } = steps;
    let mut schedule = Schedule::new(emitter, progress, gate);
    let mut intake = Intake::start(input, reads)?;
    let mut once = Once::new();
    let mut task = |mine: &Mine| {
        let question = raises(mine)?.filter(|question| once.first(&key(question)));
        Ok(question.map(|question| tokio::spawn(ask(question))))
    };
    loop {
        schedule.write_finished().await?;
        intake.look();
        if schedule.has_room()
            && let Some(piece) = intake.pieces.pop_front()
        {
            match schedule.accept(piece, &mut task) {
                Err(EdgeError::Input(error)) => intake.stop(FeedEnd::Input(error)),
                accepted => accepted?,
            }
        } else if intake.is_over() && schedule.is_empty() {
            return schedule.close(intake.fault, facts);
        } else {
            // Nothing more can be done at once: what is written goes out before we wait.
            schedule.flush()?;
            tokio::select! {
                biased;
                () = intake.more() => {}
                finished = schedule.front(), if !schedule.is_empty() => schedule.settle(finished?),
            }
        }
    }
}

/// Why a feed ended without being whole.
#[derive(Debug)]
enum FeedEnd {
    Input(InputError),
    Truncated(Truncation),
    Terminated,
}

type Feed = mpsc::Receiver<Result<Vec<Piece>, FeedEnd>>;

/// What comes in: pieces that wait to be accepted, and whether more will come.
struct Intake {
    feed: Feed,
    pieces: VecDeque<Piece>,
    reading: bool,
    fault: Option<FeedEnd>,
    terminated: Terminated,
}

impl Intake {
    fn start(input: Input, reads: &'static [Reads]) -> Result<Self, EdgeError> {
        let (sender, feed) = mpsc::channel(CHANNEL);
        match input {
            Input::Nothing => drop(sender),
            Input::Made(mut records) => {
                tokio::spawn(async move {
                    while let Some(mine) = records.recv().await {
                        if sender.send(Ok(vec![Piece::Mine(mine)])).await.is_err() {
                            return;
                        }
                    }
                });
            }
            Input::Stream { from, max_line } => {
                let splitter = Splitter::new(reads, max_line);
                std::thread::Builder::new()
                    .name("reader".into())
                    .spawn(move || read_into(&sender, from, splitter))
                    .map_err(EdgeError::Start)?;
            }
        }
        Ok(Self {
            feed,
            pieces: VecDeque::new(),
            reading: true,
            fault: None,
            terminated: terminated()?,
        })
    }

    fn wants_more(&self) -> bool {
        self.reading && self.pieces.is_empty()
    }

    fn is_over(&self) -> bool {
        !self.reading && self.pieces.is_empty()
    }

    /// Takes what is there without waiting.
    fn look(&mut self) {
        if self.wants_more() {
            match self.feed.try_recv() {
                Ok(next) => self.take(Some(next)),
                Err(mpsc::error::TryRecvError::Disconnected) => self.take(None),
                Err(mpsc::error::TryRecvError::Empty) => {}
            }
        }
    }

    /// Waits for more, or for SIGTERM, which is heeded until the end is written: what has come is
    /// still answered, and then there is no end.
    async fn more(&mut self) {
        let (wants, heeds) = (self.wants_more(), self.fault.is_none());
        tokio::select! {
            () = self.terminated.recv(), if heeds => {
                (self.fault, self.reading) = (Some(FeedEnd::Terminated), false);
            }
            next = self.feed.recv(), if wants => self.take(next),
            else => std::future::pending().await,
        }
    }

    fn take(&mut self, next: Option<Result<Vec<Piece>, FeedEnd>>) {
        match next {
            Some(Ok(pieces)) => self.pieces.extend(pieces),
            Some(Err(end)) => (self.fault, self.reading) = (Some(end), false),
            None => self.reading = false,
        }
    }

    /// Takes nothing more, not even what has come.
    fn stop(&mut self, why: FeedEnd) {
        (self.fault, self.reading) = (Some(why), false);
        self.pieces.clear();
    }
}

/// The reader's thread: blocks on its input, and on the schedule when that is full.
fn read_into(
    sender: &mpsc::Sender<Result<Vec<Piece>, FeedEnd>>,
    from: Box<dyn Read + Send>,
    splitter: Splitter,
) {
    let end = match read_pieces(from, splitter, |pieces| sender.blocking_send(Ok(pieces)).is_ok()) {
        Ok(Ok(())) => return,
        Ok(Err(truncation)) => FeedEnd::Truncated(truncation),
        Err(error) => FeedEnd::Input(error),
    };
    // A schedule that has gone needs no reason.
    let _ = sender.blocking_send(Err(end));
}

/// A future that is ready at SIGTERM.
///
/// # Errors
/// When the handler cannot be installed.
pub fn terminated() -> Result<Terminated, EdgeError> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::terminate()).map(Terminated).map_err(EdgeError::Start)
}

/// Waits for SIGTERM.
pub struct Terminated(tokio::signal::unix::Signal);

impl Terminated {
    /// Ready when SIGTERM came.
    pub async fn recv(&mut self) {
        // `None` says that no signal can come any more: wait for ever.
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// Keys that were seen, as 128-bit hashes under a secret of this run.
struct Once {
    secret: (u64, u64),
    seen: HashSet<u128>,
}

impl Once {
    fn new() -> Self {
        let random = RandomState::new();
        let secret = (random.hash_one(0_u8), random.hash_one(1_u8));
        Self { secret, seen: HashSet::new() }
    }

    fn first<K: Hash>(&mut self, key: &K) -> bool {
        let mut hasher = SipHasher13::new_with_keys(self.secret.0, self.secret.1);
        key.hash(&mut hasher);
        self.seen.insert(hasher.finish128().as_u128())
    }
}

type Task = JoinHandle<Result<Answers, WireError>>;

/// One place in the order of the output.
enum Slot {
    Ready { bytes: Bytes, lines: u64 },
    Waiting(Task),
    Answered(Answers),
}

/// The window: what waits for its turn, in the order of the input.
struct Schedule {
    emitter: Emitter,
    progress: Progress,
    window: VecDeque<Slot>,
    waiting: u64,
    bytes: usize,
    ends: Vec<Box<RawValue>>,
    gate: Gate,
    judged: u64,
    missed: Vec<String>,
    missed_count: u64,
}

/// How many reasons a gate gives.
const REASONS: usize = 5;

impl Schedule {
    fn new(mut emitter: Emitter, progress: Progress, gate: Gate) -> Self {
        if gate == Gate::Judges {
            emitter.outlive_reader();
        }
        Self {
            emitter,
            progress,
            window: VecDeque::new(),
            waiting: 0,
            bytes: 0,
            ends: Vec::new(),
            gate,
            judged: 0,
            missed: Vec::new(),
            missed_count: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.window.is_empty()
    }

    fn has_room(&self) -> bool {
        self.waiting < WINDOW_RECORDS && self.bytes < WINDOW_BYTES
    }

    fn accept(
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
    async fn write_finished(&mut self) -> Result<(), EdgeError> {
        while let Some(slot) = self.window.pop_front() {
            match slot {
                Slot::Ready { bytes, lines } => {
                    self.waiting -= lines;
                    self.bytes -= bytes.len();
                    self.emitter.forward(&bytes)?;
                }
                Slot::Answered(answers) => self.write(answers)?,
                Slot::Waiting(task) if task.is_finished() => {
                    let answers =
                        task.await.map_err(EdgeError::Task)?.map_err(EdgeError::Record)?;
                    self.write(answers)?;
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
    async fn front(&mut self) -> Result<Answers, EdgeError> {
        match self.window.front_mut() {
            Some(Slot::Waiting(task)) => {
                task.await.map_err(EdgeError::Task)?.map_err(EdgeError::Record)
            }
            _ => Ok(Answers::new()),
        }
    }

    fn settle(&mut self, answers: Answers) {
        if let Some(slot @ Slot::Waiting(_)) = self.window.front_mut() {
            *slot = Slot::Answered(answers);
        }
    }

    fn flush(&mut self) -> Result<(), EdgeError> {
        self.emitter.flush()
    }

    fn close(
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
                FeedEnd::Terminated => EdgeError::Terminated,
            });
        }
        self.emitter.end(&self.ends, facts())?;
        Ok(outcome(self.gate, self.judged, self.missed_count, &self.missed))
    }
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

#[cfg(test)]
mod tests;
