//! What an operator looks at: the state of things, events as they come, the doctor's table.

use crate::app::App;
use crate::auth::{Admin, Observer};
use crate::execute::streamed;
use crate::feed::Latency;
use crate::jobs::body::JobRow;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::body::SandboxRow;
use crate::sandboxes::told::Form;
use crate::sse;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::{broadcast::error::RecvError, mpsc};
use tokio_util::task::AbortOnDropHandle;
use utoipa::{IntoParams, ToSchema};

/// The most events that one answer looks back to.
const MAX_EVENTS: u16 = 1000;

/// Jobs that the state has.
const JOBS: usize = 200;

/// The state of the service.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatusBody {
    /// Its version.
    pub version: &'static str,
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// `qemu`, `firecracker` or `uml`.
    pub engine: String,
    /// `kvm`, `tcg` or, of User-Mode Linux, `none`.
    pub accelerator: String,
    /// What stands around each VMM.
    pub jail: String,
    /// Jobs that run.
    pub running: usize,
    /// Jobs that wait.
    pub waiting: usize,
    /// Jobs that may run at one time.
    pub places: usize,
    /// Jobs that may wait.
    pub queue_bound: usize,
    /// Sessions and sandboxes that hold a VM.
    pub sessions: i64,
    /// VMs that are kept ready.
    pub pool: Vec<PoolRow>,
    /// How long jobs took lately.
    pub latency: Vec<Latency>,
    /// Jobs now and lately that the key may see, newest first.
    pub jobs: Vec<JobRow>,
    /// Sandboxes that the key may see, oldest first.
    pub sandboxes: Vec<SandboxRow>,
}

/// VMs kept ready for one language.
#[derive(Debug, Serialize, ToSchema)]
pub struct PoolRow {
    /// The language's name.
    pub language: &'static str,
    /// How many wait.
    pub ready: usize,
    /// How many should wait at least.
    pub min: usize,
    /// How many may wait at most.
    pub max: usize,
}

/// How much of the past is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Events to look back to, 0 to 1000.
    #[serde(default)]
    #[param(minimum = 0, maximum = 1000)]
    pub limit: Option<u16>,
}

/// The state of the service: load, pool, latency, jobs, sandboxes.
#[utoipa::path(
    get, path = "/api/v1/status", tag = "operation",
    responses((status = 200, description = "State", body = StatusBody)),
)]
pub async fn status(State(app): State<Arc<App>>, Observer(who): Observer) -> Json<StatusBody> {
    let sandbox = &app.rooms.sandbox;
    let identity = sandbox.identity();
    let (running, waiting) = sandbox.load();
    let bounds = sandbox.bounds();
    let pool = sandbox.supply().pool().sizes();
    let mut sandboxes = app.sandboxes.rows();
    sandboxes.retain(|row| who.sees(&row.key));
    Json(StatusBody {
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: app.started.elapsed().as_secs(),
        engine: identity.kind.to_string(),
        accelerator: identity.accelerator_name(),
        jail: identity.jail.clone(),
        running,
        waiting,
        places: bounds.running,
        queue_bound: bounds.queued,
        sessions: app.http.sessions.get(),
        pool: pool
            .into_iter()
            .map(|(language, (ready, size))| PoolRow {
                language: language.name(),
                ready,
                min: size.min,
                max: size.max,
            })
            .collect(),
        latency: app.rooms.feed.latency(),
        jobs: app.jobs.rows(JOBS, |row| who.sees(&row.key)),
        sandboxes,
    })
}

/// Security events, oldest first; with `Accept: text/event-stream` or `application/x-ndjson` also those that come.
///
/// What this keeps is short; the audit log has everything.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "operation", params(EventsQuery),
    responses((status = 200, description = "Events", content(
        (Vec<Value> = "application/json"), (String = "text/event-stream"), (String = "application/x-ndjson"),
    ))),
)]
pub async fn events(
    State(app): State<Arc<App>>,
    _: Admin,
    headers: HeaderMap,
    query: Result<Query<EventsQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let limit = match query {
        Ok(Query(EventsQuery { limit })) => limit.unwrap_or(100),
        Err(_) => u16::MAX,
    };
    if limit > MAX_EVENTS {
        let sentence = format!("limit is a whole number from 0 to {MAX_EVENTS}");
        return Err(Problem::with(HttpCode::FieldInvalid, sentence).field("limit"));
    }
    // Subscribed before the past is read: nothing falls between, at worst something comes twice.
    let live = app.rooms.feed.subscribe();
    let past = app.rooms.feed.events(limit.into());
    let Some(form) = streamed(&headers) else {
        return Ok(Json(past).into_response());
    };
    let (sender, receiver) = mpsc::channel(16);
    let task = tokio::spawn(async move {
        for event in past {
            if !send(form, &sender, event.as_ref()).await {
                return;
            }
        }
        follow(live, (sender, form), app).await;
    });
    Ok(sse::answer(form, receiver, AbortOnDropHandle::new(task)))
}

async fn follow(
    mut live: tokio::sync::broadcast::Receiver<Arc<protocol::event::Event>>,
    (sender, form): (mpsc::Sender<Bytes>, Form),
    app: Arc<App>,
) {
    loop {
        let next = tokio::select! {
            next = live.recv() => next,
            // A stopping service does not wait for those who only look on.
            () = app.draining.cancelled() => return,
        };
        match next {
            Ok(event) => {
                if !send(form, &sender, event.as_ref()).await {
                    return;
                }
            }
            Err(RecvError::Lagged(missed)) => {
                let Some(note) = missed_note(form, missed) else {
                    continue;
                };
                if sender.send(note).await.is_err() {
                    return;
                }
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// That events went by unseen: an event's data is their number.
fn missed_note(form: Form, missed: u64) -> Option<Bytes> {
    match form {
        Form::Events => sse::event("missed", &missed),
        Form::Lines => form.event("missed", &json!({ "missed": missed })),
    }
}

async fn send(form: Form, sender: &mpsc::Sender<Bytes>, event: &protocol::event::Event) -> bool {
    match form.event("event", event) {
        Some(event) => sender.send(event).await.is_ok(),
        None => true,
    }
}

/// The doctor's table: whether this host can be trusted with the work.
///
/// `checks`: a list of `id`, `status` (`pass`, `warn`, `fail`), `seen`, `why`, `fix`.
#[utoipa::path(
    get, path = "/api/v1/doctor", tag = "operation",
    responses((status = 200, description = "The table", body = Value)),
)]
pub async fn doctor(State(app): State<Arc<App>>, _: Admin) -> Result<Json<Value>, Problem> {
    let Some(doctor) = app.rooms.doctor.clone() else {
        return Ok(Json(json!({ "checks": [] })));
    };
    let Ok(_at_work) = app.doctor_at_work.try_lock() else {
        let sentence = "the doctor is looking at this host already";
        return Err(Problem::with(HttpCode::Overloaded, sentence).retry_after(5));
    };
    doctor().await.map(Json).map_err(|reason| {
        tracing::error!(%reason, "the doctor could not look at this host");
        Problem::new(HttpCode::InternalError)
    })
}
