//! Files of a sandbox, of any size: they pass through this service and are never held in it.

use super::bytes::Incoming;
use super::download::{Download, Packing};
use super::extract::{PathQuery, check_plain, taken};
use super::file::{EntriesBody, EntryBody, FolderRequest, MoveRequest, WrittenBody};
use super::path;
use super::table::UsedSandbox;
use crate::body::JsonBody;
use crate::problem::{HttpCode, Problem};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sandbox::live::{LiveError, LiveSandbox};
use serde::Deserialize;
use utoipa::IntoParams;

/// Levels of folders that one listing, or watch, goes down.
pub const MAX_DEPTH: u32 = 32;

/// A file's bytes. Where the file cannot be read to its end the answer breaks off: it has no last chunk.
#[utoipa::path(
    get, path = "/api/v1/sandboxes/{id}/files", tag = "sandboxes",
    params(("id" = String, Path, description = "The sandbox"), PathQuery),
    responses((status = 200, description = "Its bytes", body = Vec<u8>, content_type = "application/octet-stream")),
)]
pub async fn read(
    used: UsedSandbox,
    query: Result<Query<PathQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let path = PathQuery::taken(query)?;
    let file = Download::begin(&used, &path).await;
    let file = file.map_err(|error| used.problem(error))?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_DISPOSITION, "attachment"),
    ];
    Ok((headers, file.body(used, Packing::Plain)).into_response())
}

/// Put a file, of any size: the body's bytes as they are. Folders above it are made. A file that is there is replaced
/// once all bytes are in; until then, and where the client goes away halfway, it stays as it was.
#[utoipa::path(
    put, path = "/api/v1/sandboxes/{id}/files", tag = "sandboxes",
    request_body(content = Option<Vec<u8>>, content_type = "application/octet-stream"),
    params(("id" = String, Path, description = "The sandbox"), PathQuery),
    responses((status = 200, description = "It is there", body = WrittenBody)),
)]
pub async fn write(
    used: UsedSandbox,
    query: Result<Query<PathQuery>, QueryRejection>,
    request: Request,
) -> Result<Json<WrittenBody>, Problem> {
    let path = PathQuery::taken(query)?;
    check_plain(request.headers())?;
    let body = Incoming::new(request.into_body(), used.app.config().http.body_timeout());
    let size = receive(body, (&used.live, &path), |error| used.problem(error)).await?;
    Ok(Json(WrittenBody { path, size }))
}

/// Writes a body into a file of a sandbox or a session, whose `problem` says what a client is told; its size in bytes.
pub async fn receive(
    mut body: Incoming,
    (live, path): (&LiveSandbox, &str),
    problem: impl Fn(LiveError) -> Problem,
) -> Result<u64, Problem> {
    let writer = live.write_file(path).await;
    let mut writer = writer.map_err(|error| problem(error).close())?;
    while let Some(bytes) = body.next().await? {
        let written = writer.write(&bytes).await;
        // What is left of the body is not read.
        written.map_err(|error| problem(error).close())?;
    }
    writer.finish().await.map_err(problem)
}

/// Remove a file, or a folder with all that is in it.
#[utoipa::path(
    delete, path = "/api/v1/sandboxes/{id}/files", tag = "sandboxes",
    params(("id" = String, Path, description = "The sandbox"), PathQuery),
    responses((status = 204, description = "It is gone")),
)]
pub async fn remove(
    used: UsedSandbox,
    query: Result<Query<PathQuery>, QueryRejection>,
) -> Result<StatusCode, Problem> {
    let path = PathQuery::taken(query)?;
    let removed = used.live.remove(&path).await;
    removed.map_err(|error| used.problem(error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which folder, and how far down.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FolderQuery {
    /// Absolute, at most 4096 bytes.
    #[param(example = "/work")]
    pub path: String,
    /// Levels of folders, 1 to 32; absent: its own entries.
    #[serde(default)]
    #[param(minimum = 1, maximum = 32)]
    pub depth: Option<u32>,
}

impl FolderQuery {
    /// The path and the levels.
    pub fn taken(
        query: Result<Query<FolderQuery>, QueryRejection>,
    ) -> Result<(String, u32), Problem> {
        let FolderQuery { path, depth } = taken(query, "path")?;
        path::check("path", &path)?;
        let depth = depth.unwrap_or(1);
        if !(1..=MAX_DEPTH).contains(&depth) {
            let sentence = format!("depth is {depth}, allowed is 1 to {MAX_DEPTH}");
            return Err(Problem::with(HttpCode::FieldInvalid, sentence).field("depth"));
        }
        Ok((path, depth))
    }
}

/// A folder's entries, at most 4096 of them.
#[utoipa::path(
    get, path = "/api/v1/sandboxes/{id}/entries", tag = "sandboxes",
    params(("id" = String, Path, description = "The sandbox"), FolderQuery),
    responses((status = 200, description = "Entries", body = EntriesBody)),
)]
pub async fn list(
    used: UsedSandbox,
    query: Result<Query<FolderQuery>, QueryRejection>,
) -> Result<Json<EntriesBody>, Problem> {
    let (path, depth) = FolderQuery::taken(query)?;
    let listing = used.live.list(&path, depth).await;
    let listing = listing.map_err(|error| used.problem(error))?;
    Ok(Json(listing.into()))
}

/// One entry; of a link, not of what it leads to.
#[utoipa::path(
    get, path = "/api/v1/sandboxes/{id}/entries/stat", tag = "sandboxes",
    params(("id" = String, Path, description = "The sandbox"), PathQuery),
    responses((status = 200, description = "The entry", body = EntryBody)),
)]
pub async fn stat(
    used: UsedSandbox,
    query: Result<Query<PathQuery>, QueryRejection>,
) -> Result<Json<EntryBody>, Problem> {
    let path = PathQuery::taken(query)?;
    let entry = used.live.stat(&path).await;
    let entry = entry.map_err(|error| used.problem(error))?;
    Ok(Json(entry.into()))
}

/// Make a folder, and those above it. One that is there is fine.
#[utoipa::path(
    post, path = "/api/v1/sandboxes/{id}/folders", tag = "sandboxes", request_body = FolderRequest,
    params(("id" = String, Path, description = "The sandbox")),
    responses((status = 204, description = "It is there")),
)]
pub async fn make_folder(
    used: UsedSandbox,
    JsonBody { value, .. }: JsonBody<FolderRequest>,
) -> Result<StatusCode, Problem> {
    let path = value.taken()?;
    let made = used.live.make_folder(&path).await;
    made.map_err(|error| used.problem(error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a file or a folder another path. A file that is there is replaced.
#[utoipa::path(
    post, path = "/api/v1/sandboxes/{id}/move", tag = "sandboxes", request_body = MoveRequest,
    params(("id" = String, Path, description = "The sandbox")),
    responses((status = 204, description = "It is there")),
)]
pub async fn rename(
    used: UsedSandbox,
    JsonBody { value, .. }: JsonBody<MoveRequest>,
) -> Result<StatusCode, Problem> {
    let (from, to) = value.taken()?;
    let moved = used.live.rename(&from, &to).await;
    moved.map_err(|error| used.problem(error))?;
    Ok(StatusCode::NO_CONTENT)
}
