//! How much memory the answers take that wait for their turn, and those that are still to come.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use records::wire::WireError;
use tokio::sync::Notify;

use super::Answers;

/// What a question that is being asked counts before anybody knows better, in bytes. An answer
/// about a large index has this size; most are smaller.
const LEAST_EXPECTED: usize = 16 * 1024;

/// Answers that were given and not yet written, and questions that are being asked.
///
/// What is asked cannot be taken back, so each open question counts as much as its answer will
/// probably need: the largest of late, which large answers raise at once and small ones lower
/// step by step. Then a row of large answers makes the stage ask few at a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Held(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    counts: Mutex<Counts>,
    answered: Notify,
}

#[derive(Debug, Default)]
struct Counts {
    open: usize,
    bytes: usize,
    expected: usize,
}

impl Held {
    /// Asks, and counts.
    pub(super) fn watch<A>(
        &self,
        ask: A,
    ) -> impl Future<Output = Result<Answers, WireError>> + Send + 'static + use<A>
    where
        A: Future<Output = Result<Answers, WireError>> + Send + 'static,
    {
        self.counts().open += 1;
        let held = self.clone();
        async move {
            let result = ask.await;
            held.answered(result.as_ref().map_or(0, Answers::size));
            result
        }
    }

    /// A question was answered: what it took is known, and takes room until it is written.
    fn answered(&self, size: usize) {
        let mut counts = self.counts();
        counts.open = counts.open.saturating_sub(1);
        counts.bytes += size;
        counts.expected = size.max(counts.expected - counts.expected / 16);
        drop(counts);
        self.0.answered.notify_one();
    }

    /// An answer was written.
    pub(super) fn written(&self, size: usize) {
        let mut counts = self.counts();
        counts.bytes = counts.bytes.saturating_sub(size);
    }

    /// What is held, and what is expected, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let counts = self.counts();
        counts.bytes + counts.open * counts.expected.max(LEAST_EXPECTED)
    }

    /// Waits until a question is answered: there may be room again.
    pub(super) async fn changed(&self) {
        self.0.answered.notified().await;
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_answers_raise_what_is_expected_at_once_and_small_ones_lower_it_slowly() {
        let held = Held::default();
        let expected = || {
            let before = held.bytes();
            held.counts().open += 1;
            let expected = held.bytes() - before;
            held.counts().open -= 1;
            expected
        };
        assert_eq!(expected(), LEAST_EXPECTED);
        held.answered(1 << 20);
        held.written(1 << 20);
        assert_eq!((expected(), held.bytes()), (1 << 20, 0));
        held.answered(10);
        assert!(expected() > (1 << 19), "{}", expected());
        (0..100).for_each(|_| held.answered(10));
        assert_eq!(expected(), LEAST_EXPECTED);
    }
}
