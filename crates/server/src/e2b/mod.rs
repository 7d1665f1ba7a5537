//! E2B's API, so that its clients work unchanged: the control plane (`/sandboxes`, `/v2/sandboxes`), and what its
//! daemon `envd` answers inside each sandbox. Errors are `{code, message}`, as E2B's are.
//!
//! | module | what |
//! |---|---|
//! | [`error`] | every answer that is no success |
//! | [`create`], [`template`], [`once`] | a sandbox that is asked for, and asked for again |
//! | [`control`], [`list`], [`metrics`], [`body`] | those that are there, and what is told of them |
//! | [`suspend`] | pauses, snapshots and forks |
//! | [`facts`], [`tokens`] | what a sandbox of an E2B client has besides: the secrets that open it |
//! | [`address`] | the sandbox that a request means, and whether its token counts |
//! | [`envd`] | processes and files |
//! | [`interpreter`] | cells and contexts |
//! | [`ports`] | what programs in a sandbox serve on their ports |

pub mod address;
pub mod body;
pub mod control;
pub mod create;
pub mod envd;
pub mod error;
pub mod facts;
pub mod interpreter;
pub mod list;
pub mod metrics;
pub mod once;
pub mod ports;
pub mod suspend;
pub mod template;
pub mod tokens;

use crate::app::App;
use axum::Router;
use axum::routing::{any, delete, get, post, put};
use std::sync::Arc;

/// What E2B's clients share.
#[derive(Debug, Default)]
pub struct E2bState {
    /// Sandboxes that were asked for with a key of their own.
    pub once: once::Once,
}

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    let refused = [
        "/templates",
        "/v2/templates",
        "/v2/templates/{*rest}",
        "/v3/templates",
        "/volumes",
        "/volumes/{*rest}",
        "/secrets",
        "/secrets/{*rest}",
    ];
    let router = refused.into_iter().fold(Router::new(), |router, path| {
        router.route(path, any(control::unsupported))
    });
    router
        .route("/sandboxes", post(create::create).get(list::list))
        .route("/v2/sandboxes", post(create::create_v2).get(list::list))
        .route("/sandboxes/{id}", get(control::get).delete(control::kill))
        .route("/sandboxes/{id}/timeout", post(control::timeout))
        .route("/sandboxes/{id}/refreshes", post(control::refresh))
        .route("/sandboxes/{id}/connect", post(control::connect))
        .route("/v2/sandboxes/{id}/connect", post(control::connect))
        .route("/sandboxes/{id}/resume", post(control::resume))
        .route("/sandboxes/{id}/pause", post(suspend::pause))
        .route("/sandboxes/{id}/snapshots", post(suspend::snapshot))
        .route("/sandboxes/{id}/fork", post(suspend::fork))
        .route("/snapshots", get(suspend::list))
        .route(
            "/templates/{*id}",
            delete(suspend::delete).fallback(control::unsupported),
        )
        .route("/sandboxes/{id}/network", put(control::network))
        .route("/sandboxes/{id}/metrics", get(metrics::metrics))
        .merge(envd::routes())
        .merge(interpreter::routes())
}
