//! Sessions: a VM that stays, for one key. Each has an idle and a total time limit; a key sees and
//! reaches its own sessions only, another's is not there for it.

pub mod body;

use crate::app::App;
use crate::auth::{Caller, Executor};
use crate::body::JsonBody;
use crate::execute::request::job_io;
use crate::execute::{enter, finished};
use crate::keys::Principal;
use crate::problem::{HttpCode, Problem};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use body::{
    CellRequest, CellResponse, FileBody, FileQuery, FileUpload, SessionBody, SessionRequest,
};
use protocol::path::check_relative;
use sandbox::session::{FileError, Session};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

/// How often sessions are looked at whose time may be up.
const LOOK: Duration = Duration::from_millis(500);

/// One session and its bounds.
struct Slot {
    owner: String,
    body: SessionBody,
    ends_at: Instant,
    idle: Duration,
    used_at: Mutex<Instant>,
    /// `None` while the VM starts, and when it is gone.
    session: Arc<tokio::sync::Mutex<Option<Session>>>,
}

impl Slot {
    fn is_over(&self, now: Instant) -> bool {
        let used_at = *self.used_at.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever holds the session uses it: only the total limit counts then.
        let idle = self.session.try_lock().is_ok() && now > used_at + self.idle;
        now > self.ends_at || idle
    }

    fn used(&self) {
        *self.used_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// All sessions.
#[derive(Default)]
pub struct Sessions {
    slots: Mutex<HashMap<String, Arc<Slot>>>,
}

impl Sessions {
    fn slots(&self) -> MutexGuard<'_, HashMap<String, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a session's place in, or says that there is none.
    fn reserve(&self, app: &App, who: &Principal, slot: Arc<Slot>) -> Result<(), Problem> {
        let mut slots = self.slots();
        let own = slots.values().filter(|slot| slot.owner == who.id).count();
        if own >= who.limits.sessions || slots.len() >= app.config.sessions.sessions {
            return Err(Problem::new(HttpCode::TooManySessions).retry_after(5));
        }
        slots.insert(slot.body.id.clone(), slot);
        app.http.sessions.set(slots.len() as i64);
        Ok(())
    }

    /// A key's own session; another's is not there.
    fn find(&self, who: &Principal, id: &str) -> Result<Arc<Slot>, Problem> {
        let slots = self.slots();
        let slot = slots.get(id).filter(|slot| slot.owner == who.id);
        slot.cloned()
            .ok_or_else(|| Problem::new(HttpCode::SessionNotFound))
    }

    fn remove(&self, app: &App, id: &str) {
        let mut slots = self.slots();
        // Dropped when nobody uses it any more, and the VM with it.
        slots.remove(id);
        app.http.sessions.set(slots.len() as i64);
    }

    /// Ends all sessions, when the service stops.
    pub async fn close(&self) {
        let slots = std::mem::take(&mut *self.slots());
        for slot in slots.into_values() {
            let session = slot.session.lock().await.take();
            if let Some(session) = session {
                session.close().await;
            }
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

/// Begin a session: a VM that stays between programs.
#[utoipa::path(
    post, path = "/api/v1/sessions", tag = "sessions", request_body = SessionRequest,
    responses((status = 201, description = "It began", body = SessionBody)),
)]
pub async fn create(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    JsonBody { value, .. }: JsonBody<SessionRequest>,
) -> Result<(StatusCode, Json<SessionBody>), Problem> {
    if app.draining.is_cancelled() {
        return Err(Problem::new(HttpCode::Overloaded).retry_after(5));
    }
    let (total, idle) = value.seconds(&app.config.sessions)?;
    let job = app.rooms.sandbox.admit(value.job())?;
    let body = SessionBody {
        id: uuid::Uuid::now_v7().to_string(),
        language: job.language.name(),
        created_at: jiff::Timestamp::now().to_string(),
        idle_timeout: idle.as_secs_f64(),
        timeout: total.as_secs_f64(),
    };
    let slot = Arc::new(Slot {
        owner: who.id.clone(),
        body: body.clone(),
        ends_at: Instant::now() + total,
        idle,
        used_at: Mutex::new(Instant::now()),
        session: Arc::default(),
    });
    app.sessions.reserve(&app, &who, slot.clone())?;
    // Given back also when the client goes while the VM starts.
    let mut reserved = Reserved(Some((app.clone(), body.id.clone())));
    let mut place = slot.session.clone().lock_owned().await;
    let opened = Session::open(&app.rooms.sandbox, &job).await;
    let session = opened.map_err(|no| Problem::failed(&no.failure(), job.trace_id.as_str()))?;
    *place = Some(session);
    slot.used();
    reserved.0 = None;
    Ok((StatusCode::CREATED, Json(body)))
}

/// A place that is given back unless the session came about.
struct Reserved(Option<(Arc<App>, String)>);

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Some((app, id)) = self.0.take() {
            app.sessions.remove(&app, &id);
        }
    }
}

/// This key's sessions.
#[utoipa::path(
    get, path = "/api/v1/sessions", tag = "sessions",
    responses((status = 200, description = "Sessions", body = Vec<SessionBody>)),
)]
pub async fn list(State(app): State<Arc<App>>, Caller(who): Caller) -> Json<Vec<SessionBody>> {
    let slots = app.sessions.slots();
    let own = slots.values().filter(|slot| slot.owner == who.id);
    Json(own.map(|slot| slot.body.clone()).collect())
}

