//! Sandboxes that are there: looked at, given time, connected to, ended. Those that are paused: looked at, connected to,
//! which has them go on, ended.

use super::address::sandbox_id;
use super::body::{ConnectedBody, DetailBody};
use super::create::total_time;
use super::error::AsE2b;
use crate::app::App;
use crate::auth::Executor;
use crate::body::JsonBody;
use crate::keys::Principal;
use crate::paused::resume::resume as resume_paused;
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::table::UsedSandbox;
use axum::Json;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// A sandbox that an E2B client names by its path, with its key.
pub struct Owned(pub UsedSandbox);

impl FromRequestParts<Arc<App>> for Owned {
    type Rejection = AsE2b;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AsE2b> {
        let Executor(who) = Executor::from_request_parts(parts, app).await?;
        let id = named(parts, app).await;
        owned(app, (&who, &id)).map(Owned)
    }
}

/// A sandbox of this key that an E2B client made.
fn owned(app: &Arc<App>, (who, id): (&Principal, &str)) -> Result<UsedSandbox, AsE2b> {
    let used = UsedSandbox::take(app, who, id);
    let used = used.map_err(|problem| AsE2b(not_there(app, problem, (who, id))))?;
    match used.slot.e2b {
        Some(_) => Ok(used),
        None => Err(AsE2b(not_found(
            Problem::new(HttpCode::SandboxNotFound),
            id,
        ))),
    }
}

/// The sandbox's name in the path.
async fn named(parts: &mut Parts, app: &Arc<App>) -> String {
    let params = RawPathParams::from_request_parts(parts, app).await;
    // What is no text names none.
    let id = params.ok().and_then(|params| {
        let (_, id) = params.iter().find(|(name, _)| *name == "id")?;
        Some(sandbox_id(id).to_owned())
    });
    id.unwrap_or_default()
}

/// The same of one that may be paused.
fn not_there(app: &App, problem: Problem, (who, id): (&Principal, &str)) -> Problem {
    match app.paused.of(who, id) {
        Some(_) if problem.status == StatusCode::NOT_FOUND => {
            let sentence = format!("sandbox {id} is paused: connect to it first");
            Problem::with(HttpCode::SandboxNotFound, sentence)
        }
        _ => not_found(problem, id),
    }
}

fn not_found(problem: Problem, id: &str) -> Problem {
    match problem.status {
        StatusCode::NOT_FOUND => {
            let sentence = format!("sandbox {} not found", protocol::validate::shown(id));
            Problem::with(HttpCode::SandboxNotFound, sentence)
        }
        _ => problem,
    }
}

fn gone() -> AsE2b {
    AsE2b(Problem::new(HttpCode::SandboxNotFound))
}

/// `GET /sandboxes/{id}`.
pub async fn get(
    State(app): State<Arc<App>>,
    Named { who, id }: Named,
) -> Result<Json<DetailBody>, AsE2b> {
    let Executor(who) = who;
    let config = app.config();
    let domain = config.e2b.told_domain();
    let body = match app.paused.of(&who, &id) {
        Some(entry) => DetailBody::of_paused(&entry, domain),
        None => DetailBody::of(&owned(&app, (&who, &id))?.slot, domain),
    };
    body.map(Json).ok_or_else(gone)
}

/// Whose sandbox, and its name in the path; it may be busy, or gone.
pub struct Named {
    who: Executor,
    id: String,
}

impl Named {
    /// Whose.
    pub fn who(&self) -> &Arc<Principal> {
        &self.who.0
    }

    /// Its name, as it was sent.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// It, where it runs.
    pub fn owned(&self, app: &Arc<App>) -> Result<UsedSandbox, AsE2b> {
        owned(app, (self.who(), &self.id))
    }
}

impl FromRequestParts<Arc<App>> for Named {
    type Rejection = AsE2b;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AsE2b> {
        let who = Executor::from_request_parts(parts, app).await?;
        let id = named(parts, app).await;
        Ok(Named { who, id })
    }
}

