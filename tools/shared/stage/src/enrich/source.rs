//! A source in the middle: its records do not depend on the input, and stand behind it.

use tokio::sync::mpsc;

use super::intake::{FeedEnd, Intake};
use super::schedule::Schedule;
use super::{Gate, Input, Made};
use crate::error::EdgeError;
use crate::exit::Outcome;
use crate::output::{Emitter, TallyFacts};
use crate::progress::Progress;

/// Forwards the input, writes `records` behind it, and ends the stream: the whole of a stage that
/// raises no questions and has facts of its own.
///
/// Whoever makes the records may begin at once: they wait in their channel until the input is
/// over. `facts` are asked when all is written.
///
/// # Errors
/// When the input is cut or cannot be read, a record cannot be made, or the output cannot be
/// written. What came and was made is written then, and no `end`: of a cut input all records, on
/// SIGTERM those that were made already.
pub async fn append(
    input: Input,
    emitter: Emitter,
    progress: Progress,
    mut records: mpsc::Receiver<Made>,
    facts: impl FnOnce() -> TallyFacts,
) -> Result<Outcome, EdgeError> {
    let mut schedule = Schedule::new(emitter, progress, Gate::Open);
    let mut intake = Intake::start(input, &[])?;
    forward(&mut intake, &mut schedule).await?;
    let failed = loop {
        match next(&mut records, &mut intake, &mut schedule).await? {
            Next::Said(Some(Made::Record(mine))) => schedule.add(mine)?,
            Next::Said(Some(Made::Whole)) => break None,
            Next::Said(Some(Made::CutOff(error))) => break Some(FeedEnd::Unmade(error)),
            Next::Said(None) => break Some(FeedEnd::Lost),
            Next::Terminated => break None,
        }
    };
    schedule.close(intake.fault.or(failed), facts)
}

/// Forwards the input to its end, whole or not.
async fn forward(intake: &mut Intake, schedule: &mut Schedule) -> Result<(), EdgeError> {
    loop {
        intake.look();
        if let Some(piece) = intake.pieces.pop_front() {
            schedule.accept(piece, |_| Ok(None))?;
        } else if intake.is_over() {
            return schedule.flush();
        } else {
            schedule.flush()?;
            intake.more().await;
        }
    }
}

/// What comes next.
enum Next {
    /// A record, or a last word; nothing from somebody who has died.
    Said(Option<Made>),
    /// SIGTERM, and nothing is ready.
    Terminated,
}

async fn next(
    records: &mut mpsc::Receiver<Made>,
    intake: &mut Intake,
    schedule: &mut Schedule,
) -> Result<Next, EdgeError> {
    loop {
        match records.try_recv() {
            Ok(said) => return Ok(Next::Said(Some(said))),
            Err(mpsc::error::TryRecvError::Disconnected) => return Ok(Next::Said(None)),
            Err(mpsc::error::TryRecvError::Empty) if intake.is_terminated() => {
                return Ok(Next::Terminated);
            }
            Err(mpsc::error::TryRecvError::Empty) => {}
        }
        // Nothing more can be done at once: what is written goes out before we wait.
        schedule.flush()?;
        tokio::select! {
            biased;
            said = records.recv() => return Ok(Next::Said(said)),
            () = intake.more() => {}
        }
    }
}

#[cfg(test)]
mod tests;
