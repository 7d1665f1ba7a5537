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
use crate::{descriptors, holder, systemd, tls};
use axum::Router;
use sandbox::current::Current;
use std::io::ErrorKind;
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
    let address = config.listen;
    let taken = |source: std::io::Error| match source.kind() {
        ErrorKind::AddrInUse => ServerError::AddressInUse {
            address,
            holder: holder::of(address.port()),
        },
        _ => ServerError::Address { address, source },
    };
    TcpListener::bind(address).await.map_err(taken)
}

/// Serves until `shutdown` resolves, then drains and closes the sandbox.
pub async fn serve(
    config: ServerConfig,
    rooms: Rooms,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    Service::open(config, rooms, listener)?.run(shutdown).await;
    Ok(())
}

/// A service that can begin to serve.
pub struct Service {
    server: Server,
    listener: TcpListener,
}

impl Service {
    /// Reads keys and certificate; refuses an address that other machines reach while there are no keys.
    pub fn open(
        config: ServerConfig,
        rooms: Rooms,
        listener: TcpListener,
    ) -> Result<Service, ServerError> {
        let address = listener.local_addr().map_err(ServerError::Listener)?;
        let keys = Keys::open(config.keys_file.as_deref(), config.key_defaults)?;
        if keys.is_open() && !address.ip().is_loopback() {
            return Err(ServerError::PublicWithoutKeys { address });
        }
        let acceptor = config.tls.as_ref().map(tls::acceptor).transpose()?;
        descriptors::raise_limit();
        let app = App::new(config, rooms, keys);
        let server = Server {
            router: router(app.clone()),
            connections: Connections::new(descriptors::connections(app.config().http.connections)),
            acceptor: Arc::new(Current::new(acceptor)),
            tasks: TaskTracker::new(),
            abort: CancellationToken::new(),
            app,
        };
        let tls = server.acceptor.get().is_some();
        tracing::info!(%address, tls, open = server.app.open, "serving");
        Ok(Service { server, listener })
    }

    /// What changes its settings while it serves.
    pub fn reloader(&self) -> Reloader {
        Reloader {
            app: self.server.app.clone(),
            acceptor: self.server.acceptor.clone(),
        }
    }

    /// Serves until `shutdown` resolves, then drains and closes the sandbox.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Service { server, listener } = self;
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
        let drain = Duration::from_secs(server.app.config().drain_seconds);
        systemd::stopping(drain + CLOSE_PATIENCE);
        server.drain(drain).await;
    }
}

/// Has a running service take other settings.
pub struct Reloader {
    app: Arc<App>,
    acceptor: Arc<Current<Option<TlsAcceptor>>>,
}

impl Reloader {
    /// Reads keys and certificate again and takes these settings, for connections and requests that come from now on; on
    /// an error nothing changes. Where it listens and what it holds for bodies, answers and connections stays.
    pub fn reload(&self, config: ServerConfig) -> Result<(), ServerError> {
        let acceptor = config.tls.as_ref().map(tls::acceptor).transpose()?;
        self.app.keys.reload(config.key_defaults)?;
        self.app.set_config(config);
        self.acceptor.set(acceptor);
        Ok(())
    }
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
    acceptor: Arc<Current<Option<TlsAcceptor>>>,
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
        let acceptor = self.acceptor.get().as_ref().clone();
        let abort = self.abort.clone();
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
