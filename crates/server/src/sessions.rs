//! Sessions: a VM that stays, for one key. Each has an idle and a total time limit; a key sees and
//! reaches its own sessions only, another's is not there for it.

pub mod body;
pub mod table;

use crate::app::App;
use crate::auth::{Caller, Executor};
use crate::body::JsonBody;
use crate::execute::finished;
use crate::outlet::UntilOut;
use crate::pieces::JsonAnswer;
use crate::problem::{HttpCode, Problem};
use crate::turn::Turn;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use body::{
    CellRequest, CellResponse, FileBody, FileQuery, FileUpload, SessionBody, SessionRequest,
};
use protocol::path::check_relative;
use sandbox::session::{FileError, Session};
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
    let (total, idle) = value.seconds(&app.config.sessions)?;
    let job = app.admit(&who, value.job())?;
    let body = SessionBody {
        id: uuid::Uuid::now_v7().to_string(),
        language: job.language.name(),
        created_at: jiff::Timestamp::now().to_string(),
        idle_timeout: idle.as_secs_f64(),
        timeout: total.as_secs_f64(),
        memory_mib: job.limits.memory_mib,
        vcpus: job.limits.vcpus,
    };
    let slot = Arc::new(SessionSlot::new(&who, body.clone(), total, idle));
    let reserved = Sessions::reserve(&app, &who, slot.clone())?;
    let mut place = slot.session.clone().lock_owned().await;
    let opened = Session::open(&app.rooms.sandbox, &job).await;
    let session = opened.map_err(|no| Problem::failed(&no.failure(), job.trace_id.as_str()))?;
    *place = Some(session);
    slot.is_idle_now();
    reserved.keep();
    Ok((StatusCode::CREATED, Json(body)))
}

/// This key's sessions.
#[utoipa::path(
    get, path = "/api/v1/sessions", tag = "sessions",
    responses((status = 200, description = "Sessions", body = Vec<SessionBody>)),
)]
pub async fn list(State(app): State<Arc<App>>, Caller(who): Caller) -> Json<Vec<SessionBody>> {
    Json(app.sessions.of(&who))
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
) -> Result<(Extension<UntilOut>, JsonAnswer<CellResponse>), Problem> {
    let mut used = UsedSession::take(&app, &who, &id)?;
    let (request, stdin) = value.job(&used.slot.body);
    let job = app.admit(&who, request)?;
    let mut turn = Turn::enter(&app, &who)?;
    let ended = used.slot.ended.clone();
    // Dropped halfway, the program ends, and with it the session's VM.
    let result = ended
        .run_until_cancelled(used.run(job, stdin, &mut turn))
        .await;
    drop(held);
    let result = result.ok_or_else(|| Problem::new(HttpCode::SessionNotFound))??;
    let body = CellResponse::from(finished(result)?);
    Ok((Extension(UntilOut::of(turn)), JsonAnswer(body)))
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
    let mut used = UsedSession::take(&app, &who, &id)?;
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
    let mut used = UsedSession::take(&app, &who, &id)?;
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
    let mut used = UsedSession::take(&app, &who, &id)?;
    let max = app.config.sessions.file_bytes;
    let mut room = app.memory.room(max as u64).await;
    let bytes = used
        .session()?
        .get(&path, max)
        .await
        .map_err(file_problem)?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_DISPOSITION, "attachment"),
    ];
    room.shrink(bytes.len() as u64);
    Ok((headers, Extension(UntilOut::of(room)), bytes).into_response())
}

fn file_problem(error: FileError) -> Problem {
    match error {
        FileError::Refused(_) => Problem::with(HttpCode::FileNotFound, error.to_string()),
        FileError::TooLarge { .. } => Problem::with(HttpCode::BodyTooLarge, error.to_string()),
        FileError::Over(error) => {
            tracing::warn!(reason = %error, "a session is over");
            Problem::new(HttpCode::SessionNotFound)
        }
    }
}
