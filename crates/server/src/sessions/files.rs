//! Files of a session's work folder.

use super::body::{FileBody, FileQuery, FileUpload};
use super::table::UsedSession;
use crate::app::App;
use crate::auth::Executor;
use crate::body::JsonBody;
use crate::outlet::UntilOut;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::bytes::Incoming;
use crate::sandboxes::extract::check_plain;
use crate::sandboxes::failure;
use crate::sandboxes::files::receive;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use sandbox::live::LiveError;
use sandbox::session::{FileError, absolute};
use std::sync::Arc;

/// Put a file into the session's work folder: a small one, within JSON. `PUT` takes any size.
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
    let file = value.file(app.config().sessions.file_bytes)?;
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
    query: Result<Query<FileQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let path = FileQuery::taken(query)?;
    let mut used = UsedSession::take(&app, &who, &id)?;
    let max = app.config().sessions.file_bytes;
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

/// Put a file of any size into the session's work folder: the body's bytes as they are. Folders above it are made. A file
/// that is there is replaced once all bytes are in.
#[utoipa::path(
    put, path = "/api/v1/sessions/{id}/files", tag = "sessions",
    request_body(content = Option<Vec<u8>>, content_type = "application/octet-stream"),
    params(("id" = String, Path, description = "The session"), FileQuery),
    responses((status = 200, description = "It is there", body = FileBody)),
)]
pub async fn write(
    (State(app), Executor(who)): (State<Arc<App>>, Executor),
    Path(id): Path<String>,
    query: Result<Query<FileQuery>, QueryRejection>,
    request: Request,
) -> Result<Json<FileBody>, Problem> {
    let path = FileQuery::taken(query)?;
    check_plain(request.headers())?;
    let mut used = UsedSession::take(&app, &who, &id)?;
    let live = used.session()?.live().clone();
    let body = Incoming::new(request.into_body(), app.config().http.body_timeout());
    let size = receive(body, (&live, &absolute(&path)), live_problem).await?;
    Ok(Json(FileBody { path, size }))
}

/// Remove a file of the session's work folder, or a folder with all that is in it.
#[utoipa::path(
    delete, path = "/api/v1/sessions/{id}/files", tag = "sessions",
    params(("id" = String, Path, description = "The session"), FileQuery),
    responses((status = 204, description = "It is gone")),
)]
pub async fn remove(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    Path(id): Path<String>,
    query: Result<Query<FileQuery>, QueryRejection>,
) -> Result<StatusCode, Problem> {
    let path = FileQuery::taken(query)?;
    let mut used = UsedSession::take(&app, &who, &id)?;
    let removed = used.session()?.live().remove(&absolute(&path)).await;
    removed.map_err(live_problem)?;
    Ok(StatusCode::NO_CONTENT)
}

fn live_problem(error: LiveError) -> Problem {
    match error {
        LiveError::Gone(reason) | LiveError::Misbehaved(reason) => {
            tracing::warn!(reason, "a session is over");
            Problem::new(HttpCode::SessionNotFound)
        }
        error => failure::problem(error),
    }
}

fn file_problem(error: FileError) -> Problem {
    match error {
        FileError::Refused(_) => Problem::with(HttpCode::FileNotFound, error.to_string()),
        FileError::TooLarge { .. } => {
            let sentence = format!(
                "{error}; larger ones come out of a sandbox (GET /api/v1/sandboxes/{{id}}/files)"
            );
            Problem::with(HttpCode::BodyTooLarge, sentence)
        }
        FileError::Over(error) => {
            tracing::warn!(reason = %error, "a session is over");
            Problem::new(HttpCode::SessionNotFound)
        }
    }
}
