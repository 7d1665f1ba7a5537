//! The bounded queue in front of the sandbox, with fair order between keys. Deciding is in
//! [`line`]; here are the waiting and the giving back.

pub mod line;

use crate::memory::ResultRoom;
use line::{Entered, Line};
pub use line::{Full, KeyBounds, fair_share};
use protocol::result::JobResult;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// How much one more job counts in the mean of recent job times.
const MEAN_WEIGHT: f64 = 0.1;

/// The queue.
#[derive(Debug)]
pub struct FairQueue {
    // Held for a few map operations, never over an await.
    line: Mutex<Line<oneshot::Sender<()>>>,
    /// The mean of recent jobs' seconds, for `Retry-After`.
    mean_seconds: Mutex<f64>,
    places: usize,
}

/// Somebody who was let in: has a place, or waits for one. Dropped, it is out again.
#[derive(Debug)]
pub struct Entry {
    queue: Arc<FairQueue>,
    key: String,
    /// The ticket and the call, while it waits.
    waits: Option<(u64, oneshot::Receiver<()>)>,
    /// The room that its result may take.
    room: ResultRoom,
}

impl FairQueue {
    /// A queue for that many running and that many waiting jobs.
    pub fn new(places: usize, bound: usize) -> Arc<FairQueue> {
        Arc::new(FairQueue {
            line: Mutex::new(Line::new(places, bound)),
            mean_seconds: Mutex::new(0.5),
            places: places.max(1),
        })
    }

    fn line(&self) -> MutexGuard<'_, Line<oneshot::Sender<()>>> {
        // Every change is one call of `Line`, which does not panic halfway.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a job of this key in, or says at once why not.
    pub fn enter(self: &Arc<Self>, key: &str, bounds: KeyBounds) -> Result<Entry, Full> {
        let (call, called) = oneshot::channel();
        let waits = match self.line().enter(key, bounds, call)? {
            Entered::Runs => None,
            Entered::Waits(ticket) => Some((ticket, called)),
        };
        Ok(Entry {
            queue: self.clone(),
            key: key.to_owned(),
            waits,
            room: ResultRoom::default(),
        })
    }

    /// Jobs that run, and that wait, now.
    pub fn load(&self) -> (usize, usize) {
        self.line().load()
    }

    /// Takes in how long a job took.
    pub fn took(&self, seconds: f64) {
        let mut mean = self
            .mean_seconds
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *mean += MEAN_WEIGHT * (seconds - *mean);
    }

    /// Seconds until a place in the queue is likely, 1 to 60.
    pub fn retry_after(&self) -> u64 {
        let (_, waiting) = self.load();
        let mean = *self
            .mean_seconds
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let seconds = (waiting + 1) as f64 * mean / self.places as f64;
        (seconds.ceil() as u64).clamp(1, 60)
    }

    fn leave(&self, key: &str) {
        let called = self.line().leave(key);
        if let Some(call) = called {
            // A waiter that left in this moment finds itself called and gives the place on.
            let _ = call.send(());
        }
    }
}

impl Entry {
    /// Waits for a place; `false`: none will come, and waiting on is of no use. Cancel-safe.
    pub async fn place(&mut self) -> bool {
        let Some((_, called)) = &mut self.waits else {
            return true;
        };
        let has_place = called.await.is_ok();
        if has_place {
            self.waits = None;
        }
        has_place
    }

    /// Keeps this room until the answer is out.
    pub fn hold(&mut self, room: ResultRoom) {
        self.room = room;
    }

    /// The result is there: room that it does not take is given back.
    pub fn keeps(&mut self, result: &JobResult) {
        self.room.keeps(result);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let still_waits = match &self.waits {
            Some((ticket, _)) => self.queue.line().abandon(&self.key, *ticket),
            None => false,
        };
        if !still_waits {
            self.queue.leave(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(jobs: usize) -> KeyBounds {
        KeyBounds {
            jobs,
            running: usize::MAX,
        }
    }

    #[tokio::test]
    async fn a_waiter_that_leaves_when_it_is_called_gives_its_place_on() {
        let queue = FairQueue::new(1, 10);
        let mut first = queue.enter("a", jobs(9)).unwrap();
        assert!(first.place().await);
        let second = queue.enter("a", jobs(9)).unwrap();
        let mut third = queue.enter("b", jobs(9)).unwrap();
        // Now `second` is called but never polled again.
        drop(first);
        drop(second);
        assert!(third.place().await);
        assert_eq!(queue.load(), (1, 0));
        drop(third);
        assert_eq!(queue.load(), (0, 0));
    }

    #[tokio::test]
    async fn a_wait_ends_with_its_patience() {
        let queue = FairQueue::new(1, 1);
        let _first = queue.enter("a", jobs(9)).unwrap();
        let mut second = queue.enter("a", jobs(9)).unwrap();
        assert_eq!(queue.enter("a", jobs(9)).unwrap_err(), Full::Queue);
        assert_eq!(queue.enter("a", jobs(1)).unwrap_err(), Full::Key);
        let soon = std::time::Duration::from_millis(1);
        assert!(tokio::time::timeout(soon, second.place()).await.is_err());
        drop(second);
        assert_eq!(queue.load(), (1, 0));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn under_a_crowd_nobody_is_lost() {
        let queue = FairQueue::new(3, 10_000);
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..2_000 {
            let queue = queue.clone();
            tasks.spawn(async move {
                let mut entry = queue.enter(&(n % 7).to_string(), jobs(10_000)).unwrap();
                if n % 11 == 0 {
                    return false;
                }
                let placed = entry.place().await;
                tokio::task::yield_now().await;
                assert!(queue.load().0 <= 3);
                placed
            });
        }
        let placed = tasks.join_all().await.into_iter().filter(|p| *p).count();
        assert_eq!(placed, 2_000 - 2_000usize.div_ceil(11));
        assert_eq!(queue.load(), (0, 0));
    }
}
