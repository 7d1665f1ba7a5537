//! `/healthz`: the process answers. `/readyz`: a job would be taken and find what it needs.

use crate::app::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use images::KernelKind;
use sandbox::pool::ShelfState;
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use utoipa::ToSchema;
use vmm::GuestKernel;

const MIB: u64 = 1024 * 1024;

/// How long a look at the images counts: anybody may ask, and each look reads their manifests.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The last look at the images.
#[derive(Debug, Default)]
pub struct Looked(Mutex<Option<(Instant, Check)>>);

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
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Check {
    /// `serving`, `images`, `pool` or `disk`.
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
    let (_, waiting) = sandbox.load();
    sandbox.metrics().queue_depth.set(waiting as i64);
    let checks = vec![serving(app), images(app), pool(app), disk(app)];
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

/// A kernel that the engine boots, and the image of one language at least: without these no job runs.
fn images(app: &App) -> Check {
    let mut looked = app
        .images_looked
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some((at, check)) = looked.as_ref()
        && at.elapsed() < LOOK_AGAIN
    {
        return check.clone();
    }
    let check = look_at_images(app);
    *looked = Some((Instant::now(), check.clone()));
    check
}

fn look_at_images(app: &App) -> Check {
    let store = &app.rooms.images;
    let (wanted, argument) = match app.rooms.sandbox.engine().kernel() {
        GuestKernel::Virtual => (KernelKind::Virtual, "kernel"),
        GuestKernel::UserMode => (KernelKind::UserMode, "uml"),
    };
    let kernels = store.kernels();
    let mut kernels = kernels.iter().filter(|row| row.kind == wanted);
    let has_kernel = kernels.any(|row| row.error.is_none());
    let rows = store.list().unwrap_or_default();
    let sound = rows.iter().filter(|row| row.error.is_none());
    let images: Vec<&str> = sound.map(|row| row.image.name()).collect();
    let (ok, detail) = match (has_kernel, images.is_empty()) {
        (false, _) => (
            false,
            format!("there is no usable kernel: llm-firecracker images build --kernel {argument}"),
        ),
        (true, true) => (
            false,
            "there is no usable image: llm-firecracker images build NAME".into(),
        ),
        (true, false) => (true, images.join(", ")),
    };
    Check {
        name: "images",
        ok,
        detail,
    }
}

/// Jobs that find a shelf empty clone or boot a VM of their own, so a pool is waited for once, while it
/// fills for the first time; neither a VM that is taken nor a language that cannot be made stops the
/// service from serving.
fn pool(app: &App) -> Check {
    let states = app.rooms.sandbox.supply().pool().states();
    let shelves: Vec<String> = states
        .iter()
        .map(|(language, state)| format!("{language} {}", shelf(state)))
        .collect();
    Check {
        name: "pool",
        ok: states.values().all(is_settled),
        detail: match shelves.is_empty() {
            true => "no pool is configured".into(),
            false => shelves.join(", "),
        },
    }
}

fn is_settled(state: &ShelfState) -> bool {
    state.was_full || state.is_failing
}

fn shelf(state: &ShelfState) -> String {
    let failing = match state.is_failing {
        true => " (none can be made; the log has the reason)",
        false => "",
    };
    format!("{} of {}{failing}", state.ready, state.size.min)
}

fn disk(app: &App) -> Check {
    let free = rustix::fs::statvfs(&app.rooms.state_dir)
        .map(|stat| stat.f_bavail * stat.f_frsize)
        .ok();
    app.http.state_free_bytes.set(
        free.and_then(|bytes| i64::try_from(bytes).ok())
            .unwrap_or(0),
    );
    let wanted = app.config().min_free_disk_mib;
    Check {
        name: "disk",
        ok: free.is_some_and(|bytes| bytes / MIB >= wanted),
        detail: match free {
            Some(bytes) => format!("{} MiB free, at least {wanted} wanted", bytes / MIB),
            None => "the free space is not known".into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_waited_for_once_and_not_for_ever() {
        let state = |ready, was_full, is_failing| ShelfState {
            ready,
            size: sandbox::config::PoolSize {
                min: 2,
                max: 2,
                max_age_seconds: 60,
                warmed: false,
                ready_for: sandbox::config::ReadyFor::Jobs,
            },
            was_full,
            is_failing,
        };
        assert!(!is_settled(&state(1, false, false)));
        assert!(is_settled(&state(2, true, false)));
        assert!(is_settled(&state(0, true, false)), "one was taken");
        assert!(is_settled(&state(0, false, true)), "it cannot be made");
        assert!(shelf(&state(0, false, true)).contains("log"));
    }
}
