//! Which sessions there are, whose they are, and when they end.
//!
//! ```text
//!  reserved ──its VM runs──> idle ──take──> in use ──let go──> idle
//!     │ no VM, client gone     │ idle or total time is up, DELETE     │ total time is up, DELETE,
//!     └────────> removed <─────┴───────────────── removed <───────────┘ of no use any more
//! ```

use super::body::SessionBody;
use crate::app::App;
use crate::execute::request::job_io;
use crate::execute::wait_for_turn;
use crate::fair::{Entry, fair_share};
use crate::keys::Principal;
use crate::problem::{HttpCode, Problem};
use protocol::job::Job;
use protocol::result::JobResult;
use sandbox::drive::JobIo;
use sandbox::session::Session;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often sessions are looked at whose time may be up.
const LOOK: Duration = Duration::from_millis(500);

/// One session and its bounds.
pub struct Slot {
    owner: String,
    /// What its client is told of it.
    pub body: SessionBody,
    ends_at: Instant,
    idle: Duration,
    /// `None` while it is in use: only the total limit counts then.
    idle_since: Mutex<Option<Instant>>,
    /// Cancelled when it is ended from outside; a program at work then ends with its VM.
    pub ended: CancellationToken,
    /// Of the program at work, if one is.
    interrupts: Mutex<Option<mpsc::Sender<()>>>,
    /// `None` while the VM starts, and when it is gone.
    pub session: Arc<tokio::sync::Mutex<Option<Session>>>,
}

impl Slot {
    /// A place for a session of this key, whose VM is still to come.
    pub fn new(who: &Principal, body: SessionBody, total: Duration, idle: Duration) -> Slot {
        Slot {
            owner: who.id.clone(),
            body,
            ends_at: Instant::now() + total,
            idle,
            idle_since: Mutex::default(),
            ended: CancellationToken::new(),
            interrupts: Mutex::default(),
            session: Arc::default(),
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        let is_idle = self
            .idle_since()
            .is_some_and(|since| now > since + self.idle);
        now > self.ends_at || is_idle
    }

    fn idle_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.idle_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Interrupts the program at work; nothing where none is.
    pub fn interrupt(&self) {
        if let Some(program) = &*self.interrupts() {
            // Full: one is on its way already.
            let _ = program.try_send(());
        }
    }

    fn interrupts(&self) -> MutexGuard<'_, Option<mpsc::Sender<()>>> {
        self.interrupts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Destroys its VM, once whoever uses it has let go.
    pub async fn close(&self) {
        let session = self.session.lock().await.take();
        if let Some(session) = session {
            session.close().await;
        }
    }

    /// Its idle time begins.
    pub fn is_idle_now(&self) {
        *self.idle_since() = Some(Instant::now());
    }
}

/// All sessions.
#[derive(Default)]
pub struct Sessions {
    slots: Mutex<HashMap<String, Arc<Slot>>>,
}

impl Sessions {
    /// Those of one key.
    pub fn of(&self, who: &Principal) -> Vec<SessionBody> {
        let slots = self.slots();
        let own = slots.values().filter(|slot| slot.owner == who.id);
        own.map(|slot| slot.body.clone()).collect()
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a session's place in, or says that there is none.
    /// It is given back unless [`Reserved::keep`] is told that the session came about.
    pub fn reserve(app: &Arc<App>, who: &Principal, slot: Arc<Slot>) -> Result<Reserved, Problem> {
        let mut slots = app.sessions.slots();
        let own = slots.values().filter(|slot| slot.owner == who.id).count();
        let all = app.config.sessions.sessions;
        let most = who
            .limits
            .sessions
            .min(fair_share(all, app.keys.executors()));
        if own >= most || slots.len() >= all {
            return Err(Problem::new(HttpCode::TooManySessions).retry_after(5));
        }
        let id = slot.body.id.clone();
        slots.insert(id.clone(), slot);
        app.http.sessions.set(slots.len() as i64);
        Ok(Reserved(Some((app.clone(), id))))
    }

    /// A key's own session; another's is not there.
    pub fn find(&self, who: &Principal, id: &str) -> Result<Arc<Slot>, Problem> {
        let slots = self.slots();
        let slot = slots.get(id).filter(|slot| slot.owner == who.id);
        slot.cloned()
            .ok_or_else(|| Problem::new(HttpCode::SessionNotFound))
    }

    /// Ends a session. Its VM is destroyed when the last one who uses it lets go, and whoever has a
    /// program at work there lets go now.
    pub fn remove(&self, app: &App, id: &str) {
        let removed = {
            let mut slots = self.slots();
            let removed = slots.remove(id);
            app.http.sessions.set(slots.len() as i64);
            removed
        };
        // Out of the lock: this may be the last that holds it, and others wait for the table.
        if let Some(slot) = removed {
            slot.ended.cancel();
        }
    }

    /// Ends all sessions, when the service stops.
    pub async fn close(&self) {
        let slots = std::mem::take(&mut *self.slots());
        for slot in slots.into_values() {
            slot.close().await;
        }
    }

    fn over(&self) -> Vec<String> {
        let now = Instant::now();
        let slots = self.slots();
        let over = slots.iter().filter(|(_, slot)| slot.is_over(now));
        over.map(|(id, _)| id.clone()).collect()
    }
}

/// Ends sessions whose time is up; never returns.
pub async fn end_those_over(app: &App) {
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        for id in app.sessions.over() {
            app.sessions.remove(app, &id);
        }
    }
}

/// A place that is given back unless the session came about: no VM, or its client went meanwhile.
pub struct Reserved(Option<(Arc<App>, String)>);

impl Reserved {
    /// The session came about.
    pub fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Some((app, id)) = self.0.take() {
            app.sessions.remove(&app, &id);
        }
    }
}

