//! The protocol over standard input and output, for who started this process: everything that it needs is in here, and
//! goes with it.

use super::server::McpServer;
use crate::app::{App, Rooms};
use crate::config::ServerConfig;
use crate::error::ServerError;
use crate::keys::Keys;
use crate::{sandboxes, sessions};
use rmcp::ServiceExt as _;
use rmcp::service::{QuitReason, ServerInitializeError};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long VMs may take to go away at the end.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

/// Serves until standard input ends or `shutdown` resolves; then every VM is destroyed.
pub async fn serve(
    config: ServerConfig,
    rooms: Rooms,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    // Whoever started this process is its one user: there are no keys.
    let keys = Keys::open(None, config.key_defaults)?;
    let app = App::new(config, rooms, keys);
    let stop = CancellationToken::new();
    let served = tokio::select! {
        served = talk(&app, stop.clone()) => served,
        () = sandboxes::ending::end_those_over(&app) => Ok(()),
        () = sessions::table::end_those_over(&app) => Ok(()),
        () = crate::usage::keep_written(&app) => Ok(()),
        () = shutdown => Ok(()),
    };
    stop.cancel();
    app.draining.cancel();
    app.mcp.close(CLOSE_PATIENCE).await;
    tokio::join!(app.sessions.close(), app.sandboxes.close());
    app.rooms.sandbox.close(CLOSE_PATIENCE).await;
    app.settle_usage().await;
    served
}

async fn talk(app: &Arc<App>, stop: CancellationToken) -> Result<(), ServerError> {
    let server = McpServer::new(app.clone(), app.keys.local()).await;
    let transport = rmcp::transport::stdio_pipes();
    let running = match server.serve_with_ct(transport, stop).await {
        Ok(running) => running,
        // Nobody said a word: that is an end like any other.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(ServerError::Mcp(Box::new(error))),
    };
    match running.waiting().await {
        Ok(QuitReason::JoinError(error)) | Err(error) => Err(ServerError::McpTask(error)),
        Ok(_) => Ok(()),
    }
}
