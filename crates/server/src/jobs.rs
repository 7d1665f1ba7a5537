//! Jobs that run and those that ended lately: what each key did, for itself, and for who may see what all keys do.
//!
//! | module | what |
//! |---|---|
//! | [`account`] | one job from its request to its end: everything that is counted of it is counted there |
//! | [`store`] | the jobs that are remembered, within bounds |
//! | [`body`] | what is told of them |

pub mod account;
pub mod body;
pub mod store;

use crate::app::App;
use crate::auth::Viewer;
use crate::keys::Principal;
use crate::outlet::UntilOut;
use crate::pieces::JsonAnswer;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::extract::taken;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use body::{JobDetail, JobRow};
use protocol::trace_id::TraceId;
use serde::Deserialize;
use std::sync::Arc;
use store::{KeptJob, MAX_LISTED};
use utoipa::IntoParams;

/// Which jobs are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JobsQuery {
    /// How many at most, 1 to 1000; 100 where it is absent.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
    /// Only those of the key with this id; of use to who sees all keys'.
    pub key: Option<String>,
}

/// Jobs that run and those that ended lately, newest first: a key's own, or with the scope `admin` those of all keys.
///
/// How many are remembered, and for how long, the operator says (`[server.kept_jobs]`).
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "jobs", params(JobsQuery),
    responses((status = 200, description = "Jobs", body = Vec<JobRow>)),
)]
pub async fn list(
    State(app): State<Arc<App>>,
    Viewer(who): Viewer,
    query: Result<Query<JobsQuery>, QueryRejection>,
) -> Result<Json<Vec<JobRow>>, Problem> {
    let JobsQuery { limit, key } = taken(query, "limit")?;
    let limit = limit.unwrap_or(100);
    if !(1..=MAX_LISTED).contains(&limit) {
        let sentence = format!("limit is a whole number from 1 to {MAX_LISTED}");
        return Err(Problem::with(HttpCode::FieldInvalid, sentence).field("limit"));
    }
    let is_wanted =
        |row: &JobRow| who.sees(&row.key) && key.as_ref().is_none_or(|wanted| *wanted == row.key);
    Ok(Json(app.jobs.rows(limit, is_wanted)))
}

/// One job, with its result, what it left, and its events, as far as they are remembered.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, description = "Its id, or the trace_id that its answer had")),
    responses((status = 200, description = "The job", body = JobDetail)),
)]
pub async fn get(
    State(app): State<Arc<App>>,
    Viewer(who): Viewer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let mut job = find(&app, &who, &id)?;
    // Of one that runs: what was told so far.
    if job.events.is_empty()
        && let Ok(trace_id) = TraceId::parse(&job.row.trace_id)
    {
        job.events = app.rooms.feed.events_of(&trace_id, &job.row.key);
    }
    let room = app.memory.room(job.bytes()).await;
    let detail = JobDetail::of(&job);
    Ok((Extension(UntilOut::of(room)), JsonAnswer(detail)).into_response())
}

/// A file that a job left, as it is, to be saved.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}/artifacts/{name}", tag = "jobs",
    params(
        ("id" = String, Path, description = "The job"),
        ("name" = String, Path, description = "The file's path below /work/out, its slashes as %2F: `href` of the job has it so"),
    ),
    responses((status = 200, description = "Its bytes", body = Vec<u8>, content_type = "application/octet-stream")),
)]
pub async fn artifact(
    State(app): State<Arc<App>>,
    Viewer(who): Viewer,
    Path((id, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let job = find(&app, &who, &id)?;
    let artifacts = job.result.iter().flat_map(|result| &result.artifacts);
    let file = artifacts.into_iter().find(|file| file.path == name);
    let file = file.ok_or_else(|| Problem::new(HttpCode::FileNotFound))?;
    let mut room = app.memory.room(file.size).await;
    room.shrink(file.data.0.len() as u64);
    // Never shown in the service's own origin, whatever its name says that it is.
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/octet-stream"),
        ),
        (header::CONTENT_DISPOSITION, saved_as(&name)),
    ];
    let bytes = file.data.0.clone();
    Ok((headers, Extension(UntilOut::of(room)), bytes).into_response())
}

/// `attachment` with the file's last name: in ASCII, and as RFC 8187 writes every other.
fn saved_as(name: &str) -> HeaderValue {
    let last = name.rsplit('/').next().unwrap_or_default();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_".contains(byte);
    let ascii: String = last
        .bytes()
        .map(|byte| {
            if is_plain(&byte) {
                char::from(byte)
            } else {
                '_'
            }
        })
        .collect();
    let encoded: String = last
        .bytes()
        .map(|byte| match is_plain(&byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect();
    let value = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// A job that this key may see; another's is not there.
fn find(app: &App, who: &Principal, id: &str) -> Result<KeptJob, Problem> {
    let found = app.jobs.find(id, |row| who.sees(&row.key));
    found.ok_or_else(|| Problem::new(HttpCode::JobNotFound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_ends_no_header() {
        for (name, value) in [
            (
                "plots/a b\".png",
                "attachment; filename=\"a_b_.png\"; filename*=UTF-8''a%20b%22.png",
            ),
            (
                "ü\r\n",
                "attachment; filename=\"____\"; filename*=UTF-8''%C3%BC%0D%0A",
            ),
        ] {
            assert_eq!(saved_as(name), value);
        }
    }
}
