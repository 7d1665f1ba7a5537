//! The front door for assistants: the Model Context Protocol, over HTTP at `/mcp` and over standard input and output.
//!
//! | module | what |
//! |---|---|
//! | [`http`], [`sessions`], [`stdio`] | the two ways in; who may come in over HTTP, and whose protocol sessions are whose |
//! | [`server`] | the protocol's requests: what is offered, called, read |
//! | [`tools`] | the six tools, a file each |
//! | [`call`], [`progress`], [`refusal`] | one call: who calls, how it goes, why not |
//! | [`run_facts`], [`file_facts`], [`picture`], [`clip`] | what a model is shown of it, and how much |
//! | [`place`], [`uri`], [`kept`] | where files are: in a session, or kept of a run |
//! | [`resource`] | files as the protocol's resources |
//! | [`offer`] | what this server says of itself |
//!
//! A session of a tool is a sandbox of this service; one of the protocol (of its revisions before 2026-07-28) is a
//! connection that comes back. Neither knows of the other.

pub mod call;
pub mod clip;
pub mod file_facts;
pub mod http;
pub mod kept;
pub mod offer;
pub mod picture;
pub mod place;
pub mod progress;
pub mod refusal;
pub mod resource;
pub mod run_facts;
pub mod server;
pub mod sessions;
pub mod stdio;
pub mod tools;
pub mod uri;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What this front door keeps from one request to the next.
#[derive(Default)]
pub struct Mcp {
    /// What runs left.
    pub kept: kept::Kept,
    /// What was seen of the images.
    pub offer: offer::Seen,
    /// Ends every call and every session of the protocol.
    pub stop: CancellationToken,
    /// Calls under way: each may have a VM.
    pub calls: TaskTracker,
    /// Sessions of the protocol, by their key: another key's are not there.
    by_key: Mutex<HashMap<String, Arc<sessions::BoundedSessions>>>,
}

impl Mcp {
    /// Ends every call, and waits until none holds a VM any more, or for so long.
    pub async fn close(&self, patience: Duration) {
        self.stop.cancel();
        self.calls.close();
        if tokio::time::timeout(patience, self.calls.wait())
            .await
            .is_err()
        {
            tracing::error!("calls of assistants were still under way when they were ended");
        }
    }

    /// The protocol's sessions of this key.
    pub fn sessions_of(&self, key: &str) -> Arc<sessions::BoundedSessions> {
        let mut by_key = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        by_key.entry(key.to_owned()).or_default().clone()
    }
}
