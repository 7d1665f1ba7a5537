//! The bounds on jobs: so many run, with so much memory together, so many wait, one more is refused at once. Never
//! unbounded.
//!
//! ```text
//!  a job ── queue full? refused ── waits for a place ── waits for its memory ── runs; gives both back
//!  a session ── no memory now? refused ── holds its memory for as long as it lives: at most half of all
//! ```
//!
//! The place comes first and the memory second for everybody, so no two wait for each other. Memory is counted as what the
//! VM's cgroup may hold at most: the guest's, and what its VMM needs besides.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Why a job was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAdmitted {
    /// As many wait as may wait, or, for who does not wait, there is not the memory now.
    QueueFull,
    /// The sandbox is closing.
    Closing,
}

/// What may be at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Jobs that run.
    pub running: usize,
    /// Jobs that wait.
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

/// Lets jobs in, in the order in which they came.
#[derive(Debug)]
pub struct Gate {
    // Tokio's semaphores are fair: whoever waits longest is next, also where less would be enough for another.
    running: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    session_memory: Arc<Semaphore>,
    waiting: AtomicUsize,
    bounds: Bounds,
}

/// A job's right to run; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    _running: OwnedSemaphorePermit,
    _memory: OwnedSemaphorePermit,
}

/// A session's right to its memory; given back when dropped.
#[derive(Debug)]
pub struct SessionPermit {
    _of_sessions: OwnedSemaphorePermit,
    _memory: OwnedSemaphorePermit,
}

/// Counts one waiter for as long as it waits, also when its future is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    /// A gate with these bounds.
    pub fn new(bounds: Bounds) -> Gate {
        Gate {
            running: Arc::new(Semaphore::new(bounds.running)),
            memory: semaphore_of(bounds.memory_mib),
            session_memory: semaphore_of(bounds.session_memory_mib()),
            waiting: AtomicUsize::new(0),
            bounds,
        }
    }

    /// What may be at one time.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Waits for a place and for this much memory, or says at once that there is none to wait for. More memory than
    /// [`Bounds::memory_mib`] never comes: it is refused before.
    pub async fn admit(&self, memory_mib: u32) -> Result<Permit, NotAdmitted> {
        let place = self.running.clone().try_acquire_owned();
        let memory = self.memory.clone().try_acquire_many_owned(memory_mib);
        let place = match (place, memory) {
            (Ok(running), Ok(memory)) => {
                return Ok(Permit {
                    _running: running,
                    _memory: memory,
                });
            }
            // What was got of the two is not given back to be waited for again: others wait behind.
            (place, _) => place.ok(),
        };
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.bounds.queued {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(NotAdmitted::QueueFull);
        }
        let _waiting = Waiting(&self.waiting);
        let place = match place {
            Some(place) => place,
            None => self
                .running
                .clone()
                .acquire_owned()
                .await
                .map_err(closing)?,
        };
        let memory = self.memory.clone().acquire_many_owned(memory_mib).await;
        Ok(Permit {
            _running: place,
            _memory: memory.map_err(closing)?,
        })
    }

    /// Takes this much memory for a session, or says that there is not so much now.
    pub fn admit_session(&self, memory_mib: u32) -> Result<SessionPermit, NotAdmitted> {
        let take = |from: &Arc<Semaphore>| {
            from.clone()
                .try_acquire_many_owned(memory_mib)
                .map_err(|_| NotAdmitted::QueueFull)
        };
        if self.running.is_closed() {
            return Err(NotAdmitted::Closing);
        }
        Ok(SessionPermit {
            _of_sessions: take(&self.session_memory)?,
            _memory: take(&self.memory)?,
        })
    }

    /// Refuses everybody from now on, those who wait included.
    pub fn close(&self) {
        self.running.close();
        self.memory.close();
    }

    /// Jobs that wait now.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Jobs that run now.
    pub fn running(&self) -> usize {
        self.bounds
            .running
            .saturating_sub(self.running.available_permits())
    }
}

fn semaphore_of(mib: u64) -> Arc<Semaphore> {
    let permits = usize::try_from(mib).unwrap_or(usize::MAX);
    Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)))
}

fn closing(_: tokio::sync::AcquireError) -> NotAdmitted {
    NotAdmitted::Closing
}

#[cfg(test)]
mod tests;
