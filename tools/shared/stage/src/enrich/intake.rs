//! What comes in: a reader's thread, records made from arguments, and the signal to stop.

use std::collections::VecDeque;
use std::io::Read;

use tokio::sync::mpsc;

use super::{Input, Made};
use crate::error::EdgeError;
use records::wire::WireError;

use crate::input::{InputError, Piece, Reads, Splitter, Truncation, read_pieces};
use crate::signal::{Terminated, terminated};

/// How many reads' worth of pieces may lie between reader and schedule.
const CHANNEL: usize = 4;

/// Why a feed ended without being whole.
#[derive(Debug)]
pub(super) enum FeedEnd {
    Input(InputError),
    Truncated(Truncation),
    Unmade(WireError),
    Terminated,
    /// Whoever fed us is gone, and did not say why.
    Lost,
}

/// What a feeder says. The last word is one of the latter two: a feeder that is gone without it
/// has died, and what it brought is not all.
enum Fed {
    Pieces(Vec<Piece>),
    Whole,
    Cut(FeedEnd),
}

type Feeder = mpsc::Sender<Fed>;

/// What comes in: pieces that wait to be accepted, and whether more will come.
pub(super) struct Intake {
    feed: mpsc::Receiver<Fed>,
    pub(super) pieces: VecDeque<Piece>,
    reading: bool,
    pub(super) fault: Option<FeedEnd>,
    terminated: Terminated,
}

impl Intake {
    pub(super) fn start(input: Input, reads: &'static [Reads]) -> Result<Self, EdgeError> {
        let (sender, feed) = mpsc::channel(CHANNEL);
        match input {
            Input::Nothing => {
                // There is room: nothing was sent before.
                let _ = sender.try_send(Fed::Whole);
            }
            Input::Made(records) => {
                tokio::spawn(make_into(sender, records));
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

    /// Whether SIGTERM ended it.
    pub(super) fn is_terminated(&self) -> bool {
        matches!(self.fault, Some(FeedEnd::Terminated))
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

    fn take(&mut self, next: Option<Fed>) {
        match next {
            Some(Fed::Pieces(pieces)) => self.pieces.extend(pieces),
            Some(Fed::Whole) => self.reading = false,
            Some(Fed::Cut(end)) => (self.fault, self.reading) = (Some(end), false),
            None => (self.fault, self.reading) = (Some(FeedEnd::Lost), false),
        }
    }

    /// Takes nothing more, not even what has come.
    pub(super) fn stop(&mut self, why: FeedEnd) {
        (self.fault, self.reading) = (Some(why), false);
        self.pieces.clear();
    }
}

/// The reader's thread: blocks on its input, and on the schedule when that is full.
fn read_into(sender: &Feeder, from: Box<dyn Read + Send>, splitter: Splitter) {
    let take = |pieces| sender.blocking_send(Fed::Pieces(pieces)).is_ok();
    let end = match read_pieces(from, splitter, take) {
        Ok(Ok(())) => Fed::Whole,
        Ok(Err(truncation)) => Fed::Cut(FeedEnd::Truncated(truncation)),
        Err(error) => Fed::Cut(FeedEnd::Input(error)),
    };
    // A schedule that has gone needs no last word.
    let _ = sender.blocking_send(end);
}

/// Hands on what is made from arguments, and how that ended.
async fn make_into(sender: Feeder, mut records: mpsc::Receiver<Made>) {
    loop {
        let fed = match records.recv().await {
            Some(Made::Record(mine)) => Fed::Pieces(vec![Piece::Mine(mine)]),
            Some(Made::Whole) => Fed::Whole,
            Some(Made::CutOff(error)) => Fed::Cut(FeedEnd::Unmade(error)),
            None => Fed::Cut(FeedEnd::Lost),
        };
        let goes_on = matches!(fed, Fed::Pieces(_));
        if sender.send(fed).await.is_err() || !goes_on {
            return;
        }
    }
}
