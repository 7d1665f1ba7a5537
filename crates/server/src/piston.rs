//! Piston's API (version 2), so that its clients work unchanged: `POST /api/v2/execute` and
//! `GET /api/v2/runtimes`. Errors are `{message}`, as Piston's are.
//!
//! What is different, because a VM is not a process: a memory limit is the VM's RAM, never below
//! 128 MiB; a compiler's warnings stand in `run.stderr` when the program ran.

pub mod request;
pub mod response;
pub mod runtime;

use crate::app::App;
use crate::auth::{Caller, Executor};
use crate::body::JsonBody;
use crate::execute::request::job_io;
use crate::execute::{finished, run};
use crate::outlet::UntilOut;
use crate::pieces::JsonAnswer;
use crate::problem::Problem;
use crate::turn::Turn;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use request::PistonRequest;
use response::{Output, PistonResponse};
use runtime::RuntimeBody;
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::sync::mpsc;
use utoipa::ToSchema;

/// Output chunks between a job and the memory of their order.
const WAITING_CHUNKS: usize = 16;

/// An error, as Piston tells it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PistonError {
    /// One sentence.
    pub message: String,
}

/// A problem in Piston's shape.
pub struct AsPiston(Problem);

impl From<Problem> for AsPiston {
    fn from(problem: Problem) -> Self {
        AsPiston(problem)
    }
}

impl IntoResponse for AsPiston {
    fn into_response(self) -> Response {
        let message = self.0.detail.clone();
        let body = serde_json::to_string(&PistonError { message }).unwrap_or_default();
        self.0.respond("application/json", body)
    }
}

/// Run a program, in Piston's words.
#[utoipa::path(
    post, path = "/api/v2/execute", tag = "piston", request_body = PistonRequest,
    responses((status = 200, description = "The program ran", body = PistonResponse)),
)]
pub async fn execute(
    State(app): State<Arc<App>>,
    who: Result<Executor, Problem>,
    body: Result<JsonBody<Map<String, Value>>, Problem>,
) -> Result<(Extension<UntilOut>, JsonAnswer<PistonResponse>), AsPiston> {
    let Executor(who) = who?;
    let JsonBody { value, held } = body?;
    let policy = app.rooms.sandbox.policy();
    let asked = request::parse(value, policy).map_err(request::refused)?;
    let job = app.admit(&who, asked.job)?;
    let mut turn = Turn::enter(&app, &who)?;
    let (output, outputs) = mpsc::channel(WAITING_CHUNKS);
    let mut io = job_io(Some(asked.stdin));
    io.output = Some(output);
    let (result, combined) = tokio::join!(run(&app, job, io, &mut turn), in_order(outputs));
    drop(held);
    let result = finished(result)?;
    let body = response::answer(result, combined, &asked.runtime);
    Ok((Extension(UntilOut::of(turn)), JsonAnswer(body)))
}

/// What can be run, in Piston's words.
#[utoipa::path(
    get, path = "/api/v2/runtimes", tag = "piston",
    responses((status = 200, description = "Runtimes", body = Vec<RuntimeBody>)),
)]
pub async fn runtimes(who: Result<Caller, Problem>) -> Result<Json<Vec<RuntimeBody>>, AsPiston> {
    who?;
    Ok(Json(
        runtime::all()
            .map(|runtime| RuntimeBody::from(&runtime))
            .collect(),
    ))
}

/// Both streams in the order in which they came.
async fn in_order(mut outputs: mpsc::Receiver<sandbox::drive::JobOutput>) -> Output {
    let mut all = Vec::new();
    while let Some(output) = outputs.recv().await {
        all.extend_from_slice(&output.data);
    }
    Output(all)
}
