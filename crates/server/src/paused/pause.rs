//! A running sandbox is saved. Until its VM is stopped, everything that can be refused was; from there on it is saved or
//! lost, and a client that goes meanwhile changes nothing.

use super::about::{About, SavedKind};
use super::table::{Entry, Place};
use super::{check_engine, of_job, of_saved};
use crate::app::App;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::slot::SandboxSlot;
use crate::sandboxes::table::ListedSandbox;
use protocol::error_code::ErrorCode;
use sandbox::live::LiveSandbox;
use sandbox::live::contexts::HeldContexts;
use sandbox::saved::{Room, SavedFacts, SavedInMaking, SavedJob, SavedKey, SavedRecord};
use std::sync::Arc;
use tokio::sync::OwnedRwLockWriteGuard;

/// Everything that a VM needs to be saved, taken before it is stopped.
pub(super) struct Prepared {
    key: SavedKey,
    room: Room,
    making: SavedInMaking,
}

impl Prepared {
    /// Room on the disk for this sandbox, under a name of its own, or why there is none.
    pub(super) async fn of(
        app: &App,
        job: &protocol::job::Job,
        id: &str,
    ) -> Result<Prepared, Problem> {
        let trace_id = job.trace_id.as_str();
        let key = app.rooms.sandbox.supply().key_of_saved(job).await;
        let key = key.map_err(|error| of_job(&error, trace_id))?;
        let store = app.paused.store()?;
        let room = app.paused.rooms.take(store, job.limits.memory_mib);
        let room = room.map_err(|error| of_saved(&error))?;
        let making = store.begin(id).map_err(|error| of_saved(&error))?;
        Ok(Prepared { key, room, making })
    }

    /// Stops the VM and saves it. Its clients are cut; its cells are interrupted.
    pub(super) async fn save(
        self,
        slot: &SandboxSlot,
        live: &LiveSandbox,
        about: &About,
    ) -> Result<(SavedRecord, Room), Problem> {
        let trace_id = slot.job.trace_id.as_str();
        let Prepared {
            key,
            mut room,
            making,
        } = self;
        let contexts = match slot.contexts_made() {
            Some(contexts) => contexts.hold().await,
            None => HeldContexts::default(),
        };
        let saved = live.save(making.folder()).await;
        let held = saved.map_err(|error| match error.code() {
            // It ended meanwhile.
            ErrorCode::VmDied => Problem::new(HttpCode::SandboxNotFound),
            _ => of_job(&error, trace_id),
        })?;
        let about = serde_json::to_value(about).map_err(|error| {
            tracing::error!(%error, "a sandbox cannot be remembered");
            Problem::new(HttpCode::InternalError)
        })?;
        let facts = SavedFacts {
            job: SavedJob::of(&slot.job),
            key,
            held,
            contexts,
            about,
        };
        let finished = tokio::task::spawn_blocking(move || making.finish(facts)).await;
        let record = finished.map_err(|_| Problem::new(HttpCode::InternalError))?;
        let record = record.map_err(|error| of_saved(&error))?;
        room.shrink(record.bytes());
        Ok((record, room))
    }
}

/// Has a running sandbox stop and stay on disk. It may end meanwhile.
pub async fn pause(app: &Arc<App>, slot: &Arc<SandboxSlot>) -> Result<(), Problem> {
    check_engine(app, "paused")?;
    let entered = Entered::of(app, slot)?;
    let prepared = Prepared::of(app, &slot.job, &slot.id).await?;
    let none = || Problem::new(HttpCode::SandboxNotFound);
    let listed = app.sandboxes.remove_slot(slot).ok_or_else(none)?;
    let stopping = stop(listed, prepared, entered);
    // It is stopped whoever waits for it.
    let stopped = app.sandboxes.tasks.spawn(stopping).await;
    stopped.unwrap_or_else(|_| Err(Problem::new(HttpCode::InternalError)))
}

/// The same of one whose time is up and that is out of the table already; what cannot be paused ends.
pub async fn pause_listed(app: Arc<App>, listed: ListedSandbox) {
    let slot = listed.slot.clone();
    let paused = async {
        check_engine(&app, "paused")?;
        let entered = Entered::of(&app, &slot)?;
        let prepared = Prepared::of(&app, &slot.job, &slot.id).await?;
        stop(listed, prepared, entered).await
    };
    if let Err(problem) = paused.await {
        tracing::warn!(sandbox = %slot.id, reason = %problem.detail, "a sandbox whose time is up is not paused; it ends");
        slot.close().await;
    }
}

/// An entry of a sandbox that is locked: whoever asks for it waits for what becomes of it. Dropped before that is saved, it is
/// none.
struct Entered {
    app: Arc<App>,
    entry: Arc<Entry>,
    place: OwnedRwLockWriteGuard<Place>,
}

impl Entered {
    fn of(app: &Arc<App>, slot: &SandboxSlot) -> Result<Entered, Problem> {
        let about = slot.about(SavedKind::Sandbox);
        let (entry, place) = Entry::locked(slot.id.clone(), slot, about)?;
        app.paused.insert(entry.clone())?;
        Ok(Entered {
            app: app.clone(),
            entry,
            place,
        })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Place::Nowhere = *self.place {
            self.app.paused.remove(&self.entry);
        }
    }
}

async fn stop(
    listed: ListedSandbox,
    prepared: Prepared,
    mut entered: Entered,
) -> Result<(), Problem> {
    let slot = &listed.slot;
    // What its clients said of processes is known by now, and no more comes.
    let about = slot.about(SavedKind::Sandbox);
    let saved = match slot.live_now() {
        Some(live) => prepared.save(slot, &live, &about).await,
        None => Err(Problem::new(HttpCode::SandboxNotFound)),
    };
    match saved {
        Ok((record, room)) => {
            *entered.place = Place::Disk(Arc::new(record), room);
            Ok(())
        }
        Err(problem) => {
            slot.close().await;
            Err(problem)
        }
    }
}
