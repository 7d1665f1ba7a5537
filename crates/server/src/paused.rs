//! Sandboxes that are paused: saved with all that runs in them, without a VM, a place or memory, until somebody has them go
//! on. And snapshots of sandboxes, of which any number of others begin.
//!
//! ```text
//!  running ──pause──> pausing ──its VM is saved──> paused ──resume──> running, under the same name
//!     │                  └ failed: gone              └──kill──> gone
//!     └──snapshot, fork──> (as pause and resume at once; the files stay for others)
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`about`] | what is remembered of one beside its VM: whose, its tokens, its times, what its client said |
//! | [`table`] | which there are; read at the start, so they outlive the service |
//! | [`pause`] | a running one is saved |
//! | [`resume`] | a saved one goes on |
//! | [`copies`] | snapshots and forks |
//!
//! Engines that cannot save a VM say why; so does every refusal here.

pub mod about;
pub mod copies;
pub mod pause;
pub mod resume;
pub mod table;

use crate::app::App;
use crate::problem::{HttpCode, Problem};
use axum::http::StatusCode;
use protocol::error_code::ErrorCode;
use sandbox::error::JobError;
use sandbox::saved::SavedError;

/// Refuses what this engine, or this host, cannot do.
pub fn check_engine(app: &App, what: &str) -> Result<(), Problem> {
    match &app.rooms.sandbox.identity().clones_refused {
        None => Ok(()),
        Some(reason) => {
            let sentence = format!("a sandbox cannot be {what} here: {reason}");
            Err(Problem::with(HttpCode::FieldInvalid, sentence))
        }
    }
}

/// What a client is told of a sandbox that is paused, or being saved.
pub fn busy(id: &str) -> Problem {
    let sentence = format!("sandbox {id} is paused already, or being saved");
    Problem {
        status: StatusCode::CONFLICT,
        ..Problem::with(HttpCode::SessionBusy, sentence)
    }
}

/// What a client is told of a saved VM that is not kept, or does not go on: nothing in it is secret to its owner.
fn of_saved(error: &SavedError) -> Problem {
    match error {
        SavedError::NoRoom(why) => Problem::with(HttpCode::TooManySessions, why.clone()),
        SavedError::Io { .. } => {
            tracing::error!(reason = %sandbox::error::chain(error), "a saved sandbox's files");
            Problem::new(HttpCode::InternalError)
        }
        // Asked again, it would be the same.
        SavedError::Damaged(_) | SavedError::Another { .. } => Problem {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            ..Problem::with(HttpCode::SandboxNotFound, error.to_string())
        },
    }
}

/// What a client is told of a VM that could not be saved, or did not go on.
fn of_job(error: &JobError, trace_id: &str) -> Problem {
    match error.saved() {
        Some(saved) => of_saved(saved),
        None if error.code() == ErrorCode::ImageMissing => Problem {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            ..Problem::with(HttpCode::SandboxNotFound, error.to_string())
        },
        None => Problem::failed(&error.failure(), trace_id),
    }
}
