//! Processes of a sandbox: started, looked at, followed, signalled, forgotten.

use super::extract::{InProcess, taken};
use super::follow::Follow;
use super::follower::Follower;
use super::process::{ProcessBody, ProcessRequest, SizeBody, StartAnswer, Wanted};
use super::signal::SignalRequest;
use super::table::UsedSandbox;
use super::told::{EventBody, Form, Told};
use crate::body::JsonBody;
use crate::problem::{HttpCode, Problem};
use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use protocol::supervisor::SignalTarget;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::timeout;
use utoipa::IntoParams;

/// How long a killed process may take to end before its request is answered.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// Start a process. It runs on when its client goes, unless `on_disconnect` says `kill`.
///
/// With `background: false` the answer is what the process writes, as it comes, and its end: server-sent events, or
/// lines of JSON with `Accept: application/x-ndjson`. The first is `started` with the process, then `output`, at the
/// end `exit`.
#[utoipa::path(
    post, path = "/api/v1/sandboxes/{id}/processes", tag = "sandboxes", request_body = ProcessRequest,
    params(("id" = String, Path, description = "The sandbox")),
    responses(
        (status = 201, description = "It runs", body = ProcessBody),
        (status = 200, description = "Its output as it comes", content(
            (EventBody = "text/event-stream"), (Told = "application/x-ndjson"),
        )),
    ),
)]
pub async fn start(
    used: UsedSandbox,
    headers: HeaderMap,
    JsonBody { value, held }: JsonBody<ProcessRequest>,
) -> Result<Response, Problem> {
    if used.app.draining.is_cancelled() {
        return Err(Problem::new(HttpCode::Overloaded).retry_after(5));
    }
    let wanted = value.wanted(&used.app, &used.slot)?;
    let Wanted {
        spec,
        on_disconnect,
        answer,
    } = wanted;
    let started = match answer {
        StartAnswer::AtOnce => used.live.start(spec).await.map(|id| (id, None)),
        StartAnswer::AsItRuns => {
            let started = used.live.start_followed(spec).await;
            started.map(|(id, output)| (id, Some(output)))
        }
    };
    drop(held);
    let (id, output) = started.map_err(|error| used.problem(error))?;
    used.slot.followed.started(id, on_disconnect);
    let process = InProcess { used, id };
    let body = ProcessBody::of(&process.used, process.info()?);
    let Some(output) = output else {
        return Ok((StatusCode::CREATED, Json(body)).into_response());
    };
    // Before anything is waited for: a client that goes now has followed it.
    let follower = follower_of(&process);
    let InProcess { used, id } = process;
    let follow = Follow::onlooker(used, id, output, Form::of(&headers));
    Ok(follow.starter(follower, body).respond())
}

fn follower_of(process: &InProcess) -> Follower {
    let used = &process.used;
    Follower::of(&used.app, &used.slot, &used.live, process.id)
}

async fn following(process: InProcess, from: u64, form: Form) -> Result<Follow, Problem> {
    let InProcess { used, id } = process;
    match used.live.follow(id, from).await {
        Ok(output) => Ok(Follow::onlooker(used, id, output, form)),
        Err(error) => Err(used.problem(error)),
    }
}

/// The sandbox's processes that were started and not forgotten, oldest first.
#[utoipa::path(
    get, path = "/api/v1/sandboxes/{id}/processes", tag = "sandboxes",
    params(("id" = String, Path, description = "The sandbox")),
    responses((status = 200, description = "Processes", body = Vec<ProcessBody>)),
)]
pub async fn list(used: UsedSandbox) -> Json<Vec<ProcessBody>> {
    let infos = used.live.processes().into_iter();
    Json(infos.map(|info| ProcessBody::listed(&used, info)).collect())
}

/// One process.
#[utoipa::path(
    get, path = "/api/v1/sandboxes/{id}/processes/{process}", tag = "sandboxes",
    params(("id" = String, Path, description = "The sandbox"), ("process" = u32, Path, description = "The process")),
    responses((status = 200, description = "The process", body = ProcessBody)),
)]
pub async fn get(process: InProcess) -> Result<Json<ProcessBody>, Problem> {
    let info = process.info()?;
    Ok(Json(ProcessBody::of(&process.used, info)))
}

