//! `POST /api/v1/execute`: one program, one VM, one answer.

mod accept;
pub mod request;
pub mod response;
pub mod stream;

use crate::app::App;
use crate::auth::Executor;
use crate::body::JsonBody;
use crate::fair::{Entry, Full, KeyBounds, fair_share};
use crate::keys::Principal;
use crate::outlet::UntilOut;
use crate::pieces::Answer;
use crate::problem::{HttpCode, Problem};
use crate::trace::{self, TraceParent};
pub use accept::wants_events;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use protocol::error_code::ErrorCode;
use protocol::job::Job;
use protocol::result::{Failure, JobResult};
use request::{ExecuteRequest, job_io};
use response::ExecuteResponse;
use sandbox::drive::JobIo;
use sandbox::error::Why;
use sandbox::sandbox::Sandbox;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Run a program in a VM of its own.
///
/// With `Accept: text/event-stream` the output comes as it is printed: events `stdout` and `stderr`
/// (`{"data": "…"}`), then one `result` with the body that the other form answers with. A client
/// that goes away ends its job.
#[utoipa::path(
    post, path = "/api/v1/execute", tag = "jobs", request_body = ExecuteRequest,
    responses((status = 200, description = "The program ran; `status` says how it ended", content(
        (ExecuteResponse = "application/json"), (String = "text/event-stream"),
    ))),
)]
pub async fn execute(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    headers: HeaderMap,
    body: JsonBody<ExecuteRequest>,
) -> Result<Response, Problem> {
    let parent = header_text(&headers, trace::HEADER).and_then(TraceParent::parse);
    let submission = body
        .value
        .submission(parent.map(|parent| parent.trace_id()))?;
    let job = app.admit(submission.request)?;
    let mut entry =
        enter(&app, &who).map_err(|problem| problem.trace_id(job.trace_id.to_string()))?;
    if wants_events(&headers) {
        return Ok(stream::respond(
            app,
            job,
            submission.stdin,
            entry,
            body.held,
        ));
    }
    let result = run(&app, job, job_io(submission.stdin), &mut entry).await;
    let body = ExecuteResponse::from(finished(result)?);
    Ok((Extension(UntilOut::of(entry)), Answer(body)).into_response())
}

/// Lets a job of this key into the queue, or says why not.
pub fn enter(app: &App, who: &Principal) -> Result<Entry, Problem> {
    if app.draining.is_cancelled() {
        return Err(stopping());
    }
    let bounds = KeyBounds {
        jobs: who.limits.jobs,
        running: match who.limits.running {
            0 => fair_share(app.rooms.places, app.keys.executors()),
            own => own,
        },
    };
    app.queue.enter(&who.id, bounds).map_err(|full| {
        let wait = app.queue.retry_after();
        match full {
            Full::Key => Problem::new(HttpCode::TooManyJobs).retry_after(wait),
            Full::Queue => {
                let (running, waiting) = app.queue.load();
                let failure = Failure {
                    code: ErrorCode::QueueFull,
                    message: format!(
                        "{running} jobs run and {waiting} wait; {}",
                        ErrorCode::QueueFull.advice()
                    ),
                    field: None,
                };
                Problem {
                    noted: false,
                    trace_id: None,
                    ..Problem::failed(&failure, "").retry_after(wait)
                }
            }
        }
    })
}

fn stopping() -> Problem {
    let failure = Failure {
        code: ErrorCode::ShuttingDown,
        message: ErrorCode::ShuttingDown.advice().into(),
        field: None,
    };
    Problem {
        noted: false,
        trace_id: None,
        ..Problem::failed(&failure, "").retry_after(5)
    }
}

/// Waits for the job's turn and runs it; whoever has the entry keeps the place, and the room of the result,
/// until the answer is out. Dropping the future ends the job.
pub async fn run(app: &App, job: Job, io: JobIo, entry: &mut Entry) -> JobResult {
    trace::job(job.trace_id.as_str());
    let begun = Instant::now();
    if let Err(result) = wait_for_turn(app, &job, entry).await {
        return *result;
    }
    let waited = begun.elapsed().as_secs_f64();
    let hides_time = job.normalize_time.is_some();
    let mut result = app.rooms.sandbox.run(job, io).await;
    entry.keeps(&result);
    app.queue.took(result.timings.total);
    if !hides_time {
        result.timings.queue += waited;
        result.timings.total += waited;
    }
    result
}

/// Waits for the job's turn, and for the room that its result may take; else the result that says that
/// none came in time. A job whose client goes away meanwhile is told of and counted like every other.
pub async fn wait_for_turn(app: &App, job: &Job, entry: &mut Entry) -> Result<(), Box<JobResult>> {
    let sandbox: &Sandbox = &app.rooms.sandbox;
    let mut waiter = Waiter(Some((sandbox, job)));
    let patience = Duration::from_secs(app.config.queue_seconds);
    let turn = async {
        let has_place = entry.place().await;
        if has_place {
            entry.hold(app.memory.result(job).await);
        }
        has_place
    };
    let has_place = tokio::time::timeout(patience, turn).await == Ok(true);
    waiter.0 = None;
    if has_place {
        return Ok(());
    }
    let seconds = patience.as_secs();
    let error = Why::NoTurn { seconds };
    Err(Box::new(sandbox.turned_away(job, error.into())))
}

/// A job that waits for its turn.
struct Waiter<'a>(Option<(&'a Sandbox, &'a Job)>);

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if let Some((sandbox, job)) = self.0 {
            sandbox.went_away(job);
        }
    }
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
