//! Which sandboxes there are, whose they are, and when they end.
//!
//! ```text
//!  reserved ──its VM runs──> there ──DELETE, its time is up, its VM is gone──> removed
//!     │ no VM, client gone                                                       ↑
//!     └──────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Any number of requests use one at a time. Whoever removes one destroys its VM, whatever they are at: they find
//! it gone.

use super::body::{SandboxBody, SandboxRow};
use super::expiry::ExpiringBody;
use super::failure;
use super::slot::SandboxSlot;
use crate::app::App;
use crate::e2b::facts::E2bFacts;
use crate::keys::Principal;
use crate::places::VmPlace;
use crate::problem::{HttpCode, Problem};
use sandbox::live::contexts::Contexts;
use sandbox::live::{LiveError, LiveSandbox};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// A sandbox that counts.
pub struct ListedSandbox {
    /// It.
    pub slot: Arc<SandboxSlot>,
    _place: VmPlace,
}

/// All sandboxes.
#[derive(Default)]
pub struct Sandboxes {
    slots: Mutex<HashMap<String, ListedSandbox>>,
    /// What goes on after the request that set it going.
    pub tasks: TaskTracker,
}

impl Sandboxes {
    /// Those of one key, oldest first.
    pub fn of(&self, who: &Principal) -> Vec<SandboxBody> {
        let slots = self.slots();
        let own = slots.values().filter(|kept| kept.slot.owner == who.id);
        let mut bodies: Vec<SandboxBody> = own.filter_map(|kept| kept.slot.body()).collect();
        // A name begins with the time (UUIDv7).
        bodies.sort_by(|a, b| a.id.cmp(&b.id));
        bodies
    }

    /// The same, themselves.
    pub fn slots_of(&self, who: &Principal) -> Vec<Arc<SandboxSlot>> {
        let slots = self.slots();
        let own = slots.values().filter(|kept| kept.slot.owner == who.id);
        let mut own: Vec<_> = own.map(|kept| kept.slot.clone()).collect();
        own.sort_by(|a, b| a.id.cmp(&b.id));
        own
    }

