//! `POST /api/v1/execute`: one program, one VM, one answer.

mod accept;
pub mod common;
mod egress;
pub mod request;
pub mod response;
pub mod stream;

use crate::app::App;
use crate::auth::Executor;
use crate::body::JsonBody;
use crate::jobs::account::JobAccount;
use crate::outlet::UntilOut;
use crate::pieces::JsonAnswer;
use crate::problem::Problem;
use crate::trace::{self, TraceParent};
use crate::turn::Turn;
pub use accept::{streamed, wants_lines};
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use protocol::job::Job;
use protocol::result::JobResult;
use request::{ExecuteRequest, job_io};
use response::ExecuteResponse;
use sandbox::drive::JobIo;
use std::sync::Arc;
use stream::Followed;

/// Run a program in a VM of its own.
///
/// With `Accept: text/event-stream` the output comes as it is printed: events `stdout` and `stderr`
/// (`{"data": "…"}`), then one `result` with the body that the other form answers with. A client
/// that goes away ends its job. With `Accept: application/x-ndjson` the same comes as lines of JSON, each with its event's
/// name as `event`.
#[utoipa::path(
    post, path = "/api/v1/execute", tag = "jobs", request_body = ExecuteRequest,
    responses((status = 200, description = "The program ran; `status` says how it ended", content(
        (ExecuteResponse = "application/json"), (String = "text/event-stream"), (String = "application/x-ndjson"),
    ))),
)]
pub async fn execute(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    headers: HeaderMap,
    body: JsonBody<ExecuteRequest>,
) -> Result<Response, Problem> {
    let parent = header_text(&headers, trace::HEADER).and_then(TraceParent::parse);
    app.rooms
        .sandbox
        .know_image(body.value.image.as_deref())
        .await;
    let submission = body
        .value
        .submission(parent.map(|parent| parent.trace_id()))?;
    let mut job = app.admit(&who, submission.request)?;
    app.bring_packages(&who, &mut job, &submission.packages)
        .await?;
    let mut turn =
        Turn::enter(&app, &who).map_err(|problem| problem.trace_id(job.trace_id.to_string()))?;
    if let Some(form) = streamed(&headers) {
        let held = body.held;
        return Ok(stream::respond(form, async move |output| {
            let _held = held;
            let io = JobIo {
                output: Some(output),
                ..job_io(submission.stdin)
            };
            let result = run(&app, job, io, &mut turn).await;
            let body = Ok(ExecuteResponse::from(result));
            Followed { turn, body }
        }));
    }
    let image = job.language.image();
    let result = run(&app, job, job_io(submission.stdin), &mut turn).await;
    let result = finished(result).map_err(|problem| problem.of_image(image))?;
    let body = ExecuteResponse::from(result);
    Ok((Extension(UntilOut::of(turn)), JsonAnswer(body)).into_response())
}

/// Waits for the job's turn and runs it; whoever has the turn keeps the place, and the room of the result,
/// until the answer is out. Dropping the future ends the job.
pub async fn run(app: &App, job: Job, io: JobIo, turn: &mut Turn) -> JobResult {
    trace::job(job.trace_id.as_str());
    let mut account = JobAccount::begin(app, &job);
    let result = match turn.wait(app, &job).await {
        Err(result) => *result,
        Ok(()) => {
            account.runs();
            let sandbox = &app.rooms.sandbox;
            let result = sandbox.run_entered(job, io, &mut turn.ticket).await;
            turn.keeps(&result);
            app.pace.took(result.timings.total - result.timings.queue);
            result
        }
    };
    account.ended(&result);
    result
}

/// A result in which the program had its say; every other one is a problem.
pub fn finished(result: JobResult) -> Result<JobResult, Problem> {
    match &result.failure {
        None => Ok(result),
        Some(failure) => {
            // The client is told less: this is where the reason stands.
            tracing::warn!(trace_id = %result.trace_id, code = %failure.code, reason = %failure.message, "a job has no result");
            Err(Problem::failed(failure, result.trace_id.as_str()))
        }
    }
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