/// `DELETE /sandboxes/{id}`: however many requests are open, this ends them.
pub async fn kill(
    State(app): State<Arc<App>>,
    Named { who, id }: Named,
) -> Result<StatusCode, AsE2b> {
    let Executor(who) = who;
    if let Some(entry) = app.paused.of(&who, &id)
        && app.paused.end(&entry).await?
    {
        return Ok(StatusCode::NO_CONTENT);
    }
    // What another door made is not there for this one.
    let is_known = app
        .sandboxes
        .named(&id)
        .is_some_and(|slot| slot.e2b.is_some());
    let removed = is_known
        .then(|| app.sandboxes.take_out(&who, &id))
        .flatten();
    let none = || not_found(Problem::new(HttpCode::SandboxNotFound), &id);
    removed.ok_or_else(none)?.close().await;
    Ok(StatusCode::NO_CONTENT)
}

/// How long a sandbox is to stay, from now on.
#[derive(Debug, Deserialize)]
pub struct TimeoutBody {
    /// Seconds.
    timeout: u64,
}

/// `POST /sandboxes/{id}/timeout`: more time, or less.
pub async fn timeout(
    Owned(used): Owned,
    body: Result<JsonBody<TimeoutBody>, Problem>,
) -> Result<StatusCode, AsE2b> {
    let longest = used.app.config().sessions.total_seconds;
    used.slot.extend(total_time(body?.value.timeout, longest)?);
    Ok(StatusCode::NO_CONTENT)
}

/// How long a sandbox is to stay at least.
#[derive(Debug, Deserialize)]
pub struct RefreshBody {
    /// Seconds from now.
    #[serde(default)]
    duration: Option<u64>,
}

/// `POST /sandboxes/{id}/refreshes`, of older clients: more time, never less.
pub async fn refresh(
    Owned(used): Owned,
    body: Result<JsonBody<RefreshBody>, Problem>,
) -> Result<StatusCode, AsE2b> {
    lengthen(&used, body?.value.duration)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a client wishes that connects.
#[derive(Debug, Deserialize)]
pub struct ConnectBody {
    /// Seconds from now that the sandbox is to stay at least.
    #[serde(default)]
    timeout: Option<u64>,
}

/// `POST /v2/sandboxes/{id}/connect`, `POST /sandboxes/{id}/connect`: never shortens a life. One that is paused goes on.
pub async fn connect(
    State(app): State<Arc<App>>,
    Named { who, id }: Named,
    body: Result<JsonBody<ConnectBody>, Problem>,
) -> Result<Json<ConnectedBody>, AsE2b> {
    let Executor(who) = who;
    let seconds = body?.value.timeout;
    if let Some(entry) = app.paused.of(&who, &id) {
        let total = match seconds {
            Some(seconds) => total_time(seconds, app.config().sessions.total_seconds)?,
            None => entry.about.usual_total(),
        };
        // One that was on its way may be back already: then it is given time below.
        resume_paused(&app, &who, entry, total).await?;
    }
    let used = owned(&app, (&who, &id))?;
    lengthen(&used, seconds)?;
    let body = ConnectedBody::of(&used.slot, app.config().e2b.told_domain());
    body.map(Json).ok_or_else(gone)
}

/// `POST /sandboxes/{id}/resume`, of older clients: the same.
pub async fn resume(
    app: State<Arc<App>>,
    named: Named,
    body: Result<JsonBody<ConnectBody>, Problem>,
) -> Result<(StatusCode, Json<ConnectedBody>), AsE2b> {
    let body = connect(app, named, body).await?;
    Ok((StatusCode::CREATED, body))
}

fn lengthen(used: &UsedSandbox, seconds: Option<u64>) -> Result<(), Problem> {
    let Some(seconds) = seconds else {
        return Ok(());
    };
    let total = total_time(seconds, used.app.config().sessions.total_seconds)?;
    if total > used.slot.time_left() {
        used.slot.extend(total.max(Duration::from_millis(1)));
    }
    Ok(())
}

/// `PUT /sandboxes/{id}/network`.
pub async fn network(_: Owned) -> AsE2b {
    let sentence = "a sandbox has no network, so there are no rules for it";
    AsE2b(Problem::with(HttpCode::FieldInvalid, sentence).field("network"))
}

/// What E2B's API has and this service does not.
pub async fn unsupported(_: Executor) -> AsE2b {
    let sentence = "there is no such thing here: templates are images, built with llm-firecracker images build, and there \
                    are no volumes or secrets";
    AsE2b(Problem::with(HttpCode::NotFound, sentence))
}
