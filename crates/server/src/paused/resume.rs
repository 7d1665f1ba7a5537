//! A saved sandbox goes on: admitted as a new one is, under its name, with its tokens, processes and interpreters.

use super::about::About;
use super::table::{Entry, Place};
use super::{of_job, of_saved};
use crate::app::App;
use crate::e2b::envd::registry;
use crate::keys::Principal;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::slot::SandboxSlot;
use crate::sandboxes::table::Sandboxes;
use protocol::job::Job;
use sandbox::live::contexts::Contexts;
use sandbox::live::{LiveSandbox, Renewal};
use sandbox::saved::{SavedError, SavedRecord};
use std::sync::Arc;
use std::time::Duration;

/// Has a paused sandbox of this key go on, for so long. Where another request had it go on meanwhile, that one.
pub async fn resume(
    app: &Arc<App>,
    who: &Arc<Principal>,
    entry: Arc<Entry>,
    total: Duration,
) -> Result<Arc<SandboxSlot>, Problem> {
    if app.draining.is_cancelled() {
        return Err(Problem::new(HttpCode::Overloaded).retry_after(5));
    }
    // The operator may have made it shorter meanwhile.
    let total = total.min(Duration::from_secs(app.config.sessions.total_seconds));
    let going_on = go_on(app.clone(), who.clone(), entry, total);
    // A client that goes leaves no sandbox that is both paused and running.
    let gone_on = app.sandboxes.tasks.spawn(going_on).await;
    gone_on.unwrap_or_else(|_| Err(Problem::new(HttpCode::InternalError)))
}

async fn go_on(
    app: Arc<App>,
    who: Arc<Principal>,
    entry: Arc<Entry>,
    total: Duration,
) -> Result<Arc<SandboxSlot>, Problem> {
    let mut place = entry.at.write().await;
    let Place::Disk(record, _) = &*place else {
        let slot = app.sandboxes.named(&entry.id);
        return slot.ok_or_else(|| Problem::new(HttpCode::SandboxNotFound));
    };
    // As it was when it was stopped.
    let about: About = serde_json::from_value(record.about.clone())
        .map_err(|error| of_saved(&SavedError::Damaged(format!("its record: {error}"))))?;
    let slot = |job: Job| SandboxSlot::of_saved(&entry.id, job, about, total);
    let copy = Copying {
        app: &app,
        who: &who,
        files: &entry.id,
        record,
        renewal: Renewal::Itself,
    };
    let slot = copy.begin(slot).await?;
    // What stays of it on the disk would be paused again at the next start, as it was; it goes on all the same.
    if let Err(problem) = app.paused.forget(&entry, &mut place).await {
        tracing::error!(sandbox = %entry.id, reason = %problem.detail, "a sandbox that goes on is still on disk");
        *place = Place::Nowhere;
        app.paused.remove(&entry);
    }
    Ok(slot)
}

/// A sandbox that is to begin from a saved VM.
pub(super) struct Copying<'a> {
    pub(super) app: &'a Arc<App>,
    pub(super) who: &'a Principal,
    /// The name under which the files are.
    pub(super) files: &'a str,
    pub(super) record: &'a Arc<SavedRecord>,
    pub(super) renewal: Renewal,
}

impl Copying<'_> {
    /// Admits it and has it run; `slot` is its row.
    pub(super) async fn begin(
        self,
        slot: impl FnOnce(Job) -> Result<SandboxSlot, Problem>,
    ) -> Result<Arc<SandboxSlot>, Problem> {
        let Copying {
            app,
            who,
            files,
            record,
            renewal,
        } = self;
        self::check(app, files, record).await?;
        let sandbox = &app.rooms.sandbox;
        let image = record.job.image();
        sandbox.know_image(Some(image)).await;
        let job = record.job.job().ok_or_else(|| {
            let sentence = format!("its image {image} is not there any more");
            of_saved(&SavedError::Damaged(sentence))
        })?;
        let owner = Some(who.owner());
        let slot = Arc::new(slot(Job { owner, ..job })?);
        let reserved = Sandboxes::reserve(app, who, slot.clone())?;
        let folder = app.paused.store()?.place(files);
        let vm = record.vm(&folder);
        let loaded = LiveSandbox::load(sandbox, &slot.job, vm, renewal).await;
        let trace_id = slot.job.trace_id.as_str();
        let live = loaded.map_err(|error| of_job(&error, trace_id))?;
        slot.set_contexts(Contexts::go_on(live.clone(), record.contexts.clone()));
        registry::remember(app, &slot, &live);
        reserved.keep(live);
        Ok(slot)
    }
}

/// Compares the files with what they were.
async fn check(app: &App, files: &str, record: &Arc<SavedRecord>) -> Result<(), Problem> {
    let (store, id, record) = (
        app.paused.store()?.clone(),
        files.to_owned(),
        record.clone(),
    );
    let checked = tokio::task::spawn_blocking(move || store.check(&id, &record)).await;
    let checked = checked.map_err(|_| Problem::new(HttpCode::InternalError))?;
    checked.map_err(|error| of_saved(&error))
}

impl About {
    /// The total time of one that goes on where nobody says how long.
    pub fn usual_total(&self) -> Duration {
        let own = self
            .e2b
            .as_ref()
            .and_then(|facts| facts.lifecycle.resumed_for);
        own.unwrap_or(self.total)
    }
}
