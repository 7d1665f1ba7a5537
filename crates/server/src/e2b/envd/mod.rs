//! What E2B's daemon `envd` answers inside each sandbox, answered here: processes and files, over the Connect protocol, and
//! `/files` and `/health` besides.
//!
//! | module | what |
//! |---|---|
//! | [`connect`] | the protocol: calls, streams, errors |
//! | [`user`] | as whom, and what a path is then |
//! | [`registry`] | what clients said of the processes that they started |
//! | [`start`], [`follow`] | a process, and what it writes |
//! | [`process`], [`input`] | what is asked of one that runs |
//! | [`filesystem`], [`entry`] | folders and entries |
//! | [`watch`], [`watchers`], [`event`] | what changes in a folder: streamed, polled |
//! | [`files`], [`upload`], [`multipart`], [`metadata`], [`signature`] | content of files |

pub mod connect;
pub mod entry;
pub mod event;
pub mod files;
pub mod filesystem;
pub mod follow;
pub mod input;
pub mod metadata;
pub mod multipart;
pub mod process;
pub mod registry;
pub mod signature;
pub mod start;
pub mod upload;
pub mod user;
pub mod watch;
pub mod watchers;

use super::address::Addressed;
use super::error::AsE2b;
use crate::app::App;
use crate::problem::Problem;
use crate::sandboxes::table::UsedSandbox;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use connect::{ConnectCode, ConnectError};
use sandbox::live::LiveError;
use serde::Serialize;
use std::sync::Arc;

/// The answer of a call that says nothing.
#[derive(Debug, Serialize)]
pub struct Done {}

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/health", get(health))
        .route("/files", get(files::read).post(upload::write))
        .route("/process.Process/List", post(process::list))
        .route("/process.Process/Start", post(start::start))
        .route("/process.Process/Connect", post(start::connect))
        .route("/process.Process/SendSignal", post(process::signal))
        .route("/process.Process/Update", post(process::update))
        .route("/process.Process/SendInput", post(input::send))
        .route("/process.Process/StreamInput", post(input::stream))
        .route("/process.Process/CloseStdin", post(input::close))
        .route("/filesystem.Filesystem/Stat", post(filesystem::stat))
        .route("/filesystem.Filesystem/ListDir", post(filesystem::list))
        .route(
            "/filesystem.Filesystem/MakeDir",
            post(filesystem::make_folder),
        )
        .route("/filesystem.Filesystem/Move", post(filesystem::rename))
        .route("/filesystem.Filesystem/Remove", post(filesystem::remove))
        .route("/filesystem.Filesystem/WatchDir", post(watch::stream))
        .route(
            "/filesystem.Filesystem/CreateWatcher",
            post(watchers::create),
        )
        .route(
            "/filesystem.Filesystem/GetWatcherEvents",
            post(watchers::events),
        )
        .route(
            "/filesystem.Filesystem/RemoveWatcher",
            post(watchers::remove),
        )
}

/// `GET /health`: the sandbox is there.
async fn health(addressed: Result<Addressed, AsE2b>) -> Result<StatusCode, AsE2b> {
    let Addressed { used, .. } = addressed?;
    match used.live.is_alive() {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(AsE2b(super::address::gone(&used.slot.id))),
    }
}

/// Whether a sandbox is there no more after this.
fn is_gone(error: &LiveError) -> bool {
    matches!(error, LiveError::Gone(_) | LiveError::Misbehaved(_))
}

/// What a client is told at the end of a stream that its sandbox did not live to end. It asks by itself then whether the
/// sandbox is there, and says better than this could what became of it.
pub fn cut_off(used: &UsedSandbox, error: LiveError) -> ConnectError {
    let is_gone = is_gone(&error);
    let told = problem(used, error);
    match is_gone {
        true => ConnectError {
            problem: Problem {
                detail: "the connection to the sandbox ended before the stream completed"
                    .to_owned(),
                ..told
            },
            code: ConnectCode::Unavailable,
        },
        false => told.into(),
    }
}

/// What a client is told of a failure in its sandbox; one that is gone is gone for E2B's clients, too.
pub fn problem(used: &UsedSandbox, error: LiveError) -> Problem {
    let is_gone = is_gone(&error);
    let problem = used.problem(error);
    match is_gone {
        true => super::address::gone(&used.slot.id),
        false => problem,
    }
}