/// Kill a process, with all that it started, and forget it and its output.
#[utoipa::path(
    delete, path = "/api/v1/sandboxes/{id}/processes/{process}", tag = "sandboxes",
    params(("id" = String, Path, description = "The sandbox"), ("process" = u32, Path, description = "The process")),
    responses((status = 204, description = "It is gone")),
)]
pub async fn delete(process: InProcess) -> Result<StatusCode, Problem> {
    let InProcess { used, id } = &process;
    if process.check_runs().is_ok() {
        let kill = used
            .live
            .signal(*id, libc::SIGKILL, SignalTarget::All)
            .await;
        kill.map_err(|error| used.problem(error))?;
        // One that does not end in time is still running below.
        let _ = timeout(KILL_PATIENCE, used.live.wait(*id)).await;
    }
    let forgotten = used.live.forget(*id).await;
    forgotten.map_err(|error| used.problem(error))?;
    used.slot.followed.forget(*id);
    Ok(StatusCode::NO_CONTENT)
}

/// The largest offset that JSON's int64, which the API's page names, can hold.
const MAX_OFFSET: u64 = i64::MAX as u64;

/// From where its output is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FromQuery {
    /// The first byte that is wanted; absent: all that is kept.
    #[serde(default)]
    pub from: Option<u64>,
}

impl FromQuery {
    /// The offset; where a client comes back to a stream of events, behind the last one that it has.
    pub fn taken(
        query: Result<Query<FromQuery>, QueryRejection>,
        headers: &HeaderMap,
    ) -> Result<u64, Problem> {
        let FromQuery { from } = taken(query, "from")?;
        let no_offset = |sentence| Problem::with(HttpCode::FieldInvalid, sentence).field("from");
        let from = from.unwrap_or(0);
        if from > MAX_OFFSET {
            return Err(no_offset("from is beyond all that a process can write"));
        }
        let Some(last) = headers.get("last-event-id") else {
            return Ok(from);
        };
        let last = last.to_str().ok().and_then(|text| text.trim().parse().ok());
        let last = last.filter(|offset| *offset <= MAX_OFFSET);
        last.ok_or_else(|| no_offset("Last-Event-ID is no id of this stream"))
    }
}

/// What a process writes, from an offset on, as it comes, and its end. What is no longer kept is left out: the first
/// `output` then has a later offset.
///
/// Each event's `id` is where to go on, so a client that comes back with `Last-Event-ID` misses nothing.
#[utoipa::path(
    get, path = "/api/v1/sandboxes/{id}/processes/{process}/output", tag = "sandboxes",
    params(
        ("id" = String, Path, description = "The sandbox"), ("process" = u32, Path, description = "The process"),
        FromQuery, ("Last-Event-ID" = Option<u64>, Header, description = "Where to go on, before `from`"),
    ),
    responses((status = 200, description = "Its output as it comes", content(
        (EventBody = "text/event-stream"), (Told = "application/x-ndjson"),
    ))),
)]
pub async fn output(
    process: InProcess,
    headers: HeaderMap,
    query: Result<Query<FromQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let from = FromQuery::taken(query, &headers)?;
    let follow = following(process, from, Form::of(&headers)).await?;
    Ok(follow.respond())
}

/// Send a signal to a process.
#[utoipa::path(
    post, path = "/api/v1/sandboxes/{id}/processes/{process}/signal", tag = "sandboxes", request_body = SignalRequest,
    params(("id" = String, Path, description = "The sandbox"), ("process" = u32, Path, description = "The process")),
    responses((status = 204, description = "It was sent")),
)]
pub async fn signal(
    process: InProcess,
    JsonBody { value, .. }: JsonBody<SignalRequest>,
) -> Result<StatusCode, Problem> {
    let (signal, to) = value.taken()?;
    process.check_runs()?;
    let InProcess { used, id } = &process;
    let sent = used.live.signal(*id, signal, to).await;
    sent.map_err(|error| used.problem(error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a process' terminal another size.
#[utoipa::path(
    post, path = "/api/v1/sandboxes/{id}/processes/{process}/resize", tag = "sandboxes", request_body = SizeBody,
    params(("id" = String, Path, description = "The sandbox"), ("process" = u32, Path, description = "The process")),
    responses((status = 204, description = "It has it")),
)]
pub async fn resize(
    process: InProcess,
    JsonBody { value, .. }: JsonBody<SizeBody>,
) -> Result<StatusCode, Problem> {
    let size = value.size("rows")?;
    if !process.info()?.terminal {
        return Err(Problem::new(HttpCode::NoTerminal));
    }
    process.check_runs()?;
    let InProcess { used, id } = &process;
    let resized = used.live.resize(*id, size).await;
    resized.map_err(|error| used.problem(error))?;
    Ok(StatusCode::NO_CONTENT)
}
