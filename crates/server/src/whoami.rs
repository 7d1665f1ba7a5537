//! Which key asks, and what it may do.

use crate::app::App;
use crate::auth::Caller;
use crate::config::KeyLimits;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhoamiBody {
    /// Its public part; `local` without keys.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// `run`, `observe`, `admin`.
    pub scopes: Vec<&'static str>,
    /// How much of it.
    pub limits: LimitsBody,
    /// There are no keys: everybody on this machine may do everything.
    pub open: bool,
}

/// How much a key may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitsBody {
    /// Requests a second, in the long run.
    pub requests_per_second: f64,
    /// Requests at once on top of that.
    pub burst: u32,
    /// Jobs at one time, waiting ones included.
    pub jobs: usize,
    /// Jobs that run at one time; 0: as many as may run, less a quarter where there are other keys.
    pub running: usize,
    /// Sessions and sandboxes at one time.
    pub sessions: usize,
}

impl From<KeyLimits> for LimitsBody {
    fn from(limits: KeyLimits) -> Self {
        LimitsBody {
            requests_per_second: limits.requests_per_second,
            burst: limits.burst,
            jobs: limits.jobs,
            running: limits.running,
            sessions: limits.sessions,
        }
    }
}

/// The key that asks: its name, scopes and limits.
#[utoipa::path(
    get, path = "/api/v1/whoami", tag = "operation",
    responses((status = 200, description = "The key", body = WhoamiBody)),
)]
pub async fn whoami(State(app): State<Arc<App>>, Caller(who): Caller) -> Json<WhoamiBody> {
    Json(WhoamiBody {
        id: who.id.clone(),
        name: who.name.clone(),
        scopes: who.scopes.iter().map(|scope| scope.as_str()).collect(),
        limits: who.limits.into(),
        open: app.keys.is_open(),
    })
}
