//! What was told of a context, for all who follow it: the newest [`KEPT_BYTES`], and whatever one who follows has not
//! read. Who is behind by more than that holds up the interpreter, as a pipe would.

use super::event::ContextEvent;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Kept of what was told, for who comes back, in bytes (1 MiB).
pub const KEPT_BYTES: usize = 1024 * 1024;

/// All that is kept. Events have numbers: 0, 1, …
#[derive(Debug, Default)]
pub(super) struct Log {
    held: Mutex<Held>,
    /// Something was told, or read.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Held {
    events: VecDeque<Arc<ContextEvent>>,
    bytes: usize,
    /// The number of the first event that is kept.
    first: u64,
    /// What each who follows reads next.
    readers: BTreeMap<u64, u64>,
    last_reader: u64,
    over: bool,
}

impl Held {
    fn next(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    /// Forgets what is over and everybody has read.
    fn trim(&mut self) {
        let read = self.readers.values().min().copied().unwrap_or(u64::MAX);
        while self.bytes > KEPT_BYTES && self.first < read {
            let Some(event) = self.events.pop_front() else {
                return;
            };
            self.bytes -= event.size();
            self.first += 1;
        }
    }
}

impl Log {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One whose first event has this number.
    pub(super) fn from(first: u64) -> Log {
        let held = Held {
            first,
            ..Held::default()
        };
        Log {
            held: Mutex::new(held),
            changed: Notify::new(),
        }
    }

    /// The number of the next event.
    pub(super) fn next(&self) -> u64 {
        self.held().next()
    }

    /// Tells something.
    pub(super) fn tell(&self, event: ContextEvent) {
        let mut held = self.held();
        held.bytes += event.size();
        held.events.push_back(Arc::new(event));
        held.trim();
        drop(held);
        self.changed.notify_waiters();
    }

    /// Nothing more is told.
    pub(super) fn close(&self) {
        self.held().over = true;
        self.changed.notify_waiters();
    }

    /// Resolves once nobody who follows is too far behind.
    pub(super) async fn room(&self) {
        self.until(|held| {
            held.trim();
            (held.bytes <= KEPT_BYTES).then_some(())
        })
        .await;
    }

    /// Follows from an event on, the oldest that is kept, or the next to come.
    pub(super) fn follow(self: &Arc<Self>, from: From) -> Events {
        let mut held = self.held();
        let next = match from {
            From::Now => held.next(),
            From::Number(number) => number.clamp(held.first, held.next()),
        };
        held.last_reader += 1;
        let reader = held.last_reader;
        held.readers.insert(reader, next);
        drop(held);
        Events {
            log: self.clone(),
            reader,
        }
    }

    async fn until<T>(&self, mut look: impl FnMut(&mut Held) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            if let Some(found) = look(&mut self.held()) {
                return found;
            }
            changed.await;
        }
    }
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// With what is told next.
    Now,
    /// With this event; what is no longer kept is left out.
    Number(u64),
}

/// What is told of a context, in order. Dropped, it holds up nobody any more.
#[derive(Debug)]
pub struct Events {
    log: Arc<Log>,
    reader: u64,
}

impl Events {
    /// The next event and its number; `None`: nothing more comes. Cancel-safe.
    pub async fn next(&mut self) -> Option<(u64, Arc<ContextEvent>)> {
        let reader = self.reader;
        let found = self.log.until(|held| {
            let at = held.readers.get(&reader).copied().unwrap_or(u64::MAX);
            let event = at
                .checked_sub(held.first)
                .and_then(|place| held.events.get(place as usize))
                .cloned();
            match event {
                Some(event) => {
                    held.readers.insert(reader, at + 1);
                    Some(Some((at, event)))
                }
                None => held.over.then_some(None),
            }
        });
        let found = found.await;
        self.log.changed.notify_waiters();
        found
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.log.held().readers.remove(&self.reader);
        self.log.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::contexts::{CellStream, Origin};
    use std::time::Duration;
    use tokio::time::timeout;

    fn printed(bytes: usize) -> ContextEvent {
        ContextEvent::Printed {
            origin: Origin::Context,
            stream: CellStream::Stdout,
            data: vec![b'x'; bytes],
        }
    }

    #[tokio::test]
    async fn the_newest_stay_and_who_is_behind_holds_up_the_rest() {
        let log = Arc::new(Log::default());
        for _ in 0..10 {
            log.tell(printed(KEPT_BYTES / 4));
        }
        let mut late = log.follow(From::Number(0));
        assert_eq!(late.next().await.unwrap().0, 7);
        let mut slow = log.follow(From::Now);
        for _ in 0..9 {
            log.tell(printed(KEPT_BYTES / 4));
        }
        let is_held = |log: Arc<Log>| async move {
            timeout(Duration::from_millis(20), log.room())
                .await
                .is_err()
        };
        assert!(is_held(log.clone()).await);
        for number in 10..19 {
            assert_eq!(slow.next().await.unwrap().0, number);
        }
        assert!(is_held(log.clone()).await, "one is still behind");
        drop(late);
        assert!(!is_held(log.clone()).await);
        log.close();
        assert!(slow.next().await.is_none());
        let from_the_future = log.follow(From::Number(u64::MAX)).next().await;
        assert!(from_the_future.is_none());
    }
}
