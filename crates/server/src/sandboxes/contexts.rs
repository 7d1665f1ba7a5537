//! Contexts of a sandbox: made, listed, interrupted, restarted, deleted; and what is told of each, from any event on.

use super::cell::{ContextBody, ContextRequest};
use super::cell_told::CellTold;
use super::extract::InContext;
use super::processes::FromQuery;
use super::table::UsedSandbox;
use super::telling::Telling;
use super::told::{EventBody, Form};
use crate::body::JsonBody;
use crate::problem::Problem;
use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use sandbox::live::contexts::From as FromEvent;

/// Make a context: an interpreter that keeps its variables from one cell to the next. It starts with its first cell.
#[utoipa::path(
    post, path = "/api/v1/sandboxes/{id}/contexts", tag = "sandboxes", request_body = ContextRequest,
    params(("id" = String, Path, description = "The sandbox")),
    responses((status = 201, description = "It is there", body = ContextBody)),
)]
pub async fn create(
    used: UsedSandbox,
    JsonBody { value, .. }: JsonBody<ContextRequest>,
) -> Result<(StatusCode, Json<ContextBody>), Problem> {
    let spec = value.spec(&used.app, &used.slot)?;
    let info = used.contexts().create(spec);
    let info = info.map_err(|error| used.problem(error))?;
    Ok((StatusCode::CREATED, Json(info.into())))
}

/// The sandbox's contexts, oldest first.
#[utoipa::path(
    get, path = "/api/v1/sandboxes/{id}/contexts", tag = "sandboxes",
    params(("id" = String, Path, description = "The sandbox")),
    responses((status = 200, description = "Contexts", body = Vec<ContextBody>)),
)]
pub async fn list(used: UsedSandbox) -> Json<Vec<ContextBody>> {
    let infos = used.contexts().list().into_iter();
    Json(infos.map(ContextBody::from).collect())
}

/// End a context, with its interpreter and all that its cells started.
#[utoipa::path(
    delete, path = "/api/v1/sandboxes/{id}/contexts/{context}", tag = "sandboxes",
    params(("id" = String, Path, description = "The sandbox"), ("context" = u32, Path, description = "The context")),
    responses((status = 204, description = "It is gone")),
)]
pub async fn delete(InContext { used, id }: InContext) -> Result<StatusCode, Problem> {
    let deleted = used.contexts().delete(id).await;
    deleted.map_err(|error| used.problem(error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Interrupt the cell that runs, as Ctrl-C would; nothing where none does. Variables stay.
#[utoipa::path(
    post, path = "/api/v1/sandboxes/{id}/contexts/{context}/interrupt", tag = "sandboxes",
    params(("id" = String, Path, description = "The sandbox"), ("context" = u32, Path, description = "The context")),
    responses((status = 204, description = "It was told")),
)]
pub async fn interrupt(InContext { used, id }: InContext) -> Result<StatusCode, Problem> {
    let interrupted = used.contexts().interrupt(id, None).await;
    interrupted.map_err(|error| used.problem(error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// End the interpreter, with all variables and all that its cells started; the next cell gets a new one.
#[utoipa::path(
    post, path = "/api/v1/sandboxes/{id}/contexts/{context}/restart", tag = "sandboxes",
    params(("id" = String, Path, description = "The sandbox"), ("context" = u32, Path, description = "The context")),
    responses((status = 204, description = "It is gone")),
)]
pub async fn restart(InContext { used, id }: InContext) -> Result<StatusCode, Problem> {
    let restarted = used.contexts().restart(id).await;
    restarted.map_err(|error| used.problem(error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// All that is told of a context, from an event on, as it comes. The newest MiB is kept; what is no longer is left
/// out.
///
/// Each event's `id` is where to go on, so a client that comes back with `Last-Event-ID` misses nothing.
#[utoipa::path(
    get, path = "/api/v1/sandboxes/{id}/contexts/{context}/events", tag = "sandboxes",
    params(
        ("id" = String, Path, description = "The sandbox"), ("context" = u32, Path, description = "The context"),
        FromQuery, ("Last-Event-ID" = Option<u64>, Header, description = "Where to go on, before `from`"),
    ),
    responses((status = 200, description = "What is told, as it comes", content(
        (EventBody = "text/event-stream"), (CellTold = "application/x-ndjson"),
    ))),
)]
pub async fn events(
    InContext { used, id }: InContext,
    headers: HeaderMap,
    query: Result<Query<FromQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let from = FromEvent::Number(FromQuery::taken(query, &headers)?);
    let events = used.contexts().follow(id, from);
    let events = events.map_err(|error| used.problem(error))?;
    Ok(Telling::onlooker(used, events, Form::of(&headers)).respond())
}