    /// Those of all keys, oldest first.
    pub fn rows(&self) -> Vec<SandboxRow> {
        let now = Instant::now();
        let slots = self.slots();
        let mut rows: Vec<SandboxRow> = slots.values().filter_map(|k| k.slot.row(now)).collect();
        rows.sort_by(|a, b| a.id.cmp(&b.id));
        rows
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, ListedSandbox>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a sandbox's place in, or says that there is none.
    /// It is given back unless [`ReservedSandbox::keep`] is told that its VM runs.
    pub fn reserve(
        app: &Arc<App>,
        who: &Principal,
        slot: Arc<SandboxSlot>,
    ) -> Result<ReservedSandbox, Problem> {
        let kept = ListedSandbox {
            slot: slot.clone(),
            _place: app.place(who, slot.job.limits.memory_mib)?,
        };
        app.sandboxes.slots().insert(slot.id.clone(), kept);
        Ok(ReservedSandbox(Some((app.clone(), slot))))
    }

    /// A sandbox, whoever's: for who shows its token, or is told nothing of it.
    pub fn named(&self, id: &str) -> Option<Arc<SandboxSlot>> {
        self.slots().get(id).map(|kept| kept.slot.clone())
    }

    /// A sandbox of an E2B client of which this holds.
    pub fn find_e2b(&self, holds: impl Fn(&E2bFacts) -> bool) -> Option<Arc<SandboxSlot>> {
        let slots = self.slots();
        let mut all = slots.values().map(|kept| &kept.slot);
        let found = all.find(|slot| slot.e2b.as_ref().is_some_and(&holds));
        found.cloned()
    }

    /// A key's own sandbox; another's is not there.
    fn find(&self, who: &Principal, id: &str) -> Option<Arc<SandboxSlot>> {
        let slots = self.slots();
        let kept = slots.get(id).filter(|kept| kept.slot.owner == who.id);
        kept.map(|kept| kept.slot.clone())
    }

    /// Takes a sandbox out; `None`: it is out already. Its VM is still to be destroyed.
    pub fn remove(&self, id: &str) -> Option<Arc<SandboxSlot>> {
        let removed = self.slots().remove(id);
        removed.map(|kept| kept.slot)
    }

    /// The same, only if it is this one: another may go on under its name.
    pub fn remove_slot(&self, slot: &Arc<SandboxSlot>) -> Option<ListedSandbox> {
        let mut slots = self.slots();
        let is_it = slots
            .get(&slot.id)
            .is_some_and(|kept| Arc::ptr_eq(&kept.slot, slot));
        is_it.then(|| slots.remove(&slot.id)).flatten()
    }

    /// The same for its own key's wish.
    pub fn take_out(&self, who: &Principal, id: &str) -> Option<Arc<SandboxSlot>> {
        let own = self.find(who, id)?;
        self.remove(&own.id)
    }

    /// Ends all sandboxes, when the service stops.
    pub async fn close(&self) {
        let slots = std::mem::take(&mut *self.slots());
        let mut closing = JoinSet::new();
        for kept in slots.into_values() {
            closing.spawn(async move { kept.slot.close().await });
        }
        closing.join_all().await;
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Those whose end is near and was not told of yet, and what is told.
    pub(super) fn tell_of_ends(&self) -> Vec<(Arc<SandboxSlot>, ExpiringBody)> {
        let now = Instant::now();
        let slots = self.slots();
        let told = slots.values().filter(|kept| kept.slot.live.get().is_some());
        let told = told.filter_map(|kept| {
            let told = kept.slot.tell_of_end(now)?;
            Some((kept.slot.clone(), told))
        });
        told.collect()
    }

    pub(super) fn take_those_over(&self) -> Vec<ListedSandbox> {
        let now = Instant::now();
        let mut slots = self.slots();
        let over = slots.extract_if(|_, kept| kept.slot.is_over(now));
        over.map(|(_, kept)| kept).collect()
    }
}

/// A place that is given back unless the VM came about: none did, or its client went meanwhile.
pub struct ReservedSandbox(Option<(Arc<App>, Arc<SandboxSlot>)>);

impl ReservedSandbox {
    /// The VM runs.
    pub fn keep(mut self, live: LiveSandbox) {
        if let Some((_, slot)) = self.0.take() {
            // It is set once, here.
            let _ = slot.live.set(live);
        }
    }
}

impl Drop for ReservedSandbox {
    fn drop(&mut self) {
        if let Some((app, slot)) = self.0.take() {
            drop(app.sandboxes.remove_slot(&slot));
        }
    }
}

/// A sandbox that a request uses; while one does, it is not idle.
pub struct UsedSandbox {
    /// What requests share.
    pub app: Arc<App>,
    /// Its row.
    pub slot: Arc<SandboxSlot>,
    /// Its VM.
    pub live: LiveSandbox,
}

impl UsedSandbox {
    /// Takes it for one request.
    pub fn take(app: &Arc<App>, who: &Principal, id: &str) -> Result<UsedSandbox, Problem> {
        let none = || Problem::new(HttpCode::SandboxNotFound);
        let slot = app.sandboxes.find(who, id).ok_or_else(none)?;
        let live = slot.live.get().cloned().ok_or_else(none)?;
        let begins = slot.times().clock.begins();
        begins.ok_or_else(|| Problem::new(HttpCode::TooManyRequestsOpen).retry_after(1))?;
        Ok(UsedSandbox {
            app: app.clone(),
            slot,
            live,
        })
    }

    /// Its interpreters.
    pub fn contexts(&self) -> &Contexts {
        self.slot.contexts_of(&self.live)
    }

    /// What its client is told of a failure; a sandbox whose VM is gone is not there any more.
    pub fn problem(&self, error: LiveError) -> Problem {
        if matches!(error, LiveError::Gone(_)) {
            drop(self.app.sandboxes.remove_slot(&self.slot));
        }
        failure::problem(error)
    }
}

impl Drop for UsedSandbox {
    fn drop(&mut self) {
        self.slot.times().clock.ends(Instant::now());
    }
}
