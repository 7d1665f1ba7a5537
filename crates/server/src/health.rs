//! `/healthz`: the process answers. `/readyz`: a job would be taken and find what it needs.

mod checks;
mod engine;
mod images;

pub use engine::EngineTrouble;
pub use images::Looked;

use crate::app::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The process answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: &'static str,
    /// Requests need a key.
    pub keys: bool,
}

/// Whether jobs are taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// All checks are good.
    pub ready: bool,
    /// Each check.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Check {
    /// `serving`, `images`, `engine`, `pool` or `disk`.
    pub name: &'static str,
    /// It is good.
    pub ok: bool,
    /// One sentence: what is seen.
    pub detail: String,
    /// What to do, where it is not good.
    pub fix: Option<String>,
}

impl Check {
    /// A good one.
    pub fn good(name: &'static str, detail: impl Into<String>) -> Check {
        Check {
            name,
            ok: true,
            detail: detail.into(),
            fix: None,
        }
    }

    /// One that is not, and what to do.
    pub fn bad(name: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Check {
        Check {
            name,
            ok: false,
            detail: detail.into(),
            fix: Some(fix.into()),
        }
    }
}

/// The process answers.
#[utoipa::path(
    get, path = "/healthz", tag = "operation",
    responses((status = 200, description = "Alive", body = Health)), security(()),
)]
pub async fn healthz(State(app): State<Arc<App>>) -> Json<Health> {
    Json(Health {
        status: "ok",
        keys: !app.keys.is_open(),
    })
}

/// Whether jobs are taken; where not, each check that is not good says why and what to do.
#[utoipa::path(
    get, path = "/readyz", tag = "operation", security(()),
    responses(
        (status = 200, description = "Ready", body = Readiness),
        (status = 503, description = "Not ready", body = Readiness),
    ),
)]
pub async fn readyz(State(app): State<Arc<App>>) -> (StatusCode, Json<Readiness>) {
    let readiness = measure(&app).await;
    let status = match readiness.ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(readiness))
}

/// Runs the checks and brings the gauges up to date that are only known by looking. Anybody may ask
/// for this, so it costs next to nothing.
pub async fn measure(app: &App) -> Readiness {
    let sandbox = &app.rooms.sandbox;
    let (_, waiting) = sandbox.load();
    sandbox.metrics().queue_depth.set(waiting as i64);
    let checks = vec![
        checks::serving(app),
        images::check(app).await,
        engine::check(app),
        checks::pool(app),
        checks::disk(app),
    ];
    let ready = checks.iter().all(|check| check.ok);
    app.http.ready.set(i64::from(ready));
    Readiness { ready, checks }
}
