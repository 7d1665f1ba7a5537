//! The bound on jobs: so many run, so many wait, one more is refused at once. Never unbounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Why a job was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAdmitted {
    /// As many wait as may wait.
    QueueFull,
    /// The sandbox is closing.
    Closing,
}

/// Lets jobs in, in the order in which they came.
#[derive(Debug)]
pub struct Gate {
    // Tokio's semaphore is fair: whoever waits longest is next.
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue_bound: usize,
    running_bound: usize,
}

/// A job's right to run; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    _running: OwnedSemaphorePermit,
}

/// Counts one waiter for as long as it waits, also when its future is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    /// A gate for that many running and that many waiting jobs.
    pub fn new(running_bound: usize, queue_bound: usize) -> Gate {
        Gate {
            running: Arc::new(Semaphore::new(running_bound)),
            waiting: AtomicUsize::new(0),
            queue_bound,
            running_bound,
        }
    }

    /// Waits for a place, or says at once that there is none to wait for.
    pub async fn admit(&self) -> Result<Permit, NotAdmitted> {
        if let Ok(permit) = self.running.clone().try_acquire_owned() {
            return Ok(Permit { _running: permit });
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.queue_bound {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(NotAdmitted::QueueFull);
        }
        let _waiting = Waiting(&self.waiting);
        match self.running.clone().acquire_owned().await {
            Ok(permit) => Ok(Permit { _running: permit }),
            Err(_) => Err(NotAdmitted::Closing),
        }
    }

    /// Refuses everybody from now on, those who wait included.
    pub fn close(&self) {
        self.running.close();
    }

    /// Jobs that wait now.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Jobs that run now.
    pub fn running(&self) -> usize {
        self.running_bound
            .saturating_sub(self.running.available_permits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_over_the_bound_is_refused_and_a_waiter_that_leaves_frees_its_place() {
        let gate = Arc::new(Gate::new(1, 1));
        let first = gate.admit().await.unwrap();
        let mut second = Box::pin(gate.admit());
        assert!(futures_poll_once(&mut second).await.is_none());
        assert_eq!((gate.running(), gate.waiting()), (1, 1));
        assert_eq!(gate.admit().await.unwrap_err(), NotAdmitted::QueueFull);
        drop(second);
        assert_eq!(gate.waiting(), 0);
        drop(first);
        drop(gate.admit().await.unwrap());
        gate.close();
        assert_eq!(gate.admit().await.unwrap_err(), NotAdmitted::Closing);
    }

    async fn futures_poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
