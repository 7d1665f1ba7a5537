//! Snapshots of a sandbox, and sandboxes that begin from one: each with all that ran in it, and a name, tokens and
//! randomness of its own.
//!
//! A running sandbox is saved as for a pause, and goes on at once from the same files.

use super::about::{About, SavedKind};
use super::check_engine;
use super::pause::Prepared;
use super::resume::Copying;
use super::table::{Entry, Place};
use crate::app::App;
use crate::keys::Principal;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::slot::SandboxSlot;
use protocol::job::Job;
use sandbox::live::Renewal;
use std::sync::Arc;
use tokio::sync::OwnedRwLockWriteGuard;

/// Saves a running sandbox under a name of its own; it goes on. What may be of a client that goes meanwhile is there all the
/// same.
pub async fn snapshot(
    app: &Arc<App>,
    who: &Arc<Principal>,
    slot: &Arc<SandboxSlot>,
    name: Option<String>,
) -> Result<Arc<Entry>, Problem> {
    check_engine(app, "kept as a snapshot")?;
    let kind = SavedKind::Snapshot {
        of: slot.id.clone(),
        name,
    };
    taken(app, who, slot, kind).await
}

async fn taken(
    app: &Arc<App>,
    who: &Arc<Principal>,
    slot: &Arc<SandboxSlot>,
    kind: SavedKind,
) -> Result<Arc<Entry>, Problem> {
    let taking = take(app.clone(), who.clone(), slot.clone(), slot.about(kind));
    let taken = app.sandboxes.tasks.spawn(taking).await;
    taken.unwrap_or_else(|_| Err(Problem::new(HttpCode::InternalError)))
}

/// Begins sandboxes from a running one, so many, each on its own; it goes on. `slot` makes the row of each.
pub async fn fork(
    app: &Arc<App>,
    who: &Arc<Principal>,
    slot: &Arc<SandboxSlot>,
    (count, row): (usize, Row),
) -> Result<Vec<Result<Arc<SandboxSlot>, Problem>>, Problem> {
    check_engine(app, "forked")?;
    let snapshot = taken(app, who, slot, SavedKind::Forking).await?;
    let (app, who) = (app.clone(), who.clone());
    let tasks = app.sandboxes.tasks.clone();
    let forking = async move {
        let mut forks = Vec::new();
        for _ in 0..count {
            let row = row.clone();
            forks.push(begin(&app, &who, &snapshot, move |job| row(job)).await);
        }
        // Nobody else knows of it.
        if let Err(problem) = app.paused.end(&snapshot).await {
            tracing::error!(reason = %problem.detail, "what sandboxes were forked from is still on disk");
        }
        forks
    };
    let forks = tasks.spawn(forking).await;
    forks.map_err(|_| Problem::new(HttpCode::InternalError))
}

/// Makes a sandbox's row of what its VM was made for.
pub type Row = Arc<dyn Fn(Job) -> Result<SandboxSlot, Problem> + Send + Sync>;

/// Begins a sandbox from a snapshot; `slot` is its row.
pub async fn begin(
    app: &Arc<App>,
    who: &Principal,
    snapshot: &Entry,
    slot: impl FnOnce(Job) -> Result<SandboxSlot, Problem>,
) -> Result<Arc<SandboxSlot>, Problem> {
    if app.draining.is_cancelled() {
        return Err(Problem::new(HttpCode::Overloaded).retry_after(5));
    }
    // Any number at one time; who removes it waits for them.
    let place = snapshot.at.read().await;
    let Place::Disk(record, _) = &*place else {
        return Err(Problem::new(HttpCode::NotFound));
    };
    let copy = Copying {
        app,
        who,
        files: &snapshot.id,
        record,
        renewal: Renewal::Copy,
    };
    copy.begin(slot).await
}

async fn take(
    app: Arc<App>,
    who: Arc<Principal>,
    slot: Arc<SandboxSlot>,
    about: About,
) -> Result<Arc<Entry>, Problem> {
    let id = uuid::Uuid::now_v7().to_string();
    let (entry, mut place) = Entry::locked(id, &slot, about)?;
    let prepared = Prepared::of(&app, &slot.job, &entry.id).await?;
    app.paused.insert(entry.clone())?;
    // Whoever asks for the sandbox waits until it goes on.
    let stand_in = Stopped::enter(&app, &slot).inspect_err(|_| app.paused.remove(&entry))?;
    let listed = app.sandboxes.remove_slot(&slot);
    let live = slot.live_now().filter(|_| listed.is_some());
    // Before it is stopped: what is known of its processes goes with it.
    let (left, about) = (slot.time_left(), slot.about(SavedKind::Sandbox));
    let saved = match live {
        Some(live) => prepared.save(&slot, &live, &entry.about).await,
        None => Err(Problem::new(HttpCode::SandboxNotFound)),
    };
    drop(listed);
    let (record, room) = match saved {
        Ok(saved) => saved,
        Err(problem) => {
            app.paused.remove(&entry);
            slot.close().await;
            return Err(problem);
        }
    };
    *place = Place::Disk(Arc::new(record), room);
    let Place::Disk(record, _) = &*place else {
        return Err(Problem::new(HttpCode::InternalError));
    };
    let itself = Copying {
        app: &app,
        who: &who,
        files: &entry.id,
        record,
        renewal: Renewal::Itself,
    };
    let again = itself.begin(|job| SandboxSlot::of_saved(&slot.id, job, about, left));
    let gone_on = again.await;
    drop(stand_in);
    if let Err(problem) = gone_on {
        let detail = format!(
            "the sandbox was saved as {} and did not go on: {}",
            entry.id, problem.detail
        );
        return Err(Problem { detail, ..problem });
    }
    Ok(entry.clone())
}

/// Stands for a sandbox while it is saved and goes on at once: who asks for it waits for this to be dropped.
struct Stopped {
    app: Arc<App>,
    entry: Arc<Entry>,
    _place: OwnedRwLockWriteGuard<Place>,
}

impl Stopped {
    fn enter(app: &Arc<App>, slot: &SandboxSlot) -> Result<Stopped, Problem> {
        let about = slot.about(SavedKind::Sandbox);
        let (entry, place) = Entry::locked(slot.id.clone(), slot, about)?;
        // It takes no room of its own.
        app.paused.insert_beside(entry.clone())?;
        Ok(Stopped {
            app: app.clone(),
            entry,
            _place: place,
        })
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.app.paused.remove(&self.entry);
    }
}
