//! The end of a VM that somebody let go: by a task of its own, for it takes up to seconds, and whoever lets
//! go may hold a lock or a thread that serves others.

use crate::admission::Permit;
use crate::drive::{Heard, JobIo, drive, undriven};
use crate::error::{Why, chain};
use crate::lease::Leased;
use crate::outcome::TalkEnd;
use protocol::job::Job;
use tokio_util::task::TaskTracker;

/// Destroys a VM; `holds` is dropped when it is gone.
pub(crate) fn destroy(tasks: &TaskTracker, leased: Leased, holds: impl Send + 'static) {
    let Leased { vm, .. } = leased;
    let destroy = async move {
        if let Err(error) = vm.close().await {
            tracing::error!(reason = %chain(&error), "a VM was not destroyed cleanly");
        }
        drop(holds);
    };
    // Without a runtime the VM's own drop destroys it here and now.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        tasks.spawn_on(destroy, &runtime);
    }
}

/// A VM at work and its job's place. It is destroyed whatever way the job ended; its place is free only
/// when it is gone, so the bound on jobs bounds VMs.
pub(crate) struct InHand<'a> {
    tasks: &'a TaskTracker,
    held: Option<(Leased, Permit)>,
}

impl<'a> InHand<'a> {
    pub(crate) fn new(tasks: &'a TaskTracker, leased: Leased, permit: Permit) -> InHand<'a> {
        InHand {
            tasks,
            held: Some((leased, permit)),
        }
    }

    /// Stays with the job to its end.
    pub(crate) async fn drive(&mut self, job: &Job, io: &mut JobIo) -> (Heard, TalkEnd) {
        match &mut self.held {
            Some((leased, _)) => drive(job, leased, io).await,
            None => undriven(Why::Gone.into()),
        }
    }

    /// Gives both to whoever destroys the VM itself.
    pub(crate) fn take(mut self) -> Option<(Leased, Permit)> {
        self.held.take()
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        if let Some((leased, permit)) = self.held.take() {
            destroy(self.tasks, leased, permit);
        }
    }
}
