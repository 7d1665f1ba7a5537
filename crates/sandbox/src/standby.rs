//! VMMs that were started before their job came and wait in their jails for a snapshot, of whichever
//! language: a clone then has no process to start. Each becomes one VM, for one job.

use crate::error::JobError;
use crate::lease::{self, AFTER_FAILURE, Leased, new_vm_id};
use crate::materials::Shape;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vmm::{Engine, SnapshotFiles, Standby, StandbySize, VmSpec};

/// So many lost in a row are no accident: something of this host is against them.
const MAX_LOSSES: usize = 5;

/// The VMMs that wait. Empty and idle until [`Standbys::start`].
pub struct Standbys {
    shared: Arc<Shared>,
    tasks: TaskTracker,
}

struct Shared {
    engine: Arc<dyn Engine>,
    shape: Shape,
    wanted: usize,
    waiting: Mutex<VecDeque<Box<dyn Standby>>>,
    taken: Notify,
    stop: CancellationToken,
    /// In a row.
    losses: AtomicUsize,
}

impl Standbys {
    /// A place for `wanted` VMMs of this size.
    pub fn new(engine: Arc<dyn Engine>, shape: Shape, wanted: usize) -> Standbys {
        Standbys {
            shared: Arc::new(Shared {
                engine,
                shape,
                wanted,
                waiting: Mutex::default(),
                taken: Notify::new(),
                stop: CancellationToken::new(),
                losses: AtomicUsize::new(0),
            }),
            tasks: TaskTracker::new(),
        }
    }

    /// Starts the one task that refills.
    pub fn start(&self) {
        if self.shared.wanted > 0 {
            let shared = self.shared.clone();
            self.tasks.spawn(async move { shared.refill().await });
        }
    }

    /// A clone made of one that waits; `None` where none of this size does, or where it was lost: it
    /// never had a guest, so any other VMM can take its place.
    pub async fn clone_of(&self, spec: &VmSpec, files: &SnapshotFiles) -> Option<Leased> {
        let shared = &self.shared;
        if (spec.memory_mib, spec.vcpus) != (shared.shape.memory_mib, shared.shape.vcpus) {
            return None;
        }
        let standby = shared.waiting().pop_front()?;
        shared.taken.notify_one();
        match lease::restore_standby(standby, spec.clone(), files).await {
            Ok(leased) => {
                shared.losses.store(0, Ordering::Relaxed);
                Some(leased)
            }
            Err(no) => {
                tracing::warn!(reason = %no, "a VMM that stood by was lost");
                let losses = shared.losses.fetch_add(1, Ordering::Relaxed) + 1;
                if losses == MAX_LOSSES {
                    tracing::warn!("no more VMMs stand by: {losses} in a row were of no use");
                    shared.stop.cancel();
                }
                None
            }
        }
    }

    /// No more are about to be started: all wait that should, or there are none here.
    pub fn is_settled(&self) -> bool {
        self.tasks.is_empty() || self.shared.waiting().len() >= self.shared.wanted
    }

    /// Stops refilling and ends those that wait.
    pub async fn close(&self) {
        self.shared.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        let waiting = std::mem::take(&mut *self.shared.waiting());
        for standby in waiting {
            if let Err(error) = standby.close().await {
                tracing::error!(%error, "a VMM that stood by was not ended cleanly");
            }
        }
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Box<dyn Standby>>> {
        // A panic elsewhere leaves the queue whole: every change to it is one statement.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that is being started is finished first: see the pool's refill.
    async fn refill(&self) {
        while !self.stop.is_cancelled() {
            if self.waiting().len() >= self.wanted {
                self.stop.run_until_cancelled(self.taken.notified()).await;
                continue;
            }
            match self.start_one().await {
                Ok(Some(standby)) => self.waiting().push_back(standby),
                Ok(None) => return,
                Err(no) => {
                    tracing::warn!(reason = %no, "no VMM could be made to stand by");
                    let wait = tokio::time::sleep(AFTER_FAILURE);
                    self.stop.run_until_cancelled(wait).await;
                }
            }
        }
    }

    async fn start_one(&self) -> Result<Option<Box<dyn Standby>>, JobError> {
        let size = StandbySize {
            id: new_vm_id()?,
            memory_mib: self.shape.memory_mib,
            vcpus: self.shape.vcpus,
        };
        match self.engine.snapshots() {
            Some(engine) => Ok(engine.stand_by(size).await?),
            None => Ok(None),
        }
    }
}
