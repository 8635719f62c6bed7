//! Limits on how many requests are on their way at a time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SetOnce};

use crate::room::{Place, Room};
use crate::{Host, Hosts};

/// Three limits: requests in flight in all, to one host, and to hosts that have not answered yet.
///
/// The third is a room of its own, so that made-up hosts take nothing from the others while each of
/// them runs into its time limit. It is large, for what is in it is mostly waiting.
#[derive(Debug)]
pub(crate) struct InFlight {
    all: Arc<Semaphore>,
    new: Room,
    per_host: usize,
    settings: Hosts,
    hosts: Mutex<HashMap<Host, Arc<Known>>>,
}

#[derive(Debug)]
struct Known {
    room: Arc<Semaphore>,
    /// The room while the host has not answered yet: as many as it takes to open its breaker.
    untried: Arc<Semaphore>,
    answered: SetOnce<()>,
    /// It is not asked any more.
    given_up: SetOnce<()>,
    /// How many questions wait for this host.
    crowd: Arc<AtomicUsize>,
    pace: Option<Pace>,
}

/// The least time between two requests.
#[derive(Debug)]
struct Pace {
    every: Duration,
    /// When the next may go. Whose turn it is holds the lock until it goes.
    next: tokio::sync::Mutex<Instant>,
}

/// How many requests a host gets before it has answered one.
const UNTRIED: usize = crate::breaker::FAILURES as usize;

/// The right to have one request in flight; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    _host: Option<OwnedSemaphorePermit>,
    _common: Common,
}

/// The right to try a host that has not answered yet, for a whole operation with its tries; given
/// back when dropped. Nothing to have where the host has answered.
#[derive(Debug)]
pub(crate) struct Trial(Option<OwnedSemaphorePermit>);

impl Trial {
    /// The host did not answer. Nobody else tries in this one's place: so many failures open its
    /// breaker, and more than those nobody should wait for.
    pub(crate) fn failed(self) {
        if let Some(permit) = self.0 {
            permit.forget();
        }
    }
}

/// A share of what all hosts have in common.
#[derive(Debug)]
#[expect(dead_code, reason = "held, and given back when dropped")]
enum Common {
    /// Of a host that answers.
    All(Option<OwnedSemaphorePermit>),
    /// Of one that has not answered yet.
    New(Place),
}

/// One of those who wait for a host, until it is dropped.
#[derive(Debug)]
pub struct InCrowd(Arc<AtomicUsize>);

impl InCrowd {
    fn join(crowd: &Arc<AtomicUsize>) -> Self {
        crowd.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(crowd))
    }
}

impl Drop for InCrowd {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl InFlight {
    pub(crate) fn new(all: usize, new: usize, per_host: usize, settings: Hosts) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            new: Room::new(new),
            per_host,
            settings,
            hosts: Mutex::default(),
        }
    }

    /// Waits for the right to send a request to `host`, as long as it `may` be asked; what
    /// forbids it may come to pass while others are waited for, so it is looked at after each wait.
    ///
    /// The host's permit comes first, then the common one: requests that wait for a slow host then
    /// hold nothing that others need.
    pub(crate) async fn permit<E>(
        &self,
        host: &Host,
        may: impl Fn() -> Result<(), E>,
    ) -> Result<Permit, E> {
        may()?;
        let known = self.known(host);
        let _waiting = InCrowd::join(&known.crowd);
        let _host = acquire(&known.room).await;
        may()?;
        let mut turn = None;
        if let Some(pace) = &known.pace {
            let next = pace.next.lock().await;
            may()?;
            tokio::time::sleep_until((*next).into()).await;
            turn = Some((next, pace.every));
        }
        let _common = tokio::select! {
            biased;
            () = known.has_answered() => Common::All(acquire(&self.all).await),
            place = self.new.enter(&known.crowd) => Common::New(place),
        };
        may()?;
        if let Some((mut next, every)) = turn {
            *next = Instant::now() + every;
        }
        Ok(Permit { _host, _common })
    }

    /// Waits for the right to try a host, where it has not answered yet, as long as it `may` be.
    pub(crate) async fn trial<E>(
        &self,
        host: &Host,
        may: impl Fn() -> Result<(), E>,
    ) -> Result<Trial, E> {
        may()?;
        let known = self.known(host);
        let _waiting = InCrowd::join(&known.crowd);
        // Of a host that answers meanwhile, nobody waits on to be among the first.
        let permit = tokio::select! {
            biased;
            () = known.has_answered() => None,
            _ = known.given_up.wait() => None,
            permit = acquire(&known.untried) => permit,
        };
        may()?;
        Ok(Trial(permit))
    }

    /// Waits for a host without asking it yet.
    pub(crate) fn join(&self, host: &Host) -> InCrowd {
        InCrowd::join(&self.known(host).crowd)
    }

    /// The host is not asked any more.
    pub(crate) fn gave_up(&self, host: &Host) {
        // An error says that it was given up before.
        let _ = self.known(host).given_up.set(());
    }

    /// The host answered.
    pub(crate) fn answered(&self, host: &Host) {
        // An error says that it has answered before.
        let _ = self.known(host).answered.set(());
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
                answered: SetOnce::new(),
                given_up: SetOnce::new(),
                crowd: Arc::default(),
                pace: pace.map(|every| Pace { every, next: Instant::now().into() }),
            })
        });
        Arc::clone(known)
    }
}

