//! Saying what was found: into the channel that stands behind the input.

use records::wire::WireError;
use records::{Failure, Record};
use stage::{Made, Mine};
use tokio::sync::mpsc;

use crate::answer::Answer;
use crate::choose::Choice;
use crate::failures;

/// Nobody listens any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

/// The records, in order, and how many failures are among them.
#[derive(Debug)]
pub(crate) struct Output {
    records: mpsc::Sender<Made>,
    failed: u64,
}

impl Output {
    /// An output into a channel.
    pub(crate) fn new(records: mpsc::Sender<Made>) -> Self {
        Self { records, failed: 0 }
    }

    /// Says a failure.
    pub(crate) async fn failure(&mut self, failure: &Failure) -> Result<(), Closed> {
        self.failed += 1;
        let namespace = failure.namespace.as_ref().and_then(Option::as_deref);
        let release = failure.release_name.as_ref().and_then(Option::as_deref);
        tracing::warn!(namespace, release, "{}", failure.message);
        self.record(failure).await
    }

    /// Says what is known of a release, and then what is not.
    pub(crate) async fn answer(&mut self, choice: &Choice, answer: Answer) -> Result<(), Closed> {
        let Answer { mut release, mut failures } = answer;
        let made = match Mine::made(&release) {
            // Whoever installs a chart may fill a record by images; that must not hide the release.
            Err(WireError::TooLarge { .. }) => {
                release.dropped += release.images.len() as u64;
                release.images.clear();
                if let Some(deployed) = &mut release.deployed {
                    deployed.dropped += deployed.images.len() as u64;
                    deployed.images.clear();
                }
                failures.push(failures::too_large(choice));
                Mine::made(&release)
            }
            made => made,
        };
        self.say(made.map_or_else(Made::CutOff, Made::Record)).await?;
        for failure in &failures {
            self.failure(failure).await?;
        }
        Ok(())
    }

    /// Says that this was all.
    pub(crate) async fn whole(self) -> Result<(), Closed> {
        if self.failed > 0 {
            tracing::info!(
                failures = self.failed,
                "all releases are told, with failures among them"
            );
        }
        self.say(Made::Whole).await
    }

    async fn record<R: Record>(&self, record: &R) -> Result<(), Closed> {
        self.say(Mine::made(record).map_or_else(Made::CutOff, Made::Record)).await
    }

    async fn say(&self, said: Made) -> Result<(), Closed> {
        self.records.send(said).await.map_err(|_| Closed)
    }
}
