//! Sandboxes: a VM that stays, for one key, with any number of processes and clients at one time. Each has an idle and
//! a total time limit; a key sees and reaches its own only, another's is not there for it.
//!
//! | module | what |
//! |---|---|
//! | [`table`], [`slot`], [`clock`] | which there are, whose they are, when they end |
//! | [`ending`], [`expiry`] | that their time is up, and who is told of it beforehand |
//! | [`extract`] | the sandbox, process and path that a request names |
//! | [`processes`], [`process`], [`user`], [`exit`], [`signal`] | processes, and what is said of them |
//! | [`follow`], [`told`], [`cutter`], [`follower`] | their output as it comes; what ends with who follows it |
//! | [`stdin`], [`bytes`] | their input, and every other body of any size |
//! | [`terminal`], [`frames`], [`websocket`] | a terminal over a WebSocket |
//! | [`contexts`], [`execute`], [`telling`], [`cell`], [`cell_told`] | interpreters, their cells, and what is said of them |
//! | [`files`], [`file`], [`path`], [`download`], [`watch`] | files, and what changes in folders |
//! | [`failure`] | what a client is told when something is not as it asked |

pub mod body;
pub mod bytes;
pub mod cell;
pub mod cell_told;
pub mod clock;
pub mod contexts;
pub mod cutter;
pub mod download;
pub mod ending;
pub mod execute;
pub mod exit;
pub mod expiry;
pub mod extract;
pub mod failure;
pub mod file;
pub mod files;
pub mod follow;
pub mod follower;
pub mod frames;
pub mod path;
pub mod process;
pub mod processes;
pub mod signal;
pub mod slot;
pub mod stdin;
pub mod table;
pub mod telling;
pub mod terminal;
pub mod told;
pub mod user;
pub mod watch;
pub mod websocket;

use crate::app::App;
use crate::auth::{Caller, Executor};
use crate::body::JsonBody;
use crate::keys::Principal;
use crate::problem::{HttpCode, Problem};
use crate::staying::within;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use body::{ExtendRequest, SandboxBody, SandboxRequest, in_limits};
use extract::Named;
use protocol::job::Job;
use sandbox::live::LiveSandbox;
use slot::SandboxSlot;
use std::sync::Arc;
use table::{Sandboxes, UsedSandbox};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, extend, delete))
        .routes(routes!(processes::start, processes::list))
        .routes(routes!(processes::get, processes::delete))
        .routes(routes!(processes::output))
        .routes(routes!(stdin::write))
        .routes(routes!(processes::signal))
        .routes(routes!(processes::resize))
        .routes(routes!(terminal::open))
        .routes(routes!(contexts::create, contexts::list))
        .routes(routes!(contexts::delete))
        .routes(routes!(contexts::interrupt))
        .routes(routes!(contexts::restart))
        .routes(routes!(contexts::events))
        .routes(routes!(execute::execute))
        .routes(routes!(files::read, files::write, files::remove))
        .routes(routes!(files::list))
        .routes(routes!(files::stat))
        .routes(routes!(files::make_folder))
        .routes(routes!(files::rename))
        .routes(routes!(watch::watch))
}

/// Begin a sandbox: a VM that stays, for processes and files.
#[utoipa::path(
    post, path = "/api/v1/sandboxes", tag = "sandboxes", request_body = SandboxRequest,
    responses((status = 201, description = "It began", body = SandboxBody)),
)]
pub async fn create(
    State(app): State<Arc<App>>,
    Executor(who): Executor,
    JsonBody { value, .. }: JsonBody<SandboxRequest>,
) -> Result<(StatusCode, Json<SandboxBody>), Problem> {
    let body = open(&app, &who, value).await?;
    Ok((StatusCode::CREATED, Json(body)))
}

/// Begins a sandbox as its request has it.
pub async fn open(
    app: &Arc<App>,
    who: &Arc<Principal>,
    mut value: SandboxRequest,
) -> Result<SandboxBody, Problem> {
    value.check_metadata()?;
    let times = value.seconds(&app.config().sessions)?;
    let metadata = std::mem::take(&mut value.metadata);
    let slot = begin(app, who, value, |job| {
        Ok(SandboxSlot::new(who, job, metadata, times))
    });
    let body = slot.await?.body();
    body.ok_or_else(|| Problem::new(HttpCode::SandboxNotFound))
}

