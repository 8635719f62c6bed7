//! A stage in the middle: forward everything, ask each question once, answer in order, end.
//!
//! Two numbers are kept apart. The *window* bounds how many records may wait for their turn to be
//! written; the *limits on asking* are the client's (in all, and per host). A slow host then holds
//! nobody up but the records behind it, and only as far as the window reaches.

mod answers;
mod held;
mod intake;
mod schedule;
mod source;

use std::collections::HashSet;
use std::future::Future;
use std::hash::{BuildHasher, Hash, RandomState};
use std::io::Read;

use records::wire::WireError;
use siphasher::sip128::{Hasher128, SipHasher13};
use tokio::sync::mpsc;

pub use answers::{Answers, Gate};
use intake::{FeedEnd, Intake};
use schedule::Schedule;
pub use source::append;

use crate::error::EdgeError;
use crate::exit::Outcome;
use crate::input::{InputError, Mine, Reads};
use crate::output::{Emitter, TallyFacts};
use crate::progress::Progress;

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
    /// Records that this stage makes itself from its arguments, in order; the last message says
    /// how that ended.
    Made(mpsc::Receiver<Made>),
    /// None: the stage is a source of nothing (`-n`).
    Nothing,
}

/// What somebody says who makes records from arguments. Whoever stops without [`Self::Whole`] or
/// [`Self::CutOff`] has died, and the stream is not ended.
#[derive(Debug)]
pub enum Made {
    /// A record.
    Record(Mine),
    /// Those were all.
    Whole,
    /// This record could not be made, so those were not all.
    CutOff(WireError),
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
    let held = schedule.held();
    let mut task = |mine: &Mine| {
        let question = raises(mine)?.filter(|question| once.first(&key(question)));
        Ok(question.map(|question| tokio::spawn(held.watch(ask(question)))))
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
                () = held.changed(), if !intake.pieces.is_empty() => {}
                finished = schedule.front(), if !schedule.is_empty() => schedule.settle(finished?),
            }
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

#[cfg(test)]
mod tests;