impl Known {
    /// Waits until the host has answered for the first time.
    async fn has_answered(&self) {
        self.answered.wait().await;
    }
}

/// A permit. There is none only where the semaphore is closed, and these never are.
async fn acquire(semaphore: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(semaphore).acquire_owned().await.ok()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::AtomicBool;

    use super::*;

    /// A permit that nothing forbids.
    async fn permit(limits: &InFlight, host: &Host) -> Permit {
        limits.permit(host, || Ok::<_, Infallible>(())).await.unwrap_or_else(|never| match never {})
    }

    /// A trial that nothing forbids, where it need not be waited for.
    async fn trial(limits: &InFlight, host: &Host) -> Option<Trial> {
        let trial = limits.trial(host, || Ok::<_, Infallible>(()));
        tokio::time::timeout(Duration::from_millis(20), trial).await.ok()?.ok()
    }

    fn host(name: &str) -> Host {
        name.parse().expect("a host")
    }

    fn paced(rate: &str) -> InFlight {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let text = format!("hosts:\n  slow: {{requestsPerSecond: {rate}}}\n");
        std::fs::write(file.path(), text).expect("written");
        InFlight::new(8, 8, 8, Hosts::read(file.path()).expect("hosts"))
    }

    #[tokio::test]
    async fn a_pace_spaces_requests() {
        let limits = paced("50");
        let started = Instant::now();
        for _ in 0..5 {
            drop(permit(&limits, &host("slow")).await);
        }
        assert!(started.elapsed() >= Duration::from_millis(80), "{:?}", started.elapsed());
        let others = Instant::now();
        for _ in 0..100 {
            drop(permit(&limits, &host("fast")).await);
        }
        assert!(others.elapsed() < Duration::from_secs(2), "{:?}", others.elapsed());
    }

    /// A host at a slow pace that turns out to be dead holds up nobody for longer than one turn.
    #[tokio::test]
    async fn who_waits_for_a_pace_goes_when_the_host_may_not_be_asked_any_more() {
        let limits = Arc::new(paced("4"));
        drop(permit(&limits, &host("slow")).await);
        limits.answered(&host("slow"));
        let gone = Arc::new(AtomicBool::new(false));
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let (limits, gone) = (Arc::clone(&limits), Arc::clone(&gone));
                tokio::spawn(async move {
                    let may = || if gone.load(Ordering::Relaxed) { Err(()) } else { Ok(()) };
                    limits.permit(&host("slow"), may).await.is_ok()
                })
            })
            .collect();
        tokio::task::yield_now().await;
        gone.store(true, Ordering::Relaxed);
        let started = Instant::now();
        for one in waiting {
            assert!(!one.await.expect("the task"));
        }
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn who_waits_for_a_busy_host_holds_nothing_that_others_need() {
        let limits = Arc::new(InFlight::new(4, 2, 1, Hosts::default()));
        let (slow, other) = ("slow".parse().expect("a host"), "other".parse().expect("a host"));
        let held = permit(&limits, &slow).await;
        let waiting = tokio::spawn({
            let (limits, slow) = (Arc::clone(&limits), slow);
            async move { permit(&limits, &slow).await }
        });
        tokio::task::yield_now().await;
        let free = tokio::time::timeout(Duration::from_secs(5), permit(&limits, &other)).await;
        assert!(free.is_ok(), "another host's request must not wait");
        drop((held, free));
        assert!(waiting.await.is_ok());
    }

    #[tokio::test]
    async fn made_up_hosts_leave_room_for_those_that_answer() {
        let limits = InFlight::new(8, 2, 4, Hosts::default());
        let good = "good".parse().expect("a host");
        drop(permit(&limits, &good).await);
        limits.answered(&good);
        let mut held = Vec::new();
        for name in ["made-up-1", "made-up-2"] {
            held.push(permit(&limits, &name.parse().expect("a host")).await);
        }
        let third = "made-up-3".parse().expect("a host");
        assert!(
            tokio::time::timeout(Duration::from_millis(20), permit(&limits, &third)).await.is_err()
        );
        for _ in 0..4 {
            let free = tokio::time::timeout(Duration::from_secs(5), permit(&limits, &good)).await;
            held.push(free.expect("room for a host that answers"));
        }
    }

    #[tokio::test]
    async fn who_waits_behind_made_up_hosts_goes_on_when_their_own_host_answers() {
        let limits = Arc::new(InFlight::new(8, 2, 4, Hosts::default()));
        let _first = permit(&limits, &host("good")).await;
        let _made_up = permit(&limits, &host("made-up")).await;
        let second = tokio::spawn({
            let limits = Arc::clone(&limits);
            async move { permit(&limits, &host("good")).await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished(), "the room is full");
        limits.answered(&host("good"));
        let second = tokio::time::timeout(Duration::from_secs(5), second).await;
        assert!(second.is_ok_and(|task| task.is_ok()));
    }

    #[tokio::test]
    async fn a_host_is_tried_by_few_until_it_answers() {
        let limits = InFlight::new(32, 16, 8, Hosts::default());
        let host = "new".parse().expect("a host");
        let mut held = Vec::new();
        for _ in 0..UNTRIED {
            held.push(trial(&limits, &host).await.expect("a trial"));
        }
        assert!(trial(&limits, &host).await.is_none());
        limits.answered(&host);
        for _ in UNTRIED..80 {
            held.push(trial(&limits, &host).await.expect("none is needed"));
        }
    }

    #[tokio::test]
    async fn who_failed_is_not_followed_by_another() {
        let limits = InFlight::new(32, 16, 8, Hosts::default());
        let host = "new".parse().expect("a host");
        drop(trial(&limits, &host).await.expect("a trial"));
        for _ in 0..UNTRIED {
            trial(&limits, &host).await.expect("a trial").failed();
        }
        assert!(trial(&limits, &host).await.is_none(), "as many as open the breaker have failed");
        limits.gave_up(&host);
        let refused = limits.trial(&host, || Err::<(), _>("left alone")).await;
        assert_eq!(refused.expect_err("left alone"), "left alone");
        assert!(trial(&limits, &host).await.is_some(), "nobody waits for ever");
    }

    #[tokio::test]
    async fn the_limit_over_all_holds() {
        let limits = InFlight::new(1, 1, 8, Hosts::default());
        let (a, b) = ("a".parse().expect("a host"), "b".parse().expect("a host"));
        limits.answered(&a);
        limits.answered(&b);
        let held = permit(&limits, &a).await;
        let second = tokio::time::timeout(Duration::from_millis(20), permit(&limits, &b)).await;
        assert!(second.is_err());
        drop(held);
        assert!(tokio::time::timeout(Duration::from_secs(5), permit(&limits, &b)).await.is_ok());
    }
}
