//! Limits on how many requests are on their way at a time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Host, Hosts};

/// Three limits: requests in flight in all, to one host, and to hosts that have not answered yet.
///
/// The third is a room of its own, so that made-up hosts take nothing from the others while each of
/// them runs into its time limit. It is large, for what is in it is mostly waiting.
#[derive(Debug)]
pub(crate) struct InFlight {
    all: Arc<Semaphore>,
    new: Arc<Semaphore>,
    per_host: usize,
    settings: Hosts,
    hosts: Mutex<HashMap<Host, Arc<Known>>>,
}

#[derive(Debug)]
struct Known {
    room: Arc<Semaphore>,
    /// The room while the host has not answered yet: as many as it takes to open its breaker.
    untried: Arc<Semaphore>,
    answered: AtomicBool,
    pace: Option<Pace>,
}

/// The least time between two requests.
#[derive(Debug)]
struct Pace {
    every: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    /// Takes the next place in time, and waits for it.
    async fn wait(&self) {
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = (*next).max(Instant::now());
            *next = at + self.every;
            at
        };
        tokio::time::sleep_until(at.into()).await;
    }
}

/// How many requests a host gets before it has answered one.
const UNTRIED: usize = crate::breaker::FAILURES as usize;

/// The right to have one request in flight; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    _untried: Option<OwnedSemaphorePermit>,
    _host: Option<OwnedSemaphorePermit>,
    _common: Option<OwnedSemaphorePermit>,
}

impl InFlight {
    pub(crate) fn new(all: usize, new: usize, per_host: usize, settings: Hosts) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            new: Arc::new(Semaphore::new(new)),
            per_host,
            settings,
            hosts: Mutex::default(),
        }
    }

    /// Waits for the right to send a request to `host`.
    ///
    /// The host's permit comes first, then the common one: requests that wait for a slow host then
    /// hold nothing that others need.
    pub(crate) async fn permit(&self, host: &Host) -> Permit {
        let known = self.known(host);
        // An acquire fails only on a closed semaphore, and these are never closed.
        let untried = match known.has_answered() {
            true => None,
            false => Arc::clone(&known.untried).acquire_owned().await.ok(),
        };
        if let Some(pace) = &known.pace {
            pace.wait().await;
        }
        let _host = Arc::clone(&known.room).acquire_owned().await.ok();
        // It may have answered while this request waited.
        let (_untried, common) = match known.has_answered() {
            true => (None, &self.all),
            false => (untried, &self.new),
        };
        let _common = Arc::clone(common).acquire_owned().await.ok();
        Permit { _untried, _host, _common }
    }

    /// The host answered.
    pub(crate) fn answered(&self, host: &Host) {
        let known = self.known(host);
        if !known.answered.swap(true, Ordering::Relaxed) {
            // Those that wait to be among the first need not any more.
            known.untried.add_permits(Semaphore::MAX_PERMITS / 2);
        }
    }

    fn known(&self, host: &Host) -> Arc<Known> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = hosts.entry(host.clone()).or_insert_with(|| {
            let settings = self.settings.of(host);
            let room = settings.and_then(|set| set.in_flight).unwrap_or(self.per_host);
            let pace = settings.and_then(|set| set.pace);
            Arc::new(Known {
                room: Arc::new(Semaphore::new(room)),
                untried: Arc::new(Semaphore::new(room.min(UNTRIED))),
                answered: AtomicBool::new(false),
                pace: pace.map(|every| Pace { every, next: Mutex::new(Instant::now()) }),
            })
        });
        Arc::clone(known)
    }
}

impl Known {
    fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pace_spaces_requests() {
        let pace = Pace { every: Duration::from_millis(20), next: Mutex::new(Instant::now()) };
        let started = Instant::now();
        for _ in 0..5 {
            pace.wait().await;
        }
        assert!(started.elapsed() >= Duration::from_millis(80), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn who_waits_for_a_busy_host_holds_nothing_that_others_need() {
        let limits = Arc::new(InFlight::new(4, 2, 1, Hosts::default()));
        let (slow, other) = ("slow".parse().expect("a host"), "other".parse().expect("a host"));
        let held = limits.permit(&slow).await;
        let waiting = tokio::spawn({
            let (limits, slow) = (Arc::clone(&limits), slow);
            async move { limits.permit(&slow).await }
        });
        tokio::task::yield_now().await;
        let free = tokio::time::timeout(Duration::from_secs(5), limits.permit(&other)).await;
        assert!(free.is_ok(), "another host's request must not wait");
        drop((held, free));
        assert!(waiting.await.is_ok());
    }

    #[tokio::test]
    async fn made_up_hosts_leave_room_for_those_that_answer() {
        let limits = InFlight::new(8, 2, 4, Hosts::default());
        let good = "good".parse().expect("a host");
        drop(limits.permit(&good).await);
        limits.answered(&good);
        let mut held = Vec::new();
        for name in ["made-up-1", "made-up-2"] {
            held.push(limits.permit(&name.parse().expect("a host")).await);
        }
        let third = "made-up-3".parse().expect("a host");
        assert!(
            tokio::time::timeout(Duration::from_millis(20), limits.permit(&third)).await.is_err()
        );
        for _ in 0..4 {
            let free = tokio::time::timeout(Duration::from_secs(5), limits.permit(&good)).await;
            held.push(free.expect("room for a host that answers"));
        }
    }

    #[tokio::test]
    async fn a_host_is_tried_by_few_until_it_answers() {
        let limits = InFlight::new(32, 16, 8, Hosts::default());
        let host = "new".parse().expect("a host");
        let mut held = Vec::new();
        for _ in 0..UNTRIED {
            held.push(limits.permit(&host).await);
        }
        assert!(
            tokio::time::timeout(Duration::from_millis(20), limits.permit(&host)).await.is_err()
        );
        limits.answered(&host);
        for _ in UNTRIED..8 {
            held.push(limits.permit(&host).await);
        }
        assert!(
            tokio::time::timeout(Duration::from_millis(20), limits.permit(&host)).await.is_err()
        );
    }

    #[tokio::test]
    async fn the_limit_over_all_holds() {
        let limits = InFlight::new(1, 1, 8, Hosts::default());
        let (a, b) = ("a".parse().expect("a host"), "b".parse().expect("a host"));
        limits.answered(&a);
        limits.answered(&b);
        let held = limits.permit(&a).await;
        let second = tokio::time::timeout(Duration::from_millis(20), limits.permit(&b)).await;
        assert!(second.is_err());
        drop(held);
        assert!(tokio::time::timeout(Duration::from_secs(5), limits.permit(&b)).await.is_ok());
    }
}
