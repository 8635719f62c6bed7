//! What comes in: a reader's thread, records made from arguments, and the signal to stop.

use std::collections::VecDeque;
use std::io::Read;

use tokio::sync::mpsc;

use super::Input;
use crate::error::EdgeError;
use crate::input::{InputError, Piece, Reads, Splitter, Truncation, read_pieces};
use crate::signal::{Terminated, terminated};

/// How many reads' worth of pieces may lie between reader and schedule.
const CHANNEL: usize = 4;

/// Why a feed ended without being whole.
#[derive(Debug)]
pub(super) enum FeedEnd {
    Input(InputError),
    Truncated(Truncation),
    Terminated,
}

type Feed = mpsc::Receiver<Result<Vec<Piece>, FeedEnd>>;

/// What comes in: pieces that wait to be accepted, and whether more will come.
pub(super) struct Intake {
    feed: Feed,
    pub(super) pieces: VecDeque<Piece>,
    reading: bool,
    pub(super) fault: Option<FeedEnd>,
    terminated: Terminated,
}

impl Intake {
    pub(super) fn start(input: Input, reads: &'static [Reads]) -> Result<Self, EdgeError> {
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

    pub(super) fn is_over(&self) -> bool {
        !self.reading && self.pieces.is_empty()
    }

    /// Takes what is there without waiting.
    pub(super) fn look(&mut self) {
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
    pub(super) async fn more(&mut self) {
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
    pub(super) fn stop(&mut self, why: FeedEnd) {
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
