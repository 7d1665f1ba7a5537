//! Standard input of a process: a request's body, appended as it comes.

use super::bytes::Incoming;
use super::extract::{InProcess, check_plain, taken};
use crate::problem::Problem;
use axum::extract::Query;
use axum::extract::Request;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

/// What comes after these bytes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CloseQuery {
    /// Nothing more: standard input is closed behind them.
    #[serde(default)]
    pub close: Option<bool>,
}

/// Append the body's bytes, of any number, to a process' standard input. The answer comes when the sandbox has taken
/// all of them, which waits for the process to read. A client that goes away halfway has sent what it sent.
#[utoipa::path(
    post, path = "/api/v1/sandboxes/{id}/processes/{process}/stdin", tag = "sandboxes",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(
        ("id" = String, Path, description = "The sandbox"), ("process" = u32, Path, description = "The process"),
        CloseQuery,
    ),
    responses((status = 204, description = "It was taken")),
)]
pub async fn write(
    process: InProcess,
    query: Result<Query<CloseQuery>, QueryRejection>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let CloseQuery { close } = taken(query, "close")?;
    check_plain(request.headers())?;
    process.check_runs().map_err(Problem::close)?;
    let InProcess { used, id } = &process;
    let patience = used.app.config().http.body_timeout();
    let mut body = Incoming::new(request.into_body(), patience);
    while let Some(bytes) = body.next().await? {
        let written = used.live.write(*id, &bytes).await;
        written.map_err(|error| used.problem(error).close())?;
    }
    if close == Some(true) {
        let closed = used.live.close_stdin(*id).await;
        closed.map_err(|error| used.problem(error))?;
    }
    Ok(StatusCode::NO_CONTENT)
}
