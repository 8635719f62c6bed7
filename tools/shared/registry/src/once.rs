//! Asking once: one answer for everybody who asks the same, however many and whenever.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Answers by question. While a question is being answered, those who ask it too wait for that
/// answer; if its asker goes away, one of them takes over.
#[derive(Debug)]
pub(crate) struct Once<K, V> {
    cells: Mutex<HashMap<K, Arc<OnceCell<V>>>>,
    budget: Option<Budget<V>>,
}

/// How much may be kept. What goes over it is given to those who wait and then forgotten: memory
/// stays bounded, and the price is asking again.
#[derive(Debug)]
struct Budget<V> {
    bytes: usize,
    kept: AtomicUsize,
    weigh: fn(&V) -> usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Once<K, V> {
    /// Keeps every answer. For small ones.
    pub(crate) fn new() -> Self {
        Self { cells: Mutex::default(), budget: None }
    }

    /// Keeps answers as long as they weigh at most `bytes` in all.
    pub(crate) fn within(bytes: usize, weigh: fn(&V) -> usize) -> Self {
        let budget = Budget { bytes, kept: AtomicUsize::new(0), weigh };
        Self { cells: Mutex::default(), budget: Some(budget) }
    }

    /// The answer to `key`, which `ask` finds if nobody has yet.
    pub(crate) async fn get<F: Future<Output = V>>(&self, key: K, ask: impl FnOnce() -> F) -> V {
        let cell = {
            let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(key.clone()).or_default())
        };
        let answer = cell.get_or_init(|| async {
            let answer = ask().await;
            if !self.fits(&answer) {
                self.cells.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            }
            answer
        });
        answer.await.clone()
    }

    fn fits(&self, answer: &V) -> bool {
        let Some(budget) = &self.budget else {
            return true;
        };
        let weight = (budget.weigh)(answer);
        let kept = budget.kept.fetch_add(weight, Ordering::Relaxed);
        let fits = kept.saturating_add(weight) <= budget.bytes;
        if !fits {
            budget.kept.fetch_sub(weight, Ordering::Relaxed);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn many_ask_and_one_finds_out() {
        let (once, asked) = (Once::<u8, usize>::new(), AtomicUsize::new(0));
        let ask = || async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            asked.fetch_add(1, Ordering::Relaxed)
        };
        let answers = futures::future::join_all((0..50).map(|_| once.get(1, ask))).await;
        assert_eq!(answers, [0; 50]);
        assert_eq!((once.get(2, ask).await, once.get(1, ask).await), (1, 0));
    }

    #[tokio::test]
    async fn an_asker_who_goes_away_is_replaced() {
        let once = Once::<u8, u8>::new();
        let gone = tokio::time::timeout(
            Duration::from_millis(10),
            once.get(1, std::future::pending::<u8>),
        );
        assert!(gone.await.is_err());
        assert_eq!(once.get(1, || async { 7 }).await, 7);
    }

    #[tokio::test]
    async fn what_is_over_the_budget_is_forgotten() {
        let once = Once::<u8, Vec<u8>>::within(10, Vec::len);
        let asked = AtomicUsize::new(0);
        let ask = |length| {
            asked.fetch_add(1, Ordering::Relaxed);
            async move { vec![0; length] }
        };
        for _ in 0..2 {
            assert_eq!(once.get(1, || ask(6)).await.len(), 6);
            assert_eq!(once.get(2, || ask(6)).await.len(), 6);
            assert_eq!(once.get(3, || ask(4)).await.len(), 4);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 4, "only the second is asked again");
    }
}
