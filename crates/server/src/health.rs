//! `/healthz`: the process answers. `/readyz`: a job would be taken and find what it needs.

use crate::app::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const MIB: u64 = 1024 * 1024;

/// The process answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: &'static str,
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
#[derive(Debug, Serialize, ToSchema)]
pub struct Check {
    /// `serving`, `pool` or `disk`.
    pub name: &'static str,
    /// It is good.
    pub ok: bool,
    /// One sentence.
    pub detail: String,
}

/// The process answers.
#[utoipa::path(
    get, path = "/healthz", tag = "operation",
    responses((status = 200, description = "Alive", body = Health)), security(()),
)]
pub async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether jobs are taken.
#[utoipa::path(
    get, path = "/readyz", tag = "operation", security(()),
    responses(
        (status = 200, description = "Ready", body = Readiness),
        (status = 503, description = "Not ready", body = Readiness),
    ),
)]
pub async fn readyz(State(app): State<Arc<App>>) -> (StatusCode, Json<Readiness>) {
    let readiness = measure(&app);
    let status = match readiness.ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(readiness))
}

/// Runs the checks and brings the gauges up to date that are only known by looking. Anybody may ask
/// for this, so it costs next to nothing.
pub fn measure(app: &App) -> Readiness {
    let sandbox = &app.rooms.sandbox;
    let (_, queued) = app.queue.load();
    let (_, waiting) = sandbox.load();
    let depth = (queued + waiting) as i64;
    sandbox.metrics().queue_depth.set(depth);
    let checks = vec![serving(app), pool(app), disk(app)];
    let ready = checks.iter().all(|check| check.ok);
    app.http.ready.set(i64::from(ready));
    Readiness { ready, checks }
}

fn serving(app: &App) -> Check {
    let ok = !app.draining.is_cancelled();
    let detail = if ok {
        "jobs are taken"
    } else {
        "the service stops"
    };
    Check {
        name: "serving",
        ok,
        detail: detail.into(),
    }
}

fn pool(app: &App) -> Check {
    let pool = app.rooms.sandbox.supply().pool();
    let sizes: Vec<String> = pool
        .sizes()
        .iter()
        .map(|(language, (ready, size))| format!("{language} {ready} of {}", size.min))
        .collect();
    Check {
        name: "pool",
        ok: pool.is_warm(),
        detail: match sizes.is_empty() {
            true => "no pool is configured".into(),
            false => sizes.join(", "),
        },
    }
}

fn disk(app: &App) -> Check {
    let free = rustix::fs::statvfs(&app.rooms.state_dir)
        .map(|stat| stat.f_bavail * stat.f_frsize)
        .ok();
    app.http.state_free_bytes.set(
        free.and_then(|bytes| i64::try_from(bytes).ok())
            .unwrap_or(0),
    );
    let wanted = app.config.min_free_disk_mib;
    Check {
        name: "disk",
        ok: free.is_some_and(|bytes| bytes / MIB >= wanted),
        detail: match free {
            Some(bytes) => format!("{} MiB free, at least {wanted} wanted", bytes / MIB),
            None => "the free space is not known".into(),
        },
    }
}