/// End a session; its VM is destroyed.
#[utoipa::path(
    delete, path = "/api/v1/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "The session")),
    responses((status = 204, description = "It ended")),
)]
pub async fn delete(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let slot = app.sessions.find(&who, &id)?;
    app.sessions.remove(&app, &id);
    // Waits for a VM that is idle; one at work is dropped by whoever uses it, once it is done.
    if let Ok(mut place) = slot.session.try_lock()
        && let Some(session) = place.take()
    {
        session.close().await;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Run a program in the session. Python and node keep their variables from one to the next.
#[utoipa::path(
    post, path = "/api/v1/sessions/{id}/execute", tag = "sessions", request_body = CellRequest,
    params(("id" = String, Path, description = "The session")),
    responses((status = 200, description = "It ran", body = CellResponse)),
)]
pub async fn execute(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    Path(id): Path<String>,
    JsonBody { value, held }: JsonBody<CellRequest>,
) -> Result<Json<CellResponse>, Problem> {
    let mut used = Used::take(&app, &who, &id)?;
    let (request, stdin) = value.job(used.slot.body.language);
    let job = app.rooms.sandbox.admit(request)?;
    let mut entry = enter(&app, &who)?;
    if !entry
        .place(Duration::from_secs(app.config.queue_seconds))
        .await
    {
        return Err(Problem::new(HttpCode::Overloaded).retry_after(app.queue.retry_after()));
    }
    let result = used.session()?.run(job, job_io(stdin)).await;
    drop(held);
    Ok(Json(CellResponse::from(finished(result)?)))
}

/// Put a file into the session's work folder.
#[utoipa::path(
    post, path = "/api/v1/sessions/{id}/files", tag = "sessions", request_body = FileUpload,
    params(("id" = String, Path, description = "The session")),
    responses((status = 201, description = "It is there", body = FileBody)),
)]
pub async fn upload(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    Path(id): Path<String>,
    JsonBody { value, held }: JsonBody<FileUpload>,
) -> Result<(StatusCode, Json<FileBody>), Problem> {
    let file = value.file(app.config.sessions.file_bytes)?;
    let body = FileBody {
        path: file.path.clone(),
        size: file.data.0.len() as u64,
    };
    let mut used = Used::take(&app, &who, &id)?;
    used.session()?.put(file).await.map_err(file_problem)?;
    drop(held);
    Ok((StatusCode::CREATED, Json(body)))
}

/// The files of the session's work folder.
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}/files", tag = "sessions",
    params(("id" = String, Path, description = "The session")),
    responses((status = 200, description = "Files", body = Vec<FileBody>)),
)]
pub async fn files(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    Path(id): Path<String>,
) -> Result<Json<Vec<FileBody>>, Problem> {
    let mut used = Used::take(&app, &who, &id)?;
    let files = used.session()?.list().await.map_err(file_problem)?;
    Ok(Json(files.into_iter().map(FileBody::from).collect()))
}

/// A file of the session's work folder, as it is.
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}/files/content", tag = "sessions",
    params(("id" = String, Path, description = "The session"), FileQuery),
    responses((status = 200, description = "Its bytes", body = Vec<u8>, content_type = "application/octet-stream")),
)]
pub async fn download(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    Path(id): Path<String>,
    query: Result<Query<FileQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let wrong = |text: String| Problem::with(HttpCode::FieldInvalid, text).field("path");
    let Query(FileQuery { path }) = query.map_err(|_| wrong("path is missing".into()))?;
    check_relative(&path).map_err(|error| wrong(error.to_string()))?;
    let mut used = Used::take(&app, &who, &id)?;
    let max = app.config.sessions.file_bytes;
    let bytes = used
        .session()?
        .get(&path, max)
        .await
        .map_err(file_problem)?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_DISPOSITION, "attachment"),
    ];
    Ok((headers, bytes).into_response())
}

fn file_problem(error: FileError) -> Problem {
    match error {
        FileError::Refused(_) => Problem::with(HttpCode::FileNotFound, error.to_string()),
        FileError::TooLarge { .. } => Problem::with(HttpCode::BodyTooLarge, error.to_string()),
        FileError::Over(no) => {
            tracing::warn!(reason = %no.message, "a session is over");
            Problem::new(HttpCode::SessionNotFound)
        }
    }
}

/// A session in use; one that is of no use any more afterwards is ended.
struct Used {
    app: Arc<App>,
    slot: Arc<Slot>,
    place: OwnedMutexGuard<Option<Session>>,
}

impl Used {
    fn take(app: &Arc<App>, who: &Principal, id: &str) -> Result<Used, Problem> {
        let slot = app.sessions.find(who, id)?;
        let place = slot.session.clone().try_lock_owned();
        let place = place.map_err(|_| Problem::new(HttpCode::SessionBusy).retry_after(1))?;
        Ok(Used {
            app: app.clone(),
            slot,
            place,
        })
    }

    fn session(&mut self) -> Result<&mut Session, Problem> {
        self.place
            .as_mut()
            .ok_or_else(|| Problem::new(HttpCode::SessionNotFound))
    }
}

impl Drop for Used {
    fn drop(&mut self) {
        self.slot.used();
        if !self.place.as_ref().is_some_and(Session::is_usable) {
            *self.place = None;
            self.app.sessions.remove(&self.app, &self.slot.body.id);
        }
    }
}
