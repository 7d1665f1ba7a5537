//! What clients said of the processes that they started, and who follows each: one that ended is forgotten when nobody
//! does any more, as E2B's daemon forgets it.

use super::process::ConfigBody;
use crate::app::App;
use crate::sandboxes::slot::SandboxSlot;
use protocol::supervisor::ProcessId;
use sandbox::live::LiveSandbox;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A process that a client started.
#[derive(Debug)]
struct Started {
    tag: Option<String>,
    config: ConfigBody,
    followers: watch::Sender<usize>,
}

/// The processes that clients started, until they are forgotten.
#[derive(Debug, Default)]
pub struct Registry(Mutex<HashMap<ProcessId, Started>>);

/// What clients said of the processes that they started, while their sandbox is saved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HeldProcesses(BTreeMap<ProcessId, HeldStarted>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldStarted {
    tag: Option<String>,
    config: ConfigBody,
}

impl Registry {
    /// What is remembered of it.
    pub fn held(&self) -> HeldProcesses {
        let started = self.started();
        let held = started.iter().map(|(id, one)| {
            let (tag, config) = (one.tag.clone(), one.config.clone());
            (*id, HeldStarted { tag, config })
        });
        HeldProcesses(held.collect())
    }

    /// What was remembered of it; nobody follows any of them.
    pub fn of_held(HeldProcesses(held): HeldProcesses) -> Registry {
        let started = held.into_iter().map(|(id, HeldStarted { tag, config })| {
            let followers = watch::Sender::new(0);
            let started = Started {
                tag,
                config,
                followers,
            };
            (id, started)
        });
        Registry(Mutex::new(started.collect()))
    }

    fn started(&self) -> MutexGuard<'_, HashMap<ProcessId, Started>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What its client said of it.
    pub fn said(&self, process: ProcessId) -> Option<(ConfigBody, Option<String>)> {
        let started = self.started();
        let known = started.get(&process)?;
        Some((known.config.clone(), known.tag.clone()))
    }

    /// The last process with this tag.
    pub fn tagged(&self, tag: &str) -> Option<ProcessId> {
        let started = self.started();
        let tagged = started
            .iter()
            .filter(|(_, one)| one.tag.as_deref() == Some(tag));
        tagged.map(|(id, _)| *id).max()
    }

    fn followers(&self, process: ProcessId) -> Option<watch::Receiver<usize>> {
        Some(self.started().get(&process)?.followers.subscribe())
    }

    fn count(&self, process: ProcessId, change: impl FnOnce(&mut usize)) {
        if let Some(known) = self.started().get(&process) {
            known.followers.send_modify(change);
        }
    }
}

/// One who follows a process, until dropped.
pub struct Following {
    slot: Arc<SandboxSlot>,
    process: ProcessId,
}

impl Following {
    /// Follows a process that is known.
    pub fn of(slot: &Arc<SandboxSlot>, process: ProcessId) -> Following {
        if let Some(facts) = &slot.e2b {
            facts.processes.count(process, |count| *count += 1);
        }
        Following {
            slot: slot.clone(),
            process,
        }
    }

    /// Follows one that was just started, with what its client said of it. It is forgotten once it is over and nobody
    /// follows it.
    pub fn begin(
        app: &App,
        (slot, live): (&Arc<SandboxSlot>, &LiveSandbox),
        process: ProcessId,
        (config, tag): (ConfigBody, Option<String>),
    ) -> Following {
        if let Some(facts) = &slot.e2b {
            let started = Started {
                tag,
                config,
                followers: watch::Sender::new(0),
            };
            facts.processes.started().insert(process, started);
        }
        let following = Following::of(slot, process);
        app.sandboxes
            .tasks
            .spawn(forget(slot.clone(), live.clone(), process));
        following
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        if let Some(facts) = &self.slot.e2b {
            let leaves = |count: &mut usize| *count = count.saturating_sub(1);
            facts.processes.count(self.process, leaves);
        }
    }
}

/// Has the processes of a sandbox that goes on forgotten as those of every other, once they are over. One that ended
/// meanwhile is forgotten at once, as one is that nobody followed.
pub fn remember(app: &App, slot: &Arc<SandboxSlot>, live: &LiveSandbox) {
    let Some(facts) = &slot.e2b else {
        return;
    };
    let ids: Vec<ProcessId> = facts.processes.started().keys().copied().collect();
    for process in ids {
        let forgetting = forget(slot.clone(), live.clone(), process);
        app.sandboxes.tasks.spawn(forgetting);
    }
}

/// Forgets a process once it is over and nobody follows it. One whose sandbox is gone is gone with it.
async fn forget(slot: Arc<SandboxSlot>, live: LiveSandbox, process: ProcessId) {
    let Some(facts) = &slot.e2b else {
        return;
    };
    if live.wait(process).await.is_ok() {
        if let Some(mut followers) = facts.processes.followers(process) {
            let _ = followers.wait_for(|count| *count == 0).await;
        }
        let _ = live.forget(process).await;
    }
    facts.processes.started().remove(&process);
}