/// A session in use; one that is of no use any more afterwards is ended.
pub struct Used {
    app: Arc<App>,
    /// Whose it is, and when it ends.
    pub slot: Arc<Slot>,
    place: OwnedMutexGuard<Option<Session>>,
}

impl Used {
    /// Takes it for one request, unless another has it.
    pub fn take(app: &Arc<App>, who: &Principal, id: &str) -> Result<Used, Problem> {
        let slot = app.sessions.find(who, id)?;
        let place = slot.session.clone().try_lock_owned();
        let place = place.map_err(|_| Problem::new(HttpCode::SessionBusy).retry_after(1))?;
        *slot.idle_since() = None;
        Ok(Used {
            app: app.clone(),
            slot,
            place,
        })
    }

    /// Waits for a turn and runs a program.
    pub async fn run(
        &mut self,
        job: Job,
        stdin: Option<String>,
        entry: &mut Entry,
    ) -> Result<JobResult, Problem> {
        let app = self.app.clone();
        if let Err(result) = wait_for_turn(&app, &job, entry).await {
            return Ok(*result);
        }
        let (sender, receiver) = mpsc::channel(1);
        *self.slot.interrupts() = Some(sender);
        let io = JobIo {
            interrupts: Some(receiver),
            ..job_io(stdin)
        };
        let result = self.session()?.run(job, io).await;
        entry.keeps(&result);
        Ok(result)
    }

    /// The session, while its VM is there.
    pub fn session(&mut self) -> Result<&mut Session, Problem> {
        self.place
            .as_mut()
            .ok_or_else(|| Problem::new(HttpCode::SessionNotFound))
    }
}

impl Drop for Used {
    fn drop(&mut self) {
        *self.slot.interrupts() = None;
        self.slot.is_idle_now();
        if !self.place.as_ref().is_some_and(Session::is_usable) {
            *self.place = None;
            self.app.sessions.remove(&self.app, &self.slot.body.id);
        }
    }
}
