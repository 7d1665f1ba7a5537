//! The bounds on jobs: so many run, with so much memory together, so many wait, one more is refused at once. Never
//! unbounded. Who is next among those who wait is decided in [`fair_queue`], and nowhere else.
//!
//! ```text
//!  a job ── key or queue full? refused ── waits for its key's turn ── has a place ── waits for its memory ── runs
//!  a session ── no memory now? refused ── holds its memory for as long as it lives: at most half of all
//! ```
//!
//! The place comes first and the memory second for everybody, so no two wait for each other. Memory is counted as what the
//! VM's cgroup may hold at most: the guest's, and what its VMM needs besides.

pub mod fair_queue;
pub mod ticket;

use crate::current::Current;
use fair_queue::{Entered, FairQueue, Full, KeyBounds};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use ticket::{Call, Place, Ticket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Why a job was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAdmitted {
    /// Its key has as many jobs as it may have.
    KeyFull,
    /// As many wait as may wait.
    QueueFull,
    /// There is not the memory now, for who does not wait.
    NoMemory,
    /// The sandbox is closing.
    Closing,
}

impl From<Full> for NotAdmitted {
    fn from(full: Full) -> Self {
        match full {
            Full::Key => NotAdmitted::KeyFull,
            Full::Queue => NotAdmitted::QueueFull,
        }
    }
}

/// What may be at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Jobs that run.
    pub running: usize,
    /// Jobs that wait for a place.
    pub queued: usize,
    /// MiB that the VMs of running jobs and of sessions may hold together.
    pub memory_mib: u64,
}

impl Bounds {
    /// MiB of it that sessions may hold: the rest is for jobs, which end soon.
    pub fn session_memory_mib(&self) -> u64 {
        self.memory_mib / 2
    }
}

/// Lets jobs in: keys take turns, and each key's jobs come in their order.
#[derive(Debug)]
pub struct Admission {
    // Held for a few map operations, never over an await.
    queue: Mutex<FairQueue<Call>>,
    // Tokio's semaphores are fair: whoever waits longest is next, also where less would be enough for another.
    memory: Arc<Semaphore>,
    session_memory: Arc<Semaphore>,
    /// Jobs that have a place and no memory yet.
    without_memory: AtomicUsize,
    closing: CancellationToken,
    bounds: Current<Bounds>,
}

/// A job's right to run: its part of the memory, and its place; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    _memory: OwnedSemaphorePermit,
    _place: Place,
}

/// A session's right to its memory; given back when dropped.
#[derive(Debug)]
pub struct SessionPermit {
    _of_sessions: OwnedSemaphorePermit,
    _memory: OwnedSemaphorePermit,
}

/// Counts one waiter for as long as it waits, also when its future is dropped.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Admission {
    /// An admission with these bounds.
    pub fn new(bounds: Bounds) -> Arc<Admission> {
        Arc::new(Admission {
            queue: Mutex::new(FairQueue::new(bounds.running, bounds.queued)),
            memory: semaphore_of(bounds.memory_mib),
            session_memory: semaphore_of(bounds.session_memory_mib()),
            without_memory: AtomicUsize::new(0),
            closing: CancellationToken::new(),
            bounds: Current::new(bounds),
        })
    }

    fn queue(&self) -> MutexGuard<'_, FairQueue<Call>> {
        // Every change is one call of `FairQueue`, which does not panic halfway.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What may be at one time.
    pub fn bounds(&self) -> Bounds {
        *self.bounds.get()
    }

    /// Other bounds for who runs and who waits; that of memory stays, for it is held in parts.
    pub fn resize(&self, bounds: Bounds) {
        let memory_mib = self.bounds().memory_mib;
        self.bounds.set(Bounds {
            memory_mib,
            ..bounds
        });
        let called = self.queue().resize(bounds.running, bounds.queued);
        for call in called {
            let _ = call.send(());
        }
    }

    /// Lets a job of this key into the queue, or says at once why not.
    pub fn enter(self: &Arc<Self>, key: &str, bounds: KeyBounds) -> Result<Ticket, NotAdmitted> {
        if self.closing.is_cancelled() {
            return Err(NotAdmitted::Closing);
        }
        let (call, called) = tokio::sync::oneshot::channel();
        Ok(match self.queue().enter(key, bounds, call)? {
            Entered::Runs => Ticket::placed(self.clone(), key),
            Entered::Waits(number) => Ticket::waiting(self.clone(), key, (number, called)),
        })
    }

    /// Waits for this much memory for whoever has a place. More than [`Bounds::memory_mib`] never comes: it is refused
    /// before.
    pub async fn admit(&self, place: Place, memory_mib: u32) -> Result<Permit, NotAdmitted> {
        self.without_memory.fetch_add(1, Ordering::Relaxed);
        let _counted = Counted(&self.without_memory);
        let memory = self.memory.clone().acquire_many_owned(memory_mib).await;
        Ok(Permit {
            _memory: memory.map_err(|_| NotAdmitted::Closing)?,
            _place: place,
        })
    }

    /// Takes this much memory for a session, or says that there is not so much now.
    pub fn admit_session(&self, memory_mib: u32) -> Result<SessionPermit, NotAdmitted> {
        let take = |from: &Arc<Semaphore>| {
            from.clone()
                .try_acquire_many_owned(memory_mib)
                .map_err(|_| NotAdmitted::NoMemory)
        };
        if self.closing.is_cancelled() {
            return Err(NotAdmitted::Closing);
        }
        Ok(SessionPermit {
            _of_sessions: take(&self.session_memory)?,
            _memory: take(&self.memory)?,
        })
    }

    /// Refuses everybody from now on, those who wait included.
    pub fn close(&self) {
        self.closing.cancel();
        self.memory.close();
    }

    /// Jobs that run, and that wait for their place or their memory, now.
    pub fn load(&self) -> (usize, usize) {
        let (placed, waiting) = self.queue().load();
        let without_memory = self.without_memory.load(Ordering::Relaxed);
        (
            placed.saturating_sub(without_memory),
            waiting + without_memory,
        )
    }

    /// Changes the queue, and calls whoever runs now.
    fn call(&self, change: impl FnOnce(&mut FairQueue<Call>) -> Option<Call>) {
        let called = change(&mut self.queue());
        if let Some(call) = called {
            // A waiter that left in this moment finds itself called and gives the place on.
            let _ = call.send(());
        }
    }
}

fn semaphore_of(mib: u64) -> Arc<Semaphore> {
    let permits = usize::try_from(mib).unwrap_or(usize::MAX);
    Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)))
}

#[cfg(test)]
mod tests;
