//! Sessions: a VM that stays, for one key. Each has an idle and a total time limit; a key sees and
//! reaches its own sessions only, another's is not there for it.

pub mod body;
pub mod files;
pub mod table;

use crate::app::App;
use crate::auth::{Caller, Executor};
use crate::body::JsonBody;
use crate::execute::request::job_io;
use crate::execute::stream::{self, Followed};
use crate::execute::{finished, streamed};
use crate::outlet::UntilOut;
use crate::pieces::JsonAnswer;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::body::ExtendRequest;
use crate::staying::within;
use crate::turn::Turn;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use body::{CellRequest, CellResponse, SessionBody, SessionRequest};
use protocol::job::Job;
use sandbox::drive::JobIo;
use sandbox::session::Session;
use std::sync::Arc;
use table::{SessionSlot, Sessions, UsedSession};

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
    let (total, idle) = value.seconds(&app.config().sessions)?;
    let job = app.admit(&who, value.job())?;
    let body = SessionBody {
        id: uuid::Uuid::now_v7().to_string(),
        language: job.language.name(),
        created_at: jiff::Timestamp::now().to_string(),
        idle_timeout: idle.as_secs_f64(),
        timeout: total.as_secs_f64(),
        expires_at: String::new(),
        busy: false,
        memory_mib: job.limits.memory_mib,
        vcpus: job.limits.vcpus,
    };
    let slot = Arc::new(SessionSlot::new(&who, body, total, idle));
    let reserved = Sessions::reserve(&app, &who, slot.clone())?;
    let mut place = slot.session.clone().lock_owned().await;
    let opened = Session::open(&app.rooms.sandbox, &job).await;
    let session = opened.map_err(|no| Problem::not_opened(&no, &job))?;
    *place = Some(session);
    slot.is_idle_now();
    reserved.keep();
    Ok((StatusCode::CREATED, Json(slot.told())))
}

/// This key's sessions.
#[utoipa::path(
    get, path = "/api/v1/sessions", tag = "sessions",
    responses((status = 200, description = "Sessions", body = Vec<SessionBody>)),
)]
pub async fn list(State(app): State<Arc<App>>, Caller(who): Caller) -> Json<Vec<SessionBody>> {
    Json(app.sessions.of(&who))
}

/// One session. Looking at it counts as use.
#[utoipa::path(
    get, path = "/api/v1/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "The session")),
    responses((status = 200, description = "The session", body = SessionBody)),
)]
pub async fn get(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    Path(id): Path<String>,
) -> Result<Json<SessionBody>, Problem> {
    let slot = app.sessions.find(&who, &id)?;
    slot.is_used();
    Ok(Json(slot.told()))
}

/// Give a session more time: its total time begins anew. It may be at work meanwhile.
#[utoipa::path(
    patch, path = "/api/v1/sessions/{id}", tag = "sessions", request_body = ExtendRequest,
    params(("id" = String, Path, description = "The session")),
    responses((status = 200, description = "The session", body = SessionBody)),
)]
pub async fn extend(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    Path(id): Path<String>,
    JsonBody { value, .. }: JsonBody<ExtendRequest>,
) -> Result<Json<SessionBody>, Problem> {
    let slot = app.sessions.find(&who, &id)?;
    let longest = app.config().sessions.total_seconds;
    slot.extend(within("timeout", Some(value.timeout), longest)?);
    slot.is_used();
    Ok(Json(slot.told()))
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
    app.sessions.remove(&id);
    // Whoever has a program at work there was told to let go.
    slot.close().await;
    Ok(StatusCode::NO_CONTENT)
}

/// Run a program in the session. Python and node keep their variables from one to the next.
///
/// With `Accept: text/event-stream` the output comes as it is printed: events `stdout` and `stderr`
/// (`{"data": "…"}`), then one `result` with the body that the other form answers with, or one `problem`
/// where there is none. With `Accept: application/x-ndjson` the same comes as lines of JSON, each with its event's name as
/// `event`.
#[utoipa::path(
    post, path = "/api/v1/sessions/{id}/execute", tag = "sessions", request_body = CellRequest,
    params(("id" = String, Path, description = "The session")),
    responses((status = 200, description = "It ran", content(
        (CellResponse = "application/json"), (String = "text/event-stream"), (String = "application/x-ndjson"),
    ))),
)]
pub async fn execute(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    (Path(id), headers): (Path<String>, HeaderMap),
    JsonBody { value, held }: JsonBody<CellRequest>,
) -> Result<Response, Problem> {
    let used = UsedSession::take(&app, &who, &id)?;
    let (request, stdin) = value.job(&used.slot.body);
    let job = app.admit(&who, request)?;
    let turn = Turn::enter(&app, &who)?;
    let io = job_io(stdin);
    if let Some(form) = streamed(&headers) {
        return Ok(stream::respond(form, async move |output| {
            let _held = held;
            let output = Some(output);
            run(used, job, JobIo { output, ..io }, turn).await
        }));
    }
    let Followed { turn, body } = run(used, job, io, turn).await;
    drop(held);
    Ok((Extension(UntilOut::of(turn)), JsonAnswer(body?)).into_response())
}

/// Dropped halfway, the program ends, and with it the session's VM.
async fn run(mut used: UsedSession, job: Job, io: JobIo, mut turn: Turn) -> Followed<CellResponse> {
    let ended = used.slot.ended.clone();
    let running = used.run(job, io, &mut turn);
    let result = match ended.run_until_cancelled(running).await {
        Some(result) => result,
        None => Err(Problem::new(HttpCode::SessionNotFound)),
    };
    let body = result.and_then(finished).map(CellResponse::from);
    Followed { turn, body }
}

/// Interrupt the session's program, as Ctrl-C would; nothing where none is at work. Variables stay where the program
/// lets them: Python's and Node's do, another program ends by the signal.
#[utoipa::path(
    post, path = "/api/v1/sessions/{id}/interrupt", tag = "sessions",
    params(("id" = String, Path, description = "The session")),
    responses((status = 204, description = "It was told")),
)]
pub async fn interrupt(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.sessions.find(&who, &id)?.interrupt();
    Ok(StatusCode::NO_CONTENT)
}
