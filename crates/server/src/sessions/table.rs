//! Which sessions there are, whose they are, and when they end.
//!
//! ```text
//!  reserved ──its VM runs──> idle ──take──> in use ──let go──> idle
//!     │ no VM, client gone     │ idle or total time is up, DELETE     │ total time is up, DELETE,
//!     └────────> removed <─────┴───────────────── removed <───────────┘ of no use any more
//! ```

use super::body::SessionBody;
use crate::app::App;
use crate::jobs::account::JobAccount;
use crate::keys::Principal;
use crate::places::VmPlace;
use crate::problem::{HttpCode, Problem};
use crate::staying::after;
use crate::turn::Turn;
use jiff::Timestamp;
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
pub struct SessionSlot {
    owner: String,
    /// What its client is told of it.
    pub body: SessionBody,
    end: Mutex<TotalEnd>,
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

/// When a session's total time is up.
struct TotalEnd {
    total: Duration,
    at: Instant,
    /// The same for its client.
    expires_at: Timestamp,
}

impl TotalEnd {
    fn after(total: Duration) -> TotalEnd {
        TotalEnd {
            total,
            at: Instant::now() + total,
            expires_at: after(Timestamp::now(), total),
        }
    }
}

impl SessionSlot {
    /// A place for a session of this key, whose VM is still to come.
    pub fn new(who: &Principal, body: SessionBody, total: Duration, idle: Duration) -> SessionSlot {
        SessionSlot {
            owner: who.id.clone(),
            body,
            end: Mutex::new(TotalEnd::after(total)),
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
        now > self.end().at || is_idle
    }

    fn end(&self) -> MutexGuard<'_, TotalEnd> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has its total time begin anew.
    pub fn extend(&self, total: Duration) {
        *self.end() = TotalEnd::after(total);
    }

    /// What its client is told of it now.
    pub fn told(&self) -> SessionBody {
        let end = self.end();
        SessionBody {
            timeout: end.total.as_secs_f64(),
            expires_at: end.expires_at.to_string(),
            busy: self.idle_since().is_none(),
            ..self.body.clone()
        }
    }

    /// Somebody asked for it: its idle time begins anew, unless it is at work.
    pub fn is_used(&self) {
        if let Some(since) = &mut *self.idle_since() {
            *since = Instant::now();
        }
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

/// A session that counts.
struct ListedSession {
    slot: Arc<SessionSlot>,
    _place: VmPlace,
}

/// All sessions.
#[derive(Default)]
pub struct Sessions {
    slots: Mutex<HashMap<String, ListedSession>>,
}

impl Sessions {
    /// Those of one key.
    pub fn of(&self, who: &Principal) -> Vec<SessionBody> {
        let slots = self.slots();
        let own = slots.values().filter(|kept| kept.slot.owner == who.id);
        own.map(|kept| kept.slot.told()).collect()
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<String, ListedSession>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a session's place in, or says that there is none.
    /// It is given back unless [`ReservedSession::keep`] is told that the session came about.
    pub fn reserve(
        app: &Arc<App>,
        who: &Principal,
        slot: Arc<SessionSlot>,
    ) -> Result<ReservedSession, Problem> {
        let id = slot.body.id.clone();
        let kept = ListedSession {
            _place: app.place(who, slot.body.memory_mib)?,
            slot,
        };
        app.sessions.slots().insert(id.clone(), kept);
        Ok(ReservedSession(Some((app.clone(), id))))
    }

    /// A key's own session; another's is not there.
    pub fn find(&self, who: &Principal, id: &str) -> Result<Arc<SessionSlot>, Problem> {
        let slots = self.slots();
        let kept = slots.get(id).filter(|kept| kept.slot.owner == who.id);
        kept.map(|kept| kept.slot.clone())
            .ok_or_else(|| Problem::new(HttpCode::SessionNotFound))
    }

    /// Ends a session. Its VM is destroyed when the last one who uses it lets go, and whoever has a
    /// program at work there lets go now.
    pub fn remove(&self, id: &str) {
        let removed = self.slots().remove(id);
        // Out of the lock: this may be the last that holds it, and others wait for the table.
        if let Some(kept) = removed {
            kept.slot.ended.cancel();
        }
    }

    /// Ends all sessions, when the service stops.
    pub async fn close(&self) {
        let slots = std::mem::take(&mut *self.slots());
        for kept in slots.into_values() {
            kept.slot.close().await;
        }
    }

    fn over(&self) -> Vec<String> {
        let now = Instant::now();
        let slots = self.slots();
        let over = slots.iter().filter(|(_, kept)| kept.slot.is_over(now));
        over.map(|(id, _)| id.clone()).collect()
    }
}

/// Ends sessions whose time is up; never returns.
pub async fn end_those_over(app: &App) {
    let mut ticks = tokio::time::interval(LOOK);
    loop {
        ticks.tick().await;
        for id in app.sessions.over() {
            app.sessions.remove(&id);
        }
    }
}

/// A place that is given back unless the session came about: no VM, or its client went meanwhile.
pub struct ReservedSession(Option<(Arc<App>, String)>);

impl ReservedSession {
    /// The session came about.
    pub fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for ReservedSession {
    fn drop(&mut self) {
        if let Some((app, id)) = self.0.take() {
            app.sessions.remove(&id);
        }
    }
}

/// A session in use; one that is of no use any more afterwards is ended.
pub struct UsedSession {
    app: Arc<App>,
    /// Whose it is, and when it ends.
    pub slot: Arc<SessionSlot>,
    place: OwnedMutexGuard<Option<Session>>,
}

impl UsedSession {
    /// Takes it for one request, unless another has it.
    pub fn take(app: &Arc<App>, who: &Principal, id: &str) -> Result<UsedSession, Problem> {
        let slot = app.sessions.find(who, id)?;
        let place = slot.session.clone().try_lock_owned();
        let place = place.map_err(|_| Problem::new(HttpCode::SessionBusy).retry_after(1))?;
        *slot.idle_since() = None;
        Ok(UsedSession {
            app: app.clone(),
            slot,
            place,
        })
    }

    /// Waits for a turn and runs a program.
    pub async fn run(
        &mut self,
        job: Job,
        io: JobIo,
        turn: &mut Turn,
    ) -> Result<JobResult, Problem> {
        let app = self.app.clone();
        let mut account = JobAccount::in_session(&app, &job, &self.slot.body.id);
        if let Err(result) = turn.wait(&app, &job).await {
            account.ended(&result);
            return Ok(*result);
        }
        account.runs();
        let (sender, receiver) = mpsc::channel(1);
        *self.slot.interrupts() = Some(sender);
        let io = JobIo {
            interrupts: Some(receiver),
            ..io
        };
        let result = self.session()?.run(job, io).await;
        turn.keeps(&result);
        account.ended(&result);
        Ok(result)
    }

    /// The session, while its VM is there.
    pub fn session(&mut self) -> Result<&mut Session, Problem> {
        self.place
            .as_mut()
            .ok_or_else(|| Problem::new(HttpCode::SessionNotFound))
    }
}

impl Drop for UsedSession {
    fn drop(&mut self) {
        *self.slot.interrupts() = None;
        self.slot.is_idle_now();
        if !self.place.as_ref().is_some_and(Session::is_usable) {
            *self.place = None;
            self.app.sessions.remove(&self.slot.body.id);
        }
    }
}
