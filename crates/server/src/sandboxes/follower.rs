//! Who follows a process, and what becomes of it when the last one goes: nothing, unless its client wished that it
//! ends then.

use super::slot::SandboxSlot;
use crate::app::App;
use protocol::supervisor::{ProcessId, SignalTarget};
use sandbox::live::LiveSandbox;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use utoipa::ToSchema;

/// What becomes of a process when nobody follows it any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnDisconnect {
    /// It runs on.
    #[default]
    Keep,
    /// It is killed, with all that it started.
    Kill,
}

/// How many follow each process that ends with them.
#[derive(Debug, Default)]
pub struct Followed(Mutex<HashMap<ProcessId, usize>>);

impl Followed {
    fn counts(&self) -> MutexGuard<'_, HashMap<ProcessId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process was started.
    pub fn started(&self, process: ProcessId, wish: OnDisconnect) {
        if wish == OnDisconnect::Kill {
            self.counts().insert(process, 0);
        }
    }

    /// What becomes of it.
    pub fn wish(&self, process: ProcessId) -> OnDisconnect {
        match self.counts().contains_key(&process) {
            true => OnDisconnect::Kill,
            false => OnDisconnect::Keep,
        }
    }

    /// It is not followed any more, ever.
    pub fn forget(&self, process: ProcessId) {
        self.counts().remove(&process);
    }

    fn joins(&self, process: ProcessId) {
        if let Some(count) = self.counts().get_mut(&process) {
            *count += 1;
        }
    }

    /// One goes, and this becomes of the process now.
    fn leaves(&self, process: ProcessId) -> OnDisconnect {
        match self.counts().get_mut(&process) {
            Some(count) => {
                *count = count.saturating_sub(1);
                match *count {
                    0 => OnDisconnect::Kill,
                    _ => OnDisconnect::Keep,
                }
            }
            None => OnDisconnect::Keep,
        }
    }
}

/// One who follows a process, until dropped.
pub struct Follower {
    app: Arc<App>,
    slot: Arc<SandboxSlot>,
    live: LiveSandbox,
    process: ProcessId,
}

impl Follower {
    /// Follows it.
    pub fn of(
        app: &Arc<App>,
        slot: &Arc<SandboxSlot>,
        live: &LiveSandbox,
        process: ProcessId,
    ) -> Follower {
        slot.followed.joins(process);
        Follower {
            app: app.clone(),
            slot: slot.clone(),
            live: live.clone(),
            process,
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let process = self.process;
        let wish = self.slot.followed.leaves(process);
        let info = self.live.process(process);
        let runs = info.is_ok_and(|info| info.report.is_none());
        if wish == OnDisconnect::Keep || !runs {
            return;
        }
        let live = self.live.clone();
        self.app.sandboxes.tasks.spawn(async move {
            // One that ended meanwhile, or is gone with its VM, needs no signal.
            let _ = live.signal(process, libc::SIGKILL, SignalTarget::All).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_who_goes_ends_what_was_to_end_with_it() {
        let followed = Followed::default();
        followed.started(1, OnDisconnect::Kill);
        followed.started(2, OnDisconnect::Keep);
        for process in [1, 1, 2] {
            followed.joins(process);
        }
        assert_eq!(followed.leaves(1), OnDisconnect::Keep);
        assert_eq!(followed.leaves(2), OnDisconnect::Keep);
        assert_eq!(followed.leaves(1), OnDisconnect::Kill);
        assert_eq!(followed.wish(1), OnDisconnect::Kill);
        assert_eq!(followed.wish(2), OnDisconnect::Keep);
        followed.forget(1);
        followed.joins(1);
        assert_eq!(followed.leaves(1), OnDisconnect::Keep);
        assert!(followed.counts().is_empty());
    }
}
