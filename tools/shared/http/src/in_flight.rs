//! Limits on how many requests are on their way at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Host;

/// Two limits: requests in flight in all, and to one host.
#[derive(Debug)]
pub(crate) struct InFlight {
    all: Arc<Semaphore>,
    per_host: usize,
    hosts: Mutex<HashMap<Host, Arc<Semaphore>>>,
}

/// The right to have one request in flight; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    _host: Option<OwnedSemaphorePermit>,
    _all: Option<OwnedSemaphorePermit>,
}

impl InFlight {
    pub(crate) fn new(all: usize, per_host: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), per_host, hosts: Mutex::default() }
    }

    /// Waits for the right to send a request to `host`.
    ///
    /// The host's permit comes first, then the common one: requests that wait for a slow host then
    /// hold nothing that others need.
    pub(crate) async fn permit(&self, host: &Host) -> Permit {
        // An acquire fails only on a closed semaphore, and these are never closed.
        let _host = self.host(host).acquire_owned().await.ok();
        let _all = Arc::clone(&self.all).acquire_owned().await.ok();
        Permit { _host, _all }
    }

    fn host(&self, host: &Host) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let semaphore =
            hosts.entry(host.clone()).or_insert_with(|| Arc::new(Semaphore::new(self.per_host)));
        Arc::clone(semaphore)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn who_waits_for_a_busy_host_holds_nothing_that_others_need() {
        let limits = Arc::new(InFlight::new(2, 1));
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
    async fn the_limit_over_all_holds() {
        let limits = InFlight::new(1, 8);
        let (a, b) = ("a".parse().expect("a host"), "b".parse().expect("a host"));
        let held = limits.permit(&a).await;
        let second = tokio::time::timeout(Duration::from_millis(20), limits.permit(&b)).await;
        assert!(second.is_err());
        drop(held);
        assert!(tokio::time::timeout(Duration::from_secs(5), limits.permit(&b)).await.is_ok());
    }
}
