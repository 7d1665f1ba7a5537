//! The listener: accepts, bounds, and drains.
//!
//! ```text
//!  accept ──> room? ──> one task a connection: [`crate::talk`]
//!  shutdown: no more accepted, no more jobs taken; running ones may end, for so long; then they are ended
//! ```

use crate::app::{App, Rooms, router};
use crate::config::ServerConfig;
use crate::connections::{Connections, Room};
use crate::error::ServerError;
use crate::keys::Keys;
use crate::talk::Talk;
use crate::{descriptors, systemd, tls};
use axum::Router;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// How long accepting pauses after it failed (no descriptor is left): closing ones give some back.
const AFTER_ACCEPT_FAILED: Duration = Duration::from_millis(50);

/// How often it is looked whether a minute's refusals are to be told.
const LOOK_AT_REFUSALS: Duration = Duration::from_secs(1);

/// How long VMs may take to go away at the end.
const CLOSE_PATIENCE: Duration = Duration::from_secs(15);

/// Listens where the configuration says.
pub async fn listen(config: &ServerConfig) -> Result<TcpListener, ServerError> {
    TcpListener::bind(config.listen)
        .await
        .map_err(ServerError::Listener)
}

/// Serves until `shutdown` resolves, then drains and closes the sandbox.
pub async fn serve(
    config: ServerConfig,
    rooms: Rooms,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    let address = listener.local_addr().map_err(ServerError::Listener)?;
    let keys = Keys::open(config.keys_file.as_deref(), config.key_defaults)?;
    if keys.is_open() && !address.ip().is_loopback() {
        return Err(ServerError::PublicWithoutKeys { address });
    }
    let acceptor = config.tls.as_ref().map(tls::acceptor).transpose()?;
    descriptors::raise_limit();
    let drain = Duration::from_secs(config.drain_seconds);
    let app = App::new(config, rooms, keys);
    let server = Server {
        router: router(app.clone()),
        connections: Connections::new(descriptors::connections(app.config.http.connections)),
        acceptor,
        tasks: TaskTracker::new(),
        abort: CancellationToken::new(),
        app,
    };
    tracing::info!(%address, tls = server.acceptor.is_some(), open = server.app.open, "serving");
    // Until the very end: a drain may take longer than the interval that systemd allows.
    let _watchdog = AbortOnDropHandle::new(tokio::spawn(systemd::watchdog()));
    systemd::ready();
    tokio::select! {
        () = server.accept(&listener) => {}
        () = crate::sessions::table::end_those_over(&server.app) => {}
        () = crate::sandboxes::ending::end_those_over(&server.app) => {}
        () = tell_of_refusals(&server.app) => {}
        () = crate::history::sample(&server.app) => {}
        () = crate::usage::keep_written(&server.app) => {}
        () = shutdown => {}
    }
    // No new connection is even queued by the kernel from here on.
    drop(listener);
    systemd::stopping(drain + CLOSE_PATIENCE);
    server.drain(drain).await;
    Ok(())
}

/// Leaves the events of refusals that were summed up; never returns.
async fn tell_of_refusals(app: &App) {
    let mut ticks = tokio::time::interval(LOOK_AT_REFUSALS);
    loop {
        let now = ticks.tick().await;
        app.tell(app.refusals.sums(now.into_std()));
    }
}

struct Server {
    app: Arc<App>,
    router: Router,
    connections: Arc<Connections>,
    acceptor: Option<TlsAcceptor>,
    tasks: TaskTracker,
    /// Ends connections that outstay the drain.
    abort: CancellationToken,
}

impl Server {
    async fn accept(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.take_in(stream, peer),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(AFTER_ACCEPT_FAILED).await;
                }
            }
        }
    }

    fn take_in(&self, stream: TcpStream, peer: SocketAddr) {
        let Some((connection, room)) = self.connections.open() else {
            tracing::warn!(%peer, "all connections are at work; a new one was closed");
            return;
        };
        let http = &self.app.http;
        if room == Room::Evicted {
            http.connections_evicted.inc();
        }
        http.connections.set(self.connections.count() as i64);
        // Answers are small and wanted at once; a socket that refuses the option works without.
        let _ = stream.set_nodelay(true);
        let gauge = (http.connections.clone(), self.connections.clone());
        let talk = Talk {
            router: self.router.clone(),
            connection: Arc::new(connection),
            address: peer,
            app: self.app.clone(),
        };
        let (acceptor, abort) = (self.acceptor.clone(), self.abort.clone());
        self.tasks.spawn(async move {
            let stop = talk.connection.stop.clone();
            tokio::select! {
                () = talk.talk(stream, acceptor) => {}
                () = stop.cancelled() => {}
                () = abort.cancelled() => {}
            }
            gauge.0.set(gauge.1.count() as i64);
        });
    }

    async fn drain(self, patience: Duration) {
        self.app.draining.cancel();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("jobs were still running when the service stopped; they are ended");
            self.abort.cancel();
            self.tasks.wait().await;
        }
        self.app.tell(self.app.refusals.last_sums());
        // Calls of assistants that came back for their answers go on without a connection.
        self.app.mcp.close(CLOSE_PATIENCE).await;
        // No connection is left, so nobody uses a session or a sandbox any more.
        tokio::join!(self.app.sessions.close(), self.app.sandboxes.close());
        self.app.rooms.sandbox.close(CLOSE_PATIENCE).await;
        // Whoever used a VM has let go of it by now.
        self.app.settle_usage().await;
    }
}