/// Has a sandbox begin that a request of any front door asks for: its VM runs when this is over.
pub async fn begin(
    app: &Arc<App>,
    who: &Arc<Principal>,
    mut value: SandboxRequest,
    slot: impl FnOnce(Job) -> Result<SandboxSlot, Problem>,
) -> Result<Arc<SandboxSlot>, Problem> {
    if app.draining.is_cancelled() {
        return Err(Problem::new(HttpCode::Overloaded).retry_after(5));
    }
    value.check_writable()?;
    let packages = std::mem::take(&mut value.packages);
    if value.image.is_none() && value.language.is_none() {
        let usual = app.rooms.sandbox.image_of_sandboxes().await;
        value.image = usual.map(str::to_owned);
    }
    app.rooms.sandbox.know_image(value.image.as_deref()).await;
    let mut job = app.admit(who, value.job()?).map_err(in_limits)?;
    app.bring_packages(who, &mut job, &packages).await?;
    let slot = Arc::new(slot(job)?);
    let reserved = Sandboxes::reserve(app, who, slot.clone())?;
    let opened = LiveSandbox::open(&app.rooms.sandbox, &slot.job).await;
    let live = opened.map_err(|no| Problem::not_opened(&no, &slot.job))?;
    reserved.keep(live);
    Ok(slot)
}

/// This key's sandboxes, oldest first.
#[utoipa::path(
    get, path = "/api/v1/sandboxes", tag = "sandboxes",
    responses((status = 200, description = "Sandboxes", body = Vec<SandboxBody>)),
)]
pub async fn list(State(app): State<Arc<App>>, Caller(who): Caller) -> Json<Vec<SandboxBody>> {
    Json(app.sandboxes.of(&who))
}

/// One sandbox. Looking at it counts as use.
#[utoipa::path(
    get, path = "/api/v1/sandboxes/{id}", tag = "sandboxes",
    params(("id" = String, Path, description = "The sandbox")),
    responses((status = 200, description = "The sandbox", body = SandboxBody)),
)]
pub async fn get(used: UsedSandbox) -> Result<Json<SandboxBody>, Problem> {
    let body = used.slot.body();
    body.map(Json)
        .ok_or_else(|| Problem::new(HttpCode::SandboxNotFound))
}

/// Give a sandbox more time: its total time begins anew.
#[utoipa::path(
    patch, path = "/api/v1/sandboxes/{id}", tag = "sandboxes", request_body = ExtendRequest,
    params(("id" = String, Path, description = "The sandbox")),
    responses((status = 200, description = "The sandbox", body = SandboxBody)),
)]
pub async fn extend(
    used: UsedSandbox,
    JsonBody { value, .. }: JsonBody<ExtendRequest>,
) -> Result<Json<SandboxBody>, Problem> {
    let longest = used.app.config().sessions.total_seconds;
    let total = within("timeout", Some(value.timeout), longest)?;
    used.slot.extend(total);
    get(used).await
}

/// End a sandbox, with all that runs in it; its VM is destroyed.
#[utoipa::path(
    delete, path = "/api/v1/sandboxes/{id}", tag = "sandboxes",
    params(("id" = String, Path, description = "The sandbox")),
    responses((status = 204, description = "It ended")),
)]
pub async fn delete(
    State(app): State<Arc<App>>,
    Named { who, id }: Named,
) -> Result<StatusCode, Problem> {
    end(&app, &who, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a sandbox of this key; its VM is destroyed.
pub async fn end(app: &App, who: &Principal, id: &str) -> Result<(), Problem> {
    // However many requests are open: this ends them.
    let removed = app.sandboxes.take_out(who, id);
    let slot = removed.ok_or_else(|| Problem::new(HttpCode::SandboxNotFound))?;
    slot.close().await;
    Ok(())
}
