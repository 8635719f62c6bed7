//! A room with so many places, given first to those for whom most others wait.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Places in which hosts prove that they answer.
///
/// A tenant can write down thousands of hosts that nobody has, one image each. First come, first
/// served would put a registry that half the cluster uses behind all of them; so a free place goes
/// to the host that most questions wait for, and among equals to the one that came first.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Mutex<Places>>);

#[derive(Debug)]
struct Places {
    free: usize,
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    crowd: Arc<AtomicUsize>,
    place: oneshot::Sender<Place>,
}

/// The right to be in the room; given on when dropped.
#[derive(Debug)]
pub(crate) struct Place(Room);

impl Room {
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Mutex::new(Places { free: places, waiting: Vec::new() })))
    }

    /// Waits for a place. `crowd` is how many wait for the same host, and may change meanwhile.
    pub(crate) async fn enter(&self, crowd: &Arc<AtomicUsize>) -> Place {
        let promised = {
            let mut places = self.places();
            if places.free > 0 {
                places.free -= 1;
                return Place(self.clone());
            }
            let (place, promised) = oneshot::channel();
            places.waiting.push(Waiting { crowd: Arc::clone(crowd), place });
            promised
        };
        // The sender is in the list, which lives as long as `self`, until it sends.
        promised.await.expect("a place is always given on")
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out the one whose turn it is; where there is none, the place is free.
    fn next(&self) -> Option<Waiting> {
        let mut places = self.places();
        places.waiting.retain(|waiting| !waiting.place.is_closed());
        let crowds = places.waiting.iter().map(|waiting| waiting.crowd.load(Ordering::Relaxed));
        // Of equals the maximum is the last, so the first has the greatest key among them.
        let first = crowds.enumerate().max_by_key(|(at, crowd)| (*crowd, std::cmp::Reverse(*at)));
        let Some((at, _)) = first else {
            places.free += 1;
            return None;
        };
        Some(places.waiting.remove(at))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(next) = self.0.next() {
            // Who gave up in this very moment drops the place, which goes on from there.
            let _ = next.place.send(Self(self.0.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn crowd(many: usize) -> Arc<AtomicUsize> {
        Arc::new(AtomicUsize::new(many))
    }

    async fn waits(room: &Room, crowd: &Arc<AtomicUsize>) -> bool {
        tokio::time::timeout(Duration::from_millis(20), room.enter(crowd)).await.is_err()
    }

    #[tokio::test]
    async fn a_place_goes_to_the_greatest_crowd_and_among_equals_to_the_first() {
        let room = Room::new(1);
        let held = room.enter(&crowd(1)).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for (name, many) in [("one", 1), ("another", 1), ("many", 50), ("some", 7)] {
            let (room, order) = (room.clone(), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let place = room.enter(&crowd(many)).await;
                order.lock().expect("unpoisoned").push(name);
                drop(place);
            }));
            tokio::task::yield_now().await;
        }
        drop(held);
        for task in tasks {
            task.await.expect("done");
        }
        assert_eq!(*order.lock().expect("unpoisoned"), ["many", "some", "one", "another"]);
    }

    #[tokio::test]
    async fn who_gives_up_leaves_no_place_lost() {
        let room = Room::new(2);
        let one = crowd(1);
        let held = (room.enter(&one).await, room.enter(&one).await);
        for _ in 0..100 {
            let giving_up = room.enter(&one);
            assert!(tokio::time::timeout(Duration::ZERO, giving_up).await.is_err());
        }
        assert!(waits(&room, &one).await);
        drop(held);
        let again = (room.enter(&one).await, room.enter(&one).await);
        assert!(waits(&room, &one).await);
        drop(again);
    }
}
